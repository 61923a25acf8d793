package timeheap

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"
)

var noon = time.Date(2001, 6, 27, 12, 0, 0, 0, time.UTC)

func at(second int) time.Time { return noon.Add(time.Duration(second) * time.Second) }

type thing struct{ wait Entry[*thing] }

// TestAgainstModel: after any additions, moves and removals, the earliest thing is first, and the
// contents equal the model's.
func TestAgainstModel(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var h Heap[*thing]
		model := map[*thing]time.Time{}
		all := make([]*thing, 8)
		for i := range all {
			all[i] = &thing{}
		}
		t.Repeat(map[string]func(*rapid.T){
			"set": func(t *rapid.T) {
				x := rapid.SampledFrom(all).Draw(t, "thing")
				model[x] = at(rapid.IntRange(0, 20).Draw(t, "second"))
				h.Set(x, &x.wait, model[x])
			},
			"remove": func(t *rapid.T) {
				x := rapid.SampledFrom(all).Draw(t, "thing")
				if !x.wait.IsWaiting() {
					t.Skip("not in")
				}
				h.Remove(&x.wait)
				delete(model, x)
			},
			"due": func(t *rapid.T) {
				now := at(rapid.IntRange(0, 20).Draw(t, "second"))
				x, ok := h.Due(now)
				if next := h.Next(); ok != (!next.IsZero() && !next.After(now)) || ok && !model[x].Equal(next) {
					t.Fatalf("%v: due %v at %v, next is %v", now, ok, model[x], next)
				}
				if ok {
					h.Remove(&x.wait)
					delete(model, x)
				}
			},
			"": func(t *rapid.T) {
				if h.Len() != len(model) || !maps.Equal(maps.Collect(withTimes(&h)), model) {
					t.Fatalf("%d in the heap, want %d", h.Len(), len(model))
				}
				var first time.Time
				for _, x := range all {
					want, in := model[x]
					if x.wait.IsWaiting() != in || !x.wait.At().Equal(want) {
						t.Fatalf("at %v, want %v", x.wait.At(), want)
					}
					if in && (first.IsZero() || want.Before(first)) {
						first = want
					}
				}
				if !h.Next().Equal(first) {
					t.Fatalf("next is %v, want %v", h.Next(), first)
				}
			},
		})
	})
}

func withTimes(h *Heap[*thing]) func(func(*thing, time.Time) bool) {
	return func(yield func(*thing, time.Time) bool) {
		for x := range h.All() {
			if !yield(x, x.wait.At()) {
				return
			}
		}
	}
}

// TestOrder: things that are removed when they are due are sorted.
func TestOrder(t *testing.T) {
	var h Heap[int]
	const n = 1000
	list := make([]Entry[int], n)
	for i, second := range rand.New(rand.NewPCG(1, 2)).Perm(n) {
		h.Set(second, &list[i], at(second))
	}
	h.Remove(&list[7])
	var got []int
	for h.Len() > 0 {
		second, ok := h.Due(h.Next())
		i := slices.IndexFunc(list, func(e Entry[int]) bool { return e.IsWaiting() && e.item == second })
		if !ok || i < 0 {
			t.Fatalf("%d is due: %v", second, ok)
		}
		h.Remove(&list[i])
		got = append(got, second)
	}
	if !slices.IsSorted(got) || len(got) != n-1 || slices.Contains(got, list[7].item) {
		t.Errorf("%v", got)
	}
	if _, ok := h.Due(at(n)); ok || !h.Next().IsZero() {
		t.Error("something is due in an empty heap")
	}
}

// BenchmarkSet moves one of many entries, as each transmission does.
func BenchmarkSet(b *testing.B) {
	for _, n := range []int{16, 4096} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			var h Heap[*thing]
			all := make([]*thing, n)
			for i := range all {
				all[i] = &thing{}
				h.Set(all[i], &all[i].wait, at(i))
			}
			b.ReportAllocs()
			for i := 0; b.Loop(); i++ {
				h.Set(all[i%n], &all[i%n].wait, at(n+i))
			}
		})
	}
}

// BenchmarkAddRemove adds an entry behind the others and removes it, like a request that is
// answered at once.
func BenchmarkAddRemove(b *testing.B) {
	var h Heap[*thing]
	for i := range 4096 {
		x := &thing{}
		h.Set(x, &x.wait, at(i))
	}
	x := &thing{}
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		h.Set(x, &x.wait, at(5000))
		h.Remove(&x.wait)
	}
}

// TestNoAllocation: moving, adding and removing allocate nothing.
func TestNoAllocation(t *testing.T) {
	var h Heap[*thing]
	for i := range 100 {
		x := &thing{}
		h.Set(x, &x.wait, at(i))
	}
	x := &thing{}
	work := func() {
		h.Set(x, &x.wait, at(50))
		h.Set(x, &x.wait, at(5))
		h.Remove(&x.wait)
	}
	work() // the slice grows
	if n := testing.AllocsPerRun(100, work); n != 0 {
		t.Errorf("%v allocations", n)
	}
}
