package client

import (
	"net"
	"net/netip"

	"aaasess/internal/radius"
	"aaasess/internal/udpbatch"
)

// Conn carries packets to one server and back: a UDP socket, or a stream with packet boundaries
// (RFC 6614). Send and Receive may be called concurrently.
type Conn interface {
	// Send sends one packet.
	Send(packet []byte) error
	// Receive waits for the next packet. The error is [net.ErrClosed] after Close, and [ErrForeign]
	// for a packet from another address. Only one goroutine calls it.
	Receive(b []byte) (n int, err error)
	Close() error
}

// Dial opens a Conn to a server. The zero local address lets the system choose. isAlias reports
// whether an address is another one of the server: answers from there, with the port of the server,
// are the server's. It may be called from any goroutine.
type Dial func(local netip.Addr, server netip.AddrPort, isAlias func(netip.Addr) bool) (Conn, error)

// Socket is a UDP socket: a [net.UDPConn], or one of package radiusnet. It may also have
// SetReadBuffer.
type Socket interface {
	ReadFromUDPAddrPort(b []byte) (n int, from netip.AddrPort, err error)
	WriteToUDPAddrPort(b []byte, to netip.AddrPort) (int, error)
	Close() error
}

var _ Socket = (*net.UDPConn)(nil)

// readBuffer is the requested size of a socket's receive buffer in octets.
const readBuffer = 1 << 20

// OverUDP returns a Dial that uses sockets from listen; nil means the system's. network is "udp4"
// or "udp6". laddr has port 0, or is the zero AddrPort.
func OverUDP(listen func(network string, laddr netip.AddrPort) (Socket, error)) Dial {
	if listen == nil {
		listen = listenUDP
	}
	return func(local netip.Addr, server netip.AddrPort, isAlias func(netip.Addr) bool) (Conn, error) {
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
			// The system's default is too small for 256 small answers. If the system grants less,
			// answers may be lost.
			_ = s.SetReadBuffer(readBuffer)
		}
		c := &udpConn{Socket: socket, server: server, isAlias: isAlias}
		if s, ok := socket.(*net.UDPConn); ok {
			if c.batches, err = udpbatch.NewReader(s, radius.MaxPacket+1, 0); err == nil {
				c.out, err = udpbatch.NewSender(s)
			}
			if err != nil {
				_ = s.Close()
				return nil, err
			}
		}
		return c, nil
	}
}

// udpConn is a socket for one server. It is not connected: a connected socket would keep its source
// address even if the route to the server changes.
type udpConn struct {
	Socket
	batches *udpbatch.Reader // of Socket if that is the system's, else nil
	out     *udpbatch.Sender // likewise
	server  netip.AddrPort
	isAlias func(netip.Addr) bool
}

func (c *udpConn) Send(packet []byte) error {
	_, err := c.WriteToUDPAddrPort(packet, c.server)
	return err
}

func (c *udpConn) Receive(b []byte) (int, error) {
	n, from, err := c.receive(b)
	if err == nil && !c.isServer(from) {
		return 0, ErrForeign
	}
	return n, err
}

func (c *udpConn) receive(b []byte) (int, netip.AddrPort, error) {
	if c.batches == nil {
		return c.ReadFromUDPAddrPort(b)
	}
	d, err := c.batches.Read()
	return copy(b, d.Data), d.From, err
}

// isServer reports whether an address is the server's, or an alias with the server's port. It
// ignores the zone of a link-local address: the system may name it differently, and the
// authenticator identifies the server.
func (c *udpConn) isServer(from netip.AddrPort) bool {
	addr := from.Addr().Unmap().WithZone("")
	return from.Port() == c.server.Port() && (addr == c.server.Addr().WithZone("") || c.isAlias(addr))
}

// listenUDP opens a UDP socket of the system.
func listenUDP(network string, local netip.AddrPort) (Socket, error) {
	var laddr *net.UDPAddr
	if local.IsValid() {
		laddr = net.UDPAddrFromAddrPort(local)
	}
	conn, err := net.ListenUDP(network, laddr)
	if err != nil {
		return nil, err // do not return a nil *net.UDPConn in an interface
	}
	return conn, nil
}
