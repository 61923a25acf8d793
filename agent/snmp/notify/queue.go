package notify

import (
	"sync"
	"time"

	"aaasess/mib"
)

// notification is an event for all targets, encoded once, or one whose outcome at one target somebody
// waits for. It is immutable.
type notification struct {
	varbinds []byte         // content of the VarBindList
	oids     []mib.OID      // snmpTrapOID, and the names of the variables behind it
	begun    time.Time      // when it was queued; for outcome
	outcome  chan<- Outcome // capacity 1, gets one value; nil: nobody waits for it
}

// end tells what has become of the notification, if somebody waits for that. It is called once for each
// target, when the notification has left its queue and is no longer in flight.
func (n *notification) end(err error, now time.Time) {
	if n.outcome != nil {
		n.outcome <- Outcome{Took: now.Sub(n.begun), Err: err}
	}
}

// queue holds the notifications that wait for a target, in order. If it is full, the newest is
// dropped: the first events explain a problem best.
type queue struct {
	wake chan struct{} // capacity 1; wakeUp sends to it

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

// push appends n, or drops and counts it. It returns ErrQueueFull, or ErrStopped after close.
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

// wakeUp makes the owner check the queue and the errors.
func (q *queue) wakeUp() {
	select {
	case q.wake <- struct{}{}:
	default: // it is already awake, or about to be
	}
}

// peek returns the oldest notification, or nil.
func (q *queue) peek() *notification {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.length == 0 {
		return nil
	}
	return q.ring[q.first]
}

// pop removes the oldest notification. The queue must not be empty.
func (q *queue) pop() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.ring[q.first] = nil
	q.first = (q.first + 1) % len(q.ring)
	q.length--
}

// close drops and counts all waiting and all later notifications. It returns how many waited.
func (q *queue) close(now time.Time) int {
	q.mu.Lock()
	defer q.mu.Unlock()
	n := q.length
	q.closed = true
	q.dropped += uint64(n)
	for i := range n {
		q.ring[(q.first+i)%len(q.ring)].end(ErrNotSent, now)
	}
	clear(q.ring)
	q.first, q.length = 0, 0
	return n
}

// counts returns how many notifications wait and how many were dropped.
func (q *queue) counts() (waiting int, dropped uint64) {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.length, q.dropped
}
