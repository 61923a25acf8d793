package dae

import (
	"bytes"
	"encoding/binary"
	"testing"
	"unsafe"

	"golang.org/x/sys/unix"
)

// FuzzRefused: no control messages make isRefused panic, and only one with the error of a closed port
// says so.
func FuzzRefused(f *testing.F) {
	control := make([]byte, unix.CmsgSpace(4))
	h := (*unix.Cmsghdr)(unsafe.Pointer(&control[0]))
	h.Level, h.Type = unix.IPPROTO_IP, unix.IP_RECVERR
	h.SetLen(unix.CmsgLen(4))
	binary.NativeEndian.PutUint32(control[unix.CmsgLen(0):], uint32(unix.ECONNREFUSED))
	if !isRefused(control) {
		f.Error("the report of a closed port is not recognised")
	}
	f.Add(control)
	f.Add(control[:len(control)-1])
	f.Fuzz(func(t *testing.T, control []byte) {
		if refused := binary.NativeEndian.AppendUint32(nil, uint32(unix.ECONNREFUSED)); isRefused(control) && !bytes.Contains(control, refused) {
			t.Errorf("%x is the report of a closed port", control)
		}
	})
}
