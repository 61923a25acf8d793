package crashtest

import (
	"maps"
	"slices"

	"aaasess/sessions"
)

// table compares the table with the records answered before the query and sent before the report.
func (c *Checker) table(rows []Row) {
	seen, numbers := map[*session]bool{}, map[uint32]string{}
	names := map[string]bool{}
	for _, row := range rows {
		s, certain := c.rowOf(row)
		switch {
		case s == nil:
			c.violated(row.Name, "the table has %s, which no NAS started", row.Name)
			continue
		case names[row.Name]:
			c.violated(s.id, "the table has %s twice", row.Name)
		case s.gone(c.queriedAt) && s.endedAt != 0:
			c.violated(s.id, "the table has %s, which its NAS had lost", s.id)
		case s.gone(c.queriedAt):
			c.violated(s.id, "the table has %s, whose stop was answered", s.id)
		}
		seen[s], names[row.Name] = true, true
		if other, twice := numbers[row.Number]; twice && other != row.Name {
			c.violated(s.id, "the table has %08X for %s and for %s", row.Number, other, row.Name)
		}
		numbers[row.Number] = row.Name
		if certain && s.begun() { // else it may not be on disk yet, and may get another number after a kill
			c.number(s, row.Number, "the table has "+s.id)
		}
		if !certain { // it may be any session of that name
			for _, other := range c.byName[row.Name] {
				seen[other] = true
			}
		}
	}
	for _, id := range slices.Sorted(maps.Keys(c.sessions)) {
		if s := c.sessions[id]; before(s.records[0].answered, c.queriedAt) && !s.mayGo() && !seen[s] {
			c.violated(id, "the table lacks %s, whose start was answered", id)
		}
	}
}

// rowOf returns the session of a row: the one with its number, or else one of its name that has no
// number yet. certain is false if it may be another session.
func (c *Checker) rowOf(row Row) (s *session, certain bool) {
	named := c.byName[row.Name]
	if owner := c.byNumber[row.Number]; owner != nil && slices.Contains(named, owner) {
		return owner, true
	}
	n := 0
	for _, t := range named {
		if t.number == 0 && !t.gone(c.queriedAt) {
			s = t
			n++
		}
	}
	switch {
	case len(named) == 0:
		return nil, false
	case n == 0:
		return named[len(named)-1], true // which has another number, or has ended
	}
	return s, n == 1
}

func (c *Checker) drained() {
	how := map[Kind]string{Answered: "was answered", Arrived: "arrived", Generated: "arrived, nor a generated one"}
	for _, m := range c.Missing(0) {
		c.violated(m.Record.Session, "%s never %s", m.Record, how[m.Kind])
	}
	for _, number := range slices.Sorted(maps.Keys(c.early)) {
		id := c.early[number][0].Record.Session
		c.violated(id, "a stop of %s was generated as %08X, which is not its number", id, number)
	}
	for _, id := range slices.Sorted(maps.Keys(c.sessions)) {
		c.checkStop(c.sessions[id])
	}
}

// Missing returns observations that must still come before the history is drained: at most limit,
// or all if limit is 0.
func (c *Checker) Missing(limit int) (out []Observation) {
	for _, id := range slices.Sorted(maps.Keys(c.ons)) {
		if on := c.ons[id]; on.answered == 0 && !on.lost {
			out = append(out, Observation{Kind: Answered, Record: Record{Session: id, Type: sessions.On}})
		}
	}
	for _, id := range slices.Sorted(maps.Keys(c.sessions)) {
		if limit > 0 && len(out) >= limit {
			return out[:limit]
		}
		out = append(out, c.sessions[id].missing()...)
	}
	if limit > 0 && len(out) > limit {
		out = out[:limit]
	}
	return out
}

// missing returns the observations that must still come of a session. Unanswered records of a lost
// session are not sent again.
func (s *session) missing() (out []Observation) {
	for nth, p := range s.records {
		o := Observation{Record: Record{Session: s.id, Type: p.kind, Nth: nth}}
		switch {
		case s.superseded(nth), s.lost && p.answered == 0:
			continue
		case p.answered == 0:
			o.Kind = Answered
		case p.arrived == 0:
			o.Kind = Arrived
		default:
			continue
		}
		out = append(out, o)
	}
	if s.endedAt != 0 && !s.stopped && (s.begun() || s.records[0].arrived != 0) {
		out = append(out, Observation{Kind: Generated, Record: Record{Session: s.id, Type: sessions.Stop, Nth: len(s.records)}})
	}
	return out
}
