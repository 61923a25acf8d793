package client

import (
	"errors"
	"net/netip"
	"sync"
	"time"

	"aaasess/internal/radius"
	"aaasess/internal/servers"
)

// route is what distinguishes the paths to a server.
type route struct {
	purpose Purpose
	source  netip.Addr // the zero Addr means the system's choice
}

// path is the way to one port of a server from one local address: its Conns and their identifiers.
// The client's mutex guards its mutable fields.
type path struct {
	server *server
	route
	readers sync.WaitGroup
	closed  chan struct{} // closed when no group uses the path

	addr   netip.AddrPort // of the server; the zero AddrPort means unknown
	moves  uint32         // how often a known address changed
	groups []*Group       // that use the path
	ids    identifiers
	conns  []Conn // conns[i] has the identifiers from 256*i on
}

// minLinger is the minimum time for which a late answer is accepted, unless identifiers run out:
// servers that were busy or stopped answer queued requests (FreeRADIUS's max_request_time is 30 s).
const minLinger = 30 * time.Second

// join adds a group. The caller holds the mutex.
func (p *path) join(g *Group) {
	p.groups = append(p.groups, g)
	p.updateLimits()
}

// leave removes a group and reports whether it was the last. The caller holds the mutex.
func (p *path) leave(g *Group) (last bool) {
	before := len(p.groups)
	if p.groups = without(p.groups, g); len(p.groups) == before {
		return false // a group that has left before
	}
	if len(p.groups) == 0 {
		close(p.closed)
		return true
	}
	p.updateLimits()
	return false
}

// updateLimits adapts the identifiers to the windows and schedules of the groups. The caller holds
// the mutex.
func (p *path) updateLimits() {
	p.ids.limit, p.ids.linger = 0, minLinger
	for _, g := range p.groups {
		p.ids.limit += identifierLimit(g.cfg.MaxInFlight)
		for i, member := range g.cfg.Members {
			if g.paths[i] == p || g.paths[i] == nil && g.cfg.Purpose == p.purpose && member.key() == p.server.key() {
				p.ids.linger = max(p.ids.linger, member.Schedule.Timeout*time.Duration(member.Schedule.Retransmit+1))
			}
		}
	}
}

// move changes the server's address. Requests in flight are sent there at once, from the start of
// their schedules. The caller holds the mutex, and must close the returned Conns afterwards.
func (p *path) move(addr netip.AddrPort, now time.Time) (old []Conn) {
	if p.addr.IsValid() {
		p.moves++
	}
	for n := range p.ids.transmissions {
		x := p.ids.transmissions[n].exchange
		if x == nil || x.settled || x.slot != n || x.path() != p {
			continue
		}
		x.group.endTransmission(x)
		x.tries, x.due, x.membersHash = 0, true, x.group.members()
		x.group.schedule(x, now)
	}
	fresh := newIdentifiers()
	fresh.limit, fresh.linger, fresh.allocated = p.ids.limit, p.ids.linger, p.ids.allocated
	old, p.conns, p.addr, p.ids = p.conns, nil, addr, fresh
	return old
}

// open opens one more Conn, unless another goroutine has done so or the address has changed.
func (p *path) open(addr netip.AddrPort, conns int) error {
	c := p.server.client
	conn, err := c.cfg.Dial(p.source, addr, p.server.isAlias)
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

// errorPause is how long a reader pauses after a kernel error, which may last for a while.
const errorPause = 100 * time.Millisecond

// read receives answers from a Conn until it is closed.
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
			c.invalid[p.purpose]++
			c.mu.Unlock()
			p.traceAnswer(&receivedAnswer{outcome: outcomeForeign})
		default:
			p.receiveFailed(err)
		}
	}
}

// receiveFailed logs a kernel error and pauses.
func (p *path) receiveFailed(err error) {
	p.warnThrottled("receiving RADIUS answers failed", err)
	timer := time.NewTimer(errorPause)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-p.closed:
	}
}

// handle processes one packet of the server. An answer to any transmission of an exchange settles
// it. scratch is working memory and is returned for the next call.
func (p *path) handle(b []byte, conn Conn, number int, scratch []byte) []byte {
	s := p.server
	c := s.client
	packet, err := radius.Parse(b)
	c.mu.Lock()
	received := p.match(b, packet, err, conn, number)
	c.mu.Unlock()
	if received.outcome != "" {
		p.traceAnswer(&received)
		return scratch
	}
	a := received.answers
	right, scratch := packet.Authentic(a.auth, s.Secret, scratch)
	now := c.cfg.Now()
	var x *exchange
	var listeners []*Group
	c.mu.Lock()
	stats := a.exchange.statsOn(p)
	switch {
	case !right:
		stats.BadAuthenticators++
		received.outcome = outcomeBadAuthenticator
	case !p.signedEnough(packet):
		stats.BadAuthenticators++
		received.outcome = outcomeUnsigned
	case !p.owns(conn, number): // the address has changed since
		stats.PacketsDropped++
		received.outcome = outcomeUnexpected
	default:
		x, listeners = p.answered(number*perConn+int(packet.Identifier()), a, now)
		received.outcome = outcomeOf(x, a)
	}
	changed := len(a.exchange.group.changes) > 0 || c.histories.Untold()
	c.mu.Unlock()
	p.traceAnswer(&received)
	switch received.outcome {
	case outcomeBadAuthenticator:
		p.warnThrottled("RADIUS answer dropped: check the shared secret", errForged)
	case outcomeUnsigned:
		p.warnThrottled("RADIUS answer dropped: it is not signed", errUnsigned)
	}
	if changed {
		a.exchange.group.logChanges()
	}
	if x != nil {
		x.req.Done(Answer{Server: s.Name, Packet: packet, Request: a.auth, Secret: s.Secret}, nil)
	}
	for _, g := range listeners {
		g.cfg.Heard()
	}
	return scratch
}

// signedEnough reports whether a packet with a right authenticator has the Message-Authenticator that
// the server's Signing wants, and notes whether the server always sends one. An Accounting-Response
// needs none: the authenticator of its request protects both. The caller holds the mutex.
func (p *path) signedEnough(packet radius.Packet) bool {
	s := p.server
	switch {
	case p.purpose != Authentication:
		return true
	case packet.HasMessageAuthenticator():
		s.signs = s.signs || packet.ShowsSigning()
		return true
	}
	return !s.Signing.Requires(packet, s.signs)
}

// count counts a packet by its code, whatever is wrong with the rest (RFC 4670, RFC 4668). It reports
// whether the code is that of an answer on this port. The caller holds the mutex.
func (p *path) count(stats *servers.Stats, code radius.Code) (isAnswer bool) {
	stats.Responses++
	if p.purpose != Authentication {
		return code == radius.CodeAccountingResponse
	}
	switch code {
	case radius.CodeAccessAccept:
		stats.Accepts++
	case radius.CodeAccessReject:
		stats.Rejects++
	case radius.CodeAccessChallenge:
		stats.Challenges++
	default:
		return false
	}
	return true
}

// state returns the state of the server's port for this purpose. The caller holds the mutex.
func (p *path) state() *servers.Health { return &p.server.states[p.purpose] }

// otherState returns the state of its other port. The caller holds the mutex.
func (p *path) otherState() *servers.Health { return &p.server.states[purposes-1-p.purpose] }

// stats returns the statistics of the server for this purpose. The caller holds the mutex.
func (p *path) stats() *servers.Stats { return p.server.history.Stats(use(p.purpose)) }

// statsOn returns where the packets of x on a path count. The caller holds the mutex.
func (x *exchange) statsOn(p *path) *servers.Stats {
	if x.statusServer {
		return p.server.history.StatusServerStats(use(p.purpose))
	}
	return p.stats()
}

// owns reports whether a Conn belongs to the path. A Conn to an earlier address has no identifiers
// any more. The caller holds the mutex.
func (p *path) owns(conn Conn, number int) bool {
	return number < len(p.conns) && p.conns[number] == conn
}

// match counts a packet b, for which radius.Parse returned err, and finds the transmission that it may
// answer. If it answers none, the result has an outcome. The caller holds the mutex.
func (p *path) match(b []byte, packet radius.Packet, err error, conn Conn, number int) receivedAnswer {
	received := receivedAnswer{packet: packet}
	var waits bool
	if p.owns(conn, number) {
		received.addr = p.addr
		if len(b) > 1 {
			received.answers, waits = p.ids.pending(number*perConn + int(b[1]))
		}
	}
	stats := p.stats()
	if received.answers.statusServer { // the one that it answers, or of whose answer it is a copy
		stats = p.server.history.StatusServerStats(use(p.purpose))
	}
	switch {
	case len(b) == 0:
		stats.Responses++
		stats.MalformedResponses++
		received.outcome = outcomeMalformed
	case !p.count(stats, radius.Code(b[0])):
		stats.UnknownTypes++
		received.outcome = outcomeWrongCode
	case err != nil:
		stats.MalformedResponses++
		received.outcome = outcomeMalformed
	case !waits:
		stats.PacketsDropped++
		received.outcome = outcomeUnexpected
	case !received.answers.exchange.req.Answers(packet.Code()):
		stats.PacketsDropped++
		received.outcome = outcomeWrongCode
	}
	if received.outcome == outcomeMalformed || !waits {
		received.answers = transmission{}
	}
	return received
}

// outcomeOf returns the outcome of a valid answer to the transmission a, which settles x; nil means
// that it settles nothing.
func outcomeOf(x *exchange, a transmission) string {
	switch {
	case x == nil:
		return outcomeDuplicate
	case a.state == superseded:
		return outcomeLate
	}
	return outcomeAccepted
}

// comeBack handles that the server has answered g on the port of the path. It returns the groups for
// which it is up again: those of the port, if it was dead, and those of the other port, if it was only
// suspected. The caller holds the mutex.
func (p *path) comeBack(g *Group, now time.Time) []*Group {
	s := p.server
	suspected := p.state().Suspected()
	back := p.state().Answered(now)
	cleared := p.otherState().Clear(now)
	if back && !suspected {
		g.changes = append(g.changes, change{server: s, addr: p.addr, up: true})
	}
	if !back && !cleared {
		return nil
	}
	s.history.Update(now)
	return groupsOf(s, func(other Purpose) bool { return other == p.purpose && back || other != p.purpose && cleared })
}

// answered handles a valid answer to transmission n, whose state was copied to was before the
// check. It returns the exchange that the answer settles, or nil, and the groups to tell that the
// server answers. The caller holds the mutex.
func (p *path) answered(n int, was transmission, now time.Time) (x *exchange, listeners []*Group) {
	g, stats := was.exchange.group, was.exchange.statsOn(p)
	stats.LastResponse, stats.RoundTripTime = now, now.Sub(was.sent)
	if was.timedOut {
		stats.LateResponses++
	}
	if was.state == waiting && !was.repeated { // not if it timed out
		stats.AddResponseTime(stats.RoundTripTime)
	}
	stats.MaxResponseTime = max(stats.MaxResponseTime, stats.RoundTripTime)
	if listeners = p.comeBack(g, now); listeners != nil && !was.exchange.test { // its Done tells the group
		listeners = without(listeners, g)
	}
	if p.ids.transmissions[n].serial != was.serial || p.ids.transmissions[n].state == free {
		// Meanwhile a copy of the answer arrived, or the identifier was reused.
		return nil, g.appendListener(listeners)
	}
	x = was.exchange
	if x.path() == p && x.slot == n {
		x.slot = none
	}
	p.ids.release(n)
	if x.settled {
		return nil, g.appendListener(listeners)
	}
	g.settle(x)
	stats.Successes++
	return x, listeners
}
