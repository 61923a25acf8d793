package accounting

import (
	"slices"
	"testing"
	"time"
)

func TestRetryWait(t *testing.T) {
	var got []time.Duration
	for n := range 9 {
		got = append(got, retryWait(n, time.Second, time.Minute)/time.Second)
	}
	if want := []time.Duration{1, 1, 2, 4, 8, 16, 32, 60, 60}; !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
	if got := retryWait(1<<40, time.Second, time.Minute); got != time.Minute {
		t.Errorf("after ever so many failures: %v", got)
	}
	if got := retryWait(1, time.Minute, time.Second); got != time.Second {
		t.Errorf("the upper bound holds: %v", got)
	}
}

// at is a moment some seconds after an arbitrary one.
func at(seconds int) time.Time { return time.Unix(1_000_000+int64(seconds), 0) }

func TestHealthWindowOpens(t *testing.T) {
	h := health{window: 1}
	var rounds []int
	for range 6 {
		n := h.room(at(0), 0, 20)
		rounds = append(rounds, n)
		for range n {
			h.answered(20)
		}
	}
	if want := []int{1, 2, 4, 8, 16, 20}; !slices.Equal(rounds, want) {
		t.Errorf("rounds of %v, want %v", rounds, want)
	}
	if got := h.room(at(0), 15, 20); got != 5 {
		t.Errorf("room beside 15 of 20: %d", got)
	}
	if got := h.room(at(0), 15, 3); got != 0 {
		t.Errorf("room when the limit fell below what is under way: %d", got)
	}
}

func TestHealthProbes(t *testing.T) {
	h := health{window: 8}
	for range 3 { // three were under way when the server died
		h.unanswered(at(0), 0, false, time.Second, time.Minute)
	}
	if !h.isDown() || h.down != at(0) || h.failures != 1 {
		t.Fatalf("after three without an answer: %+v", h)
	}
	if got := h.room(at(0), 0, 8); got != 0 {
		t.Errorf("room at once: %d", got)
	}
	if got := h.room(at(1), 1, 8); got != 0 {
		t.Errorf("room beside one that is under way: %d", got)
	}
	now := 1
	for _, wait := range []int{2, 4, 8, 16, 32, 60, 60} {
		if got := h.room(at(now), 0, 8); got != 1 {
			t.Fatalf("room for a probe at %d s: %d", now, got)
		}
		h.unanswered(at(now), 0, true, time.Second, time.Minute)
		if got := h.room(at(now+wait-1), 0, 8); got != 0 {
			t.Errorf("room for the next probe after %d s: %d", wait-1, got)
		}
		now += wait
	}
	h.answered(8)
	if h.isDown() || h.room(at(now), 0, 8) != 2 || h.failures != 0 {
		t.Errorf("after an answer: %+v", h)
	}
}

// One record that nobody answers among many that are is its own fault.
func TestHealthOneUnanswered(t *testing.T) {
	h := health{window: 8}
	since := h.answers
	h.answered(8)
	h.unanswered(at(0), since, false, time.Second, time.Minute)
	if h.isDown() {
		t.Errorf("down, though there was an answer meanwhile: %+v", h)
	}
}

// The first record that is not answered, but whose schedule goes on, is the probe; nobody else has a
// say until that is over.
func TestHealthLater(t *testing.T) {
	h := health{window: 8, answers: 3}
	if h.later(at(0), 2, false) || h.later(at(0), 3, true) || h.isDown() {
		t.Fatalf("down, though others were answered, or the record is known for it: %+v", h)
	}
	if !h.later(at(0), 3, false) || !h.isDown() || h.over || h.down != at(0) || !h.ailing {
		t.Fatalf("after the first: %+v", h)
	}
	if h.later(at(1), 3, false) {
		t.Error("there is a second probe")
	}
	h.unanswered(at(1), 3, false, time.Second, time.Minute)
	if h.over || h.failures != 0 {
		t.Errorf("another record ended the schedule of the probe: %+v", h)
	}
	h.scheduleOver(at(100), time.Second, time.Minute)
	if !h.over || h.failures != 1 || h.probeAt != at(101) || h.down != at(0) {
		t.Errorf("after the schedule: %+v", h)
	}
	if h.later(at(100), 3, false) || !h.later(at(101), 3, true) {
		t.Errorf("the next probe is the one that is sent when it is due: %+v", h)
	}
	h.answered(8)
	if h.isDown() || h.over || h.failures != 0 {
		t.Errorf("after an answer: %+v", h)
	}
}
