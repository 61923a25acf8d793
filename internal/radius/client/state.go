package client

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

// deathRule is when a server becomes dead, and for how long it is held down.
type deathRule struct {
	criteria DeadCriteria
	holdDown time.Duration // 0: no server is ever dead
}

// serverState decides whether a server is used; see the diagram in doc.go. It has no clock of its
// own: callers pass the time.
type serverState struct {
	lastAnswer time.Time // time of the last valid answer; zero means never
	timeouts   int       // consecutive timeouts since then

	dead      bool
	downUntil time.Time // if dead: nothing is sent before that time, and then one probe
	probe     uint64    // number of the probe in flight to the dead server; 0 means none
	probes    uint64    // number of the last probe

	since    time.Time     // start of the current state; at first, when the server was first configured
	previous time.Duration // duration of the previous state; 0 means none
	deadTime time.Duration // in total, without the current state
	deaths   uint64
}

// answered handles a valid answer: the server is up. It reports whether it was dead.
func (s *serverState) answered(now time.Time) (back bool) {
	back = s.dead
	s.lastAnswer, s.timeouts = now, 0
	if back {
		s.deadTime += now.Sub(s.since)
		s.setDead(false, now)
	}
	return back
}

// moved handles a change of the server's address: nothing is known about the new one.
func (s *serverState) moved(now time.Time) {
	s.lastAnswer, s.timeouts = time.Time{}, 0
	if s.dead {
		s.deadTime += now.Sub(s.since)
		s.setDead(false, now)
	}
}

// timedOut handles a transmission without an answer. It reports whether the server became dead.
func (s *serverState) timedOut(now time.Time, r deathRule) (died bool) {
	s.timeouts++
	met := r.criteria != DeadCriteria{} && s.timeouts >= r.criteria.Tries &&
		(s.lastAnswer.IsZero() || now.Sub(s.lastAnswer) >= r.criteria.Time)
	return met && s.markDead(now, r)
}

// failed handles transmissions of a request since the time since that got no answer: all of its
// normal ones, or one further one. A server that answered anything in that time is alive: the
// request was lost, or the server rejects it silently. A dead server is held down again. It reports
// whether the server became dead.
func (s *serverState) failed(since, now time.Time, all bool, r deathRule) (died bool) {
	switch {
	case !s.lastAnswer.Before(since):
		return false
	case s.dead:
		if until := now.Add(r.holdDown); until.After(s.downUntil) { // another group may hold it down for longer
			s.downUntil = until
		}
		return false
	}
	return all && r.criteria == DeadCriteria{} && s.markDead(now, r)
}

func (s *serverState) markDead(now time.Time, r deathRule) bool {
	if s.dead || r.holdDown == 0 {
		return false
	}
	s.deaths++
	s.downUntil = now.Add(r.holdDown)
	s.setDead(true, now)
	return true
}

// setDead changes the state.
func (s *serverState) setDead(dead bool, now time.Time) {
	s.previous = now.Sub(s.since)
	s.dead, s.since, s.probe = dead, now, 0
}

// down reports whether the server is held down.
func (s *serverState) down(now time.Time) bool { return s.dead && now.Before(s.downUntil) }

// probing reports whether the server is dead and a probe is in flight.
func (s *serverState) probing() bool { return s.dead && s.probe != 0 }

// usable reports whether a request may be sent to the server while others are up.
func (s *serverState) usable(now time.Time) bool {
	return !s.dead || !s.down(now) && s.probe == 0
}

// beginProbe makes the request that is sent now the probe of a dead server without one. It returns
// the number for endProbe, or 0 if the request is no probe.
func (s *serverState) beginProbe() uint64 {
	if !s.dead || s.probe != 0 {
		return 0
	}
	s.probes++
	s.probe = s.probes
	return s.probe
}

// endProbe handles that a probe has left the server. If it is not the current probe, nothing
// changes.
func (s *serverState) endProbe(number uint64) {
	if number != 0 && s.probe == number {
		s.probe = 0
	}
}

// state returns the state for statistics.
func (s *serverState) state() State {
	switch {
	case s.dead:
		return Dead
	case s.lastAnswer.IsZero() && s.deaths == 0:
		return Unknown
	}
	return Up
}

// totalDeadTime is how long the server has been dead in total, until now.
func (s *serverState) totalDeadTime(now time.Time) time.Duration {
	if s.dead {
		return s.deadTime + now.Sub(s.since)
	}
	return s.deadTime
}
