package crash

import (
	"fmt"
	"maps"
	"slices"

	"aaasess/sessions"
)

// Check gives what a whole history violates.
func Check(history []Observation) []Violation {
	var c Checker
	for i := range history {
		c.Add(&history[i])
	}
	return c.Violations()
}

// Checker judges a history as it grows. Its zero value has an empty one.
type Checker struct {
	at       int // the observation that is being added, from 1
	found    []Violation
	sessions map[string]*session
	byNumber map[uint32]string // whose it is
	waiting  map[string]int    // sessions whose start is not answered: when it was sent

	counters
}

// session is what is known of a session, by the order of its records.
type session struct {
	number  uint32 // 0: not known
	records []progress
}

// progress is when what happened to a record, from 1; 0 is not yet.
type progress struct {
	kind                    sessions.EventType
	sent, answered, arrived int
}

// begun reports whether the start was answered.
func (s *session) begun() bool { return s.records[0].answered != 0 }

// last is the newest record.
func (s *session) last() *progress { return &s.records[len(s.records)-1] }

// superseded reports whether a record need not arrive, nor be answered.
func (s *session) superseded(nth int) bool {
	return s.records[nth].kind == sessions.Interim && nth < len(s.records)-1
}

// Violations are those that were found so far, in order.
func (c *Checker) Violations() []Violation { return c.found }

func (c *Checker) violated(session, format string, args ...any) {
	c.found = append(c.found, Violation{Session: session, At: c.at - 1, Text: fmt.Sprintf(format, args...)})
}

// Add adds an observation. The checker keeps nothing of it.
func (c *Checker) Add(o *Observation) {
	if c.sessions == nil {
		c.sessions, c.byNumber, c.waiting = map[string]*session{}, map[uint32]string{}, map[string]int{}
	}
	c.at++
	switch o.Kind {
	case Sent:
		c.sent(o.Record)
	case Answered:
		c.answered(o.Record)
	case Arrived:
		c.arrived(o.Record, o.Number)
	case Asked:
		c.counters.asked(c.at)
	case Told:
		c.table(o.Rows)
		c.counters.told(c, o)
	case Killed:
		c.counters.killed(c.waiting)
	case Failed:
		c.violated("", "the daemon failed: %s", o.Text)
	case Drained:
		c.drained()
	default:
		c.violated("", "the history has an observation of no kind")
	}
}

// sent begins a record. What NASes do is not judged, but must make sense.
func (c *Checker) sent(r Record) {
	s := c.sessions[r.Session]
	if s == nil {
		s = &session{}
		c.sessions[r.Session] = s
	}
	n := len(s.records)
	if r.Nth != n || (n == 0) != (r.Type == sessions.Start) || n > 0 && (s.last().kind == sessions.Stop || !s.begun()) {
		c.violated(r.Session, "the history is wrong: %s is sent as the record %d", r, n)
		return
	}
	s.records = append(s.records, progress{kind: r.Type, sent: c.at})
	switch r.Type {
	case sessions.Start:
		c.waiting[r.Session] = c.at
		c.counters.mayBegin()
	case sessions.Stop:
		c.counters.mayEnd()
	}
}

// find gives a record that was sent.
func (c *Checker) find(r Record) (*session, *progress) {
	s := c.sessions[r.Session]
	if s == nil || r.Nth < 0 || r.Nth >= len(s.records) || s.records[r.Nth].kind != r.Type {
		return nil, nil
	}
	return s, &s.records[r.Nth]
}

func (c *Checker) answered(r Record) {
	_, p := c.find(r)
	if p == nil {
		c.violated(r.Session, "%s was answered and never sent", r)
		return
	}
	if p.answered != 0 {
		return
	}
	p.answered = c.at
	switch r.Type {
	case sessions.Start:
		delete(c.waiting, r.Session)
		c.counters.begun()
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
	c.number(s, r.Session, number, r.String()+" arrived")
	if p.arrived != 0 {
		return // a copy
	}
	p.arrived = c.at
	start := &s.records[0]
	if start.arrived == 0 && start.answered != 0 && start.answered < p.sent {
		c.violated(r.Session, "%s arrived before its start", r)
	}
	for nth := r.Nth + 1; nth < len(s.records); nth++ {
		later := &s.records[nth]
		if later.arrived != 0 && p.answered != 0 && p.answered < later.sent && p != start { // of a start it was told
			c.violated(r.Session, "%s arrived after %s %d", r, later.kind, nth)
			return
		}
	}
}

// number holds the number that a session was seen with against those that are known.
func (c *Checker) number(s *session, name string, number uint32, how string) {
	switch owner, known := c.byNumber[number]; {
	case number == 0:
		c.violated(name, "%s with the number 0", how)
	case s.number == 0 && !known:
		s.number = number
		c.byNumber[number] = name
	case s.number != 0 && s.number != number:
		c.violated(name, "%s as %08X, and before as %08X", how, number, s.number)
	case owner != name:
		c.violated(name, "%s as %08X, which is the number of %s", how, number, owner)
	}
}

// table compares the table with what was answered before the daemon was asked and sent until it told.
func (c *Checker) table(rows []Row) {
	seen, numbers := map[string]bool{}, map[uint32]string{}
	for _, row := range rows {
		s := c.sessions[row.Session]
		switch {
		case s == nil:
			c.violated(row.Session, "the table has %s, which no NAS began", row.Session)
			continue
		case seen[row.Session]:
			c.violated(row.Session, "the table has %s twice", row.Session)
		case s.last().kind == sessions.Stop && before(s.last().answered, c.askedAt):
			c.violated(row.Session, "the table has %s, whose stop was answered", row.Session)
		}
		seen[row.Session] = true
		if other, twice := numbers[row.Number]; twice && other != row.Session {
			c.violated(row.Session, "the table has %08X for %s and for %s", row.Number, other, row.Session)
		}
		numbers[row.Number] = row.Session
		if s.begun() { // else it may not be on disk yet, and another number next time
			c.number(s, row.Session, row.Number, "the table has "+row.Session)
		}
	}
	var lost []string
	for name, s := range c.sessions {
		if before(s.records[0].answered, c.askedAt) && s.last().kind != sessions.Stop && !seen[name] {
			lost = append(lost, name)
		}
	}
	slices.Sort(lost)
	for _, name := range lost {
		c.violated(name, "the table has not %s, whose start was answered", name)
	}
}

// before reports whether something has happened, and before a moment.
func before(at, moment int) bool { return at != 0 && at < moment }

func (c *Checker) drained() {
	for _, m := range c.Missing(0) {
		c.violated(m.Record.Session, "%s never %s", m.Record, map[Kind]string{Answered: "was answered", Arrived: "arrived"}[m.Kind])
	}
}

// Missing are observations that must still come before all is drained, at most so many; 0 is all.
func (c *Checker) Missing(most int) []Observation {
	var out []Observation
	for _, name := range slices.Sorted(maps.Keys(c.sessions)) {
		s := c.sessions[name]
		for nth, p := range s.records {
			o := Observation{Record: Record{Session: name, Type: p.kind, Nth: nth}}
			switch {
			case s.superseded(nth):
				continue
			case p.answered == 0:
				o.Kind = Answered
			case p.arrived == 0:
				o.Kind = Arrived
			default:
				continue
			}
			if out = append(out, o); len(out) == most {
				return out
			}
		}
	}
	return out
}
