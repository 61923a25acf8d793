package radius

import (
	"fmt"
	"testing"
	"time"
)

func sprint(format string, a ...any) string { return fmt.Sprintf(format, a...) }

// at is a moment so many seconds after the tests' epoch.
func at(seconds int) time.Time { return time.Unix(1_700_000_000+int64(seconds), 0) }

func TestServerState(t *testing.T) {
	const holdDown = 30 * time.Second
	for _, tc := range []struct {
		name      string
		do        func(s *serverState) bool
		changed   bool
		downUntil int // the first second when it is up again, 0: it is up
	}{
		{"new", func(*serverState) bool { return false }, false, 0},
		{"answered", func(s *serverState) bool { return s.answered(at(1)) }, false, 0},
		{"failed", func(s *serverState) bool { return s.failed(at(0), at(20), holdDown) }, true, 50},
		{"failed again while down", func(s *serverState) bool {
			s.failed(at(0), at(20), holdDown)
			return s.failed(at(3), at(23), holdDown)
		}, false, 53},
		{"failed again after the hold-down", func(s *serverState) bool {
			s.failed(at(0), at(20), holdDown)
			return s.failed(at(51), at(71), holdDown)
		}, true, 101},
		{"answers others", func(s *serverState) bool {
			s.answered(at(5))
			return s.failed(at(0), at(20), holdDown)
		}, false, 0},
		{"answered in the moment of sending", func(s *serverState) bool {
			s.answered(at(5))
			return s.failed(at(5), at(25), holdDown)
		}, false, 0},
		{"answered before", func(s *serverState) bool {
			s.answered(at(5))
			return s.failed(at(6), at(26), holdDown)
		}, true, 56},
		{"comes back", func(s *serverState) bool {
			s.failed(at(0), at(20), holdDown)
			return s.answered(at(21))
		}, true, 0},
		{"comes back after the hold-down", func(s *serverState) bool {
			s.failed(at(0), at(20), holdDown)
			return s.answered(at(50))
		}, false, 0},
		{"no hold-down", func(s *serverState) bool { return s.failed(at(0), at(20), 0) }, false, 0},
	} {
		t.Run(tc.name, func(t *testing.T) {
			var s serverState
			if got := tc.do(&s); got != tc.changed {
				t.Errorf("changed = %v, want %v", got, tc.changed)
			}
			if tc.downUntil == 0 {
				if s.down(at(0)) || s.down(at(1000)) {
					t.Errorf("down until %v, want up", s.downUntil)
				}
				return
			}
			if !s.down(at(tc.downUntil-1)) || s.down(at(tc.downUntil)) {
				t.Errorf("down until %v, want %v", s.downUntil, at(tc.downUntil))
			}
		})
	}
}

func TestChoose(t *testing.T) {
	up, down := serverState{}, serverState{downUntil: at(10)}
	for _, tc := range []struct {
		name    string
		servers []serverState
		tried   uint64
		now     int
		want    int
	}{
		{"first", []serverState{up, up, up}, 0, 0, 0},
		{"next in order", []serverState{up, up, up}, 0b001, 0, 1},
		{"last", []serverState{up, up, up}, 0b011, 0, 2},
		{"over", []serverState{up, up, up}, 0b111, 0, none},
		{"first is down", []serverState{down, up, up}, 0, 0, 1},
		{"middle is down", []serverState{up, down, up}, 0b001, 0, 2},
		{"hold-down is over", []serverState{down, up, up}, 0, 10, 0},
		{"first came back after the second was tried", []serverState{up, up}, 0b10, 0, 0},
		{"all down", []serverState{down, down, down}, 0, 0, 0},
		{"all down, first was tried", []serverState{down, down, down}, 0b001, 0, 1},
		{"all down and tried", []serverState{down, down}, 0b11, 0, none},
		{"what is left is down", []serverState{down, up}, 0b10, 0, none},
		{"one", []serverState{up}, 0, 0, 0},
		{"one, down", []serverState{down}, 0, 0, 0},
		{"the 64th", make([]serverState, 64), 1<<63 - 1, 0, 63},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if got := choose(tc.servers, tc.tried, at(tc.now)); got != tc.want {
				t.Errorf("got %d, want %d", got, tc.want)
			}
		})
	}
}
