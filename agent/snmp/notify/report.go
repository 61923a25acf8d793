package notify

import (
	"log/slog"
	"sync"
	"time"
)

// quiet is how long a target says nothing more after a line in the log.
const quiet = time.Minute

// report is a target's errors: the last one for Stats, and a line now and then for the log.
type report struct {
	log *slog.Logger

	mu         sync.Mutex // guards what follows; not held while logging
	last       error
	at         time.Time
	unlogged   error     // for the next line
	logged     time.Time // when the last line was due; zero: there was none
	suppressed int       // errors without line since then
}

// fail notes an error. It does not log: callers of Notify do not wait for that.
func (r *report) fail(err error, now time.Time) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.last, r.at = err, now
	if !r.logged.IsZero() && now.Sub(r.logged) < quiet {
		r.suppressed++
		return
	}
	r.unlogged, r.logged = err, now
}

// flush writes the line that is due, if one is.
func (r *report) flush() {
	r.mu.Lock()
	err, suppressed := r.unlogged, r.suppressed
	if err != nil {
		r.unlogged, r.suppressed = nil, 0
	}
	r.mu.Unlock()
	if err != nil {
		r.log.Warn("notify: target has a problem", "err", err, "suppressed", suppressed)
	}
}

// lastError gives the last error, nil if there was none, and when it came up.
func (r *report) lastError() (at time.Time, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.at, r.last
}
