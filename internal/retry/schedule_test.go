package retry

import (
	"math"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// seconds returns the times of all transmissions and of the end.
func (s Schedule) seconds() (at []int) {
	var t time.Duration
	for n := range s.Transmissions() {
		at = append(at, int(t/time.Second))
		t += s.Interval(n)
	}
	return append(at, int(t/time.Second))
}

func TestSchedule(t *testing.T) {
	// The example of S4: 35 retransmissions.
	example := []int{0, 5, 10, 15, 25, 45, 85, 165, 325, 645, 1285, 2565, 5125}
	for range 23 {
		example = append(example, example[len(example)-1]+3600)
	}
	if n := len(example) - 1; n != 35 {
		t.Fatalf("the example has %d retransmissions", n)
	}
	example = append(example, example[len(example)-1]+5)
	for _, c := range []struct {
		name string
		s    Schedule
		want []int // the last one is the end
	}{
		{"example of S4", Schedule{5 * time.Second, 3, time.Hour, 32}, example},
		{"no back-off", Schedule{5 * time.Second, 3, time.Hour, 0}, []int{0, 5, 10, 15, 20}},
		{"once", Schedule{Timeout: 7 * time.Second}, []int{0, 7}},
		{"back-off only", Schedule{time.Second, 0, time.Minute, 3}, []int{0, 2, 6, 14, 15}},
		{"the maximum is no power", Schedule{5 * time.Second, 0, 33 * time.Second, 4}, []int{0, 10, 30, 63, 96, 101}},
		{"the maximum is at once there", Schedule{5 * time.Second, 1, 6 * time.Second, 2}, []int{0, 5, 11, 17, 22}},
		{"the maximum is less than the timeout", Schedule{5 * time.Second, 1, time.Second, 2}, []int{0, 5, 10, 15, 20}},
	} {
		t.Run(c.name, func(t *testing.T) {
			if diff := cmp.Diff(c.want, c.s.seconds()); diff != "" {
				t.Errorf("seconds: want (-) and got (+):\n%s", diff)
			}
		})
	}
}

// TestScheduleBounds: intervals never decrease before the last one and stay in their bounds,
// whatever the numbers.
func TestScheduleBounds(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := Schedule{
			Timeout:      time.Duration(rapid.Int64Range(1, math.MaxInt64).Draw(t, "timeout")),
			Retransmit:   rapid.IntRange(0, 100).Draw(t, "retransmit"),
			MaxDelay:     time.Duration(rapid.Int64Range(0, math.MaxInt64).Draw(t, "max-delay")),
			BackoffRetry: rapid.IntRange(0, 100).Draw(t, "backoff-retry"),
		}
		last := s.Transmissions() - 1
		for n := range last {
			i := s.Interval(n)
			if i < s.Timeout || i > max(s.Timeout, s.MaxDelay) || n > 0 && i < s.Interval(n-1) {
				t.Fatalf("interval %d is %v", n, i)
			}
		}
		if s.Interval(last) != s.Timeout {
			t.Fatalf("the last transmission waits %v", s.Interval(last))
		}
	})
}
