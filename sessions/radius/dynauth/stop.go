package dynauth

import (
	"time"

	"aaasess/sessions"
)

// expectedStop is the stop of a session whose NAS has sent an ACK.
type expectedStop struct {
	acked sessions.Stamp
	at    time.Time // of the ACK
	timer *time.Timer
}

// expectStop makes the stop of a session if its NAS, which has sent an ACK, does not. A further ACK
// does not begin the wait anew, or a server that asks all the time would have the session live for ever;
// unless the NAS has reported the session between the two.
func (f *Forwarder) expectStop(s *sessions.Session) {
	e := f.newExpected()
	if f.current(s) == nil {
		return // its stop came before the ACK
	}
	if !f.isExpected(s) {
		f.after(f.cfg.StopWait, s, e)
	}
}

// lost makes the stop of a session that its NAS does not have. If the NAS has sent an ACK before, to
// another server, that is why: its own stop is on the way, and says more.
func (f *Forwarder) lost(s *sessions.Session) {
	if !f.isExpected(s) {
		f.makeStop(s, f.newExpected())
	}
}

func (f *Forwarder) newExpected() *expectedStop {
	return &expectedStop{acked: f.cfg.Table.Clock(), at: time.Now()}
}

// isExpected reports whether the stop of a session is expected since an ACK, and the NAS has not reported
// the session since.
func (f *Forwarder) isExpected(s *sessions.Session) bool {
	now := f.current(s)
	f.mu.Lock()
	defer f.mu.Unlock()
	old := f.stops[s.ID]
	return old != nil && now != nil && now.LastEvent <= old.acked
}

// after makes the stop of a session after a time, unless Run has ended or another one is expected since.
func (f *Forwarder) after(d time.Duration, s *sessions.Session, e *expectedStop) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.ctx.Err() != nil {
		return
	}
	if old := f.stops[s.ID]; old != nil {
		old.timer.Stop()
	}
	f.stops[s.ID] = e
	e.timer = time.AfterFunc(d, func() {
		f.mu.Lock()
		due := f.stops[s.ID] == e
		if due {
			delete(f.stops, s.ID)
		}
		f.mu.Unlock()
		if due {
			f.makeStop(s, e)
		}
	})
}

// makeStop ends a session, with the time of the ACK and the last counters, if it still lives and its NAS
// has not reported it since.
func (f *Forwarder) makeStop(s *sessions.Session, e *expectedStop) {
	now := f.current(s)
	log := f.log.With("session", s.ID.String(), "user", s.User(), "nas", s.NAS.String())
	switch {
	case now == nil:
		return // it has ended
	case now.LastEvent > e.acked:
		log.Warn("dynamic authorization: NAS still reports the session")
		return
	}
	if err := f.cfg.Table.End(s.ID, sessions.CauseAdminReset, e.at, nil); err != nil {
		log.Warn("dynamic authorization: cannot make the stop record; will retry", "err", err, "next", f.cfg.RetryMin)
		f.after(f.cfg.RetryMin, s, e)
		return
	}
	f.counters[stops].Add(1)
	log.Info("dynamic authorization: no stop from the NAS, making the stop record")
}

// current returns the present state of a session, or nil if it has ended.
func (f *Forwarder) current(s *sessions.Session) *sessions.Session {
	if now := f.cfg.Table.Row(s.ID); now != nil && now.AcctSessionID() == s.AcctSessionID() {
		return now
	}
	return nil
}
