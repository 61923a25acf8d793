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
	socketBuffer = 4 << 20 // kernel buffer for bursts of requests and for answers
	// batch is how many datagrams one call reads at most.
	batch       = 16
	controlSize = 64 // room for a control message with IP_PKTINFO or IPV6_PKTINFO
	// yields is how often a read that finds nothing yields the processor and tries again before it
	// waits in the netpoller. A manager on the same processor needs no more time to send its next
	// request. If the next request takes longer, yielding only delays others. So each wait in the
	// netpoller reduces the number by one; a request that arrives without a wait restores it. (A
	// thread that waits in the kernel instead made GETs no faster, and walks a quarter slower.)
	yields = 3
)

// peerAddr is a socket address in the kernel's format: an answer goes back to its requester without
// a conversion.
type peerAddr struct {
	raw    unix.RawSockaddrInet6 // large enough for IPv4 too
	length uint32
}

// addrPort converts the address; IPv4 addresses are not mapped to IPv6.
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

// endpoint is one UDP socket. One goroutine reads it; any goroutine may send.
type endpoint struct {
	r        *Responder
	conn     *net.UDPConn
	raw      syscall.RawConn
	addr     netip.AddrPort
	wildcard bool // bound to all local addresses: answers need a source address

	// Owned by the reading goroutine.
	messages   [batch]message
	waiting    [batch]*exchange // destinations of the next datagrams
	readFn     func(fd uintptr) bool
	count      int
	err        error
	yieldsLeft int  // yields before the next wait
	waited     bool // the current read has waited in the netpoller
}

func (r *Responder) listen(addr netip.AddrPort) (*endpoint, error) {
	network := "udp6"
	if addr.Addr().Is4() {
		network = "udp4"
	}
	conn, err := net.ListenUDP(network, net.UDPAddrFromAddrPort(addr))
	if err != nil {
		if op, ok := err.(*net.OpError); ok {
			err = op.Err // our message names the address
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
			// Exceeding the system limit needs a privilege; without it the kernel caps the size at
			// that limit.
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

// run reads and answers requests until ctx is done.
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
			select { // give the system time to recover
			case <-ctx.Done():
			case <-time.After(10 * time.Millisecond):
			}
			continue
		}
		now := ep.r.clock()
		for i := range n {
			e := ep.waiting[i]
			ep.waiting[i] = nil
			ep.setReceived(e, &ep.messages[i])
			e.now = now
			// Most reads return one datagram: answer it here, without a switch between goroutines.
			if i == n-1 || !ep.r.offer(ep, e) {
				ep.r.serve(ep, e)
			}
		}
	}
}

// setReceived stores what the kernel reported about a datagram.
func (ep *endpoint) setReceived(e *exchange, m *message) {
	e.n = int(m.n)
	e.peer.length = m.hdr.Namelen
	e.from = e.peer.addrPort()
	e.sending.controlLength = int(m.hdr.Controllen)
}

// read waits for datagrams and returns how many it stored in ep.waiting.
func (ep *endpoint) read() (int, error) {
	for i := range ep.waiting {
		if ep.waiting[i] == nil {
			ep.waiting[i] = ep.r.acquire()
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

// tryRead reports whether a result is ready. If not, the netpoller calls it again when the socket
// is readable.
func (ep *endpoint) tryRead(fd uintptr) bool {
	for try := 0; ; try++ {
		// The socket is non-blocking, so the runtime need not know about the call.
		n, _, errno := unix.RawSyscall6(unix.SYS_RECVMMSG, fd, uintptr(unsafe.Pointer(&ep.messages[0])), batch, unix.MSG_DONTWAIT, 0, 0)
		switch errno {
		case 0:
			if !ep.waited {
				ep.yieldsLeft = yields
			}
			ep.count, ep.err = int(n), nil
			return true
		case unix.EINTR:
			continue
		case unix.ENOMEM, unix.ENOBUFS, unix.ECONNREFUSED, unix.ENETDOWN, unix.ENETUNREACH, unix.EHOSTDOWN, unix.EHOSTUNREACH:
			// A temporary shortage, or a report about an earlier answer: keep serving.
			ep.count, ep.err = 0, nil
			return true
		case unix.EAGAIN:
		default:
			ep.count, ep.err = 0, os.NewSyscallError("recvmmsg", errno)
			return true
		}
		if ep.waited || try >= ep.yieldsLeft {
			ep.waited = true
			ep.yieldsLeft = max(0, ep.yieldsLeft-1)
			return false
		}
		_, _, _ = unix.RawSyscall(unix.SYS_SCHED_YIELD, 0, 0, 0)
	}
}

// sending is the system call that sends an answer.
type sending struct {
	hdr           unix.Msghdr
	iov           unix.Iovec
	controlLength int
	fn            func(fd uintptr) // trySend, bound once
	errno         syscall.Errno
}

// send sends the frame of e to the sender of its request.
func (ep *endpoint) send(e *exchange) error {
	s := &e.sending
	b := e.frame.Bytes()
	s.iov.Base = &b[0]
	s.iov.SetLen(len(b))
	s.hdr = unix.Msghdr{Name: (*byte)(unsafe.Pointer(&e.peer.raw)), Namelen: e.peer.length, Iov: &s.iov, Iovlen: 1}
	if ep.wildcard && s.controlLength > 0 {
		toSource(e.control[:s.controlLength])
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

// trySend sends at once or fails. Waiting for a congested link would delay all other managers, and
// a manager retries.
func (s *sending) trySend(fd uintptr) {
	for s.errno = unix.EINTR; s.errno == unix.EINTR; {
		_, _, s.errno = unix.RawSyscall(unix.SYS_SENDMSG, fd, uintptr(unsafe.Pointer(&s.hdr)), unix.MSG_DONTWAIT)
	}
}

// toSource converts the control message with a request's destination into one with the answer's
// source (ip(7), ipv6(7)). The address stays the same. The interface stays only for a link-local
// address, which needs it.
func toSource(control []byte) {
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
