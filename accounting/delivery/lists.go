package delivery

import (
	"slices"
	"time"

	"aaasess/internal/timeheap"
)

// waiting has lanes that wait for their times.
type waiting struct{ heap timeheap.Heap[*lane] }

// add makes a busy lane wait.
func (ls *waiting) add(l *lane, due time.Time) {
	l.busy = false
	ls.heap.Set(l, &l.retry, due)
}

// remove ends the wait of a lane. It is busy then.
func (ls *waiting) remove(l *lane) {
	ls.heap.Remove(&l.retry)
	l.busy = true
}

// due removes and returns a lane that is due, or nil if there is none.
func (ls *waiting) due(now time.Time) *lane {
	l, ok := ls.heap.Due(now)
	if !ok {
		return nil
	}
	ls.remove(l)
	return l
}

// removeIf removes and returns the wanted lanes, in the order in which they are due.
func (ls *waiting) removeIf(wanted func(*lane) bool) (all []*lane) {
	for l := range ls.heap.All() {
		if wanted(l) {
			all = append(all, l)
		}
	}
	slices.SortFunc(all, func(a, b *lane) int { return a.retry.At().Compare(b.retry.At()) })
	for _, l := range all {
		ls.remove(l)
	}
	return all
}

// nextDue returns when the first lane is due, or zero if none waits.
func (ls *waiting) nextDue() time.Time { return ls.heap.Next() }

// deque has lanes in the order in which they were added.
type deque struct {
	lanes []*lane
	first int
}

func (q *deque) len() int     { return len(q.lanes) - q.first }
func (q *deque) all() []*lane { return q.lanes[q.first:] }

// push puts a busy lane behind the others.
func (q *deque) push(l *lane) {
	l.busy = false
	if q.first > 64 && q.first > len(q.lanes)/2 {
		n := copy(q.lanes, q.lanes[q.first:])
		clear(q.lanes[n:])
		q.lanes, q.first = q.lanes[:n], 0
	}
	q.lanes = append(q.lanes, l)
}

// pop removes the oldest lane, or the newest, and returns it as busy, or nil if there is none.
func (q *deque) pop(newest bool) *lane {
	if q.len() == 0 {
		return nil
	}
	i := q.first
	if newest {
		i = len(q.lanes) - 1
	}
	l := q.lanes[i]
	q.lanes[i] = nil
	l.busy, l.parked = true, false
	if newest {
		q.lanes = q.lanes[:i]
	} else {
		q.first++
	}
	return l
}

// find removes and returns the oldest wanted lane, or nil if there is none. The search begins at
// index from; the second result is the index at which to search for the next.
func (q *deque) find(from int, wanted func(*lane) bool) (*lane, int) {
	for i := q.first + from; i < len(q.lanes); i++ {
		l := q.lanes[i]
		if !wanted(l) {
			continue
		}
		from = i - q.first
		copy(q.lanes[q.first+1:i+1], q.lanes[q.first:i])
		q.lanes[q.first] = nil
		q.first++
		l.busy, l.parked = true, false
		return l, from
	}
	return nil, q.len()
}

// empty removes all lanes and appends them to all.
func (q *deque) empty(all []*lane) []*lane {
	for l := q.pop(false); l != nil; l = q.pop(false) {
		all = append(all, l)
	}
	return all
}
