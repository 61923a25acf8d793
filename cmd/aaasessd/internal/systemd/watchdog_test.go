package systemd

import (
	"context"
	"errors"
	"slices"
	"testing"
	"testing/synctest"
	"time"
)

// TestWatchdog: signs of life are sent twice in the wanted time, as long as probes return without
// an error.
func TestWatchdog(t *testing.T) {
	const s = time.Second
	bad := errors.New("it hangs")
	for name, tt := range map[string]struct {
		takes  func(n int) time.Duration // probe n, from 0
		result func(n int) error
		alive  []time.Duration // expected times
		failed []error
	}{
		"all is well":     {alive: []time.Duration{0, 30 * s, 60 * s, 90 * s}},
		"a slow probe":    {takes: func(int) time.Duration { return 29 * s }, alive: []time.Duration{29 * s, 59 * s, 89 * s}},
		"a probe blocks":  {takes: func(n int) time.Duration { return time.Duration(n) * time.Hour }, alive: []time.Duration{0}, failed: []error{ErrNoReturn, ErrNoReturn}},
		"a probe is late": {takes: func(n int) time.Duration { return []time.Duration{40 * s, 0, 0}[n] }, alive: []time.Duration{40 * s, 60 * s, 90 * s}, failed: []error{ErrNoReturn}},
		"an error once": {result: func(n int) error {
			if n == 1 {
				return bad
			}
			return nil
		}, alive: []time.Duration{0, 60 * s, 90 * s}, failed: []error{bad}},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				began, n := time.Now(), -1
				var alive []time.Duration
				var failed []error
				w := &Watchdog{
					Within: time.Minute,
					Probe: func() error {
						n++
						if tt.takes != nil {
							time.Sleep(tt.takes(n))
						}
						if tt.result != nil {
							return tt.result(n)
						}
						return nil
					},
					Alive: func() error {
						alive = append(alive, time.Since(began))
						return nil
					},
					Failed: func(err error) { failed = append(failed, err) },
				}
				ctx, cancel := context.WithTimeout(t.Context(), 100*time.Second)
				defer cancel()
				if err := w.Run(ctx); err != nil {
					t.Error(err)
				}
				if !slices.Equal(alive, tt.alive) || !slices.Equal(failed, tt.failed) {
					t.Errorf("signs of life %v, errors %v, want %v and %v", alive, failed, tt.alive, tt.failed)
				}
				time.Sleep(2 * time.Hour) // the blocked probe returns
			})
		})
	}
}
