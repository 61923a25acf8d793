package snmp

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"os"
	"syscall"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

const (
	socketBuffer = 4 << 20 // what the kernel holds of a burst, and of answers
	// batch is how many datagrams are read at once. With more than one there is work for helpers.
	batch       = 16
	controlSize = 64 // a control message with IP_PKTINFO or IPV6_PKTINFO
	// yields is how often a read that found nothing gives the processor away and tries again before it
	// waits in the netpoller: a manager on the same processor needs no more to send its next request.
	// In vain it delays others, so each wait makes it one less, until a request is there without. (A thread
	// that waits in the kernel instead made GETs no faster, and walks a quarter slower.)
	yields = 3
)

// peerAddr is a socket address as the kernel has it: an answer goes to where its request came from
// without a conversion.
type peerAddr struct {
	raw    unix.RawSockaddrInet6 // room for IPv4 too
	length uint32
}

// addrPort is the address in our form, IPv4 in its own.
func (p *peerAddr) addrPort() netip.AddrPort {
	if p.raw.Family == unix.AF_INET {
		sa := (*unix.RawSockaddrInet4)(unsafe.Pointer(&p.raw))
		return netip.AddrPortFrom(netip.AddrFrom4(sa.Addr), hostOrder(&sa.Port))
	}
	return netip.AddrPortFrom(netip.AddrFrom16(p.raw.Addr).Unmap(), hostOrder(&p.raw.Port))
}

func hostOrder(port *uint16) uint16 {
	b := (*[2]byte)(unsafe.Pointer(port))
	return uint16(b[0])<<8 | uint16(b[1])
}

// message is a struct mmsghdr (recvmmsg(2)).
type message struct {
	hdr unix.Msghdr
	n   uint32
}

// endpoint is one UDP socket. One goroutine reads it; any may send.
type endpoint struct {
	r        *Responder
	conn     *net.UDPConn
	raw      syscall.RawConn
	addr     netip.AddrPort
	wildcard bool // several local addresses: an answer must leave from the one that was asked

	// Of the goroutine that reads.
	messages [batch]message
	waiting  [batch]*exchange // that the next datagrams go to
	readFn   func(fd uintptr) bool
	count    int
	err      error
	patience int  // yields before the next wait
	waited   bool // in the netpoller, for the present read
}

func (r *Responder) listen(addr netip.AddrPort) (*endpoint, error) {
	network := "udp6"
	if addr.Addr().Is4() {
		network = "udp4"
	}
	conn, err := net.ListenUDP(network, net.UDPAddrFromAddrPort(addr))
	if err != nil {
		if op, ok := err.(*net.OpError); ok {
			err = op.Err // the address is in our text
		}
		return nil, fmt.Errorf("snmp: listen %v: %w", addr, err)
	}
	ep := &endpoint{
		r: r, conn: conn, addr: conn.LocalAddr().(*net.UDPAddr).AddrPort(), wildcard: addr.Addr().IsUnspecified(),
	}
	ep.readFn = ep.tryRead
	if ep.raw, err = conn.SyscallConn(); err == nil {
		err = ep.setOptions()
	}
	if err != nil {
		_ = conn.Close()
		return nil, fmt.Errorf("snmp: listen %v: %w", addr, err)
	}
	return ep, nil
}

func (ep *endpoint) setOptions() (err error) {
	failed := ep.raw.Control(func(fd uintptr) {
		for _, o := range [][2]int{{unix.SO_RCVBUFFORCE, unix.SO_RCVBUF}, {unix.SO_SNDBUFFORCE, unix.SO_SNDBUF}} {
			// More than the system's limit needs a privilege; without it as much as that allows will do.
			if unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, o[0], socketBuffer) != nil {
				_ = unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, o[1], socketBuffer)
			}
		}
		switch {
		case !ep.wildcard:
		case ep.addr.Addr().Is4():
			err = unix.SetsockoptInt(int(fd), unix.IPPROTO_IP, unix.IP_PKTINFO, 1)
		default:
			err = unix.SetsockoptInt(int(fd), unix.IPPROTO_IPV6, unix.IPV6_RECVPKTINFO, 1)
		}
	})
	if err == nil {
		err = failed
	}
	return err
}

// run reads and answers until ctx is done.
func (ep *endpoint) run(ctx context.Context) error {
	defer context.AfterFunc(ctx, func() { _ = ep.conn.SetReadDeadline(time.Unix(1, 0)) })()
	for {
		n, err := ep.read()
		if ctx.Err() != nil {
			return nil
		}
		if err != nil {
			return fmt.Errorf("snmp: %v: %w", ep.addr, err)
		}
		if n == 0 {
			select { // until the system has what it wanted
			case <-ctx.Done():
			case <-time.After(10 * time.Millisecond):
			}
			continue
		}
		now := ep.r.clock()
		for i := range n {
			e := ep.waiting[i]
			ep.waiting[i] = nil
			ep.received(e, &ep.messages[i])
			e.now = now
			// The last one is our own: alone, as mostly, a request costs no switch between goroutines.
			if i == n-1 || !ep.r.help(ep, e) {
				ep.r.serve(ep, e)
			}
		}
	}
}

// received notes what the kernel has told of a datagram.
func (ep *endpoint) received(e *exchange, m *message) {
	e.n = int(m.n)
	e.peer.length = m.hdr.Namelen
	e.from = e.peer.addrPort()
	e.sending.controlLength = int(m.hdr.Controllen)
}

// read waits for datagrams in ep.waiting, and tells how many came.
func (ep *endpoint) read() (int, error) {
	for i := range ep.waiting {
		if ep.waiting[i] == nil {
			ep.waiting[i] = ep.r.take()
		}
		e, h := ep.waiting[i], &ep.messages[i].hdr
		e.iov.Base = &e.in[0]
		e.iov.SetLen(len(e.in))
		h.Name, h.Namelen = (*byte)(unsafe.Pointer(&e.peer.raw)), unix.SizeofSockaddrInet6
		h.Iov, h.Iovlen = &e.iov, 1
		h.Control, h.Controllen = nil, 0
		if ep.wildcard {
			h.Control = &e.control[0]
			h.SetControllen(controlSize)
		}
	}
	ep.waited = false
	if err := ep.raw.Read(ep.readFn); err != nil {
		return 0, err
	}
	return ep.count, ep.err
}

// tryRead reports whether there is a result; if not, the netpoller calls it again when there is.
func (ep *endpoint) tryRead(fd uintptr) bool {
	for try := 0; ; try++ {
		// The socket does not block, so the runtime need not know of the call.
		n, _, errno := unix.RawSyscall6(unix.SYS_RECVMMSG, fd, uintptr(unsafe.Pointer(&ep.messages[0])), batch, unix.MSG_DONTWAIT, 0, 0)
		switch errno {
		case 0:
			if !ep.waited {
				ep.patience = yields
			}
			ep.count, ep.err = int(n), nil
			return true
		case unix.EINTR:
			continue
		case unix.ENOMEM, unix.ENOBUFS, unix.ECONNREFUSED, unix.ENETDOWN, unix.ENETUNREACH, unix.EHOSTDOWN, unix.EHOSTUNREACH:
			// A moment's want, or news of an earlier answer: no reason to serve nobody.
			ep.count, ep.err = 0, nil
			return true
		case unix.EAGAIN:
		default:
			ep.count, ep.err = 0, os.NewSyscallError("recvmmsg", errno)
			return true
		}
		if ep.waited || try >= ep.patience {
			ep.waited = true
			ep.patience = max(0, ep.patience-1)
			return false
		}
		_, _, _ = unix.RawSyscall(unix.SYS_SCHED_YIELD, 0, 0, 0)
	}
}

// sending is an answer on its way out.
type sending struct {
	hdr           unix.Msghdr
	iov           unix.Iovec
	controlLength int
	fn            func(fd uintptr) // try, made once
	errno         syscall.Errno
}

// send sends what is in e's frame to where its request came from.
func (ep *endpoint) send(e *exchange) error {
	s := &e.sending
	b := e.frame.Bytes()
	s.iov.Base = &b[0]
	s.iov.SetLen(len(b))
	s.hdr = unix.Msghdr{Name: (*byte)(unsafe.Pointer(&e.peer.raw)), Namelen: e.peer.length, Iov: &s.iov, Iovlen: 1}
	if ep.wildcard && s.controlLength > 0 {
		turn(e.control[:s.controlLength])
		s.hdr.Control = &e.control[0]
		s.hdr.SetControllen(s.controlLength)
	}
	if err := ep.raw.Control(s.fn); err != nil {
		return err
	}
	if s.errno != 0 {
		return os.NewSyscallError("sendmsg", s.errno)
	}
	return nil
}

// try sends at once or not at all: one who waits for a link that takes nothing would keep all others
// waiting, and a manager asks again.
func (s *sending) try(fd uintptr) {
	for s.errno = unix.EINTR; s.errno == unix.EINTR; {
		_, _, s.errno = unix.RawSyscall(unix.SYS_SENDMSG, fd, uintptr(unsafe.Pointer(&s.hdr)), unix.MSG_DONTWAIT)
	}
}

// turn makes of the control message that tells where a request was sent to the one that says where its
// answer leaves from (ip(7), ipv6(7)): the same address, and the interface only where an address is
// nothing without.
func turn(control []byte) {
	h := (*unix.Cmsghdr)(unsafe.Pointer(&control[0]))
	switch {
	case len(control) >= unix.CmsgLen(unix.SizeofInet4Pktinfo) && h.Level == unix.IPPROTO_IP && h.Type == unix.IP_PKTINFO:
		clear(control[unix.CmsgLen(0):][:4]) // ipi_ifindex
	case len(control) >= unix.CmsgLen(unix.SizeofInet6Pktinfo) && h.Level == unix.IPPROTO_IPV6 && h.Type == unix.IPV6_PKTINFO:
		info := (*unix.Inet6Pktinfo)(unsafe.Pointer(&control[unix.CmsgLen(0)]))
		if !netip.AddrFrom16(info.Addr).IsLinkLocalUnicast() {
			info.Ifindex = 0
		}
	}
}
