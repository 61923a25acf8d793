package crashtest

import (
	"slices"

	"aaasess/sessions"
)

// session is the state of one session. Times are numbers of observations, from 1; 0 means not yet.
type session struct {
	id      string
	number  uint32 // 0: unknown
	records []progress
	ends    []string // sessions that its start ends

	lost    bool // its NAS has crashed
	endSent int  // when the end of a lost session was first sent
	endedAt int  // and when it was answered

	generated bool     // a generated stop has arrived
	stopped   bool     // a stop has arrived, generated or not
	lastStop  uint64   // octets of the last stop to arrive for the first time
	stops     []uint64 // octets of the generated stops
}

// progress says when a record was sent, answered and received.
type progress struct {
	kind                    sessions.EventType
	octets                  uint64
	sent, answered, arrived int
	older                   bool // sent to a version that keeps no order between methods
}

// isKnownBefore reports whether the daemon had a record for certain before the session sent a later
// one. They must then arrive in that order, whichever method delivers them.
func (p *progress) isKnownBefore(later *progress) bool {
	return before(p.answered, later.sent) && !p.older
}

// on is an Accounting-On, and the sessions that it ends.
type on struct {
	ends     []string
	answered int
	lost     bool
}

// begun reports whether the start is answered.
func (s *session) begun() bool { return s.records[0].answered != 0 }

// last returns the newest record.
func (s *session) last() *progress { return &s.records[len(s.records)-1] }

// superseded reports whether a record need not be answered and need not arrive. The daemon orders
// interims by arrival: an interim that the network has delayed supersedes those that were answered
// meanwhile.
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

// mayComeAgain reports whether a late copy of a record may be recorded as a new record. The daemon
// recognizes copies of the last four interims only (R24).
func (s *session) mayComeAgain(nth int) bool {
	interims := 0
	for _, p := range s.records {
		if p.kind == sessions.Interim {
			interims++
		}
	}
	return s.records[nth].kind == sessions.Interim && interims > 4
}

// mayGo reports whether a record was sent that ends the session.
func (s *session) mayGo() bool { return s.last().kind == sessions.Stop || s.endSent != 0 }

// gone reports whether the session must have ended before a moment.
func (s *session) gone(moment int) bool {
	return s.last().kind == sessions.Stop && before(s.last().answered, moment) || before(s.endedAt, moment)
}

// before reports whether something has happened before a moment. at 0 means that it has not
// happened.
func before(at, moment int) bool { return at != 0 && at < moment }

// lost adds the crash of a NAS, for one of its sessions.
func (c *Checker) lost(id string) {
	if on := c.ons[id]; on != nil {
		on.lost = true
	} else if s := c.sessions[id]; s != nil {
		s.lost = true
	} else {
		c.violated(id, "the history is wrong: %s is lost and was never started", id)
	}
}

// mayEnd notes that a record was sent that ends lost sessions.
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

// ended notes that a record was answered that ends lost sessions.
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

// generated adds a stop that the daemon generated. Only the number identifies its session.
func (c *Checker) generated(o *Observation) {
	s := c.byNumber[o.Number]
	if s == nil && c.mayBeEarly(o) {
		kept := *o
		c.early[o.Number] = append(c.early[o.Number], &kept)
		return
	}
	switch {
	case s == nil || nameOf(s.id) != o.Record.Name():
		c.violated(o.Record.Session, "a stop of %s was generated as %08X, which is not its number", o.Record.Session, o.Number)
		return
	case s.endSent == 0:
		c.violated(s.id, "a stop of %s was generated, but nothing has ended it", s.id)
	case s.begun() && s.records[0].arrived == 0 && !s.records[0].older:
		c.violated(s.id, "the generated stop of %s arrived before its start", s.id)
	}
	for _, octets := range s.stops {
		if octets == o.Octets {
			return // a copy
		}
	}
	s.stops = append(s.stops, o.Octets)
	s.generated = true
	s.stop(o.Octets)
}

// mayBeEarly reports whether a generated stop may arrive before any observation that has the number
// of its session.
func (c *Checker) mayBeEarly(o *Observation) bool {
	return slices.ContainsFunc(c.byName[o.Record.Name()], func(s *session) bool { return s.number == 0 && s.records[0].older })
}

// stop notes a stop that arrives for the first time.
func (s *session) stop(octets uint64) {
	if s.stopped && s.records[0].older { // another method may have the one with the largest counters
		octets = max(octets, s.lastStop)
	}
	s.stopped, s.lastStop = true, octets
}

// checkStop compares the last stop that arrived with the counters that the NAS sent.
func (c *Checker) checkStop(s *session) {
	answered, sent := uint64(0), uint64(0)
	for _, p := range s.records {
		sent = max(sent, p.octets)
		if p.answered != 0 {
			answered = max(answered, p.octets)
		}
	}
	if s.stopped && (s.lastStop < answered || s.lastStop > sent) {
		c.violated(s.id, "the last stop of %s has %d octets; its NAS sent %d", s.id, s.lastStop, answered)
	}
}
