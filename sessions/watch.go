package sessions

import (
	"context"
	"slices"
	"sync"
	"time"
)

// TerminationEventType says what a [TerminationEvent] reports.
type TerminationEventType uint8

// The events of a session that is being ended.
const (
	// AttemptFinished reports the outcome of an attempt in Last. Next is when the next step is due.
	// It is zero if the session ends now, because the NAS does not have it, or if the session has
	// ended already.
	AttemptFinished TerminationEventType = iota + 1
	// SessionEnded reports that the end of the session is durable, and that no view has its row any
	// more. If Asking is true, an attempt is still under way, and its AttemptFinished follows.
	SessionEnded
)

// TerminationEvent is an event of a session that is being ended.
type TerminationEvent struct {
	// Seq numbers the events of a Terminator from 1, in the order in which they happened. A
	// [Watcher] of some sessions sees gaps in it.
	Seq  uint64
	ID   ID
	Type TerminationEventType
	// Termination is the progress after the event.
	Termination
	// Cause is the Acct-Terminate-Cause (RFC 2866 section 5.10) of the stop record; 0 if it has
	// none. Only SessionEnded has it.
	Cause uint32
}

// Watcher is a subscription to the events of sessions that are being ended, see [Terminator.Watch].
// Events wait in a queue with a limit. If the queue is full when an event comes, the waiting events
// are dropped, and Read reports that events were missed. The reader then reads the present state
// from [Terminator.Status] and [Table.View]. So a slow reader delays neither the Terminator nor the
// Table. Only one goroutine may read from a Watcher.
type Watcher struct {
	ids     map[ID]struct{} // never changes; nil: all sessions
	limit   int
	updated chan struct{}

	mu     sync.Mutex // may be taken while the Terminator's is held
	events []TerminationEvent
	missed bool
}

// Watch subscribes to the events of these sessions, from now on until ctx is done. At most limit
// events (1 or more) wait to be read. If Watch is called before [Table.Disconnect] marks a session,
// the Watcher gets exactly one SessionEnded for it. It gets another one only if the session was
// revived by its NAS and is ended again.
func (t *Terminator) Watch(ctx context.Context, limit int, ids []ID) *Watcher {
	watched := make(map[ID]struct{}, len(ids))
	for _, id := range ids {
		watched[id] = struct{}{}
	}
	return t.watch(ctx, limit, watched)
}

// WatchAll subscribes to the events of all sessions, like Watch.
func (t *Terminator) WatchAll(ctx context.Context, limit int) *Watcher {
	return t.watch(ctx, limit, nil)
}

func (t *Terminator) watch(ctx context.Context, limit int, ids map[ID]struct{}) *Watcher {
	w := &Watcher{ids: ids, limit: max(1, limit), updated: make(chan struct{}, 1)}
	t.mu.Lock()
	t.watchers = append(t.watchers, w)
	t.mu.Unlock()
	context.AfterFunc(ctx, func() {
		t.mu.Lock()
		defer t.mu.Unlock()
		t.watchers = slices.DeleteFunc(t.watchers, func(other *Watcher) bool { return other == w })
	})
	return w
}

// publish numbers an event and adds it to the queues of the watchers. The caller holds mu.
func (t *Terminator) publish(e TerminationEvent) {
	t.seq++
	e.Seq = t.seq
	for _, w := range t.watchers {
		if _, watched := w.ids[e.ID]; watched || w.ids == nil {
			w.add(e)
		}
	}
}

// add adds an event to the queue. It never waits for the reader.
func (w *Watcher) add(e TerminationEvent) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.events) == w.limit {
		w.events, w.missed = w.events[:0], true
	}
	w.events = append(w.events, e)
	select {
	case w.updated <- struct{}{}:
	default:
	}
}

// Updated receives a value when Read may have events to return.
func (w *Watcher) Updated() <-chan struct{} { return w.updated }

// Read returns the events since the last Read, in their order. It never waits. missed reports that
// older events were dropped before these.
func (w *Watcher) Read() (events []TerminationEvent, missed bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	events, missed = w.events, w.missed
	w.events, w.missed = nil, false
	return events, missed
}

// rowEnded ends the job and cancels the attempt of a session. The table calls it, with its lock
// held, when the row has ended. Nothing more is sent then, because a later request may end the next
// session of that user. The table calls durable when the end is durable.
func (t *Terminator) rowEnded(id ID) (durable func(cause uint32)) {
	t.mu.Lock()
	defer t.mu.Unlock()
	j, a := t.jobs[id], t.attempts[id]
	if a != nil {
		a.cancel(ErrSessionEnded)
	}
	if j != nil {
		j.sessionEnded = true
		if a == nil {
			delete(t.jobs, id)
		}
	}
	return func(cause uint32) {
		t.mu.Lock()
		defer t.mu.Unlock()
		e := TerminationEvent{ID: id, Type: SessionEnded, Cause: cause}
		if j != nil {
			e.Termination = j.Termination
			e.Next = time.Time{}
		}
		t.publish(e)
	}
}
