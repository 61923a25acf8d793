package crashtest

import (
	"maps"
	"slices"

	"aaasess/sessions"
)

// table compares the table with what was answered before the daemon was asked and sent until it told.
func (c *Checker) table(rows []Row) {
	seen, numbers := map[*session]bool{}, map[uint32]string{}
	names := map[string]bool{}
	for _, row := range rows {
		s, sure := c.rowOf(row)
		switch {
		case s == nil:
			c.violated(row.Name, "the table has %s, which no NAS began", row.Name)
			continue
		case names[row.Name]:
			c.violated(s.id, "the table has %s twice", row.Name)
		case s.gone(c.askedAt) && s.endedAt != 0:
			c.violated(s.id, "the table has %s, which its NAS had lost", s.id)
		case s.gone(c.askedAt):
			c.violated(s.id, "the table has %s, whose stop was answered", s.id)
		}
		seen[s], names[row.Name] = true, true
		if other, twice := numbers[row.Number]; twice && other != row.Name {
			c.violated(s.id, "the table has %08X for %s and for %s", row.Number, other, row.Name)
		}
		numbers[row.Number] = row.Name
		if sure && s.begun() { // else it may not be on disk yet, and another number next time
			c.number(s, row.Number, "the table has "+s.id)
		}
		if !sure { // it may be any of that name
			for _, other := range c.byName[row.Name] {
				seen[other] = true
			}
		}
	}
	for _, id := range slices.Sorted(maps.Keys(c.sessions)) {
		if s := c.sessions[id]; before(s.records[0].answered, c.askedAt) && !s.mayGo() && !seen[s] {
			c.violated(id, "the table has not %s, whose start was answered", id)
		}
	}
}

// rowOf is the session that a row is of, and whether it can be no other: the one with that number, or else of those of its
// name that have none yet.
func (c *Checker) rowOf(row Row) (s *session, sure bool) {
	of := c.byName[row.Name]
	if owner := c.byNumber[row.Number]; owner != nil && slices.Contains(of, owner) {
		return owner, true
	}
	n := 0
	for _, t := range of {
		if t.number == 0 && !t.gone(c.askedAt) {
			s = t
			n++
		}
	}
	switch {
	case len(of) == 0:
		return nil, false
	case n == 0:
		return of[len(of)-1], true // it has another number, or is over
	}
	return s, n == 1
}

func (c *Checker) drained() {
	how := map[Kind]string{Answered: "was answered", Arrived: "arrived", Made: "arrived, nor another that was made"}
	for _, m := range c.Missing(0) {
		c.violated(m.Record.Session, "%s never %s", m.Record, how[m.Kind])
	}
	for _, number := range slices.Sorted(maps.Keys(c.early)) {
		id := c.early[number][0].Record.Session
		c.violated(id, "a stop of %s was made as %08X, which is not its number", id, number)
	}
	for _, id := range slices.Sorted(maps.Keys(c.sessions)) {
		c.checkStop(c.sessions[id])
	}
}

// Missing are observations that must still come before all is drained, at most so many; 0 is all.
func (c *Checker) Missing(most int) (out []Observation) {
	for _, id := range slices.Sorted(maps.Keys(c.ons)) {
		if on := c.ons[id]; on.answered == 0 && !on.lost {
			out = append(out, Observation{Kind: Answered, Record: Record{Session: id, Type: sessions.On}})
		}
	}
	for _, id := range slices.Sorted(maps.Keys(c.sessions)) {
		if most > 0 && len(out) >= most {
			return out[:most]
		}
		out = append(out, c.sessions[id].missing()...)
	}
	if most > 0 && len(out) > most {
		out = out[:most]
	}
	return out
}

// missing are the observations that must still come of a session. Of one that its NAS has lost, nobody sends again what
// was not answered.
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
		out = append(out, Observation{Kind: Made, Record: Record{Session: s.id, Type: sessions.Stop, Nth: len(s.records)}})
	}
	return out
}
