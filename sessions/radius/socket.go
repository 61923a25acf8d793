package radius

import (
	"encoding/binary"
	"fmt"
	"net"
	"net/netip"
	"unsafe"

	"golang.org/x/sys/unix"

	"aaasess/internal/radius"
	"aaasess/internal/udpbatch"
)

const (
	receiveBuffer = 8 << 20 // kernel buffer for bursts: about 10,000 requests
	sendBuffer    = 4 << 20
	// answerLimit bounds the answers that wait for one socket. Further answers are dropped; the NAS
	// retransmits and the table of duplicates answers.
	answerLimit = 1 << 16
)

// socket is one UDP socket of an endpoint.
type socket struct {
	endpoint *endpoint
	conn     *net.UDPConn
	addr     netip.AddrPort
	wildcard bool // bound to all local addresses: each answer must name its source address
	seen     *duplicateTable
	logins   *loginTable
	answers  answerQueue
	in       *udpbatch.Reader
	out      *udpbatch.Writer
}

func (e *endpoint) openSocket(addr netip.AddrPort) (*socket, error) {
	network := "udp6"
	if addr.Addr().Is4() {
		network = "udp4"
	}
	conn, err := net.ListenUDP(network, net.UDPAddrFromAddrPort(addr))
	if err != nil {
		return nil, fmt.Errorf("radius: listen %v: %w", addr, rootCause(err))
	}
	s := &socket{
		endpoint: e,
		conn:     conn,
		addr:     conn.LocalAddr().(*net.UDPAddr).AddrPort(),
		wildcard: addr.Addr().IsUnspecified(),
		seen:     newDuplicateTable(generationCap),
		logins:   newLoginTable(loginGenerationOctets),
	}
	s.answers.init(answerLimit)
	err = s.setOptions()
	if err == nil {
		err = s.openBatches()
	}
	if err != nil {
		_ = conn.Close()
		return nil, fmt.Errorf("radius: listen %v: %w", addr, err)
	}
	return s, nil
}

// openBatches prepares reading and writing.
func (s *socket) openBatches() (err error) {
	control := 0
	if s.wildcard {
		control = controlOctets
	}
	// One octet more shows that a datagram is too long for a packet.
	if s.in, err = udpbatch.NewReader(s.conn, radius.MaxPacket+1, control); err == nil {
		s.out, err = udpbatch.NewWriter(s.conn, maxMessages)
	}
	return err
}

// rootCause strips the address from a *net.OpError, because our message names it already.
func rootCause(err error) error {
	if op, ok := err.(*net.OpError); ok {
		err = op.Err
	}
	if sys, ok := err.(interface{ Unwrap() error }); ok && sys.Unwrap() != nil {
		err = sys.Unwrap()
	}
	return err
}

// setOptions sets the buffer sizes. On a wildcard socket it also asks the kernel for the
// destination address of each datagram.
func (s *socket) setOptions() error {
	return control(s.conn, func(fd int) error {
		setBuffers(fd)
		switch {
		case !s.wildcard:
			return nil
		case s.addr.Addr().Is4():
			return unix.SetsockoptInt(fd, unix.IPPROTO_IP, unix.IP_PKTINFO, 1)
		default:
			return unix.SetsockoptInt(fd, unix.IPPROTO_IPV6, unix.IPV6_RECVPKTINFO, 1)
		}
	})
}

// control calls f with the socket's descriptor.
func control(conn *net.UDPConn, f func(fd int) error) error {
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

// setBuffers enlarges the kernel buffers. Exceeding the system limit needs a privilege; without it
// the kernel caps the size at that limit.
func setBuffers(fd int) {
	if unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_RCVBUFFORCE, receiveBuffer) != nil {
		_ = unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_RCVBUF, receiveBuffer)
	}
	if unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_SNDBUFFORCE, sendBuffer) != nil {
		_ = unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_SNDBUF, sendBuffer)
	}
}

// arrival describes where a datagram came from and how to answer it.
func (s *socket) arrival(from netip.AddrPort, local localAddr) arrival {
	return arrival{
		replies: s, seen: s.seen, logins: s.logins, from: from,
		sentTo: s.localOf(local, from.Addr().Zone()), local: local,
	}
}

// reply queues an answer for the writer.
func (s *socket) reply(x *exchange) bool { return s.answers.push(x) }

// localAddr is the local address that a request was sent to. It is set only on a wildcard socket.
type localAddr struct {
	addr    netip.Addr
	ifIndex uint32 // set only for a link-local address
}

// localOf returns the address of this host that a request was sent to. zone is the sender's zone:
// both ends of a link-local address are on the same link.
func (s *socket) localOf(local localAddr, zone string) netip.Addr {
	addr := s.addr.Addr()
	if s.wildcard {
		addr = local.addr
	}
	if addr.IsLinkLocalUnicast() && addr.Is6() {
		return addr.WithZone(zone)
	}
	return addr
}

// receiver holds the working memory of a reading goroutine.
type receiver struct {
	socket  *socket
	scratch []byte
}

func newReceiver(s *socket) *receiver {
	return &receiver{socket: s, scratch: make([]byte, 0, radius.MaxPacket+256)}
}

// receive waits for a datagram, whose octets are valid until the next call. Octets beyond the largest
// packet and one are cut off.
func (r *receiver) receive() (b []byte, from netip.AddrPort, local localAddr, err error) {
	d, err := r.socket.in.Read()
	if err == nil && r.socket.wildcard {
		local = parsePacketInfo(d.Control)
	}
	return d.Data, d.From, local, err
}

// parsePacketInfo reads the local address from control messages (ip(7), ipv6(7)).
func parsePacketInfo(control []byte) (local localAddr) {
	for len(control) > 0 {
		h, data, rest, err := unix.ParseOneSocketControlMessage(control)
		if err != nil {
			return local
		}
		control = rest
		switch {
		case h.Level == unix.IPPROTO_IP && h.Type == unix.IP_PKTINFO && len(data) >= unix.SizeofInet4Pktinfo:
			// The fields are ifindex, spec_dst, addr. spec_dst is a local address even for a
			// broadcast.
			local.addr = netip.AddrFrom4([4]byte(data[4:8]))
		case h.Level == unix.IPPROTO_IPV6 && h.Type == unix.IPV6_PKTINFO && len(data) >= unix.SizeofInet6Pktinfo:
			local.addr = netip.AddrFrom16([16]byte(data[:16]))
			if local.addr.IsLinkLocalUnicast() {
				local.ifIndex = binary.NativeEndian.Uint32(data[16:])
			}
		}
	}
	return local
}

// appendPacketInfo appends the control message that makes a datagram leave from this address.
func appendPacketInfo(b []byte, local localAddr) []byte {
	if local.addr.Is4() {
		b, data := appendControl(b, unix.IPPROTO_IP, unix.IP_PKTINFO, unix.SizeofInet4Pktinfo)
		a := local.addr.As4()
		copy(data[4:], a[:])
		return b
	}
	b, data := appendControl(b, unix.IPPROTO_IPV6, unix.IPV6_PKTINFO, unix.SizeofInet6Pktinfo)
	a := local.addr.As16()
	copy(data, a[:])
	binary.NativeEndian.PutUint32(data[16:], local.ifIndex)
	return b
}

// appendControl appends a control message (cmsg(3)) with data of this size, zeros, to fill in.
func appendControl(b []byte, level, kind int32, size int) (all, data []byte) {
	at := len(b)
	b = append(b, make([]byte, unix.CmsgSpace(size))...)
	h := (*unix.Cmsghdr)(unsafe.Pointer(&b[at]))
	h.Level, h.Type = level, kind
	h.SetLen(unix.CmsgLen(size))
	return b, b[at+unix.CmsgLen(0):][:size]
}
