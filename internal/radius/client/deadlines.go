package client

import (
	"container/heap"
	"time"
)

// deadlines is all exchanges that are not settled, the one that is due first at [0].
type deadlines []*exchange

// set puts x in, or moves it to, its new deadline.
func (d *deadlines) set(x *exchange, deadline time.Time) {
	x.deadline = deadline
	if x.index == none {
		heap.Push(d, x)
		return
	}
	heap.Fix(d, x.index)
}

// remove takes x out.
func (d *deadlines) remove(x *exchange) {
	heap.Remove(d, x.index)
}

// The methods of heap.Interface.

func (d deadlines) Len() int           { return len(d) }
func (d deadlines) Less(i, j int) bool { return d[i].deadline.Before(d[j].deadline) }

func (d deadlines) Swap(i, j int) {
	d[i], d[j] = d[j], d[i]
	d[i].index, d[j].index = i, j
}

// Push is for container/heap only.
func (d *deadlines) Push(x any) {
	e := x.(*exchange)
	e.index = len(*d)
	*d = append(*d, e)
}

// Pop is for container/heap only.
func (d *deadlines) Pop() any {
	last := len(*d) - 1
	e := (*d)[last]
	(*d)[last] = nil
	*d = (*d)[:last]
	e.index = none
	return e
}
