package sessions

// Resync tells one method of live sessions again, because its servers have lost their data (R65).
// One Resync is a part of that: some sessions, in the order of their ids.
type Resync struct {
	Method string // becomes Notice.Only
	From   ID     // the first session that is looked at
	// Before is the [Table.Clock] when the first part began. Sessions that have begun since are left
	// out, because the servers hear of them anyway.
	Before Stamp
	// Rows is how many sessions are looked at, Notices how many notices are made, at most.
	Rows, Notices int
	// Type returns what a session is told with, Start or Interim; 0 leaves it out. It is called
	// under the table's lock, so it must be quick and must not call the table.
	Type func(*Session) EventType
	// State returns what becomes durable together with the notices. next is where the next part
	// begins, 0 if this was the last one. It is called once, under the table's lock.
	State func(next ID) Put
}

// Resync makes the notices of a part. A start tells what the first start would tell with what is
// known by now. An interim also tells how long the session has lasted, and the session keeps that, as
// with [Table.MakeInterims]. Sessions that have ended get nothing, so in the queue of the method no
// notice follows the stop of its session. After an error nothing was made. A part with Rows 0 only
// stores its State, and is never refused. done is called when the part is durable.
func (t *Table) Resync(r *Resync, done func(error)) error {
	t.RefreshLinks()
	t.mu.Lock()
	defer t.mu.Unlock()
	if r.Rows > 0 {
		if err := t.Accepting(); err != nil {
			return err
		}
	}
	c := t.newChange()
	c.Patient = r.Rows > 0
	now, next := t.clock.now(), r.From
	for range r.Rows {
		s := ceiling(t.rows.root, next)
		if s == nil {
			next = 0
			break
		}
		next = s.ID + 1
		if s.Started < r.Before && !t.closings.anyCovers(s) {
			t.tellAgain(&c, s, r, now)
		}
		if next == 0 || len(c.Notices) == r.Notices {
			break
		}
	}
	c.State = append(c.State, r.State(next))
	t.commit(c, done)
	return nil
}

// tellAgain adds the notice of a session, if it gets one.
func (t *Table) tellAgain(c *Change, s *Session, r *Resync, now Stamp) {
	n := Notice{Type: r.Type(s), Session: s, Only: r.Method}
	switch n.Type {
	case Start:
		n.At = t.clock.date(s.Started)
	case Interim:
		n.Session = t.told(c, s, now)
		n.At, n.Lasted = t.clock.date(now), max(0, now.Sub(s.Started))
	default:
		return
	}
	c.Notices = append(c.Notices, n)
}
