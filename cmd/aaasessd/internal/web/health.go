package web

import (
	"fmt"
	"net/http"
	"strings"
	"sync"
	"time"
)

// Readiness returns a handler that answers 503 with what notReady returns, if that is anything, else 200.
// The reasons of degraded are listed too, but do not change the status: a NAS must not be sent elsewhere
// because a server behind this daemon is dead.
func Readiness(notReady, degraded func() []string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/plain; charset=utf-8")
		faults := notReady()
		if len(faults) > 0 {
			w.WriteHeader(http.StatusServiceUnavailable)
		} else {
			faults = []string{"ok"}
		}
		fmt.Fprintln(w, strings.Join(faults, "\n"))
		for _, reason := range degraded() {
			fmt.Fprintln(w, "degraded:", reason)
		}
	})
}

// livenessTimeout is how long a check of [Liveness] may take.
const livenessTimeout = 5 * time.Second

// Liveness returns a handler that answers 200 if check returns, else 503. check takes the locks of the
// daemon, none of which is held over I/O.
func Liveness(check func()) http.Handler { return &liveness{check: check} }

// liveness runs one check for all requests that wait, so that a daemon that hangs has one goroutine that
// waits for it.
type liveness struct {
	check func()

	mu      sync.Mutex
	running chan struct{} // closed when the check that runs has ended; nil: none runs
}

// ended returns a channel that is closed when a check has ended.
func (l *liveness) ended() <-chan struct{} {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.running == nil {
		done := make(chan struct{})
		l.running = done
		go func() {
			defer close(done)
			l.check()
			l.mu.Lock()
			defer l.mu.Unlock()
			l.running = nil
		}()
	}
	return l.running
}

// ServeHTTP implements http.Handler.
func (l *liveness) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	late := time.NewTimer(livenessTimeout)
	defer late.Stop()
	select {
	case <-l.ended():
		w.Header().Set("Content-Type", "text/plain; charset=utf-8")
		fmt.Fprintln(w, "ok")
	case <-late.C:
		http.Error(w, fmt.Sprintf("the daemon hangs: a lock is not free since %v", livenessTimeout), http.StatusServiceUnavailable)
	case <-r.Context().Done():
	}
}
