package client

import (
	"time"

	"aaasess/internal/radius"
	"aaasess/internal/retry"
	"aaasess/internal/timeheap"
)

// exchange is one request on its way, through all of its attempts. The client's mutex guards it.
type exchange struct {
	group     *Group
	req       Request
	announced bool // by Announce

	wait timeheap.Entry[*exchange] // in the group's deadlines

	server int       // where it goes now, if it has begun
	tried  uint64    // bit i: was or is sent to server i
	tries  int       // transmissions to the present server
	since  time.Time // when the first of them was made; the last, when it is one of the back-off's
	slot   int       // the identifier of the last of them, or none
	probe  uint64    // the number of the probe that it is; 0: none
	among  uint32    // Group.members, of which server and tried are

	settled bool // Done was called, or is about to be
	begun   bool // it has been given its server
	due     bool // the next transmission is to be made
	pending bool // the last one waits for its answer, in time
}

// newExchange is a request at some point of its schedule.
func newExchange(g *Group, req Request, at retry.Progress) *exchange {
	return &exchange{
		group: g, req: req, slot: none,
		server: int(at.Server), tried: at.Tried, tries: int(at.Attempt), among: at.Servers,
	}
}

// fail gives a request its end without an answer. No mutex may be held.
func (x *exchange) fail(err error) { x.req.Done("", radius.Packet{}, err) }

// path is the way to the server that x is with. The caller holds the mutex.
func (x *exchange) path() *path { return x.group.paths[x.server] }

// progress is where x stands after so many transmissions to its server.
func (x *exchange) progress(tries int) retry.Progress {
	return retry.Progress{Tried: x.tried, Server: uint16(x.server), Attempt: uint16(tries), Servers: x.among}
}

// member is server i of the group with its schedule there.
func (g *Group) member(i int) (*server, *Member) { return g.paths[i].server, &g.cfg.Members[i] }

// advance decides what becomes of x now; its last transmission, if any, got no answer in time. nil
// means that it is due; a [retry.Later] or [ErrNoResponse] is the end of the exchange. The caller holds the mutex.
func (g *Group) advance(x *exchange, now time.Time) error {
	switch {
	case !x.begun:
		x.begun = true
		return g.start(x, now)
	case g.absent&(1<<x.server) != 0:
		g.withdraw(x)
		g.endProbe(x)
		return g.moveOn(x, g.after(x), now)
	case x.due:
		return nil
	}
	g.timeOut(x, now)
	schedule := g.cfg.Members[x.server].Schedule
	if x.tries <= schedule.Retransmit {
		x.due = true
		return nil
	}
	g.unanswered(x, now)
	if !x.announced && x.tries < schedule.Transmissions() {
		next := x.wait.At().Add(schedule.Interval(x.tries-1) - schedule.Timeout)
		return &retry.Later{After: max(0, next.Sub(now)), At: x.progress(x.tries)}
	}
	return g.failOver(x, now)
}

// start finds the first transmission of an exchange: to the first server, or where a back-off goes on.
// The caller holds the mutex.
func (g *Group) start(x *exchange, now time.Time) error {
	if !g.understands(x.progress(x.tries)) {
		x.tried, x.tries = 0, 0
	}
	x.among = g.members()
	if x.tries == 0 {
		start := 0
		if g.cfg.Algorithm == RoundRobin {
			start, g.next = g.next, (g.next+1)%len(g.paths)
		}
		return g.moveOn(x, start, now)
	}
	s, member := g.member(x.server)
	if x.tries == member.Schedule.Transmissions() || g.absent&(1<<x.server) != 0 { // the last one was suppressed
		return g.failOver(x, now)
	}
	if g.rule.holdDown > 0 && s.state.probing() { // one request is enough to find out about a dead server
		return &retry.Later{After: member.Schedule.Interval(x.tries), At: x.progress(x.tries + 1)}
	}
	x.probe, x.due = s.state.beginProbe(), true
	return nil
}

// understands reports whether a Progress is one that a group of these servers gave, or the beginning.
func (g *Group) understands(at retry.Progress) bool {
	if at.Servers != g.members() && at != (retry.Progress{}) || at.Tried>>(len(g.paths)-1)>>1 != 0 {
		return false
	}
	if at.Attempt == 0 {
		return untried(len(g.paths), at.Tried, 0) != none
	}
	if int(at.Server) >= len(g.paths) || at.Tried&(1<<at.Server) == 0 {
		return false
	}
	s := g.cfg.Members[at.Server].Schedule
	return s.BackoffRetry > 0 && int(at.Attempt) > s.Retransmit && int(at.Attempt) <= s.Transmissions()
}

// failOver leaves a server that did not answer x for the next one. The caller holds the mutex.
func (g *Group) failOver(x *exchange, now time.Time) error {
	g.paths[x.server].server.stats.Failures++
	return g.moveOn(x, g.after(x), now)
}

// after is where the search for the next server of x begins.
func (g *Group) after(x *exchange) int {
	if g.cfg.Algorithm == RoundRobin {
		return x.server
	}
	return 0
}

// moveOn gives x the next server. The caller holds the mutex.
func (g *Group) moveOn(x *exchange, start int, now time.Time) error {
	var next int
	if x.announced || g.rule.holdDown == 0 {
		next = untried(len(g.paths), x.tried|g.absent, start)
	} else {
		next = choose(g.states, x.tried, g.absent, start, now)
	}
	if next == none {
		return ErrNoResponse
	}
	x.server, x.tries, x.due = next, 0, true
	x.tried |= 1 << next
	x.probe = g.paths[next].server.state.beginProbe()
	return nil
}

// timeOut notes that the last transmission got no answer in time. The caller holds the mutex.
func (g *Group) timeOut(x *exchange, now time.Time) {
	if !x.pending {
		return
	}
	s := g.paths[x.server].server
	s.stats.Timeouts++
	g.withdraw(x)
	if s.state.timedOut(now, g.rule) {
		g.tellDead(s, x)
	}
}

// unanswered notes that x leaves its server, for now or for good, without an answer. The caller holds
// the mutex.
func (g *Group) unanswered(x *exchange, now time.Time) {
	s, member := g.member(x.server)
	all := x.tries == member.Schedule.Retransmit+1
	if s.state.failed(x.since, now, all, g.rule) {
		g.tellDead(s, x)
	}
	g.endProbe(x)
}

func (g *Group) tellDead(s *server, x *exchange) {
	g.changes = append(g.changes, change{server: s, addr: x.path().addr})
}

func (g *Group) endProbe(x *exchange) {
	if x.probe != 0 {
		x.path().server.state.endProbe(x.probe)
		x.probe = 0
	}
}

// withdraw ends the present attempt; its identifier waits on for a late answer. The caller holds
// the mutex.
func (g *Group) withdraw(x *exchange) {
	if x.pending {
		x.pending = false
		x.path().server.stats.PendingRequests--
	}
	if x.slot != none {
		x.path().ids.supersede(x.slot)
		x.slot = none
	}
}

// settle ends an exchange; Done is still to be called, without the mutex. The caller holds the mutex.
func (g *Group) settle(x *exchange) {
	x.settled = true
	g.withdraw(x)
	g.endProbe(x)
	g.deadlines.Remove(&x.wait)
	if x.announced {
		g.announcing--
	}
}

// begin counts an attempt that is made now, with identifier slot or, if none could be had, none.
// The caller holds the mutex.
func (g *Group) begin(x *exchange, slot int, now time.Time) {
	s, member := g.member(x.server)
	if x.tries == 0 {
		s.stats.Requests++
	} else {
		s.stats.Retransmissions++
	}
	if x.tries == 0 || x.tries > member.Schedule.Retransmit {
		x.since = now
	}
	x.tries++
	x.slot, x.due, x.pending = slot, false, true
	s.stats.PendingRequests++
	g.schedule(x, now.Add(member.Schedule.Timeout))
}

// schedule has x looked at again at this time. The caller holds the mutex.
func (g *Group) schedule(x *exchange, at time.Time) {
	g.deadlines.Set(x, &x.wait, at)
	if at.Before(g.wakeAt) {
		g.wakeAt = at
		g.wakeUp()
	}
}
