package radius

import (
	"net"
	"net/netip"
)

// Socket is a UDP socket: a [net.UDPConn], or one of package radiusnet's. Reading and writing go on at
// the same time; Close ends a Read with [net.ErrClosed]. It may have a SetReadBuffer, too.
type Socket interface {
	ReadFromUDPAddrPort(b []byte) (n int, from netip.AddrPort, err error)
	WriteToUDPAddrPort(b []byte, to netip.AddrPort) (int, error)
	Close() error
}

var _ Socket = (*net.UDPConn)(nil)

// readBuffer is what the system is asked to hold of answers for a socket, in octets.
const readBuffer = 1 << 20

// listen opens a socket for a server.
func (s *server) listen() (Socket, error) {
	network := "udp4"
	if s.Addr.Addr().Is6() {
		network = "udp6"
	}
	var local netip.AddrPort
	if source := s.group.cfg.Source; source.IsValid() {
		local = netip.AddrPortFrom(source, 0)
	}
	conn, err := s.group.cfg.Listen(network, local)
	if err != nil {
		return nil, err
	}
	if c, ok := conn.(interface{ SetReadBuffer(octets int) error }); ok {
		// The system's default does not hold 256 small answers; where it gives less, some are lost.
		_ = c.SetReadBuffer(readBuffer)
	}
	return conn, nil
}

// listenUDP opens a socket of the system's. It is not connected: one that is would keep the source
// address of this moment, even when the way to the server changes.
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
