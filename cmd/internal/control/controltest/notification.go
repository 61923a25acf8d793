package controltest

import (
	"context"
	"fmt"

	"aaasess/cmd/internal/api"
	"aaasess/cmd/internal/control"
)

// TestNotification returns a [control.TestNotification] of targets with these outcomes, in their order.
// An outcome of [api.NotificationWaiting] comes when the context is done.
func TestNotification(outcomes ...api.NotificationOutcome) control.TestNotification {
	return func(ctx context.Context, target string) (<-chan api.NotificationOutcome, error) {
		var chosen []api.NotificationOutcome
		for _, o := range outcomes {
			if target == "" || target == o.Target {
				chosen = append(chosen, o)
			}
		}
		switch {
		case len(outcomes) == 0:
			return nil, control.ErrNoTargets
		case len(chosen) == 0:
			return nil, fmt.Errorf("target %q: %w", target, control.ErrNoTarget)
		}
		out := make(chan api.NotificationOutcome, len(chosen))
		go func() {
			defer close(out)
			for _, o := range chosen {
				if o.Outcome == api.NotificationWaiting {
					<-ctx.Done()
				}
				out <- o
			}
		}()
		return out, nil
	}
}
