package client

import (
	"time"

	"aaasess/internal/retry"
	"aaasess/internal/servers"
	"aaasess/internal/timeheap"
)

// exchange is one request with all of its transmissions. The client's mutex guards it.
type exchange struct {
	group    *Group
	req      Request
	excluded uint64 // bit i: it is never sent to server i

	wait timeheap.Entry[*exchange] // in the group's deadlines

	server      int       // the current server, if begun
	tried       uint64    // bit i: was or is sent to server i
	tries       int       // transmissions to the current server
	since       time.Time // when the first of them was made; in the back-off, the last one
	slot        int       // identifier of the last of them, or none
	kept        *kept     // its octets if it is repeated as it is; then slot is not none
	probe       uint64    // number of its probe; 0 means that it is no probe
	membersHash uint32    // result of Group.members that server and tried refer to

	announced bool // not counted in the window, and not abandoned: by Announce, AnnounceTo or a test
	test      bool // by an active test
	// statusServer: it is a Status-Server, whose packets move no counter of a MIB (RFC 5997).
	statusServer bool
	plain        bool // each server gets its normal transmissions, dead or not: announced, or by SendTo

	settled  bool // Done was called, or is about to be
	begun    bool // its server was chosen
	due      bool // the next transmission must be made
	pending  bool // the last transmission waits for its answer and has not timed out
	assigned bool // its server counts it: from the choice until it is settled or goes elsewhere
}

// newExchange creates the exchange of a request at some point of its schedule.
func newExchange(g *Group, req Request, at retry.Progress) *exchange {
	return &exchange{
		group: g, req: req, slot: none,
		server: int(at.Server), tried: at.Tried, tries: int(at.Transmissions), membersHash: at.Servers,
	}
}

// fail calls Done with an error. The caller must not hold the mutex.
func (x *exchange) fail(err error) { x.req.Done(Answer{}, err) }

// path returns the path to the current server of x. The caller holds the mutex.
func (x *exchange) path() *path { return x.group.paths[x.server] }

// assign counts x at its current server. The caller holds the mutex.
func (x *exchange) assign() {
	x.assigned = true
	x.path().server.assigned++
}

// unassign ends assign, if x is counted. The caller holds the mutex.
func (x *exchange) unassign() {
	if x.assigned {
		x.assigned = false
		x.path().server.assigned--
	}
}

// stats returns where x counts. The caller holds the mutex.
func (x *exchange) stats() *servers.Stats { return x.statsOn(x.path()) }

// progress returns the position of x after that many transmissions to its server.
func (x *exchange) progress(tries int) retry.Progress {
	return retry.Progress{Tried: x.tried, Server: uint16(x.server), Transmissions: uint16(tries), Servers: x.membersHash}
}

// member returns the path to server i of the group, with its settings there.
func (g *Group) member(i int) (*path, *Member) { return g.paths[i], &g.cfg.Members[i] }

// advance decides how x continues now; its last transmission, if any, got no answer in time. nil
// means that a transmission is due; a [retry.Later] or [ErrNoResponse] ends the exchange. The
// caller holds the mutex.
func (g *Group) advance(x *exchange, now time.Time) error {
	switch {
	case !x.begun:
		x.begun = true
		return g.start(x, now)
	case g.absent&(1<<x.server) != 0:
		g.endTransmission(x)
		g.endProbe(x)
		return g.nextServer(x, g.searchStart(x), now)
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
	if !x.plain && x.tries < schedule.Transmissions() {
		next := x.wait.At().Add(schedule.Interval(x.tries-1) - schedule.Timeout)
		return &retry.Later{After: max(0, next.Sub(now)), At: x.progress(x.tries)}
	}
	return g.failOver(x, now)
}

// start prepares the first transmission of an exchange: to the first server, or at its position in
// the back-off. The caller holds the mutex.
func (g *Group) start(x *exchange, now time.Time) error {
	if !g.validProgress(x.progress(x.tries)) {
		x.tried, x.tries = 0, 0
	}
	x.membersHash = g.members()
	if x.tries == 0 {
		start := 0
		if g.cfg.Algorithm == RoundRobin && x.excluded == 0 {
			start, g.next = g.next, (g.next+1)%len(g.paths)
		}
		return g.nextServer(x, start, now)
	}
	p, member := g.member(x.server)
	// If all transmissions are made, the last one was suppressed.
	if x.tries == member.Schedule.Transmissions() || g.absent&(1<<x.server) != 0 {
		return g.failOver(x, now)
	}
	if g.rule.HoldDown > 0 && p.state().Probing() { // one request is enough to probe a dead server
		return &retry.Later{After: member.Schedule.Interval(x.tries), At: x.progress(x.tries + 1)}
	}
	x.probe, x.due = p.state().BeginProbe(), true
	x.assign()
	return nil
}

// validProgress reports whether a Progress is from a group with these servers, or the start.
func (g *Group) validProgress(at retry.Progress) bool {
	if at.Servers != g.members() && at != (retry.Progress{}) || at.Tried>>(len(g.paths)-1)>>1 != 0 {
		return false
	}
	if at.Transmissions == 0 {
		return servers.Untried(len(g.paths), at.Tried, 0) != none
	}
	if int(at.Server) >= len(g.paths) || at.Tried&(1<<at.Server) == 0 {
		return false
	}
	s := g.cfg.Members[at.Server].Schedule
	return s.BackoffRetry > 0 && int(at.Transmissions) > s.Retransmit && int(at.Transmissions) <= s.Transmissions()
}

// failOver moves x from a server that did not answer to the next one. The caller holds the mutex.
func (g *Group) failOver(x *exchange, now time.Time) error {
	x.stats().Failures++
	if x.test {
		x.path().stats().TestsFailed++
	}
	g.endTransmission(x)
	return g.nextServer(x, g.searchStart(x), now)
}

// searchStart returns where the search for the next server of x starts.
func (g *Group) searchStart(x *exchange) int {
	if g.cfg.Algorithm == RoundRobin {
		return x.server
	}
	return 0
}

// nextServer chooses the next server of x. The caller holds the mutex.
func (g *Group) nextServer(x *exchange, start int, now time.Time) error {
	x.unassign()
	var next int
	switch {
	case g.cfg.Algorithm == LeastOutstanding && !x.plain:
		next = g.leastOutstanding(x.tried, now)
	case x.plain || g.rule.HoldDown == 0:
		next = servers.Untried(len(g.paths), x.tried|x.excluded|g.absent, start)
	default:
		next = servers.Choose(g.states, x.tried, g.absent, start, now)
	}
	if next == none {
		return ErrNoResponse
	}
	x.server, x.tries, x.due = next, 0, true
	x.tried |= 1 << next
	x.probe = g.paths[next].state().BeginProbe()
	x.assign()
	return nil
}

// timeOut records that the last transmission got no answer in time. The caller holds the mutex.
func (g *Group) timeOut(x *exchange, now time.Time) {
	if !x.pending {
		return
	}
	x.stats().Timeouts++
	if x.slot != none {
		x.path().ids.transmissions[x.slot].timedOut = true
	}
	if x.kept == nil { // else it is sent again, or failOver ends it
		g.endTransmission(x)
	}
	g.unpend(x)
	if p := x.path(); p.state().TimedOut(now, g.rule) {
		g.noteDead(p, now)
	}
}

// unanswered records that x leaves its server without an answer, for now or for good. The caller
// holds the mutex.
func (g *Group) unanswered(x *exchange, now time.Time) {
	p, member := g.member(x.server)
	all := x.tries == member.Schedule.Retransmit+1
	if p.state().Failed(x.since, now, all, g.rule) {
		g.noteDead(p, now)
	}
	g.endProbe(x)
}

// noteDead handles that a port of a server became dead: the other one is suspected of it. The caller
// holds the mutex.
func (g *Group) noteDead(p *path, now time.Time) {
	g.changes = append(g.changes, change{server: p.server, addr: p.addr})
	p.otherState().Suspect(now, g.rule)
	p.server.history.Update(now)
	p.server.rescheduleTests()
}

func (g *Group) endProbe(x *exchange) {
	if x.probe != 0 {
		x.path().state().EndProbe(x.probe)
		x.probe = 0
	}
}

// endTransmission ends the current transmission; its identifier stays reserved for a late answer.
// The caller holds the mutex.
func (g *Group) endTransmission(x *exchange) {
	g.unpend(x)
	x.kept.release()
	x.kept = nil
	if x.slot != none {
		x.path().ids.supersede(x.slot)
		x.slot = none
	}
}

// unpend ends the waiting for the answer to the current transmission. The caller holds the mutex.
func (g *Group) unpend(x *exchange) {
	if x.pending {
		x.pending = false
		x.stats().PendingRequests--
	}
}

// settle ends an exchange. The caller holds the mutex, and must call Done afterwards without it.
func (g *Group) settle(x *exchange) {
	x.settled = true
	g.endTransmission(x)
	g.endProbe(x)
	x.unassign()
	g.deadlines.Remove(&x.wait)
	if x.announced {
		g.announcing--
	}
	if x.test {
		x.endTest()
	}
}

// beginTransmission counts a transmission that is made now, with identifier slot, or none if no
// identifier was available. The caller holds the mutex.
func (g *Group) beginTransmission(x *exchange, slot int, now time.Time) {
	stats, member := x.stats(), &g.cfg.Members[x.server]
	if x.tries == 0 {
		stats.Requests++
	} else {
		stats.Retransmissions++
	}
	if x.tries == 0 || x.tries > member.Schedule.Retransmit {
		x.since = now
	}
	x.tries++
	x.slot, x.due, x.pending = slot, false, true
	stats.PendingRequests++
	g.schedule(x, now.Add(member.Schedule.Timeout))
}

// schedule sets the time when x is handled next. The caller holds the mutex.
func (g *Group) schedule(x *exchange, at time.Time) {
	g.deadlines.Set(x, &x.wait, at)
	if at.Before(g.wakeAt) {
		g.wakeAt = at
		g.wakeUp()
	}
}
