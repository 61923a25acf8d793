package client

import (
	"time"

	"aaasess/internal/retry"
	"aaasess/internal/servers"
	"aaasess/internal/timeheap"
)

// exchange is one request with all of its transmissions. The client's mutex guards it.
type exchange struct {
	group     *Group
	req       Request
	announced bool   // by Announce or AnnounceTo
	excluded  uint64 // bit i: it is never sent to server i

	wait timeheap.Entry[*exchange] // in the group's deadlines

	server      int       // the current server, if begun
	tried       uint64    // bit i: was or is with server i
	refused     uint64    // bit i: server i answered ERROR or FOLLOW
	tries       int       // transmissions to the current server, the present one included
	since       time.Time // when the first of them began; in the back-off, the last one
	began       time.Time // when the present one began
	probe       uint64    // number of its probe; 0 means that it is no probe
	membersHash uint32    // Group.membersHash that server and tried refer to

	// Of the present transmission: it waits for a connection or on one, was sent, or neither.
	in         *queue // the queue where it waits
	prev, next *exchange
	conn       *conn  // on which it was sent
	session    uint32 // its session_id there

	sentBefore bool // to its present server, even if its transmission was not begun again

	settled bool // Done was called, or is about to be
	begun   bool // its server was chosen
	due     bool // the next transmission must begin
}

// newExchange creates the exchange of a request at some point of its schedule.
func newExchange(g *Group, req Request, at retry.Progress) *exchange {
	return &exchange{
		group: g, req: req,
		server: int(at.Server), tried: at.Tried, tries: int(at.Transmissions), membersHash: at.Servers,
	}
}

// fail calls Done with an error. The caller must not hold the mutex.
func (x *exchange) fail(err error) { x.req.Done("", err) }

// path returns the path to the current server of x. The caller holds the mutex.
func (x *exchange) path() *path { return x.group.paths[x.server] }

// member returns the settings of the current server of x. The caller holds the mutex.
func (x *exchange) member() *Member { return &x.group.cfg.Members[x.server] }

// progress returns the position of x after that many transmissions to its server.
func (x *exchange) progress(tries int) retry.Progress {
	return retry.Progress{Tried: x.tried, Server: uint16(x.server), Transmissions: uint16(tries), Servers: x.membersHash}
}

// advance decides how x continues now; its last transmission, if any, got no answer in time. nil
// means that a transmission is due; a [retry.Later] or [ErrNoResponse] ends the exchange. The
// caller holds the mutex.
func (g *Group) advance(x *exchange, now time.Time) error {
	switch {
	case !x.begun:
		x.begun = true
		return g.start(x, now)
	case x.due:
		return nil
	}
	g.timeOut(x, now)
	if x.tries <= x.member().Schedule.Retransmit {
		x.due = true
		return nil
	}
	return g.unanswered(x, now)
}

// start prepares the first transmission of an exchange: to the first server, or at its position in
// the back-off. The caller holds the mutex.
func (g *Group) start(x *exchange, now time.Time) error {
	if !g.validProgress(x.progress(x.tries)) {
		x.tried, x.tries = 0, 0
	}
	x.membersHash = g.membersHash
	if x.tries == 0 {
		return g.nextServer(x, now)
	}
	s, schedule := x.path().server, x.member().Schedule
	if x.tries == schedule.Transmissions() { // the last one was suppressed
		return g.failOver(x, now)
	}
	if g.rule.HoldDown > 0 && s.state.Probing() { // one request is enough to probe a dead server
		return &retry.Later{After: schedule.Interval(x.tries), At: x.progress(x.tries + 1)}
	}
	x.probe, x.due = s.state.BeginProbe(), true
	return nil
}

// validProgress reports whether a Progress is from a group with these servers, or the start.
func (g *Group) validProgress(at retry.Progress) bool {
	if at.Servers != g.membersHash && at != (retry.Progress{}) || at.Tried>>(len(g.paths)-1)>>1 != 0 {
		return false
	}
	if at.Transmissions == 0 {
		return servers.Untried(len(g.paths), at.Tried, 0) != servers.None
	}
	if int(at.Server) >= len(g.paths) || at.Tried&(1<<at.Server) == 0 {
		return false
	}
	s := g.cfg.Members[at.Server].Schedule
	return s.BackoffRetry > 0 && int(at.Transmissions) > s.Retransmit && int(at.Transmissions) <= s.Transmissions()
}

// unanswered moves x on when its server answered none of the transmissions that it gets in a row:
// to the wait of the back-off, or to the next server. The caller holds the mutex.
func (g *Group) unanswered(x *exchange, now time.Time) error {
	s, schedule := x.path().server, x.member().Schedule
	if s.state.Failed(x.since, now, x.tries == schedule.Retransmit+1, g.rule) {
		g.noteDead(s, now)
	}
	g.endProbe(x)
	if !x.announced && x.tries < schedule.Transmissions() {
		next := x.began.Add(schedule.Interval(x.tries - 1))
		return &retry.Later{After: max(0, next.Sub(now)), At: x.progress(x.tries)}
	}
	return g.failOver(x, now)
}

// connectionFailed moves x on when there is no connection to its server, when the one with its
// transmission ended and the server had answered nothing there, or when its answer had a fault. The
// server gets no more of the normal transmissions: repeating is the business of TCP. The caller holds
// the mutex.
func (g *Group) connectionFailed(x *exchange, now time.Time) error {
	s := x.path().server
	g.endTransmission(x, false, now)
	if s.state.TimedOut(now, g.rule) {
		g.noteDead(s, now)
	}
	x.tries = max(x.tries, x.member().Schedule.Retransmit+1)
	return g.unanswered(x, now)
}

// failOver moves x from a server that did not answer to the next one. The caller holds the mutex.
func (g *Group) failOver(x *exchange, now time.Time) error {
	x.path().server.stats.Failures++
	return g.nextServer(x, now)
}

// nextServer chooses the next server of x. The caller holds the mutex.
func (g *Group) nextServer(x *exchange, now time.Time) error {
	var next int
	if x.announced || g.rule.HoldDown == 0 {
		next = servers.Untried(len(g.paths), x.tried|x.excluded, 0)
	} else {
		next = servers.Choose(g.states, x.tried, 0, 0, now)
	}
	if next == servers.None {
		return g.notAccepted(x)
	}
	x.server, x.tries, x.due, x.sentBefore = next, 0, true, false
	x.tried |= 1 << next
	x.probe = x.path().server.state.BeginProbe()
	return nil
}

// notAccepted returns the error of a request that has no server left. Of an announcement any refusal
// counts: it tells that the server has got it. The caller holds the mutex.
func (g *Group) notAccepted(x *exchange) error {
	for i, state := range g.states {
		if x.refused&(1<<i) != 0 && (x.announced || !state.Dead() && g.rule.HoldDown > 0) {
			return ErrRefused
		}
	}
	return ErrNoResponse
}

// timeOut records that the present transmission got no answer in time. The caller holds the mutex.
func (g *Group) timeOut(x *exchange, now time.Time) {
	s := x.path().server
	s.stats.Timeouts++
	g.endTransmission(x, true, now)
	if s.state.TimedOut(now, g.rule) {
		g.noteDead(s, now)
	}
}

// noteDead handles that a server became dead. Run logs it. The caller holds the mutex.
func (g *Group) noteDead(s *server, now time.Time) {
	s.history.Update(now)
	g.changes = append(g.changes, change{server: s})
	g.wakeUp()
}

func (g *Group) endProbe(x *exchange) {
	if x.probe != 0 {
		x.path().server.state.EndProbe(x.probe)
		x.probe = 0
	}
}

// endTransmission ends the present transmission. Its session stays on the connection for a late
// answer, unless the connection has answered nothing since. The caller holds the mutex.
func (g *Group) endTransmission(x *exchange, timedOut bool, now time.Time) {
	if x.in != nil {
		x.in.remove(x)
	}
	if x.conn != nil {
		x.conn.abandon(x, timedOut, now)
	}
}

// settle ends an exchange. The caller holds the mutex, and must call Done afterwards without it.
func (g *Group) settle(x *exchange, now time.Time) {
	x.settled = true
	g.endTransmission(x, false, now)
	g.endProbe(x)
	if x.wait.IsWaiting() {
		g.deadlines.Remove(&x.wait)
		if x.announced {
			g.announcing--
		}
	}
}

// begin begins the transmission of x that is due: it waits for a connection. The caller holds the
// mutex.
func (g *Group) begin(x *exchange, now time.Time) {
	schedule := x.member().Schedule
	if x.tries == 0 || x.tries > schedule.Retransmit {
		x.since = now
	}
	x.tries++
	x.due, x.began = false, now
	g.schedule(x, now.Add(schedule.Timeout))
	p := x.path()
	p.waiting.push(x)
	p.dispatch(now)
}

// proceed begins the transmission of x that is due, if err is nil. Otherwise it settles x and appends
// it to over. The caller holds the mutex.
func (g *Group) proceed(x *exchange, err error, now time.Time, over []ending) []ending {
	if err != nil {
		g.settle(x, now)
		return append(over, ending{x, err})
	}
	g.begin(x, now)
	return over
}

// schedule sets the time when x is handled next. The caller holds the mutex.
func (g *Group) schedule(x *exchange, at time.Time) {
	g.deadlines.Set(x, &x.wait, at)
	if at.Before(g.wakeAt) {
		g.wakeAt = at
		g.wakeUp()
	}
}
