package udpbatch

import (
	"bytes"
	"errors"
	"net"
	"net/netip"
	"syscall"
	"testing"
)

// TestSenderRefused: the kernel refuses a buffer of a socket without checksums. Its packets are sent one by
// one, and later ones too. All packets have a result, also on a closed socket.
func TestSenderRefused(t *testing.T) {
	conn, err := net.ListenUDP("udp4", nil)
	if err != nil {
		t.Fatal(err)
	}
	raw, err := conn.SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	var optErr error
	err = raw.Control(func(fd uintptr) { optErr = syscall.SetsockoptInt(int(fd), syscall.SOL_SOCKET, syscall.SO_NO_CHECK, 1) })
	if err := errors.Join(err, optErr); err != nil {
		t.Fatal(err)
	}
	s, err := NewSender(conn)
	if err != nil {
		t.Fatal(err)
	}
	packets := [][]byte{bytes.Repeat([]byte{1}, 30), bytes.Repeat([]byte{2}, 30)}
	to := netip.AddrPortFrom(netip.AddrFrom4([4]byte{127, 0, 0, 1}), 9)
	count := 0
	s.SendAll(packets, to, func(_ int, err error) {
		if count++; err != nil {
			t.Error(err)
		}
	})
	if count != 2 || s.longest >= 30 {
		t.Errorf("%d results, then packets up to %d octets are sent together", count, s.longest)
	}
	_ = conn.Close()
	s.SendAll(packets, to, func(_ int, err error) {
		if count++; !errors.Is(err, net.ErrClosed) {
			t.Errorf("a closed socket: %v", err)
		}
	})
	if count != 4 {
		t.Errorf("%d results", count)
	}
}
