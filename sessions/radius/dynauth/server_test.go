package dynauth

import (
	"cmp"
	"net"
	"net/netip"
	"testing"
	"time"

	"aaasess/internal/radius"
	nasradius "aaasess/sessions/radius"
	"aaasess/sessions/radius/radiustest"
)

// server is a server that sends requests to a Forwarder through a listener.
type server struct {
	t    *testing.T
	to   netip.AddrPort // of the listener
	conn *net.UDPConn
	id   byte
	code radius.Code // of its requests; 0: Disconnect-Request
}

// listen opens a listener for a Forwarder, which runs until the test ends. It returns its server r1; r2 and
// further ones have the next addresses.
func listen(t *testing.T, r *Forwarder, more ...string) *server {
	t.Helper()
	var clients []nasradius.Client
	for i, name := range append([]string{"r1"}, more...) {
		addr := netip.AddrFrom4([4]byte{127, 0, 0, byte(i + 1)})
		clients = append(clients, nasradius.Client{Name: name, Prefix: netip.PrefixFrom(addr, 32), Secret: "secret"})
	}
	l, err := nasradius.NewChangeListener(nasradius.ChangeConfig{Config: nasradius.Config{
		Addresses: []netip.AddrPort{netip.MustParseAddrPort("127.0.0.1:0")},
		Clients:   clients,
	}}, r)
	if err != nil {
		t.Fatal(err)
	}
	radiustest.Run(t, l.Run)
	return dial(t, "127.0.0.1", l.Addr())
}

// dial returns a server that sends from an address.
func dial(t *testing.T, from string, to netip.AddrPort) *server {
	t.Helper()
	conn, err := net.DialUDP("udp", net.UDPAddrFromAddrPort(netip.AddrPortFrom(netip.MustParseAddr(from), 0)), net.UDPAddrFromAddrPort(to))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	return &server{t: t, to: to, conn: conn}
}

// send sends a Disconnect-Request for session 1.
func (s *server) send(more ...string) {
	s.t.Helper()
	s.sendOnly(append([]string{attr(radius.AcctSessionID, "00000001")}, more...)...)
}

// sendOnly sends a request with these attributes.
func (s *server) sendOnly(attrs ...string) {
	s.t.Helper()
	s.id++
	b := radius.AppendHeader(nil, cmp.Or(s.code, radius.CodeDisconnectRequest), s.id)
	for _, a := range attrs {
		b = append(b, a...)
	}
	radius.Seal(b, 0, radius.Authenticator{}, "secret")
	if _, err := s.conn.Write(b); err != nil {
		s.t.Error(err)
	}
}

// receive returns the identifier and the Error-Cause of the next answer.
func (s *server) receive() (identifier byte, cause radius.ErrorCause) {
	s.t.Helper()
	b := make([]byte, radius.MaxPacket)
	_ = s.conn.SetReadDeadline(time.Now().Add(10 * time.Second))
	n, err := s.conn.Read(b)
	if err != nil {
		s.t.Fatal(err)
	}
	p, err := radius.Parse(b[:n])
	if err != nil {
		s.t.Fatal(err)
	}
	number, _ := radius.Attributes(p.Attributes()).Uint32(radius.ErrorCauseType)
	return p.Identifier(), radius.ErrorCause(number)
}
