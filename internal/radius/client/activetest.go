package client

import (
	"cmp"
	"crypto/rand"
	"time"

	"aaasess/internal/radius"
	"aaasess/internal/retry"
)

// portTest is the active test of a server's port for one purpose. The client's mutex guards it.
type portTest struct {
	running bool
	last    time.Time // when the last one ended; at first, when the server or its Test was configured
}

// testAt returns when the port of a path is tested next, for a group with this hold-down. ok is
// false if that is not known: there is no test, or one is running. The caller holds the mutex.
func (p *path) testAt(holdDown time.Duration) (at time.Time, ok bool) {
	s := p.server
	t := &s.tests[p.purpose]
	switch {
	case !s.Test.covers(p.purpose) || t.running:
		return at, false
	case p.state().Dead():
		at = t.last.Add(cmp.Or(holdDown, DefaultHoldDown))
		return latest(at, p.state().DownUntil()), true
	}
	return latest(t.last, p.stats().LastResponse).Add(s.Test.IdleTime), true
}

func latest(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// beginTests begins the tests of the group's members that are due. It appends their transmissions to
// due, and returns when the next test is due at the latest; the zero time means never. Of several
// groups that have the port, the first one tests it. The caller holds the mutex.
func (g *Group) beginTests(due []*exchange, now time.Time) (_ []*exchange, next time.Time) {
	for i, p := range g.paths {
		at, ok := p.testAt(g.rule.HoldDown)
		switch {
		case !ok || g.absent&(1<<i) != 0:
		case at.After(now):
			if next.IsZero() || at.Before(next) {
				next = at
			}
		default:
			x := newExchange(g, newActiveTest(p), retry.Progress{})
			x.announced, x.plain, x.excluded, x.test = true, true, allBut(i), true
			x.statusServer = p.server.Test.StatusServer
			if g.advance(x, now) != nil {
				continue
			}
			p.server.tests[p.purpose].running = true
			p.stats().Tests++
			g.announcing++
			g.schedule(x, now.Add(g.cfg.Members[i].Schedule.Timeout)) // until it is sent
			due = append(due, x)
		}
	}
	return due, next
}

// SetNASIdentifier sets the NAS-Identifier in the requests of active tests that begin from now on. ""
// means "aaasess".
func (c *Client) SetNASIdentifier(name string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.cfg.NASIdentifier = cmp.Or(name, defaultNASIdentifier)
}

// endTest ends the test x. The caller holds the mutex.
func (x *exchange) endTest() {
	p := x.path()
	p.server.tests[p.purpose] = portTest{last: x.group.client.cfg.Now()}
	p.server.rescheduleTests()
}

// rescheduleTests notes which ports are tested, and makes the groups of a server compute when
// that is due. The caller holds the mutex.
func (s *server) rescheduleTests() {
	for i := range s.states {
		s.states[i].SetTested(s.Test.covers(Purpose(i)))
	}
	for _, p := range s.paths {
		if !s.Test.covers(p.purpose) {
			continue
		}
		for _, g := range p.groups {
			g.wakeUp()
		}
	}
}

// activeTest is a request of an active test.
type activeTest struct {
	purpose       Purpose
	username      string // "" means Status-Server
	nasIdentifier string
}

func newActiveTest(p *path) *activeTest {
	r := &activeTest{purpose: p.purpose, nasIdentifier: p.server.client.cfg.NASIdentifier}
	if !p.server.Test.StatusServer {
		r.username = p.server.Test.Username
	}
	return r
}

// Append implements [Request]. The Accounting-Request is the one that FreeRADIUS sends as its
// status_check.
func (r *activeTest) Append(b []byte, identifier byte, secret radius.Secret, _ time.Time) ([]byte, radius.Authenticator) {
	if r.username != "" && r.purpose == Accounting {
		const stop = 2
		b = radius.AppendHeader(b, radius.CodeAccountingRequest, identifier)
		b = radius.AppendUint32(b, radius.AcctStatusType, stop)
		b = radius.AppendAttribute(b, radius.AcctSessionID, "00000000")
		b = radius.AppendUint32(b, radius.AcctDelayTime, 0)
		b = radius.AppendAttribute(b, radius.UserName, r.username)
		b = radius.AppendAttribute(b, radius.NASIdentifier, r.nasIdentifier)
		return b, radius.Seal(b, 0, radius.Authenticator{}, secret)
	}
	var auth radius.Authenticator
	_, _ = rand.Read(auth[:]) // it never fails
	code := radius.CodeAccessRequest
	if r.username == "" {
		code = radius.CodeStatusServer
	}
	b = radius.AppendSignedHeader(b, code, identifier)
	if r.username != "" {
		b = radius.AppendAttribute(b, radius.UserName, r.username)
		b, _ = radius.AppendUserPassword(b, rand.Text(), secret, auth) // it is short enough
	}
	b = radius.AppendAttribute(b, radius.NASIdentifier, r.nasIdentifier)
	radius.SealRequest(b, auth, secret)
	return b, auth
}

// Answers implements [Request].
func (r *activeTest) Answers(code radius.Code) bool {
	switch code {
	case radius.CodeAccountingResponse:
		return r.purpose == Accounting
	case radius.CodeAccessAccept, radius.CodeAccessReject, radius.CodeAccessChallenge:
		return r.purpose == Authentication
	}
	return false
}

// Session implements [Request].
func (r *activeTest) Session() string { return "" }

// User implements [Request].
func (r *activeTest) User() string { return r.username }

// Done implements [Request]: the server's state has all that matters.
func (r *activeTest) Done(Answer, error) {}
