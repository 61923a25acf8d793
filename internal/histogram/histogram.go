package histogram

import (
	"fmt"
	"sync/atomic"
	"time"
)

// Histogram counts durations by buckets. Its methods may be called from any goroutine. A nil Histogram
// counts nothing.
type Histogram struct {
	bounds []time.Duration
	counts []atomic.Uint64 // by bucket; the last one has what is above all bounds
	sum    atomic.Int64    // nanoseconds
}

// New returns a Histogram whose buckets have these upper bounds, which belong to the bucket. They must
// ascend.
func New(bounds ...time.Duration) *Histogram {
	for i := 1; i < len(bounds); i++ {
		if bounds[i] <= bounds[i-1] {
			panic(fmt.Sprintf("histogram: bound %v follows %v", bounds[i], bounds[i-1]))
		}
	}
	return &Histogram{bounds: bounds, counts: make([]atomic.Uint64, len(bounds)+1)}
}

// Observe counts a duration. One below 0, after a step of the clock, counts as 0.
func (h *Histogram) Observe(d time.Duration) {
	if h == nil {
		return
	}
	d = max(0, d)
	i := 0
	for i < len(h.bounds) && d > h.bounds[i] {
		i++
	}
	h.counts[i].Add(1)
	h.sum.Add(int64(d))
}

// Snapshot is what a Histogram has counted.
type Snapshot struct {
	Bounds []time.Duration // not to be changed
	// Counts is how many durations are at most each bound, and not at most the one before.
	Counts []uint64
	Total  uint64 // also of those above all bounds
	Sum    time.Duration
}

// Snapshot returns what was counted. That of a nil Histogram is zero.
func (h *Histogram) Snapshot() (s Snapshot) {
	if h == nil {
		return s
	}
	s.Bounds, s.Counts, s.Sum = h.bounds, make([]uint64, len(h.bounds)), time.Duration(h.sum.Load())
	for i := range h.counts {
		n := h.counts[i].Load()
		s.Total += n
		if i < len(s.Counts) {
			s.Counts[i] = n
		}
	}
	return s
}

// Plus returns what two Histograms with the same bounds have counted. A zero Snapshot adds nothing.
func (s Snapshot) Plus(t Snapshot) Snapshot {
	switch {
	case t.Bounds == nil:
		return s
	case s.Bounds == nil:
		return t
	}
	sum := Snapshot{Bounds: s.Bounds, Counts: make([]uint64, len(s.Counts)), Total: s.Total + t.Total, Sum: s.Sum + t.Sum}
	for i := range s.Counts {
		sum.Counts[i] = s.Counts[i] + t.Counts[i]
	}
	return sum
}
