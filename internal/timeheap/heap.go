package timeheap

import (
	"container/heap"
	"iter"
	"time"
)

// Entry is the place of one thing in a [Heap], a field of that thing. It must not be copied while it waits.
type Entry[T any] struct {
	of    T // the thing
	at    time.Time
	place int // 1 and its index in the heap; 0: it does not wait
}

// At is when the entry is due, zero if it does not wait.
func (e *Entry[T]) At() time.Time { return e.at }

// IsWaiting reports whether the entry is in a heap.
func (e *Entry[T]) IsWaiting() bool { return e.place > 0 }

// Heap is entries that wait. It is ready when zero.
type Heap[T any] struct{ entries entries[T] }

// Len is how many entries wait.
func (h *Heap[T]) Len() int { return len(h.entries) }

// Set puts something in, or moves it, to be due at this time. e is its entry, which is in one heap at a time.
func (h *Heap[T]) Set(of T, e *Entry[T], at time.Time) {
	e.of, e.at = of, at
	if e.IsWaiting() {
		heap.Fix(&h.entries, e.place-1)
		return
	}
	heap.Push(&h.entries, e)
}

// Remove takes an entry out that waits.
func (h *Heap[T]) Remove(e *Entry[T]) { heap.Remove(&h.entries, e.place-1) }

// Due gives what is due first, if it is due now. It stays in: the caller moves it or takes it out.
func (h *Heap[T]) Due(now time.Time) (v T, ok bool) {
	if len(h.entries) == 0 || h.entries[0].at.After(now) {
		return v, false
	}
	return h.entries[0].of, true
}

// Next is when the first is due, zero if nothing waits.
func (h *Heap[T]) Next() time.Time {
	if len(h.entries) == 0 {
		return time.Time{}
	}
	return h.entries[0].at
}

// All yields all that waits, in no order. The heap must not change meanwhile.
func (h *Heap[T]) All() iter.Seq[T] {
	return func(yield func(T) bool) {
		for _, e := range h.entries {
			if !yield(e.of) {
				return
			}
		}
	}
}

// entries implements [heap.Interface].
type entries[T any] []*Entry[T]

func (es entries[T]) Len() int           { return len(es) }
func (es entries[T]) Less(i, j int) bool { return es[i].at.Before(es[j].at) }

func (es entries[T]) Swap(i, j int) {
	es[i], es[j] = es[j], es[i]
	es[i].place, es[j].place = i+1, j+1
}

func (es *entries[T]) Push(x any) {
	e := x.(*Entry[T])
	*es = append(*es, e)
	e.place = len(*es)
}

func (es *entries[T]) Pop() any {
	last := len(*es) - 1
	e := (*es)[last]
	(*es)[last] = nil
	*es = (*es)[:last]
	e.at, e.place = time.Time{}, 0
	return e
}
