package crashtest

import (
	"fmt"

	"aaasess/sessions"
)

// Check returns the violations in a complete history.
func Check(history []Observation) []Violation {
	var c Checker
	for i := range history {
		c.Add(&history[i])
	}
	return c.Violations()
}

// Checker checks a history while it grows. The zero value has an empty history.
type Checker struct {
	at       int // number of the current observation, from 1
	found    []Violation
	sessions map[string]*session
	byName   map[string][]*session // in the order of their starts
	byNumber map[uint32]*session
	waiting  map[string]int // sessions whose start is not answered: the observation that sent it
	ons      map[string]*on

	older bool                      // the version that runs keeps no order between methods
	early map[uint32][]*Observation // generated stops, by numbers whose sessions are not known yet

	counters
}

// Violations returns the violations found so far, in order.
func (c *Checker) Violations() []Violation { return c.found }

func (c *Checker) violated(session, format string, args ...any) {
	c.found = append(c.found, Violation{Session: session, At: c.at - 1, Text: fmt.Sprintf(format, args...)})
}

// Add adds an observation. The checker keeps its Ends, and a copy of a generated stop.
func (c *Checker) Add(o *Observation) {
	if c.sessions == nil {
		c.sessions, c.byName, c.byNumber = map[string]*session{}, map[string][]*session{}, map[uint32]*session{}
		c.waiting, c.ons, c.early = map[string]int{}, map[string]*on{}, map[uint32][]*Observation{}
	}
	c.at++
	switch o.Kind {
	case Sent:
		c.sent(o)
	case Answered:
		c.answered(o.Record)
	case Arrived:
		c.arrived(o.Record, o.Number)
	case Generated:
		c.generated(o)
	case Lost:
		c.lost(o.Record.Session)
	case Queried:
		c.counters.queried(c.at)
	case Reported:
		c.table(o.Rows)
		c.counters.reported(c, o)
	case Killed:
		c.killed()
	case Failed:
		c.violated("", "the daemon failed: %s", o.Text)
	case Again:
		// It has no effect.
	case Older, Present:
		c.older = o.Kind == Older
	case Drained:
		c.drained()
	default:
		c.violated("", "the history has an observation of an unknown kind")
	}
}

// sent adds a record. A record that no NAS would send is a fault of the history.
func (c *Checker) sent(o *Observation) {
	r := o.Record
	if r.Type == sessions.On {
		if c.ons[r.Session] != nil {
			c.violated(r.Session, "the history is wrong: %s is sent twice", r)
			return
		}
		c.ons[r.Session] = &on{ends: o.Ends}
		c.mayEnd(o.Ends)
		return
	}
	s := c.sessions[r.Session]
	if s == nil {
		s = &session{id: r.Session}
		c.sessions[r.Session] = s
		c.byName[r.Name()] = append(c.byName[r.Name()], s)
	}
	n := len(s.records)
	if r.Nth != n || (n == 0) != (r.Type == sessions.Start) || n > 0 && (s.last().kind == sessions.Stop || !s.begun() || s.lost) {
		c.violated(r.Session, "the history is wrong: %s is sent as the record %d", r, n)
		return
	}
	s.records = append(s.records, progress{kind: r.Type, sent: c.at, octets: o.Octets, older: c.older})
	switch r.Type {
	case sessions.Start:
		s.ends = o.Ends
		c.waiting[r.Session] = c.at
		c.counters.mayBegin()
		c.mayEnd(o.Ends)
	case sessions.Stop:
		c.counters.mayEnd()
	}
}

// find returns a record that was sent, or nil.
func (c *Checker) find(r Record) (*session, *progress) {
	s := c.sessions[r.Session]
	if s == nil || r.Nth < 0 || r.Nth >= len(s.records) || s.records[r.Nth].kind != r.Type {
		return nil, nil
	}
	return s, &s.records[r.Nth]
}

func (c *Checker) answered(r Record) {
	if on := c.ons[r.Session]; on != nil && r.Type == sessions.On {
		if on.answered == 0 && !on.lost {
			on.answered = c.at
			c.ended(on.ends)
		}
		return
	}
	s, p := c.find(r)
	if p == nil {
		c.violated(r.Session, "%s was answered and never sent", r)
		return
	}
	if p.answered != 0 || s.lost { // a copy, or the NAS has crashed
		return
	}
	p.answered = c.at
	switch r.Type {
	case sessions.Start:
		delete(c.waiting, r.Session)
		c.counters.begun()
		c.ended(s.ends)
	case sessions.Stop:
		c.counters.ended()
	}
}

func (c *Checker) arrived(r Record, number uint32) {
	s, p := c.find(r)
	if p == nil {
		c.violated(r.Session, "%s arrived and was never sent", r)
		return
	}
	c.number(s, number, r.String()+" arrived")
	if p.arrived != 0 {
		return // a copy
	}
	p.arrived = c.at
	start := &s.records[0]
	if start.arrived == 0 && start.isKnownBefore(p) {
		c.violated(r.Session, "%s arrived before its start", r)
	}
	if s.mayComeAgain(r.Nth) {
		return
	}
	if s.generated && before(p.answered, s.endSent) && !p.older {
		c.violated(r.Session, "%s arrived after the generated stop", r)
	}
	if r.Type == sessions.Stop {
		s.stop(p.octets)
	}
	for nth := r.Nth + 1; nth < len(s.records); nth++ {
		later := &s.records[nth]
		if later.arrived != 0 && p.isKnownBefore(later) && p != start { // a late start is already reported
			c.violated(r.Session, "%s arrived after %s %d", r, later.kind, nth)
			return
		}
	}
}

// number compares the number of a session in an observation with the numbers known so far.
func (c *Checker) number(s *session, number uint32, how string) {
	switch owner := c.byNumber[number]; {
	case number == 0:
		c.violated(s.id, "%s with the number 0", how)
	case s.number == 0 && owner == nil:
		s.number = number
		c.byNumber[number] = s
		for _, o := range c.early[number] {
			c.generated(o)
		}
		delete(c.early, number)
	case s.number != 0 && s.number != number:
		c.violated(s.id, "%s as %08X, and before as %08X", how, number, s.number)
	case owner != s:
		c.violated(s.id, "%s as %08X, which is the number of %s", how, number, owner.id)
	}
}

func (c *Checker) killed() {
	c.counters.killed(c.waiting)
	for name := range c.waiting { // their NASes do not send the start again
		if c.sessions[name].lost {
			delete(c.waiting, name)
		}
	}
}
