package delivery

import (
	"strings"
	"time"

	"aaasess/accounting"
	"aaasess/sessions"
)

// queue is Run's state of one queue of the store.
type queue struct {
	name      string
	method    accounting.MethodName // the queue has its name
	listen    chan struct{}         // asks the listener for one signal
	listening bool                  // the listener has not answered yet

	lanes     map[sessions.ID]*lane // by number, see [accounting.Record.InLane]
	damaged   map[uint64]bool       // sequence numbers of damaged records in memory
	items     int                   // in all lanes
	withheld  int                   // of these, items that wait for the address of their user, each first in its lane
	held      map[uint64]heldStart  // by sequence number: starts that wait for an address, wherever they stand
	limitAt   time.Time             // when limitWithheld may search it again
	loaded    int                   // of these, items whose octets are in memory
	routes    []*route
	lastRoute *route // route of the record that was read last

	cursor    uint64 // where to read on
	more      bool   // there may be records at the cursor
	late      bool   // reading has paused: records at the cursor may have been committed long ago
	skip      skip
	readAt    time.Time               // when reading may go on after an error
	restUntil time.Time               // when it should go on while no method is available
	fallback  []accounting.MethodName // set by Reroute: methods at the end of all routes

	scan       scan
	makeRoomAt time.Time // when makeRoom may run again
	oldest     oldest
	count      QueueStats
	published  QueueStats // what Queue last returned
}

func newQueue(name string) *queue {
	q := &queue{
		name: name, method: accounting.MethodOf(name), listen: make(chan struct{}, 1),
		// The listener does not report records from before the start.
		lanes: map[sessions.ID]*lane{}, damaged: map[uint64]bool{}, more: true,
	}
	q.scan.more = true
	q.count.Queue = strings.Clone(name)
	return q
}

// isBlocked reports whether there are records that no method takes now.
func (q *queue) isBlocked() bool {
	for _, r := range q.routes {
		if r.items > 0 && r.next(nil) == nil {
			return true
		}
	}
	return false
}

// hasLost reports whether there is a record none of whose methods is configured.
func (q *queue) hasLost() bool {
	for _, r := range q.routes {
		if r.items > 0 && r.hasNoMethod() {
			return true
		}
	}
	return false
}

// add appends an item to its lane. A damaged record has no known lane and gets one of its own. add
// returns the lane if it is new; a new lane is in no list.
func (q *queue) add(it *item) *lane {
	q.items++
	q.loaded++
	if it.route != nil {
		it.route.items++
	}
	if it.rec == nil {
		l := &lane{queue: q, busy: true}
		l.items = append(l.one[:0], it)
		it.lane = l
		q.damaged[it.seq] = true
		return l
	}
	number := it.rec.InLane()
	l := q.lanes[number]
	if l != nil {
		it.lane = l
		l.items = append(l.items, it)
		l.holds(it)
		if l.isWaiting() {
			q.unload(it)
		}
		return nil
	}
	l = &lane{queue: q, number: number, busy: true}
	l.items = append(l.one[:0], it)
	it.lane = l
	l.holds(it)
	q.lanes[number] = l
	return l
}

// sendable returns how many items do not wait for the address of their user.
func (q *queue) sendable() int { return q.items - q.withheld }

// removeLane removes a lane that is in no list and has no items.
func (q *queue) removeLane(l *lane) {
	if q.lanes[l.number] == l {
		delete(q.lanes, l.number)
	}
}

// remove updates the counters for an item that leaves the queue.
func (q *queue) remove(it *item) {
	q.release(it)
	q.items--
	if it.route != nil {
		it.route.items--
	}
	q.unload(it)
	it.lane = nil
	if it.route == nil {
		delete(q.damaged, it.seq)
	}
}

// has reports whether a record is in memory as an item.
func (q *queue) has(lane sessions.ID, seq uint64) (found bool) {
	if l := q.lanes[lane]; l != nil {
		_, found = l.find(seq)
	}
	return found
}

func (q *queue) unload(it *item) {
	if it.isLoaded() {
		it.rec = nil
		if it.history != nil {
			it.history.damaged = nil
		}
		q.loaded--
	}
}

// unloadBlocked unloads all ready items that no method takes now.
func (q *queue) unloadBlocked() {
	for _, r := range q.routes {
		if r.next(nil) != nil {
			continue
		}
		for _, l := range r.ready.all() {
			l.unload()
		}
	}
}
