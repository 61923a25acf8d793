package delivery

import (
	"cmp"
	"slices"
	"time"

	"aaasess/internal/timeheap"
	"aaasess/sessions"
)

// lane holds the items of one session and of those that are kept in order with it. Only the first
// item may be in flight. A lane is in exactly one list, or busy. The lists are: ready or parked of its
// route; failover or overdue of a method; Delivery.retrying; Delivery.withheld; and Delivery.setAside.
type lane struct {
	queue    *queue
	number   sessions.ID
	held     int32 // items in queue.held
	items    []*item
	one      [1]*item              // initial storage of items
	retry    timeheap.Entry[*lane] // in retrying: when its first item is tried again; in withheld: until when it waits
	parked   bool                  // in parked of its route
	withheld bool                  // in Delivery.withheld
	// In no list: the first item is in flight, or is about to be placed or sent.
	busy bool
}

func (l *lane) head() *item { return l.items[0] }

// isWaiting reports whether the first item must wait, so that the lane is kept unloaded.
func (l *lane) isWaiting() bool { return l.retry.IsWaiting() || l.parked }

// holds counts an item that was added, if it waits for the address of its user.
func (l *lane) holds(it *item) {
	if it.held {
		l.held++
	}
}

// find returns the index of an item in the lane.
func (l *lane) find(seq uint64) (i int, found bool) {
	return slices.BinarySearchFunc(l.items, seq, func(it *item, seq uint64) int { return cmp.Compare(it.seq, seq) })
}

// unload frees the octets of all items. Lanes that wait keep no octets, so memory stays free for
// others.
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
		d.setAside.lanes.push(l)
	case it.held:
		d.withhold(l)
	case h == nil:
		it.route.ready.push(l)
	default:
		m := it.route.next(h)
		if m == nil && h.isAnyExhausted() {
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
		case h.isAnyExhausted():
			m.failover.push(l)
		default:
			m.overdue.push(l)
		}
	}
}

// waitUntil makes a busy lane wait until due.
func (d *Delivery) waitUntil(l *lane, due time.Time) {
	l.unload()
	d.retrying.add(l, due)
}

// nextFrom removes and returns the next lane of a list that belongs there, nil if there is none. A
// lane no longer belongs there if its first item was superseded, or if methods have changed since.
func (d *Delivery) nextFrom(from *deque, newest bool, belongs func(*item) bool) *lane {
	for {
		l := from.pop(newest)
		switch {
		case l == nil:
			return nil
		case len(l.items) == 0:
			l.queue.removeLane(l) // all its items were superseded
		case !belongs(l.head()):
			d.place(l)
		default:
			return l
		}
	}
}

// isReady reports whether an item belongs in ready of the route. A start that waits for an address
// does not, although it is first there if the interim before it was superseded.
func (r *route) isReady(it *item) bool { return it.isFresh() && !it.held && it.route == r }

// isParked reports whether an item belongs in parked of the route.
func (r *route) isParked(it *item) bool { return it.history != nil && it.route == r }

// isNext reports whether an item is to be sent to this method next.
func (m *method) isNext(it *item) bool {
	return it.history != nil && it.route.next(it.history) == m
}

// removeHead removes the settled first item of a busy lane, and places the lane.
func (d *Delivery) removeHead(it *item) {
	l := it.lane
	l.queue.remove(it)
	l.items[0] = nil
	l.items = l.items[1:]
	if len(l.items) == 0 {
		l.queue.removeLane(l)
		return
	}
	d.place(l)
}

// drop removes a record from its lane, wherever it stands. It does nothing and returns false if the
// record is not there or is in flight.
func (d *Delivery) drop(q *queue, lane sessions.ID, seq uint64) bool {
	l := q.lanes[lane]
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
	if i == 0 && l.retry.IsWaiting() { // the lane waited for this item
		d.retrying.remove(l)
		if len(l.items) == 0 {
			q.removeLane(l)
			return true
		}
		d.place(l)
	}
	return true
}
