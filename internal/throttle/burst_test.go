package throttle

import (
	"testing"
	"time"
)

// TestBurst: so many lines a second, and the next one has the number of those left out. A clock that
// is set back does not silence it.
func TestBurst(t *testing.T) {
	noon := time.Date(2001, 6, 27, 12, 0, 0, 0, time.UTC)
	b := Burst{PerSecond: 2}
	for _, tt := range []struct {
		after      time.Duration
		ok         bool
		suppressed int
	}{
		{0, true, 0},
		{0, true, 0},
		{time.Millisecond, false, 0},
		{999 * time.Millisecond, false, 0},
		{time.Second, true, 2},
		{-time.Hour, true, 0},
		{-time.Hour, true, 0},
		{-time.Hour, false, 0},
	} {
		if suppressed, ok := b.Allow(noon.Add(tt.after)); ok != tt.ok || suppressed != tt.suppressed {
			t.Errorf("after %v: %d, %v, want %d, %v", tt.after, suppressed, ok, tt.suppressed, tt.ok)
		}
	}
}
