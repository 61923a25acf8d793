package termination

import (
	"context"
	"errors"
	"slices"
	"time"

	"aaasess/internal/radius"
	"aaasess/sessions"
)

// runningAttempt is an attempt under way. mu guards stopArrived until the attempt is finished.
type runningAttempt struct {
	job         *job
	session     *sessions.Session
	began       time.Time
	ctx         context.Context
	cancel      context.CancelCauseFunc
	stopArrived bool          // the NAS's stop has arrived and waits for the outcome
	finished    chan struct{} // closed when the outcome is known and an ACK is noted
}

// attemptResult is the result of a finished attempt.
type attemptResult struct {
	*runningAttempt
	outcome  Outcome
	memory   any
	at       time.Time     // when the attempt finished
	wait     time.Duration // until the next step, see waitAfter
	closeNow bool          // see waitAfter
}

// startAttempt prepares an attempt. If the session has ended, it forgets the job and returns nil.
func (t *Terminator) startAttempt(ctx context.Context, j *job) *runningAttempt {
	s := t.table.Row(j.id) // the view may still have a row that has ended
	if s == nil || s.State != sessions.Terminating {
		t.forget(j)
		return nil
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if j.sessionEnded { // since the row was read; if the session ends later, rowEnded finds the attempt
		return nil
	}
	a := &runningAttempt{job: j, session: s, began: t.cfg.Now(), finished: make(chan struct{})}
	a.ctx, a.cancel = context.WithCancelCause(ctx)
	t.attempts[j.id] = a
	j.Next, j.Asking = time.Time{}, true
	j.Attempts++
	return a
}

// runAttempt asks the NAS once.
func (t *Terminator) runAttempt(a *runningAttempt) attemptResult {
	attempt := &Attempt{Session: a.session, Memory: a.job.memory}
	r := attemptResult{runningAttempt: a, outcome: t.nas.Disconnect(a.ctx, attempt)}
	if r.outcome.Answer == ACK {
		t.table.Acked(a.job.id, nil)
	}
	r.memory, r.at = attempt.Memory, t.cfg.Now()
	t.finishAttempt(&r)
	return r
}

// finishAttempt notes the outcome of an attempt and tells the watchers. A stop that waits for the
// outcome is applied after that, or after maxStopDelay; in the second case watchers hear of the end
// first.
func (t *Terminator) finishAttempt(r *attemptResult) {
	t.mu.Lock()
	defer t.mu.Unlock()
	j := r.job
	if r.wait, r.closeNow = waitAfter(r.outcome, j.Attempts, t.cfg); r.stopArrived && r.outcome.Answer != ACK {
		// The stop ends the session. If it belongs to another session of that name, ask again.
		r.wait, r.closeNow = t.cfg.RetryMin, false
	}
	if !r.isCutShort() {
		j.Last, j.Asking = r.outcome, false
		j.Stuck = r.outcome.Answer != ACK && !r.closeNow && (j.Attempts >= stuckAfter || errors.Is(r.outcome.Err, ErrNoMeans))
		if !r.closeNow && !j.sessionEnded {
			j.Next = r.at.Add(r.wait)
		}
		t.publish(Event{ID: j.id, Type: AttemptFinished, Progress: j.Progress})
	}
	if t.attempts[j.id] == r.runningAttempt { // else the session was revived, and is being ended again
		delete(t.attempts, j.id)
	}
	r.cancel(nil)
	close(r.finished)
}

// isCutShort reports whether the end of the daemon has ended the attempt before the NAS answered.
// It has no outcome then: the NAS has done nothing wrong.
func (r *attemptResult) isCutShort() bool {
	return r.outcome.Answer == NoAnswer && r.ctx.Err() != nil && !errors.Is(context.Cause(r.ctx), ErrSessionEnded)
}

// settle decides what follows an attempt.
func (t *Terminator) settle(r attemptResult, waiting *jobHeap) {
	j := r.job
	j.memory = r.memory
	log := t.log(j).With("attempt", j.Attempts, "outcome", r.outcome.String())
	t.mu.Lock()
	ended := j.sessionEnded
	t.mu.Unlock()
	if ended {
		log.Info("disconnect: session ended during the attempt")
		t.forget(j)
		return
	}
	at := r.at.Add(r.wait)
	switch {
	case r.stopArrived && r.outcome.Answer != ACK:
		log.Info("disconnect: NAS sent a stop during the attempt")
		t.schedule(j, at, waiting)
	case r.closeNow:
		log.Info("disconnect: NAS does not have the session, making the stop record")
		j.stopTime = r.at
		t.closeSession(j, waiting)
	case r.outcome.Answer == ACK:
		log.Info("disconnect: NAS sent an ACK, waiting for its stop", "stop_wait", r.wait)
		j.stopTime = r.at
		t.schedule(j, at, waiting)
	default:
		if j.Stuck && !j.warned { // Stuck does not change without an attempt
			j.warned = true
			log.Warn("disconnect: session cannot be ended; see \"aaasess clear session\" if its NAS is gone", "next", r.wait)
		} else {
			log.Info("disconnect: session not ended; will retry", "next", r.wait)
		}
		t.schedule(j, at, waiting)
	}
}

// schedule makes a job due at a time.
func (t *Terminator) schedule(j *job, at time.Time, waiting *jobHeap) {
	t.mu.Lock()
	j.Next = at
	t.mu.Unlock()
	waiting.Set(j, &j.due, at)
}

// waitAfter is the policy after an attempt. It returns how long to wait before the next step.
// closeNow says that the NAS does not have the session, so it is to be closed now. attempt is the
// number of the attempt, from 1.
func waitAfter(o Outcome, attempt int, cfg Config) (wait time.Duration, closeNow bool) {
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

// closeSession ends a session with a stop record that we make. If the journal accepts nothing now,
// the session stays, and closeSession is tried again later.
func (t *Terminator) closeSession(j *job, waiting *jobHeap) {
	if err := t.table.End(j.id, sessions.CauseAdminReset, j.stopTime, nil); err != nil {
		t.log(j).Warn("disconnect: cannot make the stop record; will retry", "err", err, "next", t.cfg.RetryMin)
		t.schedule(j, t.cfg.Now().Add(t.cfg.RetryMin), waiting)
		return
	}
	t.forget(j)
}

// maxStopDelay limits how long a stop waits for the outcome of the attempt that may have caused it.
// Some NASes, hostapd among them, send the stop first and the ACK after it.
const maxStopDelay = 100 * time.Millisecond

// delayedStop is a stop that waits for the outcome of an attempt.
type delayedStop struct {
	event sessions.Event
	done  func(error)
}

// Apply applies an event to the table. Sources of events call it in place of [sessions.Table.Apply].
// If an attempt is under way for the session of a stop, the stop waits for the outcome, at most 100
// ms: after an ACK its cause is Admin-Reset (R5). Whatever the outcome, the attempt sends nothing
// more. If another event with the same Acct-Session-Id arrives meanwhile, the stop is applied before
// it.
func (t *Terminator) Apply(ev sessions.Event, done func(error)) error {
	before, isDelayed := t.delayStop(&ev, done)
	for _, d := range before {
		t.applyDelayed(d)
	}
	if isDelayed {
		return nil
	}
	return t.table.Apply(ev, done)
}

// delayStop delays an event if it is the stop of a session for which an attempt is under way. The
// attempt then sends nothing more. before has the delayed stops that must be applied before the
// event.
func (t *Terminator) delayStop(ev *sessions.Event, done func(error)) (before []*delayedStop, isDelayed bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, d := range t.delayedStops {
		if (d.event.AcctSessionID == ev.AcctSessionID || ev.AcctSessionID == "") && ev.IsFromClient(d.event.NAS.Addr) {
			before = append(before, d)
		}
	}
	if ev.Type != sessions.Stop {
		return before, false
	}
	for _, a := range t.attempts { // at most Parallel
		s := a.session
		if s.AcctSessionID() != ev.AcctSessionID {
			continue
		}
		if _, ok := ev.NAS.Matches(s.NAS); !ok || !ev.IsFromClient(s.NAS.Addr) {
			continue
		}
		a.stopArrived = true
		a.cancel(ErrSessionEnded)
		d := &delayedStop{*ev, done}
		t.delayedStops = append(t.delayedStops, d)
		go t.applyAfterOutcome(d, a.finished)
		return before, true
	}
	return before, false
}

// applyAfterOutcome applies a delayed stop when the attempt is finished, or after maxStopDelay.
func (t *Terminator) applyAfterOutcome(d *delayedStop, finished <-chan struct{}) {
	timer := time.NewTimer(maxStopDelay)
	defer timer.Stop()
	select {
	case <-finished:
	case <-timer.C:
	}
	t.applyDelayed(d)
}

// applyDelayed applies a delayed stop, unless that was done before.
func (t *Terminator) applyDelayed(d *delayedStop) {
	t.mu.Lock()
	i := slices.Index(t.delayedStops, d)
	if i >= 0 {
		t.delayedStops = slices.Delete(t.delayedStops, i, i+1)
	}
	t.mu.Unlock()
	if i < 0 {
		return
	}
	if err := t.table.Apply(d.event, d.done); err != nil {
		d.done(err)
	}
}

// Accepting returns why Apply would refuse an event now, or nil.
func (t *Terminator) Accepting() error { return t.table.Accepting() }
