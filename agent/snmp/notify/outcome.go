package notify

import (
	"fmt"
	"time"

	"aaasess/mib"
)

// Outcome is what has become of a notification at one target.
type Outcome struct {
	// Took is the time from NotifyWatched until the trap was sent, until the inform was acknowledged, or
	// until it had failed. It includes the time in the queue.
	Took time.Duration
	// Err is nil if the trap was sent, which says nothing of its arrival, or if the inform was
	// acknowledged. Otherwise it wraps [ErrQueueFull], [ErrTooLarge], [ErrNotInView], [ErrNoResponse],
	// [ErrNotSent] or [ErrStopped], or is a *[RefusedError].
	Err error
}

// Delivery is a notification on its way to one target.
type Delivery struct {
	Target  string         // its name
	Inform  bool           // sent as an inform, otherwise as a trap
	Outcome <-chan Outcome // gets one value, for as long as the Notifier runs; nobody needs to receive it
}

// NotifyWatched is like [Notifier.Notify], and lets the caller wait for the outcome at each target. The
// notification goes to the target with that name, or to all if the name is "". It takes its turn
// behind those that wait already. It never blocks. Deliveries are in the order of the targets; there is
// none if no target is configured. The error is [ErrNoTarget] or [ErrStopped], or says that the
// notification is invalid. Then nothing was queued.
func (n *Notifier) NotifyWatched(target string, trap mib.OID, vbs ...mib.Varbind) ([]Delivery, error) {
	note, err := n.encode(trap, vbs)
	if err != nil {
		return nil, err
	}
	senders, err := n.current()
	if err != nil {
		return nil, err
	}
	now := time.Now()
	var out []Delivery
	for _, s := range senders {
		if target != "" && s.receiver.Name != target {
			continue
		}
		outcome := make(chan Outcome, 1)
		watched := &notification{varbinds: note.varbinds, oids: note.oids, begun: now, outcome: outcome}
		if err := s.offer(watched, now); err != nil {
			watched.end(err, now)
		}
		out = append(out, Delivery{Target: s.receiver.Name, Inform: s.receiver.Inform, Outcome: outcome})
	}
	if len(out) == 0 && target != "" {
		return nil, fmt.Errorf("notify: target %q: %w", target, ErrNoTarget)
	}
	return out, nil
}
