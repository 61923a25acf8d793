package dynauth

import (
	"time"

	"aaasess/sessions"
)

// expectStop makes the stop of a session if its NAS, which has sent an ACK, does not.
func (r *Relay) expectStop(s *sessions.Session) {
	at, acked := time.Now(), r.cfg.Table.Clock()
	r.after(s.ID, r.cfg.StopWait, func() { r.makeStop(s, acked, at) })
}

// after calls f after a time, unless Run has ended or the session has another timer since.
func (r *Relay) after(id sessions.ID, d time.Duration, f func()) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.ctx.Err() != nil {
		return
	}
	if old := r.stops[id]; old != nil {
		old.Stop()
	}
	var timer *time.Timer
	timer = time.AfterFunc(d, func() {
		r.mu.Lock()
		due := r.stops[id] == timer
		if due {
			delete(r.stops, id)
		}
		r.mu.Unlock()
		if due {
			f()
		}
	})
	r.stops[id] = timer
}

// makeStop ends a session, with the time at and the last counters, if it still lives and its NAS has
// not reported it since heard.
func (r *Relay) makeStop(s *sessions.Session, heard sessions.Stamp, at time.Time) {
	now := r.current(s)
	log := r.log.With("session", s.ID.String(), "user", s.User, "nas", s.NAS.String())
	switch {
	case now == nil:
		return // it has ended
	case now.LastEvent > heard:
		log.Warn("dynamic authorization: NAS still reports the session")
		return
	}
	if err := r.cfg.Table.End(s.ID, sessions.CauseAdminReset, at, nil); err != nil {
		log.Warn("dynamic authorization: cannot make the stop record; will retry", "err", err, "next", r.cfg.RetryMin)
		r.after(s.ID, r.cfg.RetryMin, func() { r.makeStop(s, heard, at) })
		return
	}
	r.counters[stops].Add(1)
	log.Info("dynamic authorization: no stop from the NAS, making the stop record")
}

// current returns the present state of a session, or nil if it has ended.
func (r *Relay) current(s *sessions.Session) *sessions.Session {
	if now := r.cfg.Table.Row(s.ID); now != nil && now.AcctSessionID == s.AcctSessionID {
		return now
	}
	return nil
}
