package radius

import (
	"errors"
	"net"
	"net/netip"
	"time"

	"aaasess/internal/radius"
)

// rest is how long a reader waits after an error of the kernel's, which may be there for a while.
const rest = 100 * time.Millisecond

// read takes answers from a socket until it is closed.
func (s *server) read(conn Socket, socket int) {
	b := make([]byte, radius.MaxPacket+1)
	var scratch []byte
	for {
		n, from, err := conn.ReadFromUDPAddrPort(b)
		if errors.Is(err, net.ErrClosed) {
			return
		}
		if err != nil {
			s.receiveFailed(err)
			continue
		}
		if !s.sent(from) {
			s.group.mu.Lock()
			s.group.invalid++
			s.group.mu.Unlock()
			continue
		}
		scratch = s.handle(b[:n], socket, scratch)
	}
}

// receiveFailed logs an error of the kernel's and waits a moment.
func (s *server) receiveFailed(err error) {
	s.group.mu.Lock()
	tell := s.tell(s.group.cfg.Now())
	s.group.mu.Unlock()
	if tell {
		s.warn("receiving failed", err)
	}
	timer := time.NewTimer(rest)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-s.group.stop:
	}
}

// sent reports whether a datagram comes from the server. The zone of a link-local address is left
// to the authenticator: the system names it in its own way.
func (s *server) sent(from netip.AddrPort) bool {
	return from.Port() == s.Addr.Port() && from.Addr().Unmap().WithZone("") == s.Addr.Addr().WithZone("")
}

// handle takes one datagram of the server's. An answer to any attempt of an exchange settles it.
// scratch is memory to work in; it is returned for the next time.
func (s *server) handle(b []byte, socket int, scratch []byte) []byte {
	g := s.group
	p, err := radius.Parse(b)
	g.mu.Lock()
	a, ok := s.expected(p, err, socket)
	g.mu.Unlock()
	if !ok {
		return scratch
	}
	right, scratch := p.Authentic(a.auth, s.Secret, scratch)
	now := g.cfg.Now()
	var x *exchange
	tell := false
	g.mu.Lock()
	if !right {
		s.stats.BadAuthenticators++
		tell = s.tell(now)
	} else {
		x = s.answered(socket*perSocket+int(p.Identifier()), a, now)
	}
	changed := len(g.changes) > 0
	g.mu.Unlock()
	if changed {
		g.logChanges()
	}
	if tell {
		s.warn("accounting response dropped: is the secret the same?", errForged)
	}
	switch {
	case x != nil:
		x.finish(s.Name, nil)
	case right:
		g.cfg.Heard()
	}
	return scratch
}

// expected counts a datagram, of which radius.Parse says err, and finds the attempt that it may be
// the answer to. The caller holds the mutex.
func (s *server) expected(p radius.Packet, err error, socket int) (attempt, bool) {
	s.stats.Responses++
	switch {
	case err != nil:
		s.stats.MalformedResponses++
	case p.Code() != radius.CodeAccountingResponse:
		s.stats.UnknownTypes++
	default:
		a, ok := s.ids.pending(socket*perSocket + int(p.Identifier()))
		if !ok {
			s.stats.PacketsDropped++
		}
		return a, ok
	}
	return attempt{}, false
}

// answered notes the right answer to what attempt n was a moment ago. It returns the exchange that is
// settled by it, or nil if it was before. The caller holds the mutex.
func (s *server) answered(n int, was attempt, now time.Time) *exchange {
	g := s.group
	s.stats.LastResponse, s.stats.RoundTripTime = now, now.Sub(was.sent)
	if was.state == waiting { // not one that timed out
		s.stats.AverageResponseTime = smooth(s.stats.AverageResponseTime, s.stats.RoundTripTime)
	}
	if g.states[s.index].answered(now) {
		g.changes = append(g.changes, change{s, true})
	}
	if s.ids.attempts[n].serial != was.serial || s.ids.attempts[n].state == free {
		return nil // a copy of the answer came in between, or the identifier was needed
	}
	x := was.exchange
	if x.server == s.index && x.slot == n {
		x.slot = none
	}
	s.ids.release(n)
	if x.settled {
		return nil
	}
	g.settle(x)
	s.stats.Successes++
	return x
}
