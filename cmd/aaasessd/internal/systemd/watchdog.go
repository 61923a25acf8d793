package systemd

import (
	"context"
	"time"
)

// Watchdog sends signs of life while its probes return.
type Watchdog struct {
	// Within is the time within which the manager wants a sign of life.
	Within time.Duration
	// Probe returns nil if the process works. It may block for ever in a process that does not; it
	// is called again only after it has returned.
	Probe func() error
	// Alive sends the sign of life.
	Alive func() error
	// Failed is called with an error of Probe or Alive, and with ErrNoReturn for each time that
	// Probe has not returned.
	Failed func(error)
}

// Run probes the process and sends signs of life, two in the wanted time (sd_watchdog_enabled(3)),
// until ctx is done. It does not wait for a probe that blocks.
func (w *Watchdog) Run(ctx context.Context) error {
	tick := time.NewTicker(w.Within / 2)
	defer tick.Stop()
	returned := make(chan error, 1)
	probing := false
	for {
		if probing {
			w.Failed(ErrNoReturn)
		} else {
			probing = true
			go func() { returned <- w.Probe() }()
		}
	wait:
		for {
			select {
			case <-ctx.Done():
				return nil
			case <-tick.C:
				break wait
			case err := <-returned:
				probing = false
				if err == nil {
					err = w.Alive()
				}
				if err != nil {
					w.Failed(err)
				}
			}
		}
	}
}
