package accounting

import (
	"container/heap"
)

// dueLanes is waiting lanes, a heap by when they are due.
type dueLanes []*lane

var _ heap.Interface = (*dueLanes)(nil)

func (h dueLanes) Len() int           { return len(h) }
func (h dueLanes) Less(i, j int) bool { return h[i].due.Before(h[j].due) }

func (h dueLanes) Swap(i, j int) {
	h[i], h[j] = h[j], h[i]
	h[i].index, h[j].index = i, j
}

// Push is for container/heap.
func (h *dueLanes) Push(x any) {
	l := x.(*lane)
	l.index = len(*h)
	*h = append(*h, l)
}

// Pop is for container/heap.
func (h *dueLanes) Pop() any {
	old := *h
	l := old[len(old)-1]
	old[len(old)-1] = nil
	*h = old[:len(old)-1]
	return l
}

// deque is lanes in the order in which they became ready.
type deque struct {
	lanes  []*lane
	first  int
	passed int // how many of the first were found to stay, by sift
}

func (q *deque) len() int     { return len(q.lanes) - q.first }
func (q *deque) all() []*lane { return q.lanes[q.first:] }

func (q *deque) push(l *lane) {
	l.busy = false
	if q.first > 64 && q.first > len(q.lanes)/2 {
		n := copy(q.lanes, q.lanes[q.first:])
		clear(q.lanes[n:])
		q.lanes, q.first = q.lanes[:n], 0
	}
	q.lanes = append(q.lanes, l)
}

// pop takes the oldest, or the newest, nil if there is none.
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
	l.busy = true
	if newest {
		q.lanes = q.lanes[:i]
		q.passed = min(q.passed, q.len())
	} else {
		q.first++
		q.passed = max(0, q.passed-1)
	}
	return l
}

// take takes the oldest lane out that is wanted, nil if there is none. It looks at those from the
// from-th on, and returns from where to look for the next.
func (q *deque) take(from int, wanted func(*lane) bool) (*lane, int) {
	for i := q.first + from; i < len(q.lanes); i++ {
		l := q.lanes[i]
		if !wanted(l) {
			continue
		}
		from = i - q.first
		copy(q.lanes[q.first+1:i+1], q.lanes[q.first:i])
		q.lanes[q.first] = nil
		q.first++
		if from < q.passed {
			q.passed--
		}
		l.busy = true
		return l, from
	}
	return nil, q.len()
}

// sift takes all lanes out that do not stay. It asks once for each lane, until passed is set to 0.
// A lane that does not stay is busy; stays must not change the deque.
func (q *deque) sift(stays func(*lane) bool) {
	kept := q.first + q.passed
	for i := kept; i < len(q.lanes); i++ {
		l := q.lanes[i]
		l.busy = true
		if stays(l) {
			l.busy = false
			q.lanes[kept] = l
			kept++
		}
	}
	clear(q.lanes[kept:])
	q.lanes, q.passed = q.lanes[:kept], kept-q.first
}
