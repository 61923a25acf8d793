package control

import (
	"context"
	"sync"

	"aaasess/sessions"
)

// Outcomes is a [sessions.Disconnector] that passes all to another one, and keeps the outcomes of
// those sessions for which a request waits: the terminator forgets a session when it is gone.
type Outcomes struct {
	nas sessions.Disconnector

	mu      sync.Mutex
	awaited map[sessions.ID]*outcome
}

type outcome struct {
	requests int // that wait for it
	attempts int
	last     sessions.Outcome
}

// NewOutcomes makes the Disconnector to give to a [sessions.Terminator].
func NewOutcomes(nas sessions.Disconnector) *Outcomes {
	return &Outcomes{nas: nas, awaited: map[sessions.ID]*outcome{}}
}

// Disconnect implements sessions.Disconnector.
func (o *Outcomes) Disconnect(ctx context.Context, s *sessions.Attempt) sessions.Outcome {
	out := o.nas.Disconnect(ctx, s)
	o.mu.Lock()
	defer o.mu.Unlock()
	if a := o.awaited[s.ID]; a != nil {
		a.attempts++
		a.last = out
	}
	return out
}

// await keeps the outcomes of some sessions until release is called.
func (o *Outcomes) await(ids []sessions.ID) (release func()) {
	o.mu.Lock()
	defer o.mu.Unlock()
	for _, id := range ids {
		a := o.awaited[id]
		if a == nil {
			a = &outcome{}
			o.awaited[id] = a
		}
		a.requests++
	}
	return func() {
		o.mu.Lock()
		defer o.mu.Unlock()
		for _, id := range ids {
			if a := o.awaited[id]; a.requests > 1 {
				a.requests--
			} else {
				delete(o.awaited, id)
			}
		}
	}
}

// last is the newest outcome of a session and how many there were; none if nobody keeps them.
func (o *Outcomes) last(id sessions.ID) (sessions.Outcome, int) {
	if o == nil {
		return sessions.Outcome{}, 0
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	if a := o.awaited[id]; a != nil {
		return a.last, a.attempts
	}
	return sessions.Outcome{}, 0
}
