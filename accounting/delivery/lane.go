package delivery

import (
	"cmp"
	"slices"
	"time"

	"aaasess/internal/timeheap"
	"aaasess/sessions"
)

// lane is the items of one session, in order. Only the first may be under way. A lane is in one list:
// its route's ready or parked, a method's onward or overdue, those that wait for their time
// (Delivery.retrying), those to be set aside; or it is busy.
type lane struct {
	queue   *queue
	session sessions.ID
	items   []*item
	one     [1]*item              // room for the first
	wait    timeheap.Entry[*lane] // while it waits for its time: when its first item is tried again
	parked  bool                  // in its route's parked
	busy    bool                  // in no list: the first item is under way, or about to be
}

func (l *lane) head() *item { return l.items[0] }

// waits reports whether it is not known when somebody takes the first item, so that its memory is
// given up.
func (l *lane) waits() bool { return l.wait.IsWaiting() || l.parked }

// find is where in the lane an item is.
func (l *lane) find(seq uint64) (i int, found bool) {
	return slices.BinarySearchFunc(l.items, seq, func(it *item, seq uint64) int { return cmp.Compare(it.seq, seq) })
}

// unload gives up the memory of the items: waiting lanes keep no octets, so memory stays free for others.
func (l *lane) unload() {
	for _, it := range l.items {
		l.queue.unload(it)
	}
}

// place puts a busy lane into the list where its first item belongs.
func (d *Delivery) place(l *lane) {
	d.placed = true
	it := l.head()
	h := it.history
	switch {
	case it.reason() != nil:
		d.aside.lanes.push(l)
	case h == nil:
		it.route.ready.push(l)
	default:
		m := it.route.next(h)
		if m == nil && h.isAsked() {
			h.newRound()
			m = it.route.next(h)
		}
		switch {
		case m == nil:
			it.route.parked.push(l)
			l.parked = true
			l.unload()
		case it.isFresh():
			it.route.ready.push(l)
		case h.isAsked():
			m.onward.push(l)
		default:
			m.overdue.push(l)
		}
	}
}

// wait makes a busy lane wait for its time.
func (d *Delivery) wait(l *lane, due time.Time) {
	l.unload()
	d.retrying.add(l, due)
}

// nextFrom gets the next lane out of a list that belongs there, nil if there is none. One does not any more
// where the first item was superseded, or methods have changed since.
func (d *Delivery) nextFrom(from *deque, newest bool, belongs func(*item) bool) *lane {
	for {
		l := from.pop(newest)
		switch {
		case l == nil:
			return nil
		case len(l.items) == 0:
			l.queue.forget(l) // all of it was superseded
		case !belongs(l.head()):
			d.place(l)
		default:
			return l
		}
	}
}

// isReady reports whether an item belongs to the ready of a route.
func (r *route) isReady(it *item) bool { return it.isFresh() && it.route == r }

// isParked reports whether an item belongs to the parked of a route.
func (r *route) isParked(it *item) bool { return it.history != nil && it.route == r }

// isNext reports whether a method is the one that an item is to be sent to.
func (m *method) isNext(it *item) bool {
	return it.history != nil && it.route.next(it.history) == m
}

// settled takes the first item of a busy lane away for good.
func (d *Delivery) settled(it *item) {
	l := it.lane
	l.queue.remove(it)
	l.items[0] = nil
	l.items = l.items[1:]
	if len(l.items) == 0 {
		l.queue.forget(l)
		return
	}
	d.place(l)
}

// drop takes a record away for good from wherever in its lane it is. It returns false if it is not
// there, or is under way: then nothing happens.
func (d *Delivery) drop(q *queue, session sessions.ID, seq uint64) bool {
	l := q.bySession[session]
	if l == nil {
		return false
	}
	i, found := l.find(seq)
	if !found || i == 0 && l.busy {
		return false
	}
	q.remove(l.items[i])
	copy(l.items[1:i+1], l.items[:i])
	l.items[0] = nil
	l.items = l.items[1:]
	if i == 0 && l.wait.IsWaiting() { // it was its first item that it waited for
		d.retrying.remove(l)
		if len(l.items) == 0 {
			q.forget(l)
			return true
		}
		d.place(l)
	}
	return true
}
