package delivery

import (
	"context"
	"fmt"
)

// release is a queue that somebody else has for a while.
type release struct {
	queue string
	ready chan struct{} // closed when Run has nothing of the queue any more
	over  bool          // Run may have it again
	told  bool          // ready is closed
}

// Release has Run let go of a queue, so that somebody else can take its records out of the store in
// their order. It returns when nothing of the queue is in memory or under way, and resume gives it back.
// An error is that ctx ended before.
func (d *Delivery) Release(ctx context.Context, queue string) (resume func(), err error) {
	r := &release{queue: queue, ready: make(chan struct{})}
	d.tellRelease(r)
	resume = func() {
		d.tellRelease(&release{queue: queue, over: true})
	}
	select {
	case <-r.ready:
		return resume, nil
	case <-ctx.Done():
		resume()
		return nil, fmt.Errorf("accounting: queue %s: %w", queue, ctx.Err())
	}
}

func (d *Delivery) tellRelease(r *release) {
	d.inbox.mu.Lock()
	d.inbox.release = append(d.inbox.release, r)
	d.inbox.mu.Unlock()
	d.inbox.poke()
}

// giveUp lets go of queues that somebody else is to have, or takes them back.
func (d *Delivery) giveUp(ctx context.Context, all []*release) {
	for _, r := range all {
		q := d.queueNamed(ctx, r.queue)
		if q.given = r; r.over {
			q.given, q.cursor, q.more, q.scan = nil, 0, true, scan{more: true}
		}
	}
	for _, q := range d.queues {
		if r := q.given; r != nil && !r.told {
			d.empty(q)
			if r.told = q.items == 0; r.told {
				q.routes, q.lastRoute = nil, nil
				close(r.ready)
			}
		}
	}
}

// empty forgets what is held of a queue, but for what is under way.
func (d *Delivery) empty(q *queue) {
	for _, l := range d.retrying.take(func(l *lane) bool { return l.queue == q }) {
		l.busy = false
	}
	for _, l := range q.bySession {
		kept := l.items[:0]
		for i, it := range l.items {
			if i == 0 && l.busy {
				kept = append(kept, it)
				continue
			}
			q.remove(it)
		}
		l.items = kept
		if len(kept) == 0 {
			q.forget(l)
		}
	}
}
