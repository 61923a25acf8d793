package client

import (
	"net/netip"
	"time"

	"aaasess/internal/radius"
	"aaasess/internal/radius/captured"
	"aaasess/internal/retry"
	"aaasess/internal/servers"
)

const testSecret radius.Secret = captured.GoldenSecret

// documentationAddr is an address for tests without sockets; nothing is sent there.
var documentationAddr = netip.MustParseAddrPort("192.0.2.1:1813")

// fakeRequest is a request with a User-Name.
type fakeRequest struct {
	at   time.Time
	done func(err error)
}

func testRequest(at time.Time) *fakeRequest { return &fakeRequest{at: at, done: func(error) {}} }

func (r *fakeRequest) Append(b []byte, identifier byte, secret radius.Secret, _ time.Time) ([]byte, radius.Authenticator) {
	b = radius.AppendHeader(b, radius.CodeAccountingRequest, identifier)
	b = radius.AppendAttribute(b, radius.UserName, "nemo")
	return b, radius.Seal(b, 0, radius.Authenticator{}, secret)
}

func (r *fakeRequest) Answers(code radius.Code) bool { return code == radius.CodeAccountingResponse }

func (r *fakeRequest) Session() string { return "" }

func (r *fakeRequest) User() string { return "" }

func (r *fakeRequest) Done(_ Answer, err error) { r.done(err) }

// setup is a group with its own client.
type setup struct {
	Name         string
	Servers      []Server
	Algorithm    Algorithm
	BatchSize    int
	DeadCriteria servers.DeadCriteria
	HoldDown     time.Duration
	MaxInFlight  int
	Source       netip.Addr
	Listen       func(network string, laddr netip.AddrPort) (Socket, error)
	Now          func() time.Time
}

// Server is a server, given by its address.
type Server struct {
	Name     string
	Addr     netip.AddrPort
	Secret   radius.Secret
	Schedule retry.Schedule
}

func newGroup(s setup) (*Group, error) {
	c := New(Config{Dial: OverUDP(s.Listen), Now: s.Now})
	gc := GroupConfig{
		Name: s.Name, Algorithm: s.Algorithm, BatchSize: s.BatchSize, DeadCriteria: s.DeadCriteria, HoldDown: s.HoldDown, MaxInFlight: s.MaxInFlight, Source: s.Source,
	}
	for _, server := range s.Servers {
		id := Identity{Name: server.Name, Port: server.Addr.Port(), Secret: server.Secret}
		if server.Addr.IsValid() {
			id.Host = server.Addr.Addr().String()
		}
		gc.Members = append(gc.Members, Member{Identity: id, Schedule: server.Schedule})
	}
	return c.NewGroup(gc)
}

// every sets the schedule of servers.
func every(timeout time.Duration, retransmit int, servers ...Server) []Server {
	for i := range servers {
		servers[i].Schedule = retry.Schedule{Timeout: timeout, Retransmit: retransmit}
	}
	return servers
}

// identifiersFor returns the identifiers for a window.
func identifiersFor(window int, linger time.Duration) identifiers {
	ids := newIdentifiers()
	ids.limit, ids.linger = identifierLimit(window), linger
	return ids
}

// at returns the time that many seconds after the start of the tests.
func at(seconds int) time.Time { return time.Unix(1_700_000_000+int64(seconds), 0) }
