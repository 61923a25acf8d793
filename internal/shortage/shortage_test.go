package shortage

import (
	"errors"
	"fmt"
	"net"
	"os"
	"syscall"
	"testing"
)

func TestIs(t *testing.T) {
	for _, tt := range []struct {
		name            string
		err             error
		descriptors, is bool
	}{
		{"none", nil, false, false},
		{"of the process", syscall.EMFILE, true, true},
		{"of the system", fmt.Errorf("accept: %w", syscall.ENFILE), true, true},
		{"a file", &os.PathError{Op: "open", Path: "x", Err: syscall.EMFILE}, true, true},
		{"a name", &net.DNSError{Err: "dial udp: " + os.NewSyscallError("socket", syscall.EMFILE).Error(), Name: "r1"}, true, true},
		{"memory", &os.PathError{Op: "read", Path: "x", Err: syscall.ENOMEM}, false, true},
		{"buffers", syscall.ENOBUFS, false, true},
		{"the disk", syscall.ENOSPC, false, false},
		{"another", errors.New("many files"), false, false},
	} {
		if got := IsOfDescriptors(tt.err); got != tt.descriptors {
			t.Errorf("%s: of descriptors: %t", tt.name, got)
		}
		if got := Is(tt.err); got != tt.is {
			t.Errorf("%s: %t", tt.name, got)
		}
	}
}
