package sessions

import (
	"slices"
	"time"

	"aaasess/internal/radius"
)

// unique finds the live sessions of users by attributes whose values are unique at some NASes (R23):
// those of [Event.Unique].
type unique struct {
	types []radius.Type
	names nameIndex
}

// SetUnique sets which attributes an [Event.Unique] may have. If that changes, it looks at all rows
// once, while no event is decided.
func (t *Table) SetUnique(types []radius.Type) {
	types = slices.Compact(slices.Sorted(slices.Values(types)))
	t.mu.Lock()
	defer t.mu.Unlock()
	if slices.Equal(types, t.unique.types) {
		return
	}
	t.unique = unique{types: types, names: newNameIndex(0)}
	for s := range (&View{root: t.rows.root}).All() {
		t.updateUnique(nil, s)
	}
}

// updateUnique updates the entries of a session. was is its state before, nil if it is new, s its state
// now, nil if it has ended.
func (t *Table) updateUnique(was, s *Session) {
	if len(t.unique.types) == 0 || was != nil && s != nil && was.node == s.node && was.Attrs == s.Attrs {
		return
	}
	for _, typ := range t.unique.types {
		if value := was.uniqueValue(typ); value != "" {
			t.unique.names.remove(was.node, attributeHash(typ, value), was.ID)
		}
		if value := s.uniqueValue(typ); value != "" {
			t.unique.names.add(s.node, attributeHash(typ, value), s.ID)
		}
	}
}

// uniqueValue returns the value of an attribute that no other session may have, "" if there is none.
func (s *Session) uniqueValue(typ radius.Type) string {
	if s == nil || !s.Kind.isRow() {
		return ""
	}
	return uniqueIn(s.Attrs, typ)
}

func uniqueIn(attrs radius.Attributes, typ radius.Type) string {
	value, _ := attrs.Get(typ)
	if typ == radius.FramedIPAddress && isProvisional(value) {
		return ""
	}
	return value
}

// Supersession is the end of a session by the start of another one that has a value which is unique at
// the NAS.
type Supersession struct {
	Session   *Session // as it was
	By        ID       // the session that has begun
	Attribute radius.Type
}

// supersededBy returns the live sessions of the NAS and kind of a start that have one of its unique
// values, so they have ended: the NAS has restarted, or their stops were lost. A session of which the
// NAS has reported something later than the start goes on. replaced is the session that the start
// replaces in any case, or nil; it is not among them. A program on this host has only one live session
// of a name, even if the user of the start is another one.
func (t *Table) supersededBy(ev *Event, replaced *Session) (old []Supersession) {
	if ev.Type != Start {
		return nil
	}
	var room [16]ID
	if IsLocal(ev.NAS.Addr) {
		for _, id := range t.names.find(&t.nases, ev, sidHash(ev.AcctSessionID), room[:0]) {
			s := t.live(id)
			if _, ok := ev.matches(s.node); ok && s != replaced && s.Kind.class() == ev.Kind.class() && s.hasName(ev.AcctSessionID) {
				old = append(old, Supersession{Session: s, Attribute: radius.AcctSessionID})
			}
		}
	}
	for _, typ := range ev.Unique {
		value := uniqueIn(ev.Attrs, typ)
		if value == "" || !slices.Contains(t.unique.types, typ) {
			continue
		}
		for _, id := range t.unique.names.find(&t.nases, ev, attributeHash(typ, value), room[:0]) {
			s := t.rows.get(id)
			known := slices.ContainsFunc(old, func(o Supersession) bool { return o.Session == s })
			if known || s == replaced || s.Kind != ev.Kind || s.uniqueValue(typ) != value || s.outlives(ev) || t.closings.anyCovers(s) {
				continue
			}
			if _, ok := ev.matches(s.node); ok {
				old = append(old, Supersession{Session: s, Attribute: typ})
			}
		}
	}
	return old
}

// supersedes notes which sessions a start has ended, and the number of the new one.
func (ev *Event) supersedes(old []Supersession, by ID) {
	for i := range old {
		old[i].By = by
	}
	ev.superseded = old
}

// reportSuperseded tells Config.Superseded of the sessions that an event has ended. The caller does not
// hold the table's lock.
func (t *Table) reportSuperseded(ev *Event) {
	if t.superseded == nil {
		return
	}
	for _, s := range ev.superseded {
		t.superseded(s)
	}
}

// lateWithin is how much older than the newest Event-Timestamp of a session that of a late start is at
// most. If it is older still, the start is not late: the NAS has restarted, and its clock began anew.
const lateWithin = time.Hour

// outlives reports whether the NAS has reported something of a session later than a start. The start
// may have been sent again without Acct-Delay-Time, or have been overtaken.
func (s *Session) outlives(ev *Event) bool {
	late := ev.EventTimestamp != 0 && ev.EventTimestamp < s.EventTimestamp && s.EventTimestamp-ev.EventTimestamp <= uint32(lateWithin/time.Second)
	return late || s.LastEvent > ev.at
}
