package termination

import (
	"fmt"
	"testing"
	"time"

	"aaasess/internal/radius"
	"aaasess/sessions"
)

// TestWindow: a window grows with quick answers, and goes back to its beginning after a slow one or
// none.
func TestWindow(t *testing.T) {
	nas := sessions.NAS{Identifier: "a"}
	attempts := func(w *windows, n int, how speed) {
		for range n {
			w.started(nas)
			w.finished(nas, how, false)
		}
	}
	for _, tt := range []struct {
		name string
		max  int
		do   func(w *windows)
		want int // attempts that start then
	}{
		{"at first", 32, func(*windows) {}, 8},
		{"a small limit", 3, func(*windows) {}, 3},
		{"a small limit, after quick answers", 3, func(w *windows) { attempts(w, 5, quick) }, 3},
		{"after quick answers", 32, func(w *windows) { attempts(w, 5, quick) }, 13},
		{"at its limit", 32, func(w *windows) { attempts(w, 50, quick) }, 32},
		{"sessions that ended show nothing", 32, func(w *windows) { attempts(w, 5, quick); attempts(w, 9, unknown) }, 13},
		{"after a slow answer", 32, func(w *windows) { attempts(w, 50, quick); attempts(w, 1, slow) }, 8},
		{"and again after quick ones", 32, func(w *windows) { attempts(w, 50, slow); attempts(w, 1, quick) }, 9},
		{"attempts are under way", 32, func(w *windows) {
			attempts(w, 2, quick)
			w.started(nas)
			w.started(nas)
		}, 8},
		{"more than its places are under way", 32, func(w *windows) {
			attempts(w, 9, quick)
			for range 17 {
				w.started(nas)
			}
			w.finished(nas, slow, false)
		}, 0},
		{"forgotten", 32, func(w *windows) {
			attempts(w, 9, quick)
			w.started(nas)
			w.finished(nas, quick, true)
		}, 8},
		{"not forgotten while an attempt is under way", 32, func(w *windows) {
			attempts(w, 9, quick)
			w.started(nas)
			w.started(nas)
			w.finished(nas, unknown, true)
		}, 16},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w := &windows{max: tt.max, byNAS: map[sessions.NAS]*window{}}
			tt.do(w)
			n := 0
			for ; w.hasPlace(nas); n++ {
				w.started(nas)
			}
			if n != tt.want {
				t.Errorf("%d attempts start, want %d", n, tt.want)
			}
			if !w.hasPlace(sessions.NAS{Identifier: "b"}) {
				t.Error("another NAS has no place")
			}
		})
	}
}

func TestSpeedOf(t *testing.T) {
	for _, tt := range []struct {
		name string
		out  Outcome
		took time.Duration
		want speed
	}{
		{"ACK", Outcome{Answer: ACK}, time.Millisecond, quick},
		{"NAK", Outcome{Answer: NAK, ErrorCause: radius.SessionContextNotFound}, quickAnswer, quick},
		{"a late ACK", Outcome{Answer: ACK}, quickAnswer + 1, slow},
		{"silence", Outcome{}, 9 * time.Second, slow},
		{"a closed port", Outcome{Err: ErrPortUnreachable}, time.Millisecond, slow},
		{"the session has ended", Outcome{Err: fmt.Errorf("given up: %w", ErrSessionEnded)}, 9 * time.Second, unknown},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := speedOf(tt.out, tt.took); got != tt.want {
				t.Errorf("%d, want %d", got, tt.want)
			}
		})
	}
}
