package timeheap

import (
	"container/heap"
	"iter"
	"time"
)

// Entry is the position of one thing in a [Heap], and a field of that thing. It must not be copied
// while it is in a heap.
type Entry[T any] struct {
	item     T
	at       time.Time
	position int // index in the heap plus 1; 0 means that it is in no heap
}

// At returns the due time, or zero if the entry is in no heap.
func (e *Entry[T]) At() time.Time { return e.at }

// IsWaiting reports whether the entry is in a heap.
func (e *Entry[T]) IsWaiting() bool { return e.position > 0 }

// Heap has the waiting entries. The zero value is ready to use.
type Heap[T any] struct{ entries entries[T] }

// Len returns the number of entries.
func (h *Heap[T]) Len() int { return len(h.entries) }

// Set adds a thing with this due time, or moves it. e is its entry, which may be in one heap at a
// time.
func (h *Heap[T]) Set(item T, e *Entry[T], at time.Time) {
	e.item, e.at = item, at
	if e.IsWaiting() {
		heap.Fix(&h.entries, e.position-1)
		return
	}
	heap.Push(&h.entries, e)
}

// Remove removes an entry, which must be in the heap.
func (h *Heap[T]) Remove(e *Entry[T]) { heap.Remove(&h.entries, e.position-1) }

// Due returns the thing with the earliest due time if it is due now. The thing stays in the heap:
// the caller must move or remove it.
func (h *Heap[T]) Due(now time.Time) (v T, ok bool) {
	if len(h.entries) == 0 || h.entries[0].at.After(now) {
		return v, false
	}
	return h.entries[0].item, true
}

// Next returns the earliest due time, or zero if the heap is empty.
func (h *Heap[T]) Next() time.Time {
	if len(h.entries) == 0 {
		return time.Time{}
	}
	return h.entries[0].at
}

// All yields all things, in no defined order. The heap must not change meanwhile.
func (h *Heap[T]) All() iter.Seq[T] {
	return func(yield func(T) bool) {
		for _, e := range h.entries {
			if !yield(e.item) {
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
	es[i].position, es[j].position = i+1, j+1
}

func (es *entries[T]) Push(x any) {
	e := x.(*Entry[T])
	*es = append(*es, e)
	e.position = len(*es)
}

func (es *entries[T]) Pop() any {
	last := len(*es) - 1
	e := (*es)[last]
	(*es)[last] = nil
	*es = (*es)[:last]
	e.at, e.position = time.Time{}, 0
	return e
}
