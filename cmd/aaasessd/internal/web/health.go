package web

import (
	"fmt"
	"net/http"
	"strings"
	"sync"
	"time"
)

// checkTimeout is how long a check of [Readiness] or [Liveness] may take.
const checkTimeout = 5 * time.Second

// hangs is the answer if a check takes longer.
var hangs = fmt.Sprintf("the daemon hangs: a lock is not free since %v", checkTimeout)

// report is what a check of [Readiness] has found.
type report struct{ faults, degraded []string }

// Readiness returns a handler that answers 503 with what notReady returns, if that is anything, else 200.
// The reasons of degraded are listed too, but do not change the status: a NAS must not be sent elsewhere
// because a server behind this daemon is dead. If the two do not return in time, it answers 503.
func Readiness(notReady, degraded func() []string) http.Handler {
	all := &checks[report]{check: func() report { return report{notReady(), degraded()} }}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		found, ok := all.wait(w, r)
		if !ok {
			return
		}
		w.Header().Set("Content-Type", "text/plain; charset=utf-8")
		if len(found.faults) > 0 {
			w.WriteHeader(http.StatusServiceUnavailable)
		} else {
			found.faults = []string{"ok"}
		}
		fmt.Fprintln(w, strings.Join(found.faults, "\n"))
		for _, reason := range found.degraded {
			fmt.Fprintln(w, "degraded:", reason)
		}
	})
}

// Liveness returns a handler that answers 200 if check returns nil in time, else 503. check takes the
// locks of the daemon, none of which is held over I/O.
func Liveness(check func() error) http.Handler {
	all := &checks[error]{check: check}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		err, ok := all.wait(w, r)
		switch {
		case !ok:
		case err != nil:
			http.Error(w, "the daemon hangs: "+err.Error(), http.StatusServiceUnavailable)
		default:
			w.Header().Set("Content-Type", "text/plain; charset=utf-8")
			fmt.Fprintln(w, "ok")
		}
	})
}

// checks runs one check for all requests that wait, so that a daemon that hangs has one goroutine that
// waits for it.
type checks[T any] struct {
	check func() T

	mu      sync.Mutex
	running *running[T] // nil: none runs
}

// running is a check that runs.
type running[T any] struct {
	ended chan struct{}
	found T // when it has ended
}

// current returns the check that runs, or starts one.
func (c *checks[T]) current() *running[T] {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.running == nil {
		r := &running[T]{ended: make(chan struct{})}
		c.running = r
		go func() {
			defer close(r.ended)
			r.found = c.check()
			c.mu.Lock()
			defer c.mu.Unlock()
			c.running = nil
		}()
	}
	return c.running
}

// wait returns what a check has found. If the check does not return in time, it answers 503 and returns
// false; if the client goes away, it returns false.
func (c *checks[T]) wait(w http.ResponseWriter, r *http.Request) (found T, ok bool) {
	late := time.NewTimer(checkTimeout)
	defer late.Stop()
	now := c.current()
	select {
	case <-now.ended:
		return now.found, true
	case <-late.C:
		http.Error(w, hangs, http.StatusServiceUnavailable)
	case <-r.Context().Done():
	}
	return found, false
}
