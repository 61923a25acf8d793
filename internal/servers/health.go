package servers

import "time"

// DeadCriteria define when a server counts as dead: both must be met, and a zero field is always
// met. The zero DeadCriteria means the default rule: a request had all of its normal transmissions,
// and the server sent nothing valid since the first of them.
type DeadCriteria struct {
	// Time is the minimum time without a valid answer. A server that never answered meets it.
	Time time.Duration
	// Tries is the minimum number of consecutive timeouts, over all requests.
	Tries int
}

// DeathRule is when a server becomes dead, and for how long it is held down.
type DeathRule struct {
	Criteria DeadCriteria
	HoldDown time.Duration // 0: no server is ever dead
}

// Health decides whether a server, or one of its ports, is used; see the diagram in doc.go. It has no
// clock and no lock: callers pass the time, and one mutex guards the servers of a client. [NewHealth]
// creates one.
type Health struct {
	lastAnswer time.Time // time of the last valid answer; zero means never
	timeouts   int       // consecutive timeouts since then

	dead      bool
	downUntil time.Time // if dead: nothing is sent before that time, and then one probe
	probe     uint64    // number of the probe in flight to the dead server; 0 means none
	probes    uint64    // number of the last probe
	suspected bool      // dead only because of the server's other port
	tested    bool      // an active test finds out when a dead server answers again

	since    time.Time     // start of the current state; at first, when the server was first configured
	previous time.Duration // duration of the previous state; 0 means none
	deadTime time.Duration // in total, without the current state
	deaths   uint64
	changed  bool // the state has changed
}

// NewHealth returns the state of a server that is first configured now.
func NewHealth(now time.Time) Health { return Health{since: now} }

// Answered handles a valid answer: the server is up. It reports whether it was dead.
func (s *Health) Answered(now time.Time) (back bool) {
	back = s.dead
	s.lastAnswer, s.timeouts = now, 0
	if back {
		s.deadTime += now.Sub(s.since)
		s.setDead(false, now)
	}
	return back
}

// Moved handles a change of the server's address: nothing is known about the new one.
func (s *Health) Moved(now time.Time) {
	s.lastAnswer, s.timeouts = time.Time{}, 0
	if s.dead {
		s.deadTime += now.Sub(s.since)
		s.setDead(false, now)
	}
}

// TimedOut handles a transmission without an answer. It reports whether the server became dead.
func (s *Health) TimedOut(now time.Time, r DeathRule) (died bool) {
	s.timeouts++
	met := r.Criteria != DeadCriteria{} && s.timeouts >= r.Criteria.Tries &&
		(s.lastAnswer.IsZero() || now.Sub(s.lastAnswer) >= r.Criteria.Time)
	return met && s.markDead(now, r)
}

// Failed handles transmissions of a request since the time since that got no answer: all of its
// normal ones, or one further one. A server that answered anything in that time is alive: the
// request was lost, or the server rejects it silently. A dead server is held down again. It reports
// whether the server became dead.
func (s *Health) Failed(since, now time.Time, all bool, r DeathRule) (died bool) {
	switch {
	case !s.lastAnswer.Before(since):
		return false
	case s.dead:
		s.suspected = false
		s.holdDown(now, r)
		return false
	}
	return all && r.Criteria == DeadCriteria{} && s.markDead(now, r)
}

// Suspect handles that the server became dead by its other port: this one is dead too, until one of
// them answers. A port that nobody uses for a while costs its next user no time then.
func (s *Health) Suspect(now time.Time, r DeathRule) {
	if s.markDead(now, r) {
		s.suspected = true
	}
}

// Suspected reports whether the port is dead only because of the other one.
func (s *Health) Suspected() bool { return s.dead && s.suspected }

// Clear handles a valid answer on the other port: one that was only suspected is up. It reports whether
// it was.
func (s *Health) Clear(now time.Time) (back bool) {
	if back = s.Suspected(); back {
		s.timeouts = 0
		s.deadTime += now.Sub(s.since)
		s.setDead(false, now)
	}
	return back
}

// Refused handles an answer that shows that the server answers, but accepts no requests: it is dead,
// or held down again. It reports whether the server became dead.
func (s *Health) Refused(now time.Time, r DeathRule) (died bool) {
	s.lastAnswer, s.timeouts = now, 0
	if s.dead {
		s.holdDown(now, r)
		return false
	}
	return s.markDead(now, r)
}

// holdDown holds a dead server down again; another group may hold it down for longer.
func (s *Health) holdDown(now time.Time, r DeathRule) {
	if until := now.Add(r.HoldDown); until.After(s.downUntil) {
		s.downUntil = until
	}
}

func (s *Health) markDead(now time.Time, r DeathRule) bool {
	if s.dead || r.HoldDown == 0 {
		return false
	}
	s.deaths++
	s.downUntil = now.Add(r.HoldDown)
	s.setDead(true, now)
	return true
}

// setDead changes the state.
func (s *Health) setDead(dead bool, now time.Time) {
	s.previous = now.Sub(s.since)
	s.dead, s.since, s.changed, s.probe, s.suspected = dead, now, true, 0, false
}

// Down reports whether the server is held down.
func (s *Health) Down(now time.Time) bool { return s.dead && now.Before(s.downUntil) }

// Probing reports whether the server is dead and a probe is in flight.
func (s *Health) Probing() bool { return s.dead && s.probe != 0 }

// DownUntil returns the end of the hold-down; the zero time means that there was none.
func (s *Health) DownUntil() time.Time { return s.downUntil }

// SetTested says whether the server has an active test. Then no request is its probe while others are
// up.
func (s *Health) SetTested(tested bool) { s.tested = tested }

// Usable reports whether a request may be sent to the server while others are up.
func (s *Health) Usable(now time.Time) bool {
	return !s.dead || !s.tested && !s.Down(now) && s.probe == 0
}

// BeginProbe makes the request that is sent now the probe of a dead server without one. It returns
// the number for EndProbe, or 0 if the request is no probe.
func (s *Health) BeginProbe() uint64 {
	if !s.dead || s.probe != 0 {
		return 0
	}
	s.probes++
	s.probe = s.probes
	return s.probe
}

// EndProbe handles that a probe has left the server. If it is not the current probe, nothing
// changes.
func (s *Health) EndProbe(number uint64) {
	if number != 0 && s.probe == number {
		s.probe = 0
	}
}

// Dead reports whether the server is dead.
func (s *Health) Dead() bool { return s.dead }

// state returns the state for statistics.
func (s *Health) state() State {
	switch {
	case s.dead:
		return Dead
	case s.lastAnswer.IsZero() && s.deaths == 0:
		return Unknown
	}
	return Up
}

// totalDeadTime is how long the server has been dead in total, until now.
func (s *Health) totalDeadTime(now time.Time) time.Duration {
	if s.dead {
		return s.deadTime + now.Sub(s.since)
	}
	return s.deadTime
}

// Report sets the fields of statistics that describe the state: DownUntil, and those from State to
// DeadCount. The statistics have the history of the port before s was created.
func (s *Health) Report(to *Stats, now time.Time) {
	to.DownUntil = time.Time{}
	if s.Down(now) {
		to.DownUntil = s.downUntil
	}
	to.State = s.state()
	if s.changed || to.StateSince.IsZero() {
		to.StateSince, to.PreviousState = s.since, s.previous
	}
	to.TotalDeadTime += s.totalDeadTime(now)
	to.DeadCount += s.deaths
}

// end adds the state to statistics: its port is not used any more, so it is not dead any more.
func (s *Health) end(to *Stats, now time.Time) {
	s.Report(to, now)
	if s.dead {
		to.PreviousState, to.StateSince = now.Sub(s.since), now
	}
	to.State, to.DownUntil = "", time.Time{}
	s.since, s.previous, s.deadTime, s.deaths, s.changed = now, 0, 0, 0, false
}
