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
	Quiet time.Duration // how long nothing must have been heard of the session
}

// MakeInterims makes interim records for sessions without packets of their NASes. Each has what is
// known of the session, and how long it has lasted by the table's clock. A session that does not
// want an interim, or that was heard of lately, gets none. The sessions do not change. It returns
// how many records it made. After an error it has made none; otherwise done is called when they are
// durable.
func (t *Table) MakeInterims(due []DueInterim, done func(error)) (n int, err error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if err := t.Accepting(); err != nil {
		return 0, err
	}
	now := t.clock.now()
	c, date := Change{Notices: make([]Notice, 0, len(due))}, t.clock.date(now)
	for _, d := range due {
		if s := t.rows.get(d.ID); s != nil && s.WantsInterims() && now.Sub(s.LastEvent) >= d.Quiet && !t.closings.anyCovers(s) {
			c.Notices = append(c.Notices, Notice{Type: Interim, Session: s, At: date, Lasted: max(0, now.Sub(s.Started))})
		}
	}
	t.commit(c, done)
	return len(c.Notices), nil
}
