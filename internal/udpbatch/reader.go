package udpbatch

import (
	"net"
	"net/netip"
	"os"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// batch is how many datagrams one call reads at most.
const batch = 16

// Datagram is a datagram that was read.
type Datagram struct {
	Data    []byte // valid until the next call of Read
	From    netip.AddrPort
	Control []byte // control messages (cmsg(3)); valid as long as Data
}

// Reader reads datagrams from a socket.
type Reader struct {
	raw      syscall.RawConn
	read     func(fd uintptr) bool // try, bound once
	messages [batch]message
	iovs     [batch]unix.Iovec
	from     [batch]address
	data     [batch][]byte
	control  [batch][]byte
	n, next  int // datagrams that were read, and the next of them to return
	err      error
}

// NewReader returns a Reader of a socket. Of a longer datagram, and of more control messages, only that
// many octets are read.
func NewReader(conn *net.UDPConn, octets, controlOctets int) (*Reader, error) {
	raw, err := conn.SyscallConn()
	if err != nil {
		return nil, err
	}
	r := &Reader{raw: raw}
	r.read = r.try
	for i := range r.messages {
		r.data[i], r.control[i] = make([]byte, octets), make([]byte, controlOctets)
		r.iovs[i].Base = unsafe.SliceData(r.data[i])
		r.iovs[i].SetLen(octets)
		h := &r.messages[i].hdr
		h.Name, h.Iov, h.Iovlen = (*byte)(unsafe.Pointer(&r.from[i].raw)), &r.iovs[i], 1
		if controlOctets > 0 {
			h.Control = unsafe.SliceData(r.control[i])
		}
	}
	return r, nil
}

// Read waits for the next datagram. Errors are those of [net.UDPConn.Read]: [os.ErrDeadlineExceeded]
// after the socket's read deadline and [net.ErrClosed] after its Close.
func (r *Reader) Read() (Datagram, error) {
	if r.next == r.n {
		if err := r.fill(); err != nil {
			return Datagram{}, err
		}
	}
	i := r.next
	r.next++
	m := &r.messages[i]
	return Datagram{Data: r.data[i][:m.n], From: r.from[i].addrPort(), Control: r.control[i][:m.hdr.Controllen]}, nil
}

// Buffered returns how many datagrams Read returns without a system call.
func (r *Reader) Buffered() int { return r.n - r.next }

// fill reads at least one datagram.
func (r *Reader) fill() error {
	for i := range r.messages {
		h := &r.messages[i].hdr
		h.Namelen = unix.SizeofSockaddrInet6
		h.SetControllen(len(r.control[i]))
	}
	r.n, r.next = 0, 0
	if err := r.raw.Read(r.read); err != nil {
		return err
	}
	return r.err
}

// try reports whether a result is ready. If not, the netpoller calls it again when the socket is
// readable.
func (r *Reader) try(fd uintptr) bool {
	for {
		// The socket is non-blocking, so the runtime need not know about the call.
		n, _, errno := unix.RawSyscall6(unix.SYS_RECVMMSG, fd, uintptr(unsafe.Pointer(&r.messages[0])), batch, unix.MSG_DONTWAIT, 0, 0)
		switch errno {
		case unix.EINTR:
			continue
		case unix.EAGAIN:
			return false
		case 0:
			r.n, r.err = int(n), nil
		default:
			r.err = os.NewSyscallError("recvmmsg", errno)
		}
		return true
	}
}
