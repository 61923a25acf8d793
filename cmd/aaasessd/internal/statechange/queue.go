package statechange

import (
	"slices"

	"aaasess/internal/servers"
)

// queueLimit is the length of a queue. There are at most 2 * [servers.MaxServers] servers that managers
// create or the groups of all servers have; more than that only if the configuration has private ones.
const queueLimit = 1024

// item is an element of a queue.
type item[T any] struct {
	server servers.Key
	value  T
}

// queue keeps elements in order. If it is full, it drops the oldest one that is followed by one of the
// same server, because the later one is closer to the truth. It has no lock.
type queue[T any] struct {
	items   []item[T]
	limit   int
	dropped uint64
}

func (q *queue[T]) push(s servers.Key, v T) {
	q.items = append(q.items, item[T]{s, v})
	if len(q.items) <= q.limit {
		return
	}
	q.dropped++
	for i := range q.items {
		if slices.ContainsFunc(q.items[i+1:], func(other item[T]) bool { return other.server == q.items[i].server }) {
			q.items = slices.Delete(q.items, i, i+1)
			return
		}
	}
	q.items = slices.Delete(q.items, 0, 1) // each is of another server
}

// pop removes the oldest element.
func (q *queue[T]) pop() (v T, ok bool) {
	if len(q.items) == 0 {
		return v, false
	}
	v = q.items[0].value
	q.items = slices.Delete(q.items, 0, 1)
	return v, true
}
