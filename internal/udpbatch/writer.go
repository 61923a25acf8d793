package udpbatch

import (
	"net"
	"net/netip"
	"os"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// Writer collects datagrams and sends them together.
type Writer struct {
	raw      syscall.RawConn
	ipv6     bool
	write    func(fd uintptr) bool // try, bound once
	messages []message
	iovs     []unix.Iovec
	to       []address
	n        int // datagrams that were added
	sent     int // of them sent, or refused
	errno    syscall.Errno
}

// NewWriter returns a Writer of a socket for up to n datagrams at a time.
func NewWriter(conn *net.UDPConn, n int) (*Writer, error) {
	raw, err := conn.SyscallConn()
	if err != nil {
		return nil, err
	}
	w := &Writer{
		raw: raw, ipv6: conn.LocalAddr().(*net.UDPAddr).IP.To4() == nil,
		messages: make([]message, n), iovs: make([]unix.Iovec, n), to: make([]address, n),
	}
	w.write = w.try
	return w, nil
}

// Len returns how many datagrams were added since the last Flush.
func (w *Writer) Len() int { return w.n }

// Add adds a datagram, at least one octet, with its control messages (cmsg(3)). Both must stay as they
// are until Flush. The caller adds no more than the Writer is for.
func (w *Writer) Add(data, control []byte, to netip.AddrPort) {
	i := w.n
	w.n++
	w.to[i].set(to, w.ipv6)
	w.iovs[i].Base = unsafe.SliceData(data)
	w.iovs[i].SetLen(len(data))
	h := &w.messages[i].hdr
	*h = unix.Msghdr{Name: (*byte)(unsafe.Pointer(&w.to[i].raw)), Namelen: w.to[i].length, Iov: &w.iovs[i], Iovlen: 1}
	if len(control) > 0 {
		h.Control = unsafe.SliceData(control)
		h.SetControllen(len(control))
	}
}

// Flush sends what was added, in order. It waits while the socket's buffer is full. It calls done for
// each datagram with its number, from 0 on, and nil or why it was not sent.
func (w *Writer) Flush(done func(i int, err error)) {
	for w.sent = 0; w.sent < w.n; {
		from := w.sent
		if err := w.raw.Write(w.write); err != nil { // closed
			for ; w.sent < w.n; w.sent++ {
				done(w.sent, err)
			}
			break
		}
		for i := from; i < w.sent; i++ {
			done(i, nil)
		}
		if w.errno != 0 {
			done(w.sent, os.NewSyscallError("sendmmsg", w.errno))
			w.sent++
		}
	}
	clear(w.messages[:w.n]) // which refer to the caller's memory
	clear(w.iovs[:w.n])
	w.n = 0
}

// try sends until a datagram is refused or all are sent. It reports whether it need not wait.
func (w *Writer) try(fd uintptr) bool {
	for w.errno = 0; w.sent < w.n; {
		n, _, errno := unix.Syscall6(unix.SYS_SENDMMSG, fd, uintptr(unsafe.Pointer(&w.messages[w.sent])), uintptr(w.n-w.sent), unix.MSG_DONTWAIT, 0, 0)
		switch errno {
		case 0:
			w.sent += int(n)
		case unix.EINTR:
		case unix.EAGAIN:
			return false
		default:
			w.errno = errno
			return true
		}
	}
	return true
}
