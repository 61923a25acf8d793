package sessions

// commit hands a change to the journal. It adds the counters, and forgets a few ended sessions.
func (t *Table) commit(c Change, done func(error)) {
	if len(c.State) > 0 {
		t.dirty = true
		for range max(4, len(c.State)) {
			id := t.remembered.nextExpired(t.clock.now())
			if id == 0 {
				break
			}
			t.forget(id)
			c.State = append(c.State, Put{Key: sessionKey(id)})
		}
		t.encodeCounters(&c)
		t.hearing.save(&c)
		done = t.withEndReports(done)
		done = t.whenDurable(t.routes.appendUnsaved(&c), done)
	}
	t.journal.Commit(c, done)
	clear(c.State) // so that what only it holds can be freed
	clear(c.Notices)
	if cap(c.octets) <= maxSpareOctets && max(cap(c.State), cap(c.Notices)) <= maxSpare {
		t.spare = Change{State: c.State[:0], Notices: c.Notices[:0], octets: c.octets[:0]}
	}
}

// The limits of the memory that is kept for the next change. A part of a resync needs most: 128
// sessions.
const (
	maxSpare       = 1024 // puts, and notices
	maxSpareOctets = 256 << 10
)

// newChange returns an empty change. It uses the memory of an earlier one that the journal has taken:
// new memory would be half of the garbage of an event.
func (t *Table) newChange() Change {
	c := t.spare
	t.spare = Change{}
	return c
}

// encodeCounters adds the counters and the number that was given last to a change.
func (t *Table) encodeCounters(c *Change) {
	begin := len(c.octets)
	c.octets = appendCounters(c.octets, t.numbers.extended(t.last), t.counters, t.clock.anchor())
	c.State = append(c.State, Put{Key: countersKey, Value: c.octets[begin:len(c.octets):len(c.octets)], Latest: true})
}

// encodeInto adds the state of a session to a change.
func (t *Table) encodeInto(c *Change, s *Session) {
	begin := len(c.octets)
	c.octets = appendSessionKey(c.octets, s.ID)
	key := len(c.octets)
	c.octets = appendSession(c.octets, s)
	c.State = append(c.State, Put{Key: c.octets[begin:key:key], Value: c.octets[key:len(c.octets):len(c.octets)]})
}
