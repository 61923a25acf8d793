package overlay

import (
	"errors"
	"sync"
	"sync/atomic"
	"time"

	"aaasess/internal/servers"
)

// The errors of [Queue.Apply] beside those of the change itself. After them nothing has changed.
var (
	// ErrLate is returned if the change took longer than the limit.
	ErrLate = errors.New("the servers are not changed: that took too long, and was undone")
	// ErrEnding is returned if the daemon ends.
	ErrEnding = errors.New("the servers are not changed: the daemon is ending")
)

// Queue passes changes of SETs to the goroutine that owns the configuration. Use [NewQueue].
type Queue struct {
	requests chan *Request
	ended    chan struct{}
	end      sync.Once
}

// NewQueue returns a Queue.
func NewQueue() *Queue {
	return &Queue{requests: make(chan *Request), ended: make(chan struct{})}
}

// Request is a change that a SET waits for.
type Request struct {
	Next servers.Overlay
	// Undo says that a SET is undone: Next was in use before, and must be in use again even if it cannot be
	// written.
	Undo    bool
	done    chan error
	settled atomic.Bool // by the first of Begin and the end of the wait
}

// Begin reports whether the change may be put in use. If not, the SET has given up: undo what was
// done for it. Between Begin and Done nothing may wait.
func (r *Request) Begin() bool { return r.settled.CompareAndSwap(false, true) }

// Done passes the result to the SET. Call it once for each request.
func (r *Request) Done(err error) { r.done <- err }

// Requests receives the changes.
func (q *Queue) Requests() <-chan *Request { return q.requests }

// Close ends the Queue: Apply returns ErrEnding.
func (q *Queue) Close() { q.end.Do(func() { close(q.ended) }) }

// Restore has a change undone, and waits until that is done. After an error it is not on the disk, or
// not in use.
func (q *Queue) Restore(before servers.Overlay) error {
	r := &Request{Next: before, Undo: true, done: make(chan error, 1)}
	select {
	case q.requests <- r:
		return <-r.done
	case <-q.ended:
		return ErrEnding
	}
}

// Apply has a change carried out. When it returns nil, the change is on the disk and in use; after an
// error nothing has changed. It waits no longer than limit, unless Begin was called before that.
func (q *Queue) Apply(next servers.Overlay, limit time.Duration) error {
	r := &Request{Next: next, done: make(chan error, 1)}
	late := time.NewTimer(limit)
	defer late.Stop()
	select {
	case q.requests <- r:
	case <-q.ended:
		return ErrEnding
	case <-late.C:
		return ErrLate
	}
	select {
	case err := <-r.done:
		return err
	case <-late.C:
		if r.settled.CompareAndSwap(false, true) {
			return ErrLate
		}
		return <-r.done
	}
}
