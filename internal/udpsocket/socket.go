package udpsocket

import (
	"net"

	"golang.org/x/sys/unix"
)

const (
	receiveBuffer = 8 << 20 // for bursts: about 10,000 requests
	sendBuffer    = 4 << 20
)

// SetBuffers enlarges the kernel buffers. Exceeding the system limit needs a privilege; without it
// the kernel caps the size at that limit.
func SetBuffers(fd int) {
	if unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_RCVBUFFORCE, receiveBuffer) != nil {
		_ = unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_RCVBUF, receiveBuffer)
	}
	if unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_SNDBUFFORCE, sendBuffer) != nil {
		_ = unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_SNDBUF, sendBuffer)
	}
}

// Control calls f with the socket's descriptor.
func Control(conn *net.UDPConn, f func(fd int) error) error {
	raw, err := conn.SyscallConn()
	if err != nil {
		return err
	}
	var failed error
	err = raw.Control(func(fd uintptr) { failed = f(int(fd)) })
	if err == nil {
		err = failed
	}
	return err
}

// RootCause strips the address from a *net.OpError, because our message names it already.
func RootCause(err error) error {
	if op, ok := err.(*net.OpError); ok {
		err = op.Err
	}
	if sys, ok := err.(interface{ Unwrap() error }); ok && sys.Unwrap() != nil {
		err = sys.Unwrap()
	}
	return err
}
