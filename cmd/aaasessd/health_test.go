package main

import (
	"testing"
	"time"

	"aaasess/store"
)

// TestCallbacks: only callbacks of one batch that run for two probes are a reason.
func TestCallbacks(t *testing.T) {
	type look struct {
		durable, finished uint64
		hang              bool
	}
	for name, looks := range map[string][]look{
		"idle":              {{0, 0, false}, {0, 0, false}, {7, 7, false}, {7, 7, false}},
		"busy":              {{5, 4, false}, {9, 8, false}, {20, 18, false}},
		"blocked":           {{5, 4, false}, {6, 4, true}, {6, 4, true}},
		"blocked, then not": {{5, 4, false}, {6, 4, true}, {6, 6, false}, {7, 6, false}, {7, 7, false}},
		"a slow disk":       {{5, 5, false}, {5, 5, false}, {5, 5, false}},
	} {
		var c callbacks
		for i, l := range looks {
			if got := c.hang(l.durable, l.finished, time.Now(), 0); got != l.hang {
				t.Errorf("%s: look %d: %v, want %v", name, i, got, l.hang)
			}
		}
	}
}

// TestPatience: callbacks are a reason once the same batch was seen for long enough, however often that
// is looked at.
func TestPatience(t *testing.T) {
	var c callbacks
	begin := time.Now()
	for _, l := range []struct {
		after    time.Duration
		finished uint64
		hang     bool
	}{
		{0, 4, false},
		{time.Millisecond, 4, false},
		{4 * time.Second, 4, false},
		{5 * time.Second, 4, true},
		{6 * time.Second, 4, true},
		{7 * time.Second, 5, false}, // the next batch
		{11 * time.Second, 5, false},
		{12 * time.Second, 5, true},
		{13 * time.Second, 9, false},
	} {
		if got := c.hang(9, l.finished, begin.Add(l.after), 5*time.Second); got != l.hang {
			t.Errorf("after %v: %v, want %v", l.after, got, l.hang)
		}
	}
}

// TestProbe: a daemon that works passes, and one whose callback blocks does not.
func TestProbe(t *testing.T) {
	l := launch(t, plainConfig, environment{})
	h := &health{daemon: l.d}
	for range 3 {
		l.mustAccount(packet(acctStart, "S1", "alice"))
		if err := h.probe(); err != nil {
			t.Error(err)
		}
	}
	blocked, release := make(chan struct{}), make(chan struct{})
	l.d.store.Commit(store.Change{}, func(error) {
		close(blocked)
		<-release
	})
	<-blocked
	first, second := h.probe(), h.probe()
	close(release)
	if first != nil || second == nil {
		t.Errorf("%v, then %v, want no error and then one", first, second)
	}
	eventually(t, "the daemon works again", func() bool { return h.probe() == nil })
}
