package sessions

import (
	"context"
	"slices"
	"sync"
	"time"
)

// TerminationEventType says what a [TerminationEvent] tells.
type TerminationEventType uint8

// The events of a session that is being ended.
const (
	// Asked says that an attempt has come back: Last is its outcome. Next is when something is done again; it is
	// zero if the session ends now, because the NAS does not know it or because its row has ended already.
	Asked TerminationEventType = iota + 1
	// Gone says that the session has ended: this is durable, and the views that follow do not have its row. If
	// Asking is true an attempt is still under way, and its Asked follows.
	Gone
)

// TerminationEvent is something that has happened to a session that is being ended.
type TerminationEvent struct {
	// Seq numbers the events of a Terminator from 1, in the order in which they happened. A [Watcher] of some
	// sessions sees gaps in it.
	Seq  uint64
	ID   ID
	Type TerminationEventType
	// Termination is how far the ending of the session has come with this event.
	Termination
	// Cause is the Acct-Terminate-Cause (RFC 2866 section 5.10) of the stop record; 0 if it has none. Only of Gone.
	Cause uint32
}

// Watcher is a subscription to the events of sessions that are being ended, see [Terminator.Watch]. Events wait
// in a queue of a bounded length. If the queue is full when an event comes, what waits is dropped and the reader is
// told that it has missed events. It then reads the state anew, from [Terminator.Status] and [Table.View]. So a slow
// reader holds up neither the Terminator nor the Table. One goroutine reads from a Watcher.
type Watcher struct {
	ids     map[ID]struct{} // never changes; nil: all sessions
	limit   int
	updated chan struct{}

	mu     sync.Mutex // may be taken while the Terminator's is held
	events []TerminationEvent
	missed bool
}

// Watch subscribes to the events of these sessions, from now on until ctx is done. At most limit of them (1 or
// more) wait to be read. A reader that subscribes before [Table.Disconnect] marks a session is told once that it is
// Gone, and again only if its NAS has revived it and it is ended again.
func (t *Terminator) Watch(ctx context.Context, limit int, ids []ID) *Watcher {
	watched := make(map[ID]struct{}, len(ids))
	for _, id := range ids {
		watched[id] = struct{}{}
	}
	return t.watch(ctx, limit, watched)
}

// WatchAll is Watch for all sessions.
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

// publish numbers an event and gives it to the watchers. The caller holds mu.
func (t *Terminator) publish(e TerminationEvent) {
	t.seq++
	e.Seq = t.seq
	for _, w := range t.watchers {
		if _, watched := w.ids[e.ID]; watched || w.ids == nil {
			w.add(e)
		}
	}
}

// add queues an event; it never waits for the reader.
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

// Updated has an element when Read may have something to return.
func (w *Watcher) Updated() <-chan struct{} { return w.updated }

// Read returns the events that have come since the last Read, in their order. It never waits. missed says that
// there were others before them, which are lost.
func (w *Watcher) Read() (events []TerminationEvent, missed bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	events, missed = w.events, w.missed
	w.events, w.missed = nil, false
	return events, missed
}

// rowEnded is told by the table, which holds its lock, that a row has ended: nothing more is sent for it, because
// a request that the NAS gets later may end the next session of that user. The table calls durable when the end is
// durable.
func (t *Terminator) rowEnded(id ID) (durable func(cause uint32)) {
	t.mu.Lock()
	defer t.mu.Unlock()
	j, f := t.jobs[id], t.flights[id]
	if f != nil {
		f.cancel(ErrSessionEnded)
	}
	if j != nil {
		j.gone = true
		if f == nil {
			delete(t.jobs, id)
		}
	}
	return func(cause uint32) {
		t.mu.Lock()
		defer t.mu.Unlock()
		e := TerminationEvent{ID: id, Type: Gone, Cause: cause}
		if j != nil {
			e.Termination = j.Termination
			e.Next = time.Time{}
		}
		t.publish(e)
	}
}
