package radius

import (
	"crypto/md5"
	"encoding/binary"
	"errors"
	"net"
	"net/netip"
	"sync"
	"testing"
	"time"

	layeh "layeh.com/radius"
	"layeh.com/radius/rfc2866"

	"aaasess/accounting"
	"aaasess/internal/radius"
	"aaasess/internal/radius/captured"
	"aaasess/internal/retry"
	"aaasess/sessions"
)

// documentationAddr is an address that gets no packets, for tests without sockets.
var documentationAddr = netip.MustParseAddrPort("192.0.2.1:1813")

const testSecret radius.Secret = captured.GoldenSecret

// action is the reaction of a fakeServer to a request.
type action int

const (
	answer      action = iota // right answer
	drop                      // no answer
	hold                      // right answer, when release is called
	twice                     // right answer, twice
	wrongSecret               // answer with an authenticator of another secret
	wrongID                   // answer with an identifier that has no request
	wrongCode                 // answer with an Access-Accept
	cutOff                    // answer with 19 octets
	elsewhere                 // right answer, but from another port
)

// fakeServer is an accounting server on loopback that reacts to each request as a function says.
// Requests are decoded, checked and answered by another implementation of RADIUS.
type fakeServer struct {
	t     testing.TB
	conn  *net.UDPConn
	other *net.UDPConn
	addr  netip.AddrPort
	do    func(n int, p *layeh.Packet) action
	done  chan struct{}

	mu       sync.Mutex
	requests []*fakeRequest // all requests so far
	held     []*fakeRequest
}

// fakeRequest is a request that a fakeServer got.
type fakeRequest struct {
	*layeh.Packet
	from netip.AddrPort
	at   time.Time
}

func newFakeServer(t testing.TB, do func(n int, p *layeh.Packet) action) *fakeServer {
	t.Helper()
	return newFakeServerAt(t, netip.MustParseAddrPort("127.0.0.1:0"), do)
}

func newFakeServerAt(t testing.TB, at netip.AddrPort, do func(n int, p *layeh.Packet) action) *fakeServer {
	t.Helper()
	s := &fakeServer{t: t, conn: listenAt(t, at), other: listen(t), do: do, done: make(chan struct{})}
	s.addr = s.conn.LocalAddr().(*net.UDPAddr).AddrPort()
	go s.serve()
	t.Cleanup(s.kill)
	return s
}

func listen(t testing.TB) *net.UDPConn {
	t.Helper()
	return listenAt(t, netip.MustParseAddrPort("127.0.0.1:0"))
}

func listenAt(t testing.TB, at netip.AddrPort) *net.UDPConn {
	t.Helper()
	conn, err := net.ListenUDP("udp4", net.UDPAddrFromAddrPort(at))
	if err != nil {
		t.Fatal(err)
	}
	return conn
}

// kill closes the sockets and waits for the server to end.
func (s *fakeServer) kill() {
	_ = s.conn.Close()
	_ = s.other.Close()
	<-s.done
}

func (s *fakeServer) server(name string) Server {
	return Server{Name: name, Addr: s.addr, Secret: testSecret}
}

// every sets the schedule of servers.
func every(timeout time.Duration, retransmit int, servers ...Server) []Server {
	for i := range servers {
		servers[i].Schedule = retry.Schedule{Timeout: timeout, Retransmit: retransmit}
	}
	return servers
}

func (s *fakeServer) serve() {
	defer close(s.done)
	b := make([]byte, 65536)
	for {
		n, from, err := s.conn.ReadFromUDPAddrPort(b)
		if errors.Is(err, net.ErrClosed) {
			return
		}
		raw := append([]byte(nil), b[:n]...)
		if err != nil || !layeh.IsAuthenticRequest(raw, []byte(testSecret)) {
			s.t.Errorf("request %x: not authentic: %v", raw, err)
			continue
		}
		p, err := layeh.Parse(raw, []byte(testSecret))
		if err != nil || p.Code != layeh.CodeAccountingRequest {
			s.t.Errorf("request %x: not an Accounting-Request: %v", raw, err)
			continue
		}
		r := &fakeRequest{p, from, time.Now()}
		what := s.do(len(s.got()), p)
		s.mu.Lock()
		s.requests = append(s.requests, r)
		if what == hold { // under one lock, because a test that sees the request may release it at once
			s.held = append(s.held, r)
		}
		s.mu.Unlock()
		s.react(r, what)
	}
}

func (s *fakeServer) react(r *fakeRequest, what action) {
	switch what {
	case answer:
		s.write(s.conn, r, s.response(r))
	case hold: // until release
	case twice:
		s.write(s.conn, r, s.response(r))
		s.write(s.conn, r, s.response(r))
	case wrongSecret:
		r.Secret = []byte("another")
		s.write(s.conn, r, s.response(r))
	case wrongID:
		b := s.response(r)
		b[1] += 128
		s.write(s.conn, r, b)
	case wrongCode:
		b := s.response(r)
		b[0] = byte(layeh.CodeAccessAccept)
		s.write(s.conn, r, b)
	case cutOff:
		s.write(s.conn, r, s.response(r)[:19])
	case elsewhere:
		s.write(s.other, r, s.response(r))
	}
}

func (s *fakeServer) response(r *fakeRequest) []byte {
	b, err := r.Response(layeh.CodeAccountingResponse).Encode()
	if err != nil {
		s.t.Error(err)
	}
	return b
}

func (s *fakeServer) write(conn *net.UDPConn, r *fakeRequest, b []byte) {
	if _, err := conn.WriteToUDPAddrPort(b, r.from); err != nil && !errors.Is(err, net.ErrClosed) {
		s.t.Error(err)
	}
}

// release answers the held requests, in their order.
func (s *fakeServer) release() {
	s.mu.Lock()
	held := s.held
	s.held = nil
	s.mu.Unlock()
	for _, r := range held {
		s.react(r, answer)
	}
}

// got returns the requests so far.
func (s *fakeServer) got() []*fakeRequest {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]*fakeRequest(nil), s.requests...)
}

// always has the same reaction to all requests.
func always(a action) func(int, *layeh.Packet) action {
	return func(int, *layeh.Packet) action { return a }
}

// first has some reactions to the first requests, and another one to all later requests.
func first(then action, a ...action) func(int, *layeh.Packet) action {
	return func(n int, _ *layeh.Packet) action {
		if n < len(a) {
			return a[n]
		}
		return then
	}
}

// testRecord returns a start record of session id, with this event time.
func testRecord(id sessions.ID, at time.Time) *accounting.Record {
	attrs := radius.AppendUint32(nil, radius.AcctStatusType, uint32(rfc2866.AcctStatusType_Value_Start))
	attrs = radius.AppendAttribute(attrs, radius.AcctSessionID, id.String())
	attrs = radius.AppendAttribute(attrs, radius.UserName, "nemo")
	attrs = radius.AppendUint32(attrs, radius.NASIPAddress, 0xc0a80110)
	return &accounting.Record{
		Session: id, Type: sessions.Start, At: at, List: "network/default", Attrs: radius.Attributes(attrs),
	}
}

// echo answers requests as fast as it can, for benchmarks. It checks and stores nothing.
func echo(conn *net.UDPConn, secret radius.Secret) {
	b := make([]byte, radius.MaxPacket)
	var out [radius.HeaderLen + 64]byte
	for {
		_, from, err := conn.ReadFromUDPAddrPort(b)
		if err != nil {
			return
		}
		out[0], out[1] = byte(radius.CodeAccountingResponse), b[1]
		binary.BigEndian.PutUint16(out[2:], radius.HeaderLen)
		copy(out[4:], b[4:radius.HeaderLen])
		sum := md5.Sum(append(out[:radius.HeaderLen], secret...))
		copy(out[4:], sum[:])
		_, _ = conn.WriteToUDPAddrPort(out[:radius.HeaderLen], from)
	}
}
