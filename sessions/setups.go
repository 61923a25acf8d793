package sessions

// setups are the rows of users who have been authenticated and whose accounting has not begun (S1 "aaa
// session-mib populate setup", R13). They are rows for SNMP only, see [View.Entry], and not durable: a
// restart forgets them. The counters are: each row is counted once, in the commit with which it appears.
// Table.mu guards them.
type setups struct{ rows }

// SetUp makes a row of the user of a login: under a number of [Table.Reserve] or [Table.ReserveThis].
// When the session begins with this number, its row takes the place. [Table.Release] removes it. SetUp
// does nothing if the number is not reserved any more. The table keeps s, whose State becomes [SetUp].
func (t *Table) SetUp(s *Session) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if _, reserved := t.numbers.reserved[s.ID]; !reserved {
		return
	}
	now := t.clock.now()
	s.State, s.Started, s.LastEvent, s.LastTraffic = SetUp, now, now, now
	s.setAttrs(s.Attrs)
	var c Change
	if t.setups.get(s.ID) == nil {
		t.counters.Total++
		t.setups.put(s)
		t.markHighWater()
		t.encodeCounters(&c)
	} else {
		t.setups.put(s)
	}
	t.dirty = true
	t.commit(c, nil)
}

// markHighWater notes how many rows there are, if there have never been more.
func (t *Table) markHighWater() {
	t.counters.HighWater = max(t.counters.HighWater, uint32(t.rows.n+t.setups.n))
}

// withdraw removes the row of a login, and reports whether there was one.
func (t *Table) withdraw(id ID) bool {
	if t.setups.n == 0 || t.setups.get(id) == nil {
		return false
	}
	t.setups.remove(id)
	t.dirty = true
	return true
}

// Entries returns casnActiveTableEntries: the live sessions, and the logins that are rows.
func (v *View) Entries() int { return v.n + v.setUp }

// Entry returns the live session with this id, or the login that is a row; nil if there is none.
func (v *View) Entry(id ID) *Session {
	if s := v.Get(id); s != nil || v.setUp == 0 {
		return s
	}
	return find(v.setups, id)
}

// EntryFrom returns the first row whose id is at least id, as Entry does.
func (v *View) EntryFrom(id ID) *Session {
	s := v.From(id)
	if v.setUp == 0 {
		return s
	}
	if o := ceiling(v.setups, id); o != nil && (s == nil || o.ID < s.ID) {
		return o
	}
	return s
}
