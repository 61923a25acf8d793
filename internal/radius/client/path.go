package client

import (
	"errors"
	"net/netip"
	"sync"
	"time"

	"aaasess/internal/radius"
)

// path is the way to a server from one local address: Conns, and the identifiers that they have. The client's mutex guards
// what changes.
type path struct {
	server  *server
	source  netip.Addr // the zero Addr: the system's choice
	readers sync.WaitGroup
	closed  chan struct{} // closed when no group has it any more

	addr   netip.AddrPort // of the server; the zero AddrPort: not known
	moves  uint32         // how often it left an address
	groups []*Group       // that use it
	ids    identifiers
	conns  []Conn // conns[i] has the identifiers from 256*i on
}

// minLinger is for how long at least a late answer is waited for, as identifiers allow: servers that
// were busy or stopped answer what they find queued (FreeRADIUS's max_request_time is 30 s).
const minLinger = 30 * time.Second

// join adds a group. The caller holds the mutex.
func (p *path) join(g *Group) {
	p.groups = append(p.groups, g)
	p.fit()
}

// leave takes a group out, and reports whether it was the last. The caller holds the mutex.
func (p *path) leave(g *Group) (last bool) {
	before := len(p.groups)
	if p.groups = without(p.groups, g); len(p.groups) == before {
		return false // a group that left before
	}
	if len(p.groups) == 0 {
		close(p.closed)
		return true
	}
	p.fit()
	return false
}

// fit makes room for what the groups may have under way. The caller holds the mutex.
func (p *path) fit() {
	p.ids.limit, p.ids.linger = 0, minLinger
	for _, g := range p.groups {
		p.ids.limit += identifierLimit(g.cfg.MaxInFlight)
		for i, member := range g.cfg.Members {
			if g.paths[i] == p || g.paths[i] == nil && member.Identity == p.server.Identity {
				p.ids.linger = max(p.ids.linger, member.Schedule.Timeout*time.Duration(member.Schedule.Retransmit+1))
			}
		}
	}
}

// move gives the server another address: what is under way goes there at once, from the beginning of its schedule. The
// Conns that are returned are to be closed. The caller holds the mutex.
func (p *path) move(addr netip.AddrPort, now time.Time) (old []Conn) {
	if p.addr.IsValid() {
		p.moves++
	}
	for n := range p.ids.attempts {
		x := p.ids.attempts[n].exchange
		if x == nil || x.settled || x.slot != n || x.path() != p {
			continue
		}
		x.group.withdraw(x)
		x.tries, x.due, x.among = 0, true, x.group.members()
		x.group.schedule(x, now)
	}
	fresh := newIdentifiers()
	fresh.limit, fresh.linger, fresh.taken = p.ids.limit, p.ids.linger, p.ids.taken
	old, p.conns, p.addr, p.ids = p.conns, nil, addr, fresh
	return old
}

// open opens one more Conn than there are, unless somebody else has done so, or the server has moved.
func (p *path) open(addr netip.AddrPort, conns int) error {
	c := p.server.client
	conn, err := c.cfg.Dial(p.source, addr)
	if err != nil {
		return err
	}
	c.mu.Lock()
	use := len(p.groups) > 0 && p.addr == addr && len(p.conns) == conns
	if use {
		p.conns = append(p.conns, conn)
		p.ids.grow()
		p.readers.Go(func() { p.read(conn, conns) })
	}
	c.mu.Unlock()
	if !use {
		_ = conn.Close()
	}
	return nil
}

// rest is how long a reader waits after an error of the kernel's, which may be there for a while.
const rest = 100 * time.Millisecond

// read takes answers from a Conn until it is closed.
func (p *path) read(conn Conn, number int) {
	b := make([]byte, radius.MaxPacket+1)
	var scratch []byte
	for {
		n, err := conn.Receive(b)
		switch {
		case err == nil:
			scratch = p.handle(b[:n], conn, number, scratch)
		case isClosed(err):
			return
		case errors.Is(err, ErrForeign):
			c := p.server.client
			c.mu.Lock()
			c.invalid++
			c.mu.Unlock()
		default:
			p.receiveFailed(err)
		}
	}
}

// receiveFailed logs an error of the kernel's and waits a moment.
func (p *path) receiveFailed(err error) {
	s := p.server
	s.client.mu.Lock()
	tell := s.tell(s.client.cfg.Now())
	s.client.mu.Unlock()
	if tell {
		s.warn("receiving RADIUS answers failed", err)
	}
	timer := time.NewTimer(rest)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-p.closed:
	}
}

// handle takes one packet of the server's. An answer to any attempt of an exchange settles it. scratch is memory to work
// in; it is returned for the next time.
func (p *path) handle(b []byte, conn Conn, number int, scratch []byte) []byte {
	s := p.server
	c := s.client
	packet, err := radius.Parse(b)
	c.mu.Lock()
	a, ok := p.expected(packet, err, conn, number)
	c.mu.Unlock()
	if !ok {
		return scratch
	}
	right, scratch := packet.Authentic(a.auth, s.Secret, scratch)
	now := c.cfg.Now()
	var x *exchange
	var hearers []*Group
	tell := false
	c.mu.Lock()
	switch {
	case !right:
		s.stats.BadAuthenticators++
		tell = s.tell(now)
	case !p.has(conn, number): // the server has moved since
		s.stats.PacketsDropped++
	default:
		x, hearers = p.answered(number*perConn+int(packet.Identifier()), a, now)
	}
	changed := len(a.exchange.group.changes) > 0
	c.mu.Unlock()
	if tell {
		s.warn("RADIUS answer dropped: check the shared secret", errForged)
	}
	if changed {
		a.exchange.group.logChanges()
	}
	if x != nil {
		x.req.Done(s.Name, packet, nil)
	}
	for _, g := range hearers {
		g.cfg.Heard()
	}
	return scratch
}

// has reports whether a Conn is the path's: one to an address that the server had before has no identifiers any more. The
// caller holds the mutex.
func (p *path) has(conn Conn, number int) bool {
	return number < len(p.conns) && p.conns[number] == conn
}

// expected counts a packet, of which radius.Parse says err, and finds the attempt that it may be the answer to. The caller
// holds the mutex.
func (p *path) expected(packet radius.Packet, err error, conn Conn, number int) (attempt, bool) {
	stats := &p.server.stats
	stats.Responses++
	if err != nil {
		stats.MalformedResponses++
		return attempt{}, false
	}
	if !p.has(conn, number) {
		stats.PacketsDropped++
		return attempt{}, false
	}
	a, ok := p.ids.pending(number*perConn + int(packet.Identifier()))
	switch {
	case !ok:
		stats.PacketsDropped++
	case !a.exchange.req.Answers(packet.Code()):
		stats.UnknownTypes++
		return attempt{}, false
	}
	return a, ok
}

// answered notes the right answer to what attempt n was a moment ago. It returns the exchange that is settled by it, nil
// if it was before, and the groups that want to know that the server is there. The caller holds the mutex.
func (p *path) answered(n int, was attempt, now time.Time) (x *exchange, hearers []*Group) {
	s, g := p.server, was.exchange.group
	s.stats.LastResponse, s.stats.RoundTripTime = now, now.Sub(was.sent)
	if was.state == waiting { // not one that timed out
		s.stats.AverageResponseTime = smooth(s.stats.AverageResponseTime, s.stats.RoundTripTime)
	}
	if s.state.answered(now) {
		g.changes = append(g.changes, change{server: s, addr: p.addr, up: true})
		hearers = without(groupsOf(s), g)
	}
	if p.ids.attempts[n].serial != was.serial || p.ids.attempts[n].state == free {
		return nil, g.andHear(hearers) // a copy of the answer came in between, or the identifier was needed
	}
	x = was.exchange
	if x.path() == p && x.slot == n {
		x.slot = none
	}
	p.ids.release(n)
	if x.settled {
		return nil, g.andHear(hearers)
	}
	g.settle(x)
	s.stats.Successes++
	return x, hearers
}
