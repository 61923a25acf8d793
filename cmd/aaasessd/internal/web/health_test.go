package web

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
)

func get(h http.Handler) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/", nil))
	return w
}

func TestReadiness(t *testing.T) {
	for _, tt := range []struct {
		name               string
		notReady, degraded []string
		code               int
		body               string
	}{
		{"all is well", nil, nil, 200, "ok\n"},
		{"a server is dead", nil, []string{"no server answers", "set-aside records: 1"}, 200, "ok\ndegraded: no server answers\ndegraded: set-aside records: 1\n"},
		{"two tasks are not ready", []string{"not ready yet: a", "not ready yet: b"}, []string{"c"}, 503, "not ready yet: a\nnot ready yet: b\ndegraded: c\n"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w := get(Readiness(func() []string { return tt.notReady }, func() []string { return tt.degraded }))
			if w.Code != tt.code || w.Body.String() != tt.body {
				t.Errorf("%d %q", w.Code, w.Body)
			}
		})
	}
}

// TestReadinessHangs: if the reasons cannot be had because a lock is not free, all requests get 503 after
// the timeout, and one goroutine waits.
func TestReadinessHangs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		lock, asked := make(chan struct{}), atomic.Int64{}
		h := Readiness(func() []string { asked.Add(1); return nil }, func() []string { <-lock; return []string{"a"} })
		var wait sync.WaitGroup
		for range 100 {
			wait.Go(func() {
				if w := get(h); w.Code != http.StatusServiceUnavailable || w.Body.String() != hangs+"\n" {
					t.Errorf("%d %q", w.Code, w.Body)
				}
			})
		}
		wait.Wait()
		if n := asked.Load(); n != 1 {
			t.Errorf("%d checks", n)
		}
		close(lock)
		synctest.Wait()
		if w := get(h); w.Code != http.StatusOK || w.Body.String() != "ok\ndegraded: a\n" {
			t.Errorf("after that: %d %q", w.Code, w.Body)
		}
	})
}

// TestNotAlive: what a check finds is the answer.
func TestNotAlive(t *testing.T) {
	w := get(Liveness(func() error { return errors.New("it waits") }))
	if w.Code != http.StatusServiceUnavailable || w.Body.String() != "the daemon hangs: it waits\n" {
		t.Errorf("%d %q", w.Code, w.Body)
	}
}

// TestLiveness: while a lock is not free, all requests get 503 after the timeout, and one goroutine
// waits for it. Once it is free, they get 200.
func TestLiveness(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		lock := make(chan struct{}, 1) // a channel, because synctest knows when one blocks
		var checks atomic.Int64
		h := Liveness(func() error {
			checks.Add(1)
			lock <- struct{}{}
			<-lock
			return nil
		})
		if w := get(h); w.Code != http.StatusOK || w.Body.String() != "ok\n" {
			t.Errorf("%d %q", w.Code, w.Body)
		}
		lock <- struct{}{}
		var wait sync.WaitGroup
		for range 100 {
			wait.Go(func() {
				if w := get(h); w.Code != http.StatusServiceUnavailable {
					t.Errorf("a daemon that hangs: %d", w.Code)
				}
			})
		}
		wait.Wait()
		if n := checks.Load(); n != 2 {
			t.Errorf("%d checks", n)
		}
		<-lock
		synctest.Wait()
		if w := get(h); w.Code != http.StatusOK {
			t.Errorf("after that: %d", w.Code)
		}
	})
}

// TestLimited: requests beyond the limit are refused, and a slot is free again after its request.
func TestLimited(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		goOn := make(chan struct{})
		h := Limited(2, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { <-goOn }))
		var wait sync.WaitGroup
		for range 2 {
			wait.Go(func() { get(h) })
		}
		synctest.Wait()
		if w := get(h); w.Code != http.StatusServiceUnavailable || w.Header().Get("Retry-After") == "" {
			t.Errorf("%d %v", w.Code, w.Header())
		}
		close(goOn)
		wait.Wait()
		if w := get(h); w.Code != http.StatusOK {
			t.Errorf("after that: %d", w.Code)
		}
	})
}
