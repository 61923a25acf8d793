package sessions

import "time"

// WantsInterims reports whether aaasess may make interims for the session (R47): it is live, nobody
// is ending it, its NAS has reported the start and has, as far as the fingerprints tell, sent no
// interim. A second start is no interim, and an interim that looks like one (without
// Event-Timestamp, session time and counters) does not count. After a start with counters both do.
func (s *Session) WantsInterims() bool {
	all := s.fingerprints.all()
	// A state of version 1 has no fingerprints. Only packets after the start brought counters.
	wants := s.State == Active && s.StartSeen && (all[startSlot].sum != 0 || s.Counted == 0)
	for _, p := range all[firstOtherSlot:] {
		wants = wants && (p.sum == 0 || p.at != 0 && s.Counted == 0) // a second start always has at
	}
	return wants
}

// DueInterim is a session for which an interim is to be made.
type DueInterim struct {
	ID    ID
	Quiet time.Duration // the least Session.Quiet
}

// Quiet returns how long before a moment the newest event of the NAS or interim of ours was. The time
// since an interim is rounded to seconds: if two are due a minute apart, and the first is made a
// little late, they are still a minute apart.
func (s *Session) Quiet(at Stamp) time.Duration {
	return min(at.Sub(s.LastEvent), at.Sub(s.Told()).Round(time.Second))
}

// MakeInterims makes interim records for sessions without packets of their NASes. Each has what is
// known of the session, and how long it has lasted by the table's clock. A session that does not
// want an interim, or that has a newer record, gets none. The session keeps up to when it was told
// of, so a stop that we make later tells no less. MakeInterims returns how many records it made.
// After an error it has made none; otherwise done is called when they are durable.
func (t *Table) MakeInterims(due []DueInterim, done func(error)) (n int, err error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if err := t.Accepting(); err != nil {
		return 0, err
	}
	now := t.clock.now()
	c, date := t.newChange(), t.clock.date(now)
	for _, d := range due {
		if s := t.rows.get(d.ID); s != nil && s.WantsInterims() && s.Quiet(now) >= d.Quiet && !t.closings.anyCovers(s) {
			n := t.told(&c, s, now)
			c.Notices = append(c.Notices, Notice{Type: Interim, Session: n, At: date, Lasted: max(0, now.Sub(n.Started))})
		}
	}
	t.commit(c, done)
	return len(c.Notices), nil
}

// told sets Session.Told to now, because an interim of ours says that the session lives. It returns the
// session for the notice. Counters of an interface are in it as they are now, so after a restart the
// stored state tells no less than the record.
func (t *Table) told(c *Change, s *Session, now Stamp) *Session {
	n := *s
	n.SetTold(now)
	counted := n
	counted.dropLink()
	t.put(c, &n)
	if s.HasLink() {
		return &counted
	}
	return &n
}
