package client

import "time"

// DeadCriteria is when a server counts as dead: both must hold, and one that is zero asks nothing.
// The zero DeadCriteria is the default rule: a request had all of its normal transmissions, and
// nothing right was heard of the server since the first of them.
type DeadCriteria struct {
	// Time is for how long nothing right was heard. A server that never was heard meets it.
	Time time.Duration
	// Tries is how many transmissions, of any requests, timed out in a row.
	Tries int
}

// deathRule is what the life of a server goes by.
type deathRule struct {
	criteria DeadCriteria
	holdDown time.Duration // 0: no server ever is dead
}

// serverState is what decides whether a server is tried; doc.go draws it. It has no clock of its own:
// time comes in.
type serverState struct {
	heard    time.Time // when it last answered anything rightly; zero: never
	timeouts int       // in a row since then

	dead      bool
	downUntil time.Time // if dead: nothing is sent there before, and then one probe
	probe     uint64    // which probe is under way to the dead server; 0: none
	probes    uint64    // how many there were

	since    time.Time     // when the present state began, at first when the server was first named
	previous time.Duration // how long the state before lasted; 0: there was none
	deadTime time.Duration // in all, without the present state
	deaths   uint64
}

// answered notes a right answer: the server is up. It reports whether it was dead.
func (s *serverState) answered(now time.Time) (back bool) {
	back = s.dead
	s.heard, s.timeouts = now, 0
	if back {
		s.deadTime += now.Sub(s.since)
		s.turn(false, now)
	}
	return back
}

// moved notes that the server has another address: nothing is known of what is there.
func (s *serverState) moved(now time.Time) {
	s.heard, s.timeouts = time.Time{}, 0
	if s.dead {
		s.deadTime += now.Sub(s.since)
		s.turn(false, now)
	}
}

// timedOut notes a transmission without an answer. It reports whether the server died of it.
func (s *serverState) timedOut(now time.Time, r deathRule) (died bool) {
	s.timeouts++
	met := r.criteria != DeadCriteria{} && s.timeouts >= r.criteria.Tries &&
		(s.heard.IsZero() || now.Sub(s.heard) >= r.criteria.Time)
	return met && s.die(now, r)
}

// failed notes that transmissions of a request, made from since on, got no answer: all of its normal
// ones, or only one more. A server that answered anything in that time is alive: the request was lost,
// or the server does not want it. A dead one is held down again. It reports whether the server died.
func (s *serverState) failed(since, now time.Time, all bool, r deathRule) (died bool) {
	switch {
	case !s.heard.Before(since):
		return false
	case s.dead:
		if until := now.Add(r.holdDown); until.After(s.downUntil) { // another group may hold it down for longer
			s.downUntil = until
		}
		return false
	}
	return all && r.criteria == DeadCriteria{} && s.die(now, r)
}

func (s *serverState) die(now time.Time, r deathRule) bool {
	if s.dead || r.holdDown == 0 {
		return false
	}
	s.deaths++
	s.downUntil = now.Add(r.holdDown)
	s.turn(true, now)
	return true
}

// turn begins a state.
func (s *serverState) turn(dead bool, now time.Time) {
	s.previous = now.Sub(s.since)
	s.dead, s.since, s.probe = dead, now, 0
}

// down reports whether the server is held down.
func (s *serverState) down(now time.Time) bool { return s.dead && now.Before(s.downUntil) }

// probing reports whether the server is dead and a request that finds out more is under way.
func (s *serverState) probing() bool { return s.dead && s.probe != 0 }

// usable reports whether a request may be sent there though others are up.
func (s *serverState) usable(now time.Time) bool {
	return !s.dead || !s.down(now) && s.probe == 0
}

// beginProbe makes the request that is sent now the probe of a dead server that has none. Its number is
// for endProbe; 0: it is none.
func (s *serverState) beginProbe() uint64 {
	if !s.dead || s.probe != 0 {
		return 0
	}
	s.probes++
	s.probe = s.probes
	return s.probe
}

// endProbe notes that a request has left the server; one that is not its present probe changes nothing.
func (s *serverState) endProbe(number uint64) {
	if number != 0 && s.probe == number {
		s.probe = 0
	}
}

// state is how the server is shown.
func (s *serverState) state() State {
	switch {
	case s.dead:
		return Dead
	case s.heard.IsZero() && s.deaths == 0:
		return Unknown
	}
	return Up
}

// totalDeadTime is for how long the server was dead, until now.
func (s *serverState) totalDeadTime(now time.Time) time.Duration {
	if s.dead {
		return s.deadTime + now.Sub(s.since)
	}
	return s.deadTime
}
