package agentx

import (
	"context"
	"errors"
	"fmt"
	"time"

	"aaasess/mib"
)

// notifyQueue is how many notifications may wait for a connection, and how many for the master's
// answer. If the queue is full, the newest is dropped: the order of the others explains a problem
// best.
const notifyQueue = 64

// notification is a Notify in progress. Its sender waits for done; the loop sends to it once.
type notification struct {
	ctx  context.Context
	vbs  []mib.Varbind
	done chan error // capacity 1
}

// Notify passes a notification to the master, which sends it as a trap or inform (RFC 2741 section
// 7.1.11). The first variable is snmpTrapOID.0, or sysUpTime.0 followed by snmpTrapOID.0. Notify
// waits for the master's answer, even while there is no connection. It returns nil if the master
// accepted the notification, or:
//
//   - a *[RefusedError] if the master refused it;
//   - [ErrQueueFull] at once if too many notifications wait;
//   - [ErrDisconnected] if the connection was lost before the answer (the master may have accepted
//     it);
//   - [ErrStopped] if Run has ended;
//   - the cause of ctx if that ended first (a notification that was already written may still be
//     sent).
func (s *Subagent) Notify(ctx context.Context, vbs []mib.Varbind) error {
	for i := range vbs {
		if len(vbs[i].Name) > mib.MaxSubIDs || len(vbs[i].Value.OID) > mib.MaxSubIDs {
			return fmt.Errorf("agentx: notify: variable %d: OID has more than %d sub-identifiers", i+1, mib.MaxSubIDs)
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

// canNotify reports whether a waiting notification can be written now.
func (l *loop) canNotify() bool {
	return l.isUp && len(l.sub.queue) > 0 && len(l.notifying) < notifyQueue
}

// sendQueued appends waiting notifications, as long as fewer than notifyQueue are unanswered.
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

// deliver passes the master's answers to the senders of notifications.
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

// abandon tells the senders of unanswered notifications that the connection was lost.
func (l *loop) abandon(cause error) {
	for _, n := range l.notifying {
		n.done <- errors.Join(ErrDisconnected, cause)
	}
	clear(l.notifying)
}
