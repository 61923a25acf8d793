package client

import (
	"encoding/hex"
	"net/netip"
	"testing"
	"time"

	"aaasess/internal/radius"
	"aaasess/internal/retry"
)

const testSecret radius.Secret = "xyzzy5461"

// Packets as package radius's tests have them: a request, its answer, one with Message-Authenticator and Proxy-State, and
// one whose Message-Authenticator is zeros but whose authenticator is right.
const (
	goldenRequest   = "041c003690e50afadd896ee701f7cc58410063232806000000012c0a303030303030304401066e656d6f0406c0a80110290600000007"
	goldenResponse  = "051c001485f771bd7a71730934f25313166cd9ff"
	goldenSigned    = "051c0029e05ed910cb131f8a85d9b4c7a80db15550123ecd35ea70e8ff5e65a1339b978e1ff8210307"
	goldenForgedMAC = "051c00296061efe2097bb09d13c485b197a73c2c501200000000000000000000000000000000210307"
)

// documentationAddr is where nobody sends to: tests without sockets use it.
var documentationAddr = netip.MustParseAddrPort("192.0.2.1:1813")

func unhex(t testing.TB, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(s)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

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

func (r *fakeRequest) Done(_ string, _ radius.Packet, err error) { r.done(err) }

// setup is a group with a client of its own.
type setup struct {
	Name         string
	Servers      []Server
	Algorithm    Algorithm
	DeadCriteria DeadCriteria
	HoldDown     time.Duration
	MaxInFlight  int
	Source       netip.Addr
	Listen       func(network string, laddr netip.AddrPort) (Socket, error)
	Now          func() time.Time
}

// Server is a server by its address.
type Server struct {
	Name     string
	Addr     netip.AddrPort
	Secret   radius.Secret
	Schedule retry.Schedule
}

func newGroup(s setup) (*Group, error) {
	c := New(Config{Dial: OverUDP(s.Listen), Now: s.Now})
	gc := GroupConfig{
		Name: s.Name, Algorithm: s.Algorithm, DeadCriteria: s.DeadCriteria, HoldDown: s.HoldDown, MaxInFlight: s.MaxInFlight, Source: s.Source,
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

// every gives servers a schedule.
func every(timeout time.Duration, retransmit int, servers ...Server) []Server {
	for i := range servers {
		servers[i].Schedule = retry.Schedule{Timeout: timeout, Retransmit: retransmit}
	}
	return servers
}

// identifiersFor are those of a window.
func identifiersFor(window int, linger time.Duration) identifiers {
	ids := newIdentifiers()
	ids.limit, ids.linger = identifierLimit(window), linger
	return ids
}

func pointers(all []serverState) (out []*serverState) {
	for i := range all {
		out = append(out, &all[i])
	}
	return out
}
