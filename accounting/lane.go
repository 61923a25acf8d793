package accounting

import (
	"container/heap"
	"time"

	"aaasess/sessions"
)

// item is a record that a deliverer has read and that is not settled.
type item struct {
	seq     uint64
	lane    *lane
	rec     *Record // nil: to be read again when it is wanted, or damaged
	damaged []byte  // what is no record
	refusal error   // why it is to be set aside
	hasNext bool    // it has another method to go to
	tries   int     // times that nobody answered it

	generation int    // of the method that it was sent with
	since      uint64 // health.answers when it was sent
	stored     bool   // under way into another queue, not to a method
}

// isLoaded reports whether the item's octets are in memory.
func (it *item) isLoaded() bool { return it.rec != nil || it.damaged != nil }

// isSuspect reports whether nobody answered the item, and it has nowhere else to go.
func (it *item) isSuspect() bool { return it.tries > 0 && !it.hasNext && it.refusal == nil }

// lane is the items of one session, in order. Only the first may be under way.
type lane struct {
	session sessions.ID
	items   []*item
	due     time.Time // while it waits: when its first item is tried again
}

func (l *lane) head() *item { return l.items[0] }

// lanes is all that a deliverer holds. A lane is ready (its head can be sent), waiting (until it is
// due), or busy (its head is under way).
type lanes struct {
	bySession map[sessions.ID]*lane
	ready     deque
	waiting   dueLanes
	// suspects wait too, and are overdue after that: nobody answered their heads, which may be the
	// fault of the record. So that they keep nobody back they are not among the ready.
	suspects dueLanes
	overdue  deque
	items    int // in all lanes
	loaded   int // of them, those whose octets are in memory
}

// add puts an item behind the others of its session. A damaged record, whose session nobody knows,
// gets a lane of its own.
func (ls *lanes) add(it *item) {
	ls.items++
	ls.loaded++
	if it.rec == nil {
		it.lane = &lane{items: []*item{it}}
		ls.ready.push(it.lane)
		return
	}
	id := it.rec.Session
	l := ls.bySession[id]
	if l == nil {
		l = &lane{session: id}
		ls.bySession[id] = l
		ls.ready.push(l)
	}
	it.lane = l
	l.items = append(l.items, it)
	if !l.due.IsZero() {
		ls.unload(it)
	}
}

// release makes a busy lane ready again.
func (ls *lanes) release(l *lane) { ls.ready.push(l) }

// settle takes the head of a busy lane away for good.
func (ls *lanes) settle(it *item) {
	ls.items--
	ls.unload(it)
	l := it.lane
	l.items[0] = nil
	l.items = l.items[1:]
	switch {
	case len(l.items) > 0:
		ls.ready.push(l)
	case ls.bySession[l.session] == l:
		delete(ls.bySession, l.session)
	}
}

// wait makes a busy lane wait. Its items give up their memory, so that however many sessions nobody
// answers for, there is room for the others.
func (ls *lanes) wait(l *lane, due time.Time) {
	l.due = due
	for _, it := range l.items {
		ls.unload(it)
	}
	if l.head().isSuspect() {
		heap.Push(&ls.suspects, l)
		return
	}
	heap.Push(&ls.waiting, l)
}

// unloadReady gives up the memory of all that is ready.
func (ls *lanes) unloadReady() {
	for _, l := range ls.ready.lanes[ls.ready.first:] {
		for _, it := range l.items {
			ls.unload(it)
		}
	}
}

func (ls *lanes) unload(it *item) {
	if it.isLoaded() {
		it.rec, it.damaged = nil, nil
		ls.loaded--
	}
}

// wake makes those ready, or overdue, that are due.
func (ls *lanes) wake(now time.Time) {
	ls.waiting.wake(&ls.ready, now)
	ls.suspects.wake(&ls.overdue, now)
}

// wakeAll ends all waiting.
func (ls *lanes) wakeAll() {
	for len(ls.waiting) > 0 {
		ls.waiting.wake(&ls.ready, ls.waiting[0].due)
	}
	for len(ls.suspects) > 0 {
		ls.suspects.wake(&ls.overdue, ls.suspects[0].due)
	}
}

// nextDue is when wake has something to do, or zero.
func (ls *lanes) nextDue() (due time.Time) {
	for _, h := range []dueLanes{ls.waiting, ls.suspects} {
		if len(h) > 0 && (due.IsZero() || h[0].due.Before(due)) {
			due = h[0].due
		}
	}
	return due
}

// dueLanes is waiting lanes, the first due first.
type dueLanes []*lane

func (h *dueLanes) wake(to *deque, now time.Time) {
	for len(*h) > 0 && !(*h)[0].due.After(now) {
		l := heap.Pop(h).(*lane)
		l.due = time.Time{}
		to.push(l)
	}
}

func (h dueLanes) Len() int           { return len(h) }
func (h dueLanes) Less(i, j int) bool { return h[i].due.Before(h[j].due) }
func (h dueLanes) Swap(i, j int)      { h[i], h[j] = h[j], h[i] }
func (h *dueLanes) Push(x any)        { *h = append(*h, x.(*lane)) }

func (h *dueLanes) Pop() any {
	old := *h
	l := old[len(old)-1]
	old[len(old)-1] = nil
	*h = old[:len(old)-1]
	return l
}

// deque is lanes in the order in which they became ready.
type deque struct {
	lanes []*lane
	first int
}

func (q *deque) len() int { return len(q.lanes) - q.first }

func (q *deque) push(l *lane) {
	if q.first > 64 && q.first > len(q.lanes)/2 {
		n := copy(q.lanes, q.lanes[q.first:])
		clear(q.lanes[n:])
		q.lanes, q.first = q.lanes[:n], 0
	}
	q.lanes = append(q.lanes, l)
}

// pop takes the oldest, nil if there is none.
func (q *deque) pop() *lane {
	if q.len() == 0 {
		return nil
	}
	l := q.lanes[q.first]
	q.lanes[q.first] = nil
	q.first++
	return l
}

// popNewest takes the newest, nil if there is none.
func (q *deque) popNewest() *lane {
	if q.len() == 0 {
		return nil
	}
	l := q.lanes[len(q.lanes)-1]
	q.lanes[len(q.lanes)-1] = nil
	q.lanes = q.lanes[:len(q.lanes)-1]
	return l
}
