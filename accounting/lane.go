package accounting

import (
	"cmp"
	"container/heap"
	"slices"
	"time"

	"aaasess/sessions"
)

// item is a record that a deliverer has read and that is not settled.
type item struct {
	seq  uint64
	lane *lane   // nil once it is settled
	rec  *Record // nil: to be read again when it is wanted, or damaged
	odd  *odd    // nil for most: what is known of it if it is not simply sent and answered
	when int64   // the record's At, nanoseconds since 1970; 0 if damaged

	since   uint64        // health.answers when it was sent
	first   time.Duration // when it was sent first, on the deliverer's clock; 0: not yet
	gen     int32         // generation of the method that it was sent with
	hasNext bool          // it has another method to go to
	stored  bool          // under way into another queue, not to a method
	retry   bool          // counted in Deliverer.retrying
	role    role          // of its transmission
}

// role is on whose account a record is sent: its progress, and who is concerned if nobody answers.
type role uint8

const (
	itself  role = iota
	standIn      // in place of the probe, on its account
	extra        // with the progress of the probe, on nobody's account
)

// odd is what a deliverer knows of an item that is damaged, refused or was not answered.
type odd struct {
	damaged []byte   // what is no record
	refusal error    // why it is to be set aside
	at      Progress // where in its schedule it stands
	tries   int      // times that nobody answered it
	rounds  int      // times that its schedule ended so
	blamed  int      // of tries, those while somebody answered others
	vain    int      // transmissions of those
	guilty  int      // of rounds, those with such a try
	inVain  bool     // there was such a try in the present round
	seen    uint64   // health.answers when it was sent the time before
}

// strange returns the item's odd, which the first call makes.
func (it *item) strange() *odd {
	if it.odd == nil {
		it.odd = &odd{seen: it.since}
	}
	return it.odd
}

// refusal is why the item is to be set aside, nil if it is not.
func (it *item) refusal() error {
	if it.odd == nil {
		return nil
	}
	return it.odd.refusal
}

// progress is where in its schedule the item stands.
func (it *item) progress() Progress {
	if it.odd == nil {
		return Progress{}
	}
	return it.odd.at
}

// blamed is how often nobody answered the item while somebody answered others.
func (it *item) blamed() int {
	if it.odd == nil {
		return 0
	}
	return it.odd.blamed
}

// renew forgets how the item fared with a method that was replaced.
func (it *item) renew() {
	if it.refusal() == nil {
		it.odd, it.first = nil, 0
	}
}

// isLoaded reports whether the item's octets are in memory.
func (it *item) isLoaded() bool { return it.rec != nil || it.odd != nil && it.odd.damaged != nil }

// isSuspect reports whether nobody answered the item.
func (it *item) isSuspect() bool { return it.odd != nil && it.odd.tries > 0 && it.odd.refusal == nil }

// lane is the items of one session, in order. Only the first may be under way.
type lane struct {
	session sessions.ID
	items   []*item
	one     [1]*item  // room for the first
	due     time.Time // while it waits: when its first item is tried again
	index   int       // while it waits: where in its heap
	suspect bool      // while it waits: in lanes.suspects
	busy    bool      // in no list: the first item is under way, or is the probe
}

func (l *lane) head() *item { return l.items[0] }

// find is where in the lane an item is.
func (l *lane) find(seq uint64) (i int, found bool) {
	return slices.BinarySearchFunc(l.items, seq, func(it *item, seq uint64) int { return cmp.Compare(it.seq, seq) })
}

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
	late     int // of them, those whose lanes wait
}

// add puts an item behind the others of its session. A damaged record, whose session nobody knows,
// gets a lane of its own.
func (ls *lanes) add(it *item) {
	ls.items++
	ls.loaded++
	if it.rec == nil {
		it.lane = &lane{}
		it.lane.items = append(it.lane.one[:0], it)
		ls.ready.push(it.lane)
		return
	}
	id := it.rec.Session
	l := ls.bySession[id]
	if l == nil {
		l = &lane{session: id}
		l.items = l.one[:0]
		ls.bySession[id] = l
		ls.ready.push(l)
	}
	it.lane = l
	l.items = append(l.items, it)
	if !l.due.IsZero() {
		ls.late++
		ls.unload(it)
	}
}

// release makes a busy lane ready again, or overdue.
func (ls *lanes) release(l *lane) {
	if l.head().isSuspect() {
		ls.overdue.push(l)
		return
	}
	ls.ready.push(l)
}

// next takes the first lane of a list, or the last, nil if there is none.
func (ls *lanes) next(q *deque, newest bool) *lane {
	for {
		l := q.pop(newest)
		if l == nil || len(l.items) > 0 {
			return l
		}
		ls.forget(l) // all of it was superseded
	}
}

// forget ends a lane that is in no list and has no items.
func (ls *lanes) forget(l *lane) {
	if ls.bySession[l.session] == l {
		delete(ls.bySession, l.session)
	}
}

// settle takes the head of a busy lane away for good.
func (ls *lanes) settle(it *item) {
	l := it.lane
	ls.remove(it)
	l.items[0] = nil
	l.items = l.items[1:]
	if len(l.items) == 0 {
		ls.forget(l)
		return
	}
	ls.ready.push(l)
}

// remove counts an item as gone.
func (ls *lanes) remove(it *item) {
	ls.items--
	ls.unload(it)
	it.lane = nil
}

// has reports whether a record is there.
func (ls *lanes) has(session sessions.ID, seq uint64) (found bool) {
	if l := ls.bySession[session]; l != nil {
		_, found = l.find(seq)
	}
	return found
}

// drop takes a record away for good from wherever in its lane it is. It returns false if it is not
// there, or is under way: then nothing happens.
func (ls *lanes) drop(session sessions.ID, seq uint64) bool {
	l := ls.bySession[session]
	if l == nil {
		return false
	}
	i, found := l.find(seq)
	if !found || i == 0 && l.busy {
		return false
	}
	waits := !l.due.IsZero()
	if waits {
		ls.late--
	}
	ls.remove(l.items[i])
	copy(l.items[1:i+1], l.items[:i])
	l.items[0] = nil
	l.items = l.items[1:]
	switch {
	case i == 0 && waits: // it was its head that the lane waited for
		ls.unwait(l)
		ls.ready.push(l)
	case i == 0:
		ls.ready.passed, ls.overdue.passed = 0, 0 // the new head may have another method to go to
	}
	return true
}

// wait makes a busy lane wait. Its items give up their memory, so that however many sessions nobody
// answers for, there is room for the others.
func (ls *lanes) wait(l *lane, due time.Time) {
	l.due, l.busy = due, false
	ls.late += len(l.items)
	ls.unloadLane(l)
	l.suspect = l.head().isSuspect()
	heap.Push(ls.heap(l), l)
}

// unwait takes a lane that waits out of its heap.
func (ls *lanes) unwait(l *lane) {
	heap.Remove(ls.heap(l), l.index)
	l.due = time.Time{}
	ls.late -= len(l.items)
}

func (ls *lanes) heap(l *lane) *dueLanes {
	if l.suspect {
		return &ls.suspects
	}
	return &ls.waiting
}

func (ls *lanes) unloadLane(l *lane) {
	for _, it := range l.items {
		ls.unload(it)
	}
}

// unloadReady gives up the memory of all that is ready.
func (ls *lanes) unloadReady() {
	for _, l := range ls.ready.all() {
		ls.unloadLane(l)
	}
}

func (ls *lanes) unload(it *item) {
	if it.isLoaded() {
		it.rec = nil
		if it.odd != nil {
			it.odd.damaged = nil
		}
		ls.loaded--
	}
}

// wake makes those ready, or overdue, that are due.
func (ls *lanes) wake(now time.Time) {
	for _, h := range []*dueLanes{&ls.waiting, &ls.suspects} {
		for len(*h) > 0 && !(*h)[0].due.After(now) {
			ls.rouse((*h)[0])
		}
	}
}

// rouse ends the waiting of a lane.
func (ls *lanes) rouse(l *lane) {
	ls.unwait(l)
	ls.release(l)
}

// wakeAll ends all waiting.
func (ls *lanes) wakeAll() {
	for len(ls.waiting) > 0 {
		ls.rouse(ls.waiting[0])
	}
	for len(ls.suspects) > 0 {
		ls.rouse(ls.suspects[0])
	}
}

// wakeLater ends the waiting of those that are in the midst of their schedule.
func (ls *lanes) wakeLater() {
	var all []*lane
	for _, l := range ls.suspects {
		if l.head().progress() != (Progress{}) {
			all = append(all, l)
		}
	}
	slices.SortFunc(all, func(a, b *lane) int { return a.due.Compare(b.due) })
	for _, l := range all {
		ls.rouse(l)
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
