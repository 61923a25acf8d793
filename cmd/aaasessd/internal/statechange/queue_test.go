package statechange

import (
	"fmt"
	"slices"
	"testing"

	"aaasess/internal/servers"

	"pgregory.net/rapid"
)

// TestQueue: elements leave in order, each is counted if it is dropped, and the last one of each server
// stays.
func TestQueue(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		limit := rapid.IntRange(1, 6).Draw(t, "limit")
		names := rapid.IntRange(1, limit).Draw(t, "servers")
		q := queue[servers.Key, int]{limit: limit}
		pushed, popped, last := 0, 0, map[string]int{}
		before := -1
		pop := func() bool {
			v, ok := q.pop()
			if !ok {
				return false
			}
			if v <= before {
				t.Fatalf("%d leaves after %d", v, before)
			}
			before = v
			popped++
			for name, n := range last {
				if n == v {
					delete(last, name)
				}
			}
			return true
		}
		for range rapid.IntRange(0, 50).Draw(t, "steps") {
			if rapid.IntRange(0, 3).Draw(t, "pop") == 0 {
				pop()
				continue
			}
			name := fmt.Sprint(rapid.IntRange(1, names).Draw(t, "server"))
			q.push(servers.Key{Name: name}, pushed)
			last[name] = pushed
			pushed++
			if len(q.items) > limit {
				t.Fatalf("%d elements", len(q.items))
			}
		}
		for pop() {
		}
		if len(last) > 0 {
			t.Fatalf("the last ones of servers are lost: %v", last)
		}
		if uint64(pushed-popped) != q.dropped {
			t.Fatalf("%d pushed, %d popped, %d dropped", pushed, popped, q.dropped)
		}
	})
}

// TestQueueOfManyServers: if each element is of another server, the oldest is dropped.
func TestQueueOfManyServers(t *testing.T) {
	q := queue[servers.Key, int]{limit: 2}
	for i := range 3 {
		q.push(servers.Key{Name: fmt.Sprint(i)}, i)
	}
	var got []int
	for v, ok := q.pop(); ok; v, ok = q.pop() {
		got = append(got, v)
	}
	if !slices.Equal(got, []int{1, 2}) || q.dropped != 1 {
		t.Errorf("%d, %d dropped", got, q.dropped)
	}
}
