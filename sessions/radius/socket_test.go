package radius

import (
	"net/netip"
	"testing"

	"golang.org/x/sys/unix"
)

// TestPacketInfo: the control message appended for an answer equals the one that the kernel reports
// for a request.
func TestPacketInfo(t *testing.T) {
	tests := []struct {
		name  string
		local localAddr
		want  localAddr
	}{
		{"IPv4", localAddr{addr: netip.MustParseAddr("192.0.2.1")}, localAddr{addr: netip.MustParseAddr("192.0.2.1")}},
		{"IPv6", localAddr{netip.MustParseAddr("2001:db8::1"), 3}, localAddr{addr: netip.MustParseAddr("2001:db8::1")}},
		{"link-local", localAddr{netip.MustParseAddr("fe80::1"), 3}, localAddr{netip.MustParseAddr("fe80::1"), 3}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			control := appendPacketInfo(nil, tt.local)
			if got := parsePacketInfo(control); got != tt.want {
				t.Errorf("%v, want %v", got, tt.want)
			}
			if got := parsePacketInfo(control[:10]); got.addr.IsValid() {
				t.Errorf("%v of a message that was cut off", got)
			}
		})
	}
}

// TestReceiveBuffer: the buffer is large enough for a burst, as far as the system allows.
func TestReceiveBuffer(t *testing.T) {
	l := startListener(t, refuser{}, "127.0.0.1:0", local())
	got := 0
	if err := control(l.sockets[0].conn, func(fd int) (err error) {
		got, err = unix.GetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_RCVBUF)
		return err
	}); err != nil {
		t.Fatal(err)
	}
	fresh, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(fresh)
	if unix.SetsockoptInt(fresh, unix.SOL_SOCKET, unix.SO_RCVBUFFORCE, receiveBuffer) != nil {
		_ = unix.SetsockoptInt(fresh, unix.SOL_SOCKET, unix.SO_RCVBUF, receiveBuffer)
	}
	if want, _ := unix.GetsockoptInt(fresh, unix.SOL_SOCKET, unix.SO_RCVBUF); got != want {
		t.Errorf("%d octets, want %d", got, want)
	}
}
