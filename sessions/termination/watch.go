package termination

import (
	"context"
	"slices"
	"sync"
	"time"

	"aaasess/sessions"
)

// EventType says what an [Event] reports.
type EventType uint8

// The events of a session that is being ended.
const (
	// AttemptFinished reports the outcome of an attempt in Last. Next is when the next step is due.
	// It is zero if the session ends now, because the NAS does not have it, or if the session has
	// ended already.
	AttemptFinished EventType = iota + 1
	// SessionEnded reports that the end of the session is durable, and that no view has its row any
	// more. If Asking is true, an attempt is still under way, and its AttemptFinished follows.
	SessionEnded
)

// Event is an event of a session that is being ended.
type Event struct {
	// Seq numbers the events of a Terminator from 1, in the order in which they happened. A
	// [Watcher] sees gaps in it: the events of other sessions, and those that were dropped.
	Seq  uint64
	ID   sessions.ID
	Type EventType
	// Progress is the progress after the event.
	Progress
	// Cause is the Acct-Terminate-Cause (RFC 2866 section 5.10) of the stop record; 0 if it has
	// none. Only SessionEnded has it.
	Cause uint32
}

// Watcher is a subscription to the events of sessions that are being ended, see [Terminator.Watch].
// Events wait in a queue of at most [eventsPerSession] for each session. If the queue is full, only
// the newest event of each type stays for each session: an event has all of the progress, so the
// reader loses older outcomes and nothing else. So a slow reader delays neither the Terminator nor
// the Table. Only one goroutine may read from a Watcher.
type Watcher struct {
	ids     map[sessions.ID]struct{} // never changes
	updated chan struct{}

	mu     sync.Mutex // may be taken while the Terminator's is held
	events []Event
}

// eventsPerSession is twice the number of event types, so that a full queue has room again after it
// was compacted.
const eventsPerSession = 4

// Watch subscribes to the events of these sessions, from now on until ctx is done. If Watch is
// called before [sessions.Table.Disconnect] marks a session, the Watcher gets exactly one
// SessionEnded for it. It gets another one only if the session was revived by its NAS and is ended
// again.
func (t *Terminator) Watch(ctx context.Context, ids []sessions.ID) *Watcher {
	w := &Watcher{ids: make(map[sessions.ID]struct{}, len(ids)), updated: make(chan struct{}, 1)}
	for _, id := range ids {
		w.ids[id] = struct{}{}
	}
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
func (t *Terminator) publish(e Event) {
	t.seq++
	e.Seq = t.seq
	for _, w := range t.watchers {
		if _, watched := w.ids[e.ID]; watched {
			w.add(e)
		}
	}
}

// add adds an event to the queue. It never waits for the reader.
func (w *Watcher) add(e Event) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.events) == eventsPerSession*len(w.ids) {
		w.compact()
	}
	w.events = append(w.events, e)
	select {
	case w.updated <- struct{}{}:
	default:
	}
}

// compact keeps the newest event of each type and session, in their order. The caller holds mu.
func (w *Watcher) compact() {
	type kind struct {
		id  sessions.ID
		typ EventType
	}
	newest := make(map[kind]uint64, len(w.events)/2)
	for _, e := range w.events {
		newest[kind{e.ID, e.Type}] = e.Seq
	}
	w.events = slices.DeleteFunc(w.events, func(e Event) bool { return newest[kind{e.ID, e.Type}] != e.Seq })
}

// Updated receives a value when Read may have events to return.
func (w *Watcher) Updated() <-chan struct{} { return w.updated }

// Read returns the events since the last Read, in their order. It never waits.
func (w *Watcher) Read() []Event {
	w.mu.Lock()
	defer w.mu.Unlock()
	events := w.events
	w.events = nil
	return events
}

// rowEnded ends the job and cancels the attempt of a session. The table calls it, with its lock
// held, when the row has ended. Nothing more is sent then, because a later request may end the next
// session of that user. The table calls durable when the end is durable.
func (t *Terminator) rowEnded(id sessions.ID) (durable func(cause uint32)) {
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
		e := Event{ID: id, Type: SessionEnded, Cause: cause}
		if j != nil {
			e.Progress = j.Progress
			e.Next = time.Time{}
		}
		t.publish(e)
	}
}
