package sessions

import (
	"context"
	"slices"
	"time"

	"aaasess/internal/radius"
)

// flight is an attempt under way.
type flight struct {
	job      *job
	session  *Session
	ctx      context.Context
	cancel   context.CancelCauseFunc
	stopped  bool          // the NAS's stop is here and waits for the outcome; under mu until the flight ends
	answered chan struct{} // closed when it has come back, and an ACK is noted with the session
}

// result is an attempt that came back.
type result struct {
	*flight
	out    Outcome
	memory any
	at     time.Time
	wait   time.Duration // until something is done again, as next has it
	over   bool          // the session is to be closed now
}

// begin readies an attempt, or returns nil, and forgets the job, if there is nothing to ask any more.
func (t *Terminator) begin(ctx context.Context, j *job) *flight {
	s := t.table.live(j.id) // the view may still have a row that has ended
	if s == nil || s.State != Terminating {
		t.forget(j)
		return nil
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if j.gone { // since the row was read; an end that comes later finds the flight
		return nil
	}
	f := &flight{job: j, session: s, answered: make(chan struct{})}
	f.ctx, f.cancel = context.WithCancelCause(ctx)
	t.flights[j.id] = f
	j.Next, j.Asking = time.Time{}, true
	j.Attempts++
	return f
}

// attempt asks the NAS once.
func (t *Terminator) attempt(f *flight) result {
	a := &Attempt{Session: f.session, Memory: f.job.memory}
	r := result{flight: f, out: t.nas.Disconnect(f.ctx, a)}
	if r.out.Answer == ACK {
		t.table.Acked(f.job.id, nil)
	}
	r.memory, r.at = a.Memory, t.table.now()
	t.land(&r)
	return r
}

// land ends the flight of an attempt that came back, and tells the watchers. The stop that waits for the outcome goes
// on only after that, so watchers see the outcome before the end.
func (t *Terminator) land(r *result) {
	t.mu.Lock()
	defer t.mu.Unlock()
	j := r.job
	if r.wait, r.over = next(r.out, j.Attempts, t.cfg); r.stopped && r.out.Answer != ACK {
		r.wait, r.over = t.cfg.RetryMin, false // the stop ends the row, or was of another session of that name
	}
	j.Last, j.Asking = r.out, false
	if !r.over && !j.gone {
		j.Next = r.at.Add(r.wait)
	}
	t.publish(TerminationEvent{ID: j.id, Type: Asked, Termination: j.Termination})
	if t.flights[j.id] == r.flight { // else the session was revived, and is being ended again
		delete(t.flights, j.id)
	}
	r.cancel(nil)
	close(r.answered)
}

// settle decides what follows an attempt.
func (t *Terminator) settle(r result, due *jobHeap) {
	j := r.job
	j.memory = r.memory
	log := t.log(j).With("attempt", j.Attempts, "outcome", r.out.String())
	t.mu.Lock()
	gone := j.gone
	t.mu.Unlock()
	if gone {
		log.Info("disconnect: the session had ended before the outcome")
		t.forget(j)
		return
	}
	at := r.at.Add(r.wait)
	switch {
	case r.stopped && r.out.Answer != ACK:
		log.Info("disconnect: the session was ending")
		t.later(j, at, due)
	case r.over:
		log.Info("disconnect: the NAS does not know the session, which ends with a stop of our own")
		j.ended = r.at
		t.close(j, due)
	case r.out.Answer == ACK:
		log.Info("disconnect: the NAS agrees", "stop_wait", r.wait)
		j.ended = r.at
		t.later(j, at, due)
	default:
		log.Info("disconnect: not yet", "next", r.wait)
		t.later(j, at, due)
	}
}

// later makes a job due again.
func (t *Terminator) later(j *job, at time.Time, due *jobHeap) {
	t.mu.Lock()
	j.Next = at
	t.mu.Unlock()
	due.Set(j, &j.wait, at)
}

// next is the policy: how long to wait after an attempt, or that the session is to be closed now.
func next(o Outcome, attempt int, cfg TerminatorConfig) (wait time.Duration, over bool) {
	switch {
	case o.Answer == NAK && o.ErrorCause == radius.SessionContextNotFound && !o.Inconclusive:
		return 0, true
	case o.Answer == ACK:
		return cfg.StopWait, false
	}
	doubled := min(attempt-1, 62)
	if cfg.RetryMin > cfg.RetryMax>>doubled {
		return cfg.RetryMax, false // compared before the shift, which could overflow
	}
	return cfg.RetryMin << doubled, false
}

// close makes the stop. If the journal takes nothing now, the session stays, and the stop is made later.
func (t *Terminator) close(j *job, due *jobHeap) {
	if err := t.table.End(j.id, CauseAdminReset, j.ended, nil); err != nil {
		t.log(j).Warn("session not closed yet", "err", err)
		t.later(j, t.table.now().Add(t.cfg.RetryMin), due)
		return
	}
	t.forget(j)
}

// overtaking is how long a stop waits for the outcome of the attempt that may have caused it. A NAS such
// as hostapd sends the stop first and the ACK behind it.
const overtaking = 100 * time.Millisecond

// heldStop is a stop that waits for the outcome of an attempt.
type heldStop struct {
	event Event
	done  func(error)
}

// Apply gives an event to the table, for a source of events to use in place of [Table.Apply]. The stop of
// a session for which an attempt is under way waits a moment for the answer: after an ACK its cause is
// ours (R5). Whatever the answer, nothing more is sent for that session. What comes of the same name
// meanwhile finds the stop applied.
func (t *Terminator) Apply(ev Event, done func(error)) error {
	before, answered := t.arrange(&ev, done)
	for _, h := range before {
		t.release(h)
	}
	if answered == nil {
		return t.table.Apply(ev, done)
	}
	return nil
}

// arrange holds an event back if it is the stop of a session for which an attempt is under way, whose sending ends: answered is
// closed when the attempt has come back. It is nil if the event is anything else. before is what was held back and must go
// before the event.
func (t *Terminator) arrange(ev *Event, done func(error)) (before []*heldStop, answered <-chan struct{}) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, h := range t.held {
		if (h.event.AcctSessionID == ev.AcctSessionID || ev.AcctSessionID == "") && ev.sameClient(h.event.NAS.Addr) {
			before = append(before, h)
		}
	}
	if ev.Type != Stop {
		return before, nil
	}
	for _, f := range t.flights { // as many as Parallel
		s := f.session
		if s.AcctSessionID != ev.AcctSessionID {
			continue
		}
		if _, ok := ev.NAS.matches(s.NAS); !ok || !ev.sameClient(s.NAS.Addr) {
			continue
		}
		f.stopped = true
		f.cancel(ErrSessionEnded)
		h := &heldStop{*ev, done}
		t.held = append(t.held, h)
		go t.hold(h, f.answered)
		return before, f.answered
	}
	return before, nil
}

// hold applies a stop that waits, after the outcome or for want of it.
func (t *Terminator) hold(h *heldStop, answered <-chan struct{}) {
	timer := time.NewTimer(overtaking)
	defer timer.Stop()
	select {
	case <-answered:
	case <-timer.C:
	}
	t.release(h)
}

// release applies a stop that was held back, unless that is done.
func (t *Terminator) release(h *heldStop) {
	t.mu.Lock()
	i := slices.Index(t.held, h)
	if i >= 0 {
		t.held = slices.Delete(t.held, i, i+1)
	}
	t.mu.Unlock()
	if i < 0 {
		return
	}
	if err := t.table.Apply(h.event, h.done); err != nil {
		h.done(err)
	}
}

// Accepting is nil if Apply would take an event now, else why not.
func (t *Terminator) Accepting() error { return t.table.journal.Accepting() }
