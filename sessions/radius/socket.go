package radius

import (
	"fmt"
	"net"
	"net/netip"

	"golang.org/x/sys/unix"

	"aaasess/internal/radius"
	"aaasess/internal/udpbatch"
	"aaasess/internal/udpsocket"
)

// answerLimit bounds the answers that wait for one socket. Further answers are dropped; the NAS
// retransmits and the table of duplicates answers.
const answerLimit = 1 << 16

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
	together []*AccessRequest // which have arrived together, for relayAll; the reader's
}

func (e *endpoint) openSocket(addr netip.AddrPort) (*socket, error) {
	network := "udp6"
	if addr.Addr().Is4() {
		network = "udp4"
	}
	conn, err := net.ListenUDP(network, net.UDPAddrFromAddrPort(addr))
	if err != nil {
		return nil, fmt.Errorf("radius: listen %v: %w", addr, udpsocket.RootCause(err))
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

// setOptions sets the buffer sizes. On a wildcard socket it also asks the kernel for the
// destination address of each datagram.
func (s *socket) setOptions() error {
	return udpsocket.Control(s.conn, func(fd int) error {
		udpsocket.SetBuffers(fd)
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

// arrival describes where a datagram came from and how to answer it.
func (s *socket) arrival(from netip.AddrPort, local udpsocket.Local) arrival {
	return arrival{
		replies: s, seen: s.seen, logins: s.logins, from: from,
		sentTo: s.localOf(local, from.Addr().Zone()), local: local,
	}
}

// reply queues an answer for the writer.
func (s *socket) reply(x *exchange) bool { return s.answers.push(x) }

// localOf returns the address of this host that a request was sent to. zone is the sender's zone:
// both ends of a link-local address are on the same link.
func (s *socket) localOf(local udpsocket.Local, zone string) netip.Addr {
	addr := s.addr.Addr()
	if s.wildcard {
		addr = local.Addr
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
func (r *receiver) receive() (b []byte, from netip.AddrPort, local udpsocket.Local, err error) {
	d, err := r.socket.in.Read()
	if err == nil && r.socket.wildcard {
		local = udpsocket.ParsePacketInfo(d.Control)
	}
	return d.Data, d.From, local, err
}
