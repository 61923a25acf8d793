package client_test

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"aaasess/internal/radius"
	"aaasess/internal/radius/client"
	"aaasess/internal/radius/radiusnet"
	"aaasess/internal/retry"
)

// tap records what is sent through its sockets.
type tap struct {
	mu      sync.Mutex
	sockets int
	sent    []transmission
}

// transmission is an Access-Request that was sent.
type transmission struct {
	at     time.Time
	from   int // number of the socket
	to     netip.AddrPort
	octets string
	login  string
}

type tapped struct {
	client.Socket
	tap    *tap
	number int
}

// listen wraps the sockets of a network.
func (t *tap) listen(n *radiusnet.Network) func(string, netip.AddrPort) (client.Socket, error) {
	return func(network string, laddr netip.AddrPort) (client.Socket, error) {
		s, err := n.Listen(network, laddr)
		t.mu.Lock()
		defer t.mu.Unlock()
		t.sockets++
		return &tapped{s, t, t.sockets}, err
	}
}

func (s *tapped) WriteToUDPAddrPort(b []byte, to netip.AddrPort) (int, error) {
	p, err := radius.Parse(b)
	if err != nil {
		return 0, err
	}
	name, _ := radius.Attributes(p.Attributes()).Get(radius.UserName)
	if name == testUser { // each of its requests is one of its own
		name = fmt.Sprintf("%s %x", name, p.Authenticator())
	}
	s.tap.mu.Lock()
	s.tap.sent = append(s.tap.sent, transmission{time.Now(), s.number, to, string(b), name})
	s.tap.mu.Unlock()
	return s.Socket.WriteToUDPAddrPort(b, to)
}

// ends has when logins ended.
type ends struct {
	mu sync.Mutex
	at map[string]time.Time
}

// timedLogin is a login that notes when it ends.
type timedLogin struct {
	*login
	over *ends
}

func (l *timedLogin) Done(answer client.Answer, err error) {
	l.over.mu.Lock()
	l.over.at[fmt.Sprint(l.number)] = time.Now()
	l.over.mu.Unlock()
	l.login.Done(answer, err)
}

// TestLossyNetwork: whatever the network does, each request has one end; a server gets the same
// octets each time; and no identifier of a socket is for two requests at a time.
func TestLossyNetwork(t *testing.T) {
	for seed := range uint64(20) {
		t.Run(fmt.Sprintf("seed %d", seed), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { lossyNetwork(t, seed) })
		})
	}
}

const (
	lossyTimeout = 2 * time.Second
	movedPort    = 1645
	testUser     = "test"
)

func lossyNetwork(t *testing.T, seed uint64) {
	random := rand.New(rand.NewPCG(seed, 0))
	n, taps, ended := radiusnet.New(seed), &tap{}, &ends{at: map[string]time.Time{}}
	r := &rig{T: t, net: n, began: time.Now()}
	r.client = client.New(client.Config{Dial: client.OverUDP(taps.listen(n))})
	n.Add(radiusnet.Server{Name: "moved", Addr: documentation("192.0.2.1", movedPort), Secret: "s", Purpose: client.Authentication})
	var members []client.Member
	for i := range 1 + random.IntN(3) {
		addr := fmt.Sprintf("192.0.2.%d", i+1)
		h := r.authHost(addr, func(_ []byte, a radiusnet.Arrival) radiusnet.Reaction {
			return [...]radiusnet.Reaction{
				{},
				{},
				{Code: radius.CodeAccessReject},
				{Copies: 1},
				{Answer: radiusnet.Silent},
				{Answer: radiusnet.WronglySigned},
				{After: 3 * time.Second},
			}[(a.Number+i)%7]
		})
		h.SetLink(radiusnet.Link{Loss: random.Float64() / 2, Duplicate: 0.2, Delay: time.Millisecond, Jitter: time.Duration(random.IntN(5)) * time.Second})
		m := both(addr)
		m.Schedule = retry.Schedule{Timeout: lossyTimeout, Retransmit: random.IntN(3) - 1}
		m.Test = client.Test{Username: testUser, IdleTime: time.Duration(random.IntN(3)+1) * 100 * time.Millisecond}
		members = append(members, m)
	}
	cfg := client.GroupConfig{
		Purpose: client.Authentication, Algorithm: client.Algorithm(random.IntN(3)), MaxInFlight: 1 + random.IntN(600), HoldDown: time.Duration(random.IntN(9)-1) * time.Second,
	}
	g := r.group(cfg, members...)
	var logins []*timedLogin
	for i := range 1000 {
		l := &timedLogin{r.newLogin(i), ended}
		logins = append(logins, l)
		if random.IntN(5) == 0 {
			g.SendTo(members[random.IntN(len(members))].Name, l)
		} else {
			g.Send(l, retry.Progress{})
		}
		time.Sleep(time.Duration(random.ExpFloat64() * float64(10*time.Millisecond)))
		if i == 500 && seed%2 == 0 { // requests in flight move
			members[0].AuthPort = movedPort
			r.reconfigure(g, cfg, members...)
		}
		if random.IntN(200) == 0 {
			cfg.MaxInFlight = 1 + random.IntN(600)
			members[0].Schedule.Retransmit = random.IntN(3) - 1
			r.reconfigure(g, cfg, members...)
		}
	}
	time.Sleep(time.Minute)
	synctest.Wait()
	for _, l := range logins {
		if len(l.ends) != 1 { // a second end is a fault of its own
			t.Errorf("login %d has no end", l.number)
		}
	}
	if err := g.Close(); err != nil { // tests go on until then
		t.Error(err)
	}
	for _, s := range g.Stats().Servers {
		if s.PendingRequests != 0 {
			t.Errorf("%+v", s)
		}
	}
	for _, err := range n.Faults() {
		t.Error(err)
	}
	checkTransmissions(t, taps.sent, ended.at)
}

// checkTransmissions checks what was sent, in order.
func checkTransmissions(t *testing.T, sent []transmission, ended map[string]time.Time) {
	t.Helper()
	type visit struct {
		login string
		to    netip.AddrPort
	}
	type identifier struct {
		from int
		to   netip.AddrPort
		id   byte
	}
	first := map[visit]transmission{}
	users := map[identifier]transmission{} // the last one with it
	for _, s := range sent {
		at := visit{s.login, s.to}
		before, repeated := first[at]
		if !repeated {
			first[at] = s
		} else if before.from != s.from || !bytes.Equal([]byte(before.octets), []byte(s.octets)) {
			t.Errorf("login %s to %v: %x from socket %d, before %x from %d", s.login, s.to, s.octets, s.from, before.octets, before.from)
		}
		id := identifier{s.from, s.to, s.octets[1]}
		last, used := users[id]
		users[id] = s
		switch end, over := ended[last.login]; {
		case !used || last.login == s.login:
		case repeated:
			t.Errorf("login %s lost identifier %+v to %s", s.login, id, last.login)
		case strings.HasPrefix(last.login, testUser): // it may have been answered
		case over && !end.After(s.at), !last.at.Add(lossyTimeout).After(s.at):
		default:
			t.Errorf("identifier %+v is for login %s at %v and for %s since %v, which ends at %v", id, s.login, s.at, last.login, last.at, end)
		}
	}
}
