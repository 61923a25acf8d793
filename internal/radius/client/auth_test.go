package client_test

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"aaasess/internal/radius"
	"aaasess/internal/radius/client"
	"aaasess/internal/radius/radiusnet"
	"aaasess/internal/retry"
	"aaasess/internal/servers"
)

// authHost adds a server for authentication with this address.
func (r *rig) authHost(addr string, handle func([]byte, radiusnet.Arrival) radiusnet.Reaction) *radiusnet.Host {
	at := netip.AddrPortFrom(netip.MustParseAddr(addr), 1812)
	return r.net.Add(radiusnet.Server{Name: addr + " auth", Addr: at, Secret: "s", Purpose: client.Authentication, Handle: handle})
}

// both returns a member with this host for both purposes: two transmissions, a second apart.
func both(host string) client.Member {
	m := to(host)
	m.AuthPort = 1812
	return m
}

// authGroup runs a group for authentication until the end of the test.
func (r *rig) authGroup(members ...client.Member) *client.Group {
	r.Helper()
	return r.group(client.GroupConfig{Purpose: client.Authentication}, members...)
}

// login is an Access-Request that was sent, and its result.
type login struct {
	r       *rig
	number  int
	states  int // Proxy-States of 200 octets
	appends int
	code    radius.Code // of the answer
	ends    chan string
}

var _ client.Request = (*login)(nil)

func (r *rig) newLogin(number int) *login {
	return &login{r: r, number: number, ends: make(chan string, 1)}
}

func (r *rig) login(g *client.Group, number int) *login {
	l := r.newLogin(number)
	g.Send(l, retry.Progress{})
	return l
}

func (r *rig) loginTo(g *client.Group, server string, number int) *login {
	l := r.newLogin(number)
	g.SendTo(server, l)
	return l
}

func (l *login) Append(b []byte, identifier byte, secret radius.Secret, _ time.Time) ([]byte, radius.Authenticator) {
	l.appends++
	auth := radius.Authenticator{byte(l.number >> 8), byte(l.number), byte(l.appends)}
	b = radius.AppendSignedHeader(b, radius.CodeAccessRequest, identifier)
	b = radius.AppendAttribute(b, radius.UserName, fmt.Sprint(l.number))
	for range l.states {
		b = radius.AppendAttribute(b, radius.ProxyState, strings.Repeat("p", 200))
	}
	radius.SealRequest(b, auth, secret)
	return b, auth
}

func (l *login) Answers(code radius.Code) bool {
	return code == radius.CodeAccessAccept || code == radius.CodeAccessReject || code == radius.CodeAccessChallenge
}

func (l *login) Session() string { return "" }

func (l *login) User() string { return fmt.Sprint(l.number) }

func (l *login) Done(answer client.Answer, err error) {
	end := "answered by " + answer.Server
	if err != nil {
		end = err.Error()
	} else {
		l.code = answer.Packet.Code()
		if right, _ := answer.Packet.Authentic(answer.Request, answer.Secret, nil); !right {
			l.r.Errorf("login %d: the answer has another authenticator or secret", l.number)
		}
	}
	select {
	case l.ends <- end:
	default:
		l.r.Errorf("login %d has a second end: %s", l.number, end)
	}
}

// check checks the result, which must be there; "" means none.
func (l *login) check(want string) {
	l.r.Helper()
	got := ""
	select {
	case got = <-l.ends:
	default:
	}
	if got != want {
		l.r.Errorf("login %d at %v: %q, want %q", l.number, time.Since(l.r.began), got, want)
	}
}

// TestSameOctets: all transmissions of an Access-Request to a server are the same octets from the
// same socket, and those to the next server are other ones. There is no back-off.
func TestSameOctets(t *testing.T) {
	withRig(t, func(r *rig) {
		var packets []string
		keep := func(b []byte, a radiusnet.Arrival) radiusnet.Reaction {
			packets = append(packets, fmt.Sprintf("%x from %v", b, a.From))
			return radiusnet.Reaction{Answer: radiusnet.Silent}
		}
		r.authHost("192.0.2.1", keep)
		r.authHost("192.0.2.2", keep)
		one, two := both("192.0.2.1"), both("192.0.2.2")
		one.Schedule = retry.Schedule{Timeout: time.Second, Retransmit: 2, BackoffRetry: 7}
		g := r.authGroup(one, two)
		l := r.login(g, 1)
		r.sleep(0.5)
		other := r.login(g, 2) // another identifier
		r.sleep(4.9)
		l.check("")
		r.sleep(6)
		l.check(nobody)
		other.check(nobody)
		if l.appends != 2 || len(packets) != 10 {
			t.Fatalf("Append was called %d times, %d packets arrived", l.appends, len(packets))
		}
		for i, first := range []int{0, 1, 0, 1, 0, 1, 6, 7, 6, 7} {
			if packets[i] != packets[first] {
				t.Errorf("packet %d is %s, want %s", i, packets[i], packets[first])
			}
		}
		slices.Sort(packets)
		if distinct := len(slices.Compact(packets)); distinct != 4 {
			t.Errorf("%d different packets, want 4", distinct)
		}
		s := g.Stats().Servers
		if s[0].Requests != 2 || s[0].Retransmissions != 4 || s[0].Timeouts != 6 || s[0].Failures != 2 || s[0].PendingRequests != 0 {
			t.Errorf("%+v", s[0])
		}
	})
}

// TestLargeAccessRequest: the octets of requests of any size are repeated as they are.
func TestLargeAccessRequest(t *testing.T) {
	withRig(t, func(r *rig) {
		arrived := map[string]int{}
		r.authHost("192.0.2.1", func(b []byte, _ radiusnet.Arrival) radiusnet.Reaction {
			arrived[string(b)]++
			return radiusnet.Reaction{Answer: radiusnet.Silent}
		})
		g := r.authGroup(both("192.0.2.1"))
		for i := range 20 {
			l := r.newLogin(i)
			l.states = i
			g.Send(l, retry.Progress{})
		}
		r.sleep(3)
		if len(arrived) != 20 {
			t.Errorf("%d different requests arrived", len(arrived))
		}
		for b, n := range arrived {
			if n != 2 {
				t.Errorf("a request of %d octets arrived %d times", len(b), n)
			}
		}
	})
}

// TestLateAccessAccept: an answer to a request that the next server has meanwhile settles it.
func TestLateAccessAccept(t *testing.T) {
	withRig(t, func(r *rig) {
		r.authHost("192.0.2.1", func([]byte, radiusnet.Arrival) radiusnet.Reaction {
			return radiusnet.Reaction{After: 2500 * time.Millisecond}
		})
		r.authHost("192.0.2.2", silent)
		g := r.authGroup(both("192.0.2.1"), both("192.0.2.2"))
		l := r.login(g, 1)
		r.sleep(2.4)
		l.check("")
		r.sleep(2.6)
		l.check("answered by of 192.0.2.1")
		r.sleep(10) // the answer to the second transmission
		s := g.Stats().Servers
		if s[0].Successes != 1 || s[0].PacketsDropped != 1 || s[0].State != servers.Up || s[1].PendingRequests != 0 {
			t.Errorf("%+v", s)
		}
		if s[0].TimedResponses != 0 { // which transmission was answered is not known
			t.Errorf("TimedResponses %v", s[0].TimedResponses)
		}
	})
}

// TestPurposesShareServer: a server that is dead for one purpose is dead for the other one too, until
// that port answers. Statistics are for each purpose.
func TestPurposesShareServer(t *testing.T) {
	withRig(t, func(r *rig) {
		r.authHost("192.0.2.1", silent)
		r.host("192.0.2.1", nil)
		r.host("192.0.2.2", nil)
		auth := r.authGroup(both("192.0.2.1"))
		acct := r.group(client.GroupConfig{}, both("192.0.2.1"), both("192.0.2.2"))
		l := r.login(auth, 1)
		if !auth.Usable() || !acct.Usable() {
			t.Error("not usable at first")
		}
		r.sleep(2)
		l.check(nobody)
		if auth.Usable() || !acct.Usable() {
			t.Errorf("usable: authentication %v, accounting %v", auth.Usable(), acct.Usable())
		}
		s := r.send(acct, 2)
		r.sleep(2.5)
		s.check("answered by of 192.0.2.2")
		a, b := auth.Stats().Servers[0], acct.Stats().Servers[0]
		if a.State != servers.Dead || b.State != servers.Dead || a.Requests != 1 || a.Timeouts != 2 || b.Requests != 0 || b.Timeouts != 0 {
			t.Errorf("authentication %+v\naccounting %+v", a, b)
		}
		if a.Addr.Port() != 1812 || b.Addr.Port() != 1813 {
			t.Errorf("addresses %v and %v", a.Addr, b.Addr)
		}
		r.sleep(33)
		if !auth.Usable() {
			t.Error("not usable after the hold-down")
		}
		s = r.send(acct, 3) // the probe
		r.sleep(34)
		s.check("answered by of 192.0.2.1")
		a, b = auth.Stats().Servers[0], acct.Stats().Servers[0]
		if a.State != servers.Dead || b.State != servers.Up || a.Successes != 0 || b.Successes != 1 {
			t.Errorf("authentication %+v\naccounting %+v", a, b)
		}
		all := r.client.Statistics().Records
		if len(all) != 2 || all[0].Accounting != acct.Stats().Servers[0] || all[0].Authentication != auth.Stats().Servers[0] || all[1].Name != "of 192.0.2.2" {
			t.Errorf("all servers: %+v", all)
		}
	})
}

// TestOtherPortAnswers: answers on the accounting port do not hide that the authentication port is
// dead: only the first login has to wait.
func TestOtherPortAnswers(t *testing.T) {
	withRig(t, func(r *rig) {
		r.authHost("192.0.2.1", silent)
		r.authHost("192.0.2.2", nil)
		r.host("192.0.2.1", nil)
		auth := r.authGroup(both("192.0.2.1"), both("192.0.2.2"))
		acct := r.group(client.GroupConfig{}, both("192.0.2.1"))
		first := r.login(auth, 0)
		for i := range 40 {
			record := r.send(acct, i)
			r.sleep(float64(i+1) * 0.5)
			record.check("answered by of 192.0.2.1")
			if i == 3 {
				first.check("answered by of 192.0.2.2")
			}
			if i > 3 {
				l := r.login(auth, i)
				r.sleep(float64(i+1)*0.5 + 0.1)
				l.check("answered by of 192.0.2.2")
			}
		}
		a, b := auth.Stats().Servers[0], acct.Stats().Servers[0]
		if a.State != servers.Dead || a.Requests != 1 || b.State != servers.Up || b.Successes != 40 {
			t.Errorf("authentication %+v\naccounting %+v", a, b)
		}
		if log := r.log.String(); strings.Count(log, "does not answer") != 1 || strings.Contains(log, "answers again") {
			t.Error("log is not as expected")
		}
	})
}

// TestSuspectedPort: when accounting finds a server dead, logins do not wait for it. An answer on the
// port of one purpose ends the suspicion against the other, and its groups are told.
func TestSuspectedPort(t *testing.T) {
	withRig(t, func(r *rig) {
		var up atomic.Bool
		whenUp := func([]byte, radiusnet.Arrival) radiusnet.Reaction {
			if up.Load() {
				return radiusnet.Reaction{}
			}
			return radiusnet.Reaction{Answer: radiusnet.Silent}
		}
		r.authHost("192.0.2.1", whenUp)
		r.authHost("192.0.2.2", nil)
		r.host("192.0.2.1", whenUp)
		var told atomic.Int32
		auth := r.group(client.GroupConfig{Purpose: client.Authentication, Heard: func() { told.Add(1) }}, both("192.0.2.1"), both("192.0.2.2"))
		acct := r.group(client.GroupConfig{}, both("192.0.2.1"))
		record := r.send(acct, 1)
		r.sleep(2.5)
		record.check(nobody)
		l := r.login(auth, 1)
		r.sleep(2.6)
		l.check("answered by of 192.0.2.2")
		if a := auth.Stats().Servers[0]; a.State != servers.Dead || a.Requests != 0 {
			t.Errorf("%+v", a)
		}
		up.Store(true)
		record = r.send(acct, 2)
		r.sleep(3)
		record.check("answered by of 192.0.2.1")
		if a := auth.Stats().Servers[0]; a.State != servers.Unknown && a.State != servers.Up || told.Load() != 1 {
			t.Errorf("told %d times, %+v", told.Load(), a)
		}
		l = r.login(auth, 2)
		r.sleep(3.5)
		l.check("answered by of 192.0.2.1")
	})
}

// TestAccessCodes: the codes of answers are counted. One that answers another kind of request is
// dropped.
func TestAccessCodes(t *testing.T) {
	withRig(t, func(r *rig) {
		codes := []radius.Code{
			radius.CodeAccessAccept, radius.CodeAccessReject, radius.CodeAccessReject, radius.CodeAccessChallenge,
			radius.CodeAccessChallenge, radius.CodeAccessChallenge, radius.CodeAccountingResponse,
		}
		r.authHost("192.0.2.1", func(_ []byte, a radiusnet.Arrival) radiusnet.Reaction {
			if a.Number >= len(codes) {
				return radiusnet.Reaction{Answer: radiusnet.Silent}
			}
			return radiusnet.Reaction{Code: codes[a.Number], After: time.Duration(a.Number) * time.Millisecond}
		})
		g := r.authGroup(both("192.0.2.1"))
		for i, code := range codes {
			l := r.login(g, i)
			r.sleep(float64(i) + 0.5)
			if code == radius.CodeAccountingResponse {
				l.check("")
				continue
			}
			l.check("answered by of 192.0.2.1")
			if l.code != code {
				t.Errorf("code %v, want %v", l.code, code)
			}
		}
		s := g.Stats().Servers[0]
		if s.Accepts != 1 || s.Rejects != 2 || s.Challenges != 3 || s.UnknownTypes != 1 || s.Responses != 7 || s.Successes != 6 {
			t.Errorf("%+v", s)
		}
		if s.MaxResponseTime != 5*time.Millisecond || s.RoundTripTime != 5*time.Millisecond || s.CasResponseTime() >= s.MaxResponseTime {
			t.Errorf("response times: %v, at most %v, average %v", s.RoundTripTime, s.MaxResponseTime, s.CasResponseTime())
		}
	})
}

// TestSendTo: a request for one server goes to no other one, and there even if it is dead.
func TestSendTo(t *testing.T) {
	withRig(t, func(r *rig) {
		dead := true
		h := r.authHost("192.0.2.1", func([]byte, radiusnet.Arrival) radiusnet.Reaction {
			if dead {
				return radiusnet.Reaction{Answer: radiusnet.Silent}
			}
			return radiusnet.Reaction{Code: radius.CodeAccessReject}
		})
		other := r.authHost("192.0.2.2", nil)
		g := r.group(client.GroupConfig{Purpose: client.Authentication, Algorithm: client.RoundRobin, MaxInFlight: 1}, both("192.0.2.1"), both("192.0.2.2"))
		l := r.loginTo(g, "of 192.0.2.1", 1)
		full := r.loginTo(g, "of 192.0.2.1", 2) // the window is for these too
		r.sleep(2.5)
		l.check(nobody)
		full.check(client.ErrOverflow.Error())
		if s := g.Stats().Servers[0]; s.State != servers.Dead {
			t.Errorf("%+v", s)
		}
		unknown := r.loginTo(g, "of 192.0.2.3", 3)
		dead = false
		l = r.loginTo(g, "of 192.0.2.1", 4)
		r.sleep(3)
		l.check("answered by of 192.0.2.1")
		unknown.check(nobody)
		if h, other := len(h.Arrivals()), len(other.Arrivals()); h != 3 || other != 0 {
			t.Errorf("%d and %d requests arrived, want 3 and 0", h, other)
		}
		for i, want := range []string{"of 192.0.2.1", "of 192.0.2.2"} { // the rotation begins only now
			l := r.login(g, 10+i)
			r.sleep(4 + float64(i))
			l.check("answered by " + want)
		}
	})
}

// TestAliases: answers from a server's other addresses count, if their port is right.
func TestAliases(t *testing.T) {
	withRig(t, func(r *rig) {
		var from netip.AddrPort
		h := r.authHost("192.0.2.1", func([]byte, radiusnet.Arrival) radiusnet.Reaction { return radiusnet.Reaction{From: from} })
		m := both("192.0.2.1")
		m.Aliases = client.NewAliases(netip.MustParseAddr("192.0.2.8"), netip.MustParseAddr("::ffff:192.0.2.7"))
		g := r.authGroup(m)
		for i, tc := range []struct {
			from string
			want string
		}{
			{"192.0.2.7:1812", "answered by of 192.0.2.1"},
			{"192.0.2.8:1812", "answered by of 192.0.2.1"},
			{"192.0.2.8:1813", ""},
			{"192.0.2.9:1812", ""},
		} {
			from = netip.MustParseAddrPort(tc.from)
			l := r.login(g, i)
			r.sleep(float64(i) + 0.5)
			l.check(tc.want)
		}
		if n := g.Stats().InvalidServerAddresses; n < 2 {
			t.Errorf("%d packets from other addresses", n)
		}
		if n := r.client.Statistics().InvalidAcctAddresses; n != 0 {
			t.Errorf("%d of them for accounting", n)
		}
		m.Aliases = client.NewAliases(netip.MustParseAddr("192.0.2.9"))
		r.reconfigure(g, client.GroupConfig{Purpose: client.Authentication}, m)
		before := h.Arrivals()
		l := r.login(g, 9) // from the same socket
		r.sleep(4)
		l.check("answered by of 192.0.2.1")
		if all := h.Arrivals(); all[len(all)-1].From != before[0].From {
			t.Errorf("from %v, before from %v", all[len(all)-1].From, before[0].From)
		}
	})
}

func TestAliasesAsText(t *testing.T) {
	a, b := netip.MustParseAddr("192.0.2.1"), netip.MustParseAddr("2001:db8::1")
	if x, y := client.NewAliases(a, b), client.NewAliases(b, netip.MustParseAddr("::ffff:192.0.2.1"), a); x != y || !slices.Equal(x.Addrs(), []netip.Addr{a, b}) {
		t.Errorf("%q and %q", x, y)
	}
	if none := client.NewAliases(); none != "" || none.Addrs() != nil {
		t.Errorf("%q", none)
	}
}

// documentation returns an address with a port.
func documentation(addr string, port uint16) netip.AddrPort {
	return netip.AddrPortFrom(netip.MustParseAddr(addr), port)
}
