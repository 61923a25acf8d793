package sessions

import (
	"testing"
	"time"
)

// TestStamp: Sub undoes Add, and Stamps order as time does, also before 1970.
func TestStamp(t *testing.T) {
	base := stampOf(time.Date(2001, 6, 27, 4, 45, 0, 5, time.UTC))
	tests := []struct {
		d       time.Duration
		seconds uint32
	}{
		{0, 993617100}, {-5, 993617100}, {-6, 993617099}, {time.Hour, 993620700}, {-993617100*time.Second - 5, 0},
	}
	for _, tt := range tests {
		s := base.Add(tt.d)
		if s.Sub(base) != tt.d || (s < base) != (tt.d < 0) {
			t.Errorf("%v later: %v, %v before", tt.d, s.Sub(base), s < base)
		}
		if got := s.seconds(); got != tt.seconds || stampOfSeconds(got) > s || s.Sub(stampOfSeconds(got)) >= time.Second {
			t.Errorf("%v later: %d seconds since 1970, want %d", tt.d, got, tt.seconds)
		}
		if s.IsZero() != (tt.seconds == 0) {
			t.Errorf("%v later: IsZero %v", tt.d, s.IsZero())
		}
	}
	if before := Stamp(0).Add(-time.Hour); before >= 0 || before.Sub(0) != -time.Hour {
		t.Errorf("an hour before 1970: %d", before)
	}
}
