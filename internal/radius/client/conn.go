package client

import (
	"net"
	"net/netip"
)

// Conn carries packets to one server and back: a UDP socket, or a stream that keeps packets apart (RFC 6614). Send and
// Receive go on at the same time.
type Conn interface {
	// Send sends one packet.
	Send(packet []byte) error
	// Receive waits for the next packet. The error is [net.ErrClosed] after Close, and [ErrForeign] for a packet from
	// elsewhere.
	Receive(b []byte) (n int, err error)
	Close() error
}

// Dial opens a Conn to a server. The zero local address lets the system choose.
type Dial func(local netip.Addr, server netip.AddrPort) (Conn, error)

// Socket is a UDP socket: a [net.UDPConn], or one of package radiusnet's. It may have a SetReadBuffer, too.
type Socket interface {
	ReadFromUDPAddrPort(b []byte) (n int, from netip.AddrPort, err error)
	WriteToUDPAddrPort(b []byte, to netip.AddrPort) (int, error)
	Close() error
}

var _ Socket = (*net.UDPConn)(nil)

// readBuffer is what the system is asked to hold of answers for a socket, in octets.
const readBuffer = 1 << 20

// OverUDP dials with sockets that listen opens: network is "udp4" or "udp6"; of laddr, which may be the zero AddrPort, the
// port is 0. nil means the system's.
func OverUDP(listen func(network string, laddr netip.AddrPort) (Socket, error)) Dial {
	if listen == nil {
		listen = listenUDP
	}
	return func(local netip.Addr, server netip.AddrPort) (Conn, error) {
		network := "udp4"
		if server.Addr().Is6() {
			network = "udp6"
		}
		var laddr netip.AddrPort
		if local.IsValid() {
			laddr = netip.AddrPortFrom(local, 0)
		}
		socket, err := listen(network, laddr)
		if err != nil {
			return nil, err
		}
		if s, ok := socket.(interface{ SetReadBuffer(octets int) error }); ok {
			// The system's default does not hold 256 small answers; where it gives less, some are lost.
			_ = s.SetReadBuffer(readBuffer)
		}
		return &udpConn{socket, server}, nil
	}
}

// udpConn is a socket of its own for one server. It is not connected: one that is would keep the source address of this
// moment, even when the way to the server changes.
type udpConn struct {
	Socket
	server netip.AddrPort
}

func (c *udpConn) Send(packet []byte) error {
	_, err := c.WriteToUDPAddrPort(packet, c.server)
	return err
}

func (c *udpConn) Receive(b []byte) (int, error) {
	n, from, err := c.ReadFromUDPAddrPort(b)
	// The zone of a link-local address is left to the authenticator: the system names it in its own way.
	if err == nil && (from.Port() != c.server.Port() || from.Addr().Unmap().WithZone("") != c.server.Addr().WithZone("")) {
		return 0, ErrForeign
	}
	return n, err
}

// listenUDP opens a socket of the system's.
func listenUDP(network string, local netip.AddrPort) (Socket, error) {
	var laddr *net.UDPAddr
	if local.IsValid() {
		laddr = net.UDPAddrFromAddrPort(local)
	}
	conn, err := net.ListenUDP(network, laddr)
	if err != nil {
		return nil, err // not a nil *net.UDPConn in an interface
	}
	return conn, nil
}
