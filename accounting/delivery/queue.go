package delivery

import (
	"strings"
	"time"

	"aaasess/accounting"
	"aaasess/sessions"
)

// queue is what Run holds of one queue of the store.
type queue struct {
	name   string
	method accounting.MethodName // that the queue is named after
	ask    chan struct{}         // to the listener
	asked  bool                  // and it has not said yet that there is something new

	bySession map[sessions.ID]*lane
	damaged   map[uint64]bool // numbers of records that are none
	items     int             // in all lanes
	loaded    int             // of them, those whose octets are in memory
	routes    []*route
	lastRoute *route // of the record that was read last

	cursor uint64 // where to read on
	more   bool   // there may be records at the cursor
	skip   skip
	readAt time.Time
	beyond []accounting.MethodName // set by Reroute: methods behind those of the routes

	scan      scan
	relieveAt time.Time // when room may be made again
	oldest    oldest
	count     QueueStats
	published QueueStats // what others know of it
}

func newQueue(name string) *queue {
	q := &queue{
		name: name, method: accounting.MethodOf(name), ask: make(chan struct{}, 1),
		bySession: map[sessions.ID]*lane{}, damaged: map[uint64]bool{}, more: true, // what was there before gives no signal
	}
	q.scan.more = true
	q.count.Queue = strings.Clone(name)
	return q
}

// isAway reports whether there are records that nobody takes now.
func (q *queue) isAway() bool {
	for _, r := range q.routes {
		if r.items > 0 && r.next(nil) == nil {
			return true
		}
	}
	return false
}

// isLost reports whether there is a record none of whose methods runs.
func (q *queue) isLost() bool {
	for _, r := range q.routes {
		if r.items > 0 && r.isLost() {
			return true
		}
	}
	return false
}

// add puts an item behind the others of its session. A damaged record, whose session nobody knows,
// gets a lane of its own. It returns a lane that is new, and in no list.
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
	id := it.rec.Session
	l := q.bySession[id]
	if l != nil {
		it.lane = l
		l.items = append(l.items, it)
		if l.waits() {
			q.unload(it)
		}
		return nil
	}
	l = &lane{queue: q, session: id, busy: true}
	l.items = append(l.one[:0], it)
	it.lane = l
	q.bySession[id] = l
	return l
}

// forget ends a lane that is in no list and has no items.
func (q *queue) forget(l *lane) {
	if q.bySession[l.session] == l {
		delete(q.bySession, l.session)
	}
}

// remove counts an item as gone.
func (q *queue) remove(it *item) {
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

// has reports whether a record is there.
func (q *queue) has(session sessions.ID, seq uint64) (found bool) {
	if l := q.bySession[session]; l != nil {
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

// unloadBlocked gives up the memory of all that nobody takes now.
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
