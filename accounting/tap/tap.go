package tap

import (
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"aaasess/sessions"
)

// QueueSize is how many events wait for a Listener at most.
const QueueSize = 1024

// Event is an accountable event and what was decided about it. Its Session and Attrs never change.
type Event struct {
	sessions.Notice
	Seen time.Time // by the clock of the host

	// LeftOut is how many events before this one the queue had no room for.
	LeftOut uint64

	List string // "network/default"; "" if there is none
	// Methods get the record: all of them if Broadcast, else the first that answers. Empty if no
	// record is made.
	Methods   []string
	Broadcast bool
	// NotRecorded says for people why no record is made; "" if one is.
	NotRecorded string
}

// Tap passes events to Listeners. The zero Tap is ready. Its methods may be called from any goroutine.
type Tap struct {
	listeners atomic.Pointer[[]*Listener] // nil: none; the slice never changes
	mu        sync.Mutex                  // guards changes of listeners
}

// Listener receives events. It must be closed.
type Listener struct {
	tap     *Tap
	wants   func(*Event) bool
	queue   chan Event
	leftOut atomic.Uint64 // events since the last one in the queue
}

// Listened reports whether there is a Listener, so that an event needs to be offered.
func (t *Tap) Listened() bool { return t.listeners.Load() != nil }

// Offer passes an event to the Listeners that want it. It never waits.
func (t *Tap) Offer(e *Event) {
	list := t.listeners.Load()
	if list == nil {
		return
	}
	for _, l := range *list {
		if l.wants(e) {
			l.add(*e)
		}
	}
}

// Listen returns a new Listener for the events that wants selects. wants is called in Offer, so it
// must not wait, change the event or keep it. Each Listener makes each event a little slower, so the
// caller limits their number.
func (t *Tap) Listen(wants func(*Event) bool) *Listener {
	l := &Listener{tap: t, wants: wants, queue: make(chan Event, QueueSize)}
	t.mu.Lock()
	defer t.mu.Unlock()
	list := append(slices.Clone(t.list()), l)
	t.listeners.Store(&list)
	return l
}

func (t *Tap) list() []*Listener {
	if list := t.listeners.Load(); list != nil {
		return *list
	}
	return nil
}

// add queues an event, or counts it if there is no room.
func (l *Listener) add(e Event) {
	e.LeftOut = l.LeftOut()
	select {
	case l.queue <- e:
	default:
		l.leftOut.Add(e.LeftOut + 1)
	}
}

// Events returns the queue. It is never closed.
func (l *Listener) Events() <-chan Event { return l.queue }

// LeftOut returns how many events were left out since the last one that was queued, and forgets
// them. A reader that finds the queue empty calls it, because the next event may be long in coming.
func (l *Listener) LeftOut() uint64 {
	if l.leftOut.Load() == 0 {
		return 0
	}
	return l.leftOut.Swap(0)
}

// Close ends the Listener. Events that are queued already can still be read.
func (l *Listener) Close() {
	t := l.tap
	t.mu.Lock()
	defer t.mu.Unlock()
	list := slices.DeleteFunc(slices.Clone(t.list()), func(o *Listener) bool { return o == l })
	if len(list) == 0 {
		t.listeners.Store(nil)
		return
	}
	t.listeners.Store(&list)
}
