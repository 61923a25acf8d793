package statechange

import "slices"

// queueLimit is the length of a queue. Of servers there are at most 2 * [servers.MaxServers] servers that managers
// create or the groups of all servers have; more than that only if the configuration has private ones.
const queueLimit = 1024

// item is an element of a queue.
type item[K comparable, T any] struct {
	key   K
	value T
}

// queue keeps elements in order. If it is full, it drops the oldest one that is followed by one of the
// same key, because the later one is closer to the truth. It has no lock.
type queue[K comparable, T any] struct {
	items   []item[K, T]
	limit   int
	dropped uint64
}

func (q *queue[K, T]) push(key K, v T) {
	q.items = append(q.items, item[K, T]{key, v})
	if len(q.items) <= q.limit {
		return
	}
	q.dropped++
	for i := range q.items {
		if slices.ContainsFunc(q.items[i+1:], func(other item[K, T]) bool { return other.key == q.items[i].key }) {
			q.items = slices.Delete(q.items, i, i+1)
			return
		}
	}
	q.items = slices.Delete(q.items, 0, 1) // each has another key
}

// pop removes the oldest element.
func (q *queue[K, T]) pop() (v T, ok bool) {
	if len(q.items) == 0 {
		return v, false
	}
	v = q.items[0].value
	q.items = slices.Delete(q.items, 0, 1)
	return v, true
}
