package delivery

import (
	"slices"
	"testing"
	"time"

	"aaasess/internal/retry"
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
		t.Errorf("after many failures: %v", got)
	}
	if got := retryWait(1, time.Minute, time.Second); got != time.Second {
		t.Errorf("the upper bound holds: %v", got)
	}
}

// at returns a time some seconds after an arbitrary one.
func at(seconds int) time.Time { return time.Unix(1_000_000+int64(seconds), 0) }

func TestHealthWindowOpens(t *testing.T) {
	h := health{window: 1}
	var rounds []int
	for range 6 {
		n := h.window
		rounds = append(rounds, n)
		for range n {
			h.answered(20)
		}
	}
	if want := []int{1, 2, 4, 8, 16, 20}; !slices.Equal(rounds, want) {
		t.Errorf("rounds of %v, want %v", rounds, want)
	}
	h.answered(3)
	if h.window != 3 {
		t.Errorf("window %d when the limit fell to 3", h.window)
	}
}

// Without back-off, the waits between probes double.
func TestHealthProbes(t *testing.T) {
	h := health{window: 8}
	h.markDown(at(0))
	now := 0
	for _, wait := range []int{1, 2, 4, 8, 16, 32, 60, 60} {
		h.scheduleProbe(nil, at(now), time.Second, time.Minute)
		if now += wait; h.probeAt != at(now) || h.isInSchedule() {
			t.Errorf("next probe at %v, want %v", h.probeAt, at(now))
		}
	}
	if !h.isDown() || h.down != at(0) || h.failures != 8 || !h.reopening {
		t.Errorf("after eight without an answer: %+v", h)
	}
	h.answered(8)
	if h.isDown() || h.window != 2 || h.failures != 0 {
		t.Errorf("after an answer: %+v", h)
	}
}

// With back-off, probes come at the times of its schedule, and after its end as without one.
func TestHealthBackOff(t *testing.T) {
	h := health{window: 8}
	h.markDown(at(0))
	h.scheduleProbe(&retry.Later{After: 40 * time.Second, At: retry.Progress{Transmissions: 4}}, at(20), time.Second, time.Minute)
	if h.probeAt != at(60) || h.progress.Transmissions != 4 || !h.isInSchedule() || h.failures != 0 {
		t.Errorf("in the back-off: %+v", h)
	}
	h.scheduleProbe(nil, at(65), time.Second, time.Minute)
	if h.probeAt != at(66) || h.isInSchedule() || h.failures != 1 || h.down != at(0) {
		t.Errorf("after the back-off: %+v", h)
	}
	h.scheduleProbe(&retry.Later{After: time.Hour, At: retry.Progress{Transmissions: 1}}, at(70), time.Second, time.Minute)
	h.answered(8)
	if h.isDown() || h.isInSchedule() || h.failures != 0 {
		t.Errorf("after an answer: %+v", h)
	}
}
