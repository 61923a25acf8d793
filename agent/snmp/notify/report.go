package notify

import (
	"log/slog"
	"sync"
	"time"

	"aaasess/internal/throttle"
)

// report is a target's errors: the last one for Stats, and lines now and then for the log: that there is
// a problem, and that it is over.
type report struct {
	log *slog.Logger

	mu         sync.Mutex // guards what follows; not held while logging
	last       error
	at         time.Time
	problems   throttle.Line
	unlogged   error // for the next line of a problem
	suppressed int   // errors without line before it

	away   time.Time     // when the first error came that shows that the target does not work; zero: it works
	warned bool          // the log has a line of that, or of another outage whose end it does not have
	over   bool          // the line that it works again is to be written
	took   time.Duration // how long it had not worked then
	again  throttle.Line // that line
}

// fail notes an error. It does not log: callers of Notify do not wait for that.
func (r *report) fail(err error, now time.Time) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.last, r.at = err, now
	if r.away.IsZero() && !ofOne(err) {
		r.away = now
		r.warned, r.over = r.over, false // a line that had to wait would not be true any more
	}
	suppressed, ok := r.problems.Allow(now)
	if !ok {
		return
	}
	r.unlogged, r.suppressed = err, suppressed
	r.warned = r.warned || !r.away.IsZero()
}

// worked notes that the target has taken a notification. It does not log.
func (r *report) worked(now time.Time) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.warned {
		r.over, r.took = true, now.Sub(r.away)
	}
	r.away, r.warned = time.Time{}, false
}

// isAway reports whether the target did not work when it was last heard of.
func (r *report) isAway() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return !r.away.IsZero()
}

// due is when flush has a line to write that had to wait; zero: there is none.
func (r *report) due() time.Time {
	r.mu.Lock()
	defer r.mu.Unlock()
	if !r.over {
		return time.Time{}
	}
	return r.again.Next()
}

// flush writes the lines that are due.
func (r *report) flush(now time.Time) {
	r.mu.Lock()
	err, suppressed := r.unlogged, r.suppressed
	r.unlogged = nil
	over, took := r.over, r.took
	if over {
		_, over = r.again.Allow(now)
		r.over = !over
	}
	r.mu.Unlock()
	if err != nil {
		r.log.Warn("notify: target has a problem", "err", err, "suppressed", suppressed)
	}
	if over {
		r.log.Info("notify: target works again", "away", took.Round(time.Millisecond))
	}
}

// lastError gives the last error, nil if there was none, and when it came up.
func (r *report) lastError() (at time.Time, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.at, r.last
}
