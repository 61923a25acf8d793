package histogram_test

import (
	"math"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"
	"pgregory.net/rapid"

	"aaasess/internal/histogram"
)

func TestObserve(t *testing.T) {
	bounds := []time.Duration{time.Millisecond, time.Second, time.Minute}
	for _, tt := range []struct {
		name     string
		observed []time.Duration
		want     histogram.Snapshot
	}{
		{"nothing", nil, histogram.Snapshot{Counts: []uint64{0, 0, 0}}},
		{"a bound belongs to its bucket", []time.Duration{time.Millisecond, time.Millisecond + 1}, histogram.Snapshot{Counts: []uint64{1, 1, 0}, Total: 2, Sum: 2*time.Millisecond + 1}},
		{"below zero", []time.Duration{-time.Hour}, histogram.Snapshot{Counts: []uint64{1, 0, 0}, Total: 1}},
		{"above all bounds", []time.Duration{time.Hour, time.Minute}, histogram.Snapshot{Counts: []uint64{0, 0, 1}, Total: 2, Sum: time.Hour + time.Minute}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			h := histogram.New(bounds...)
			for _, d := range tt.observed {
				h.Observe(d)
			}
			tt.want.Bounds = bounds
			if diff := cmp.Diff(tt.want, h.Snapshot()); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestNil(t *testing.T) {
	var h *histogram.Histogram
	h.Observe(time.Second)
	if s := h.Snapshot(); s.Total != 0 || s.Bounds != nil {
		t.Errorf("%+v", s)
	}
}

func TestBoundsMustAscend(t *testing.T) {
	defer func() {
		if recover() == nil {
			t.Error("bounds that do not ascend are accepted")
		}
	}()
	histogram.New(time.Second, time.Second)
}

// TestEachIsCountedOnce: whatever is observed, by several goroutines, each duration is in the bucket
// where it belongs, and the sum is right.
func TestEachIsCountedOnce(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		bounds := rapid.SliceOfNDistinct(rapid.Int64Range(0, 1000), 0, 8, rapid.ID).Draw(rt, "bounds")
		slices.Sort(bounds)
		all := rapid.SliceOfN(rapid.Int64Range(0, 1100), 0, 100).Draw(rt, "observed")
		var durations []time.Duration
		for _, b := range bounds {
			durations = append(durations, time.Duration(b))
		}
		h := histogram.New(durations...)
		var wait sync.WaitGroup
		for part := range slices.Chunk(all, 30) {
			wait.Go(func() {
				for _, d := range part {
					h.Observe(time.Duration(d))
				}
			})
		}
		wait.Wait()
		s := h.Snapshot()
		below, sum := int64(math.MinInt64), int64(0)
		for i, bound := range bounds {
			want := uint64(0)
			for _, d := range all {
				if d > below && d <= bound {
					want++
				}
			}
			if s.Counts[i] != want {
				rt.Fatalf("bucket %d has %d, want %d", i, s.Counts[i], want)
			}
			below = bound
		}
		for _, d := range all {
			sum += d
		}
		if s.Total != uint64(len(all)) || s.Sum != time.Duration(sum) {
			rt.Fatalf("%d with the sum %v, want %d with %v", s.Total, s.Sum, len(all), sum)
		}
	})
}

// BenchmarkObserve compares an observation with one of the Prometheus library.
func BenchmarkObserve(b *testing.B) {
	bounds := []time.Duration{
		500 * time.Microsecond, time.Millisecond, 2500 * time.Microsecond, 5 * time.Millisecond, 10 * time.Millisecond, 25 * time.Millisecond,
		50 * time.Millisecond, 100 * time.Millisecond, 250 * time.Millisecond, time.Second, 5 * time.Second,
	}
	var seconds []float64
	for _, d := range bounds {
		seconds = append(seconds, d.Seconds())
	}
	b.Run("own", func(b *testing.B) {
		h := histogram.New(bounds...)
		for b.Loop() {
			h.Observe(3 * time.Millisecond)
		}
	})
	b.Run("client_golang", func(b *testing.B) {
		h := prometheus.NewHistogram(prometheus.HistogramOpts{Name: "x_seconds", Help: "x", Buckets: seconds})
		for b.Loop() {
			h.Observe((3 * time.Millisecond).Seconds())
		}
	})
	b.Run("client_golang_native", func(b *testing.B) {
		h := prometheus.NewHistogram(prometheus.HistogramOpts{Name: "x_seconds", Help: "x", NativeHistogramBucketFactor: 1.1})
		for b.Loop() {
			h.Observe((3 * time.Millisecond).Seconds())
		}
	})
	b.Run("own/parallel", func(b *testing.B) {
		h := histogram.New(bounds...)
		b.RunParallel(func(pb *testing.PB) {
			for pb.Next() {
				h.Observe(3 * time.Millisecond)
			}
		})
	})
	b.Run("client_golang/parallel", func(b *testing.B) {
		h := prometheus.NewHistogram(prometheus.HistogramOpts{Name: "x_seconds", Help: "x", Buckets: seconds})
		b.RunParallel(func(pb *testing.PB) {
			for pb.Next() {
				h.Observe((3 * time.Millisecond).Seconds())
			}
		})
	})
}
