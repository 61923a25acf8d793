package crashtest

import (
	"slices"

	"aaasess/sessions"
)

// session is what is known of a session, by the order of its records.
type session struct {
	id      string
	number  uint32 // 0: not known
	records []progress
	ends    []string // sessions that its start ends

	lost    bool // by its NAS
	endSent int  // when what ends a lost session was first sent, from 1
	endedAt int  // and was answered

	made, stopped bool   // a stop of the daemon's has arrived, or any
	lastStop      uint64 // octets of the stop that was the last to arrive for the first time
	stops         []uint64
}

// progress is when what happened to a record, from 1; 0 is not yet.
type progress struct {
	kind                    sessions.EventType
	octets                  uint64
	sent, answered, arrived int
	older                   bool // sent to a version that keeps no order between methods
}

// isKnownBefore reports whether the daemon surely had a record before the session sent a later one: then they arrive in
// that order, whichever method takes them.
func (p *progress) isKnownBefore(later *progress) bool {
	return before(p.answered, later.sent) && !p.older
}

// on is an Accounting-On, and the sessions that it ends.
type on struct {
	ends     []string
	answered int
	lost     bool
}

// begun reports whether the start was answered.
func (s *session) begun() bool { return s.records[0].answered != 0 }

// last is the newest record.
func (s *session) last() *progress { return &s.records[len(s.records)-1] }

// superseded reports whether a record need not arrive, nor be answered. The daemon knows of interims only in which order
// they came: one that the network has kept for long supersedes those that were answered meanwhile.
func (s *session) superseded(nth int) bool {
	is := &s.records[nth]
	if is.kind != sessions.Interim {
		return false
	}
	for _, p := range s.records[:nth] {
		if p.kind == sessions.Interim && before(is.answered, p.arrived) && (p.answered == 0 || before(is.answered, p.answered)) {
			return true
		}
	}
	return nth < len(s.records)-1 || s.stopped
}

// mayComeAgain reports whether a late copy of a record may be recorded as if it were new: the daemon knows copies of the last
// four interims (R24), and one that was recorded again is one of them.
func (s *session) mayComeAgain(nth int) bool {
	interims := 0
	for _, p := range s.records {
		if p.kind == sessions.Interim {
			interims++
		}
	}
	return s.records[nth].kind == sessions.Interim && interims > 4
}

// mayGo reports whether something was sent that ends the session.
func (s *session) mayGo() bool { return s.last().kind == sessions.Stop || s.endSent != 0 }

// gone reports whether the session must be over since before a moment.
func (s *session) gone(moment int) bool {
	return s.last().kind == sessions.Stop && before(s.last().answered, moment) || before(s.endedAt, moment)
}

// before reports whether something has happened, and before a moment.
func before(at, moment int) bool { return at != 0 && at < moment }

// lost takes note of a NAS that crashed.
func (c *Checker) lost(id string) {
	if on := c.ons[id]; on != nil {
		on.lost = true
	} else if s := c.sessions[id]; s != nil {
		s.lost = true
	} else {
		c.violated(id, "the history is wrong: %s is lost and never began", id)
	}
}

// mayEnd is for the sessions that a NAS has lost, when it sends what ends them.
func (c *Checker) mayEnd(ids []string) {
	for _, id := range ids {
		s := c.sessions[id]
		if s == nil || !s.lost {
			c.violated(id, "the history is wrong: %s is not lost and is ended", id)
			continue
		}
		if !s.mayGo() && s.begun() {
			c.counters.mayEnd()
		}
		if s.endSent == 0 {
			s.endSent = c.at
		}
	}
}

// ended is for the same when that was answered.
func (c *Checker) ended(ids []string) {
	for _, id := range ids {
		s := c.sessions[id]
		if s == nil || s.endedAt != 0 || s.gone(c.at) {
			continue
		}
		s.endedAt = c.at
		c.counters.ended()
	}
}

// stopMade checks a stop that the daemon made. Only the number identifies its session, because the NAS has
// not sent the stop.
func (c *Checker) stopMade(o *Observation) {
	s := c.byNumber[o.Number]
	if s == nil && c.mayBeEarly(o) {
		kept := *o
		c.early[o.Number] = append(c.early[o.Number], &kept)
		return
	}
	switch {
	case s == nil || nameOf(s.id) != o.Record.Name():
		c.violated(o.Record.Session, "a stop of %s was made as %08X, which is not its number", o.Record.Session, o.Number)
		return
	case s.endSent == 0:
		c.violated(s.id, "a stop of %s was made, which nothing has ended", s.id)
	case s.begun() && s.records[0].arrived == 0 && !s.records[0].older:
		c.violated(s.id, "the stop that was made of %s arrived before its start", s.id)
	}
	for _, octets := range s.stops {
		if octets == o.Octets {
			return // a copy
		}
	}
	s.stops = append(s.stops, o.Octets)
	s.made = true
	s.stop(o.Octets)
}

// mayBeEarly reports whether a stop that was made may come before what tells its session's number.
func (c *Checker) mayBeEarly(o *Observation) bool {
	return slices.ContainsFunc(c.byName[o.Record.Name()], func(s *session) bool { return s.number == 0 && s.records[0].older })
}

// stop takes note of a stop that arrives for the first time.
func (s *session) stop(octets uint64) {
	if s.stopped && s.records[0].older { // the best one may be with another method
		octets = max(octets, s.lastStop)
	}
	s.stopped, s.lastStop = true, octets
}

// checkStop holds the last stop that arrived against the counters that the NAS gave.
func (c *Checker) checkStop(s *session) {
	answered, sent := uint64(0), uint64(0)
	for _, p := range s.records {
		sent = max(sent, p.octets)
		if p.answered != 0 {
			answered = max(answered, p.octets)
		}
	}
	if s.stopped && (s.lastStop < answered || s.lastStop > sent) {
		c.violated(s.id, "the last stop of %s has %d octets; its NAS gave %d", s.id, s.lastStop, answered)
	}
}
