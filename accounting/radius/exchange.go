package radius

import (
	"math"
	"time"

	"aaasess/accounting"
)

// exchange is one record on its way, through all of its attempts. The group's mutex guards it.
type exchange struct {
	rec       *accounting.Record
	done      func(error)
	announced func(server string, err error) // in place of done, for Announce

	deadline time.Time
	index    int // in the group's deadlines, or none

	server int       // where it goes now, or none
	tried  uint64    // bit i: was or is sent to server i
	tries  int       // transmissions to the present server
	since  time.Time // when the first of them was made; the last, when it is one of the back-off's
	slot   int       // the identifier of the last of them, or none
	probe  uint64    // the number of the probe that it is; 0: none
	among  uint32    // Config.Generation of the servers that server and tried are of

	settled bool // done was called, or is about to be
	begun   bool // it has been given its server
	due     bool // the next transmission is to be made
	pending bool // the last one waits for its answer, in time
}

// newExchange is a record at some point of its schedule.
func newExchange(rec *accounting.Record, at accounting.Progress, done func(error)) *exchange {
	return &exchange{
		rec: rec, done: done, index: none, slot: none,
		server: int(at.Server), tried: at.Tried, tries: int(at.Attempt), among: at.Servers,
	}
}

// finish tells the caller what became of the record. No mutex may be held.
func (x *exchange) finish(server string, err error) {
	if x.announced != nil {
		x.announced(server, err)
		return
	}
	x.done(err)
}

// delay is the Acct-Delay-Time of an attempt that is made now (RFC 2866 section 5.2), in seconds.
func (x *exchange) delay(now time.Time) uint32 {
	seconds := now.Sub(x.rec.At) / time.Second
	return uint32(min(max(0, seconds), math.MaxUint32))
}

// progress is where x stands after so many transmissions to its server.
func (x *exchange) progress(tries int) accounting.Progress {
	return accounting.Progress{Tried: x.tried, Server: uint16(x.server), Attempt: uint16(tries), Servers: x.among}
}

// advance decides what becomes of x now; its last transmission, if any, got no answer in time. nil
// means that it is due; a [accounting.Later] or [accounting.ErrNoResponse] is the end of the exchange.
// The caller holds the mutex.
func (g *Group) advance(x *exchange, now time.Time) error {
	switch {
	case x.due:
		return nil
	case !x.begun:
		x.begun = true
		return g.start(x, now)
	}
	g.timeOut(x, now)
	schedule := g.servers[x.server].Schedule
	if x.tries <= schedule.Retransmit {
		x.due = true
		return nil
	}
	g.unanswered(x, now)
	if x.announced == nil && x.tries < schedule.Transmissions() {
		next := x.deadline.Add(schedule.Interval(x.tries-1) - schedule.Timeout)
		return &accounting.Later{After: max(0, next.Sub(now)), At: x.progress(x.tries)}
	}
	return g.failOver(x, now)
}

// start finds the first transmission of an exchange: to the first server, or where a back-off goes on.
// The caller holds the mutex.
func (g *Group) start(x *exchange, now time.Time) error {
	if !g.understands(x.progress(x.tries)) {
		x.tried, x.tries = 0, 0
	}
	x.among = g.cfg.Generation
	if x.tries == 0 {
		start := 0
		if g.cfg.Algorithm == RoundRobin {
			start, g.next = g.next, (g.next+1)%len(g.servers)
		}
		return g.moveOn(x, start, now)
	}
	schedule := g.servers[x.server].Schedule
	if x.tries == schedule.Transmissions() { // the last one was suppressed
		return g.failOver(x, now)
	}
	if g.states[x.server].probing() { // one record is enough to find out about a dead server
		return &accounting.Later{After: schedule.Interval(x.tries), At: x.progress(x.tries + 1)}
	}
	x.probe, x.due = g.states[x.server].beginProbe(), true
	return nil
}

// understands reports whether a Progress is one that this group gave, or the beginning.
func (g *Group) understands(at accounting.Progress) bool {
	if at.Servers != g.cfg.Generation && at != (accounting.Progress{}) || at.Tried>>(len(g.servers)-1)>>1 != 0 {
		return false
	}
	if at.Attempt == 0 {
		return untried(len(g.servers), at.Tried, 0) != none
	}
	if int(at.Server) >= len(g.servers) || at.Tried&(1<<at.Server) == 0 {
		return false
	}
	s := g.servers[at.Server].Schedule
	return s.BackoffRetry > 0 && int(at.Attempt) > s.Retransmit && int(at.Attempt) <= s.Transmissions()
}

// failOver leaves a server that did not answer x for the next one. The caller holds the mutex.
func (g *Group) failOver(x *exchange, now time.Time) error {
	g.servers[x.server].stats.Failures++
	start := 0
	if g.cfg.Algorithm == RoundRobin {
		start = x.server
	}
	return g.moveOn(x, start, now)
}

// moveOn gives x the next server. The caller holds the mutex.
func (g *Group) moveOn(x *exchange, start int, now time.Time) error {
	next := none
	if x.announced != nil {
		next = untried(len(g.servers), x.tried, start)
	} else {
		next = choose(g.states, x.tried, start, now)
	}
	if next == none {
		return accounting.ErrNoResponse
	}
	x.server, x.tries, x.due = next, 0, true
	x.tried |= 1 << next
	x.probe = g.states[next].beginProbe()
	return nil
}

// timeOut notes that the last transmission got no answer in time. The caller holds the mutex.
func (g *Group) timeOut(x *exchange, now time.Time) {
	if !x.pending {
		return
	}
	s := g.servers[x.server]
	s.stats.Timeouts++
	g.withdraw(x)
	if g.states[s.index].timedOut(now, g.rule) {
		g.changes = append(g.changes, change{s, false})
	}
}

// unanswered notes that x leaves its server, for now or for good, without an answer. The caller holds
// the mutex.
func (g *Group) unanswered(x *exchange, now time.Time) {
	s := g.servers[x.server]
	all := x.tries == s.Schedule.Retransmit+1
	if g.states[s.index].failed(x.since, now, all, g.rule) {
		g.changes = append(g.changes, change{s, false})
	}
	g.endProbe(x)
}

func (g *Group) endProbe(x *exchange) {
	if x.probe != 0 {
		g.states[x.server].endProbe(x.probe)
		x.probe = 0
	}
}

// withdraw ends the present attempt; its identifier waits on for a late answer. The caller holds
// the mutex.
func (g *Group) withdraw(x *exchange) {
	if x.pending {
		x.pending = false
		g.servers[x.server].stats.PendingRequests--
	}
	if x.slot != none {
		g.servers[x.server].ids.supersede(x.slot)
		x.slot = none
	}
}

// settle ends an exchange; finish is still to be called, without the mutex. The caller holds the mutex.
func (g *Group) settle(x *exchange) {
	x.settled = true
	g.withdraw(x)
	g.endProbe(x)
	g.deadlines.remove(x)
	if x.announced != nil {
		g.announcing--
	}
}

// begin counts an attempt that is made now, with identifier slot or, if none could be had, none.
// The caller holds the mutex.
func (g *Group) begin(x *exchange, slot int, now time.Time) {
	s := g.servers[x.server]
	if x.tries == 0 {
		s.stats.Requests++
	} else {
		s.stats.Retransmissions++
	}
	if x.tries == 0 || x.tries > s.Schedule.Retransmit {
		x.since = now
	}
	x.tries++
	x.slot, x.due, x.pending = slot, false, true
	s.stats.PendingRequests++
	g.schedule(x, now.Add(s.Schedule.Timeout))
}

// schedule has x looked at again at this time. The caller holds the mutex.
func (g *Group) schedule(x *exchange, at time.Time) {
	g.deadlines.set(x, at)
	if at.Before(g.wakeAt) {
		g.wakeAt = at
		select {
		case g.wake <- struct{}{}:
		default: // it is awake, or about to be
		}
	}
}
