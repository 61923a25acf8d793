package notify

import "sync"

// notification is an event for all targets, encoded once. It does not change.
type notification struct {
	varbinds []byte // content of the VarBindList
}

// queue holds the notifications that wait for a target, in their order. When it is full the newest is
// dropped: what happened first tells what happened.
type queue struct {
	wake chan struct{} // room for one; filled by nudge

	mu      sync.Mutex
	ring    []*notification
	first   int // index of the oldest
	length  int
	dropped uint64
	closed  bool
}

func newQueue(limit int) *queue {
	return &queue{wake: make(chan struct{}, 1), ring: make([]*notification, limit)}
}

// push appends n, or drops and counts it: the error is ErrQueueFull, or ErrStopped if no one empties it.
func (q *queue) push(n *notification) error {
	q.mu.Lock()
	defer q.mu.Unlock()
	switch {
	case q.closed:
		q.dropped++
		return ErrStopped
	case q.length == len(q.ring):
		q.dropped++
		return ErrQueueFull
	}
	q.ring[(q.first+q.length)%len(q.ring)] = n
	q.length++
	return nil
}

// nudge has the owner look at the queue and the errors.
func (q *queue) nudge() {
	select {
	case q.wake <- struct{}{}:
	default: // it is awake, or about to be
	}
}

// peek gives the oldest, nil if there is none.
func (q *queue) peek() *notification {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.length == 0 {
		return nil
	}
	return q.ring[q.first]
}

// pop removes the oldest. There must be one.
func (q *queue) pop() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.ring[q.first] = nil
	q.first = (q.first + 1) % len(q.ring)
	q.length--
}

// close drops and counts all that wait, and all that come. It reports how many waited.
func (q *queue) close() int {
	q.mu.Lock()
	defer q.mu.Unlock()
	n := q.length
	q.closed = true
	q.dropped += uint64(n)
	clear(q.ring)
	q.first, q.length = 0, 0
	return n
}

// counts gives how many wait and how many were dropped.
func (q *queue) counts() (waiting int, dropped uint64) {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.length, q.dropped
}
