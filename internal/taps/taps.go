// Package taps passes values to readers while they occur: accountable events, lines of the log. Nobody
// waits for a reader.
//
// Whoever has a value offers it to a [Tap]. A [Listener] gets the values that it wants in a bounded
// queue. Of a full queue, new values are left out and counted, so a slow reader delays nobody. The
// count comes with the next value that finds room, at the place where values are missing. Each
// Listener selects before its queue, so values that it does not want take no room.
//
// # Concurrency
//
// Offer takes no lock of a reader: it reads the list of Listeners from an atomic pointer, and sends
// without waiting. While nobody listens, a value costs one load. The mutex of a Tap guards changes of
// that list only.
package taps

import (
	"slices"
	"sync"
	"sync/atomic"
)

// QueueSize is how many values wait for a Listener at most.
const QueueSize = 1024

// Tap passes values to Listeners. The zero Tap is ready. Its methods may be called from any goroutine.
type Tap[T any] struct {
	listeners atomic.Pointer[[]*Listener[T]] // nil: none; the slice never changes
	mu        sync.Mutex                     // guards changes of listeners
}

// Item is a value in the queue of a Listener.
type Item[T any] struct {
	Value T
	// LeftOut is how many values before this one the queue had no room for.
	LeftOut uint64
}

// Listener receives values. It must be closed.
type Listener[T any] struct {
	tap     *Tap[T]
	wants   func(*T) bool
	queue   chan Item[T]
	leftOut atomic.Uint64 // values since the last one in the queue
}

// Listened reports whether there is a Listener, so that a value needs to be offered.
func (t *Tap[T]) Listened() bool { return t.listeners.Load() != nil }

// Offer passes a value to the Listeners that want it. It never waits.
func (t *Tap[T]) Offer(v *T) {
	for _, l := range t.list() {
		if l.wants(v) {
			l.add(v)
		}
	}
}

// Listen returns a new Listener for the values that wants selects. wants is called in Offer, so it
// must not wait, change the value or keep it. Each Listener makes each value a little slower, so the
// caller limits their number.
func (t *Tap[T]) Listen(wants func(*T) bool) *Listener[T] {
	l := &Listener[T]{tap: t, wants: wants, queue: make(chan Item[T], QueueSize)}
	t.mu.Lock()
	defer t.mu.Unlock()
	list := append(slices.Clone(t.list()), l)
	t.listeners.Store(&list)
	return l
}

func (t *Tap[T]) list() []*Listener[T] {
	if list := t.listeners.Load(); list != nil {
		return *list
	}
	return nil
}

// add queues a value, or counts it if there is no room.
func (l *Listener[T]) add(v *T) {
	n := l.LeftOut()
	select {
	case l.queue <- Item[T]{*v, n}:
	default:
		l.leftOut.Add(n + 1)
	}
}

// Items returns the queue. It is never closed.
func (l *Listener[T]) Items() <-chan Item[T] { return l.queue }

// LeftOut returns how many values were left out since the last one that was queued, and forgets
// them. A reader that finds the queue empty calls it, because the next value may be long in coming.
func (l *Listener[T]) LeftOut() uint64 {
	if l.leftOut.Load() == 0 {
		return 0
	}
	return l.leftOut.Swap(0)
}

// Close ends the Listener. Values that are queued already can still be read.
func (l *Listener[T]) Close() {
	t := l.tap
	t.mu.Lock()
	defer t.mu.Unlock()
	list := slices.DeleteFunc(slices.Clone(t.list()), func(o *Listener[T]) bool { return o == l })
	if len(list) == 0 {
		t.listeners.Store(nil)
		return
	}
	t.listeners.Store(&list)
}
