package radius

import (
	"testing"

	"aaasess/internal/udpsocket"

	"golang.org/x/sys/unix"
)

// TestReceiveBuffer: the buffer is large enough for a burst, as far as the system allows.
func TestReceiveBuffer(t *testing.T) {
	l := startListener(t, refuser{}, "127.0.0.1:0", local())
	got := 0
	if err := udpsocket.Control(l.sockets[0].conn, func(fd int) (err error) {
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
	udpsocket.SetBuffers(fresh)
	if want, _ := unix.GetsockoptInt(fresh, unix.SOL_SOCKET, unix.SO_RCVBUF); got != want {
		t.Errorf("%d octets, want %d", got, want)
	}
}
