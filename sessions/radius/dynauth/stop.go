package dynauth

import (
	"time"

	"aaasess/sessions"
)

// expectStop makes the stop of a session if its NAS, which has sent an ACK, does not.
func (f *Forwarder) expectStop(s *sessions.Session) {
	at, acked := time.Now(), f.cfg.Table.Clock()
	f.after(s.ID, f.cfg.StopWait, func() { f.makeStop(s, acked, at) })
}

// after calls fn after a time, unless Run has ended or the session has another timer since.
func (f *Forwarder) after(id sessions.ID, d time.Duration, fn func()) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.ctx.Err() != nil {
		return
	}
	if old := f.stops[id]; old != nil {
		old.Stop()
	}
	var timer *time.Timer
	timer = time.AfterFunc(d, func() {
		f.mu.Lock()
		due := f.stops[id] == timer
		if due {
			delete(f.stops, id)
		}
		f.mu.Unlock()
		if due {
			fn()
		}
	})
	f.stops[id] = timer
}

// makeStop ends a session, with the time at and the last counters, if it still lives and its NAS has
// not reported it since heard.
func (f *Forwarder) makeStop(s *sessions.Session, heard sessions.Stamp, at time.Time) {
	now := f.current(s)
	log := f.log.With("session", s.ID.String(), "user", s.User, "nas", s.NAS.String())
	switch {
	case now == nil:
		return // it has ended
	case now.LastEvent > heard:
		log.Warn("dynamic authorization: NAS still reports the session")
		return
	}
	if err := f.cfg.Table.End(s.ID, sessions.CauseAdminReset, at, nil); err != nil {
		log.Warn("dynamic authorization: cannot make the stop record; will retry", "err", err, "next", f.cfg.RetryMin)
		f.after(s.ID, f.cfg.RetryMin, func() { f.makeStop(s, heard, at) })
		return
	}
	f.counters[stops].Add(1)
	log.Info("dynamic authorization: no stop from the NAS, making the stop record")
}

// current returns the present state of a session, or nil if it has ended.
func (f *Forwarder) current(s *sessions.Session) *sessions.Session {
	if now := f.cfg.Table.Row(s.ID); now != nil && now.AcctSessionID == s.AcctSessionID {
		return now
	}
	return nil
}
