package notify

import (
	"log/slog"
	"sync"
	"time"

	"aaasess/internal/throttle"
)

// report has a target's errors: the last one for Stats, and the rate-limited log lines about the
// start and the end of a problem.
type report struct {
	log *slog.Logger

	mu         sync.Mutex // guards the fields below; not held while logging
	last       error
	at         time.Time
	problems   throttle.Line
	unlogged   error // for the next line about a problem
	suppressed int   // errors without a line before it

	failingSince    time.Time     // first error by which the target does not work; zero: it works
	warned          bool          // this outage is logged, or an earlier one whose end is not logged
	recoveryPending bool          // the line that it works again is pending
	outage          time.Duration // how long that outage lasted
	recoveries      throttle.Line // the line that it works again
}

// fail records an error. It does not log, because callers of Notify must not wait for the log.
func (r *report) fail(err error, now time.Time) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.last, r.at = err, now
	if r.failingSince.IsZero() && !ofOneNotification(err) {
		r.failingSince = now
		r.warned, r.recoveryPending = r.recoveryPending, false // a pending line would not be true any more
	}
	suppressed, ok := r.problems.Allow(now)
	if !ok {
		return
	}
	r.unlogged, r.suppressed = err, suppressed
	r.warned = r.warned || !r.failingSince.IsZero()
}

// recovered records that the target has accepted a notification. It does not log.
func (r *report) recovered(now time.Time) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.warned {
		r.recoveryPending, r.outage = true, now.Sub(r.failingSince)
	}
	r.failingSince, r.warned = time.Time{}, false
}

// isFailing reports whether the target did not work when it was last used.
func (r *report) isFailing() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return !r.failingSince.IsZero()
}

// due returns the time when flush has a pending line to write; zero means none.
func (r *report) due() time.Time {
	r.mu.Lock()
	defer r.mu.Unlock()
	if !r.recoveryPending {
		return time.Time{}
	}
	return r.recoveries.Next()
}

// flush writes the lines that are due.
func (r *report) flush(now time.Time) {
	r.mu.Lock()
	err, suppressed := r.unlogged, r.suppressed
	r.unlogged = nil
	over, took := r.recoveryPending, r.outage
	if over {
		_, over = r.recoveries.Allow(now)
		r.recoveryPending = !over
	}
	r.mu.Unlock()
	if err != nil {
		r.log.Warn("notify: target has a problem", "err", err, "suppressed", suppressed)
	}
	if over {
		r.log.Info("notify: target works again", "away", took.Round(time.Millisecond))
	}
}

// lastError returns the last error, or nil, and its time.
func (r *report) lastError() (at time.Time, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.at, r.last
}
