package agentx

import (
	"context"
	"errors"
	"fmt"
	"time"

	"aaasess/mib"
)

// notifyQueue is how many notifications may wait, for a master or for its answer. One more is
// dropped: the newest, so that the order of the others tells what happened.
const notifyQueue = 64

// notification is a Notify on its way. Its sender waits for done; the loop sends to it once.
type notification struct {
	ctx  context.Context
	vbs  []mib.Varbind
	done chan error // room for one
}

// Notify gives a notification to the master, which sends it as a trap or inform (RFC 2741 section
// 7.1.11). The first variable is snmpTrapOID.0, or sysUpTime.0 and then snmpTrapOID.0. Notify waits
// for the master's answer, also for a master to come back. It returns nil when the master took it,
// a *[RefusedError] when it did not, [ErrQueueFull] at once when too many wait, [ErrDisconnected] when the connection was
// lost before the answer (the master may have taken it), [ErrStopped] when Run has ended, and
// ctx's error when that ends first (it may be sent still if it was written already).
func (s *Subagent) Notify(ctx context.Context, vbs []mib.Varbind) error {
	for i := range vbs {
		if len(vbs[i].Name) > mib.MaxSubIDs || len(vbs[i].Value.OID) > mib.MaxSubIDs {
			return fmt.Errorf("agentx: notify: variable %d: OID of more than %d sub-identifiers", i+1, mib.MaxSubIDs)
		}
	}
	n := &notification{ctx: ctx, vbs: vbs, done: make(chan error, 1)}
	if err := s.enqueue(n); err != nil {
		return err
	}
	select {
	case err := <-n.done:
		return err
	case <-ctx.Done():
		return fmt.Errorf("agentx: notify: %w", context.Cause(ctx))
	}
}

func (s *Subagent) enqueue(n *notification) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.stopped {
		return ErrStopped
	}
	select {
	case s.queue <- n:
		s.wakeLocked()
		return nil
	default:
		s.counters.notifyDropped.Add(1)
		return ErrQueueFull
	}
}

// canNotify reports whether a notification waits that can be written.
func (l *loop) canNotify() bool {
	return l.isUp && len(l.sub.queue) > 0 && len(l.notifying) < notifyQueue
}

// sendQueued appends the notifications that wait, as far as the master is not behind with answers.
func (l *loop) sendQueued(now time.Time) {
	for len(l.notifying) < notifyQueue {
		select {
		case n := <-l.sub.queue:
			if n.ctx.Err() != nil {
				continue
			}
			l.lastNotify++
			l.notifying[l.lastNotify] = n
			l.out = l.m.notify(l.out, l.lastNotify, n.vbs, now)
		default:
			return
		}
	}
}

// deliver tells the senders of notifications what the master answered.
func (l *loop) deliver() {
	for _, o := range l.m.outcomes {
		if o.err == nil {
			l.sub.counters.notifySent.Add(1)
		}
		l.notifying[o.notify].done <- o.err
		delete(l.notifying, o.notify)
	}
	l.m.outcomes = l.m.outcomes[:0]
}

// abandon tells the senders of notifications without answer that there will be none.
func (l *loop) abandon(cause error) {
	for _, n := range l.notifying {
		n.done <- errors.Join(ErrDisconnected, cause)
	}
	clear(l.notifying)
}
