package report

import (
	"context"
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

func TestMedian(t *testing.T) {
	for _, tt := range []struct {
		name string
		in   []float64
		want float64
	}{
		{"one", []float64{7}, 7},
		{"odd, unsorted", []float64{9, 1, 5}, 5},
		{"even: mean of the middle", []float64{4, 1, 3, 2}, 2.5},
		{"an outlier does not move it", []float64{10, 11, 12, 13, 1000}, 12},
		{"equal values", []float64{3, 3, 3}, 3},
	} {
		t.Run(tt.name, func(t *testing.T) {
			before := append([]float64(nil), tt.in...)
			if got := median(tt.in); got != tt.want {
				t.Errorf("median(%v) = %v, want %v", tt.in, got, tt.want)
			}
			if diff := cmp.Diff(before, tt.in); diff != "" {
				t.Errorf("the input was changed (-before +after):\n%s", diff)
			}
		})
	}
}

// As many values are below the median as above it.
func TestMedianHalves(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		v := rapid.SliceOfN(rapid.Float64Range(0, 1e9), 1, 30).Draw(t, "values")
		m := median(v)
		below, above := 0, 0
		for _, x := range v {
			if x < m {
				below++
			}
			if x > m {
				above++
			}
		}
		if below > len(v)/2 || above > len(v)/2 {
			t.Fatalf("median %v of %v has %d below, %d above", m, v, below, above)
		}
	})
}

func TestSummarize(t *testing.T) {
	if got, want := summarize([]float64{3, 1, 2}), (summary{median: 2, min: 1, max: 3, runs: 3}); got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
	if got := summarize(nil); got != (summary{}) {
		t.Errorf("of nothing: got %+v", got)
	}
}

func TestPairwise(t *testing.T) {
	for _, tt := range []struct {
		name string
		a, b []float64
		want []float64
	}{
		{"by position", []float64{2, 9}, []float64{1, 3}, []float64{2, 3}},
		{"one is missing runs", []float64{2, 9}, []float64{1}, nil},
		{"one has none", nil, []float64{1}, nil},
		{"both have none", nil, nil, nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if diff := cmp.Diff(tt.want, pairwise(tt.a, tt.b)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// A machine that is slow in one run is slow for both contenders. The median of the ratios shows
// that, the ratio of the medians does not.
func TestRatiosAreComputedRunByRun(t *testing.T) {
	s := Series{
		"a": {{"rate": 20}, {"rate": 200}, {"rate": 22}},
		"b": {{"rate": 10}, {"rate": 100}, {"rate": 110}},
	}
	if diff := cmp.Diff([]float64{2, 2, 0.2}, s.ratios("a", "b", "rate")); diff != "" {
		t.Errorf("ratios (-want +got):\n%s", diff)
	}
	if got := s.ratios("a", "b", "latency"); got != nil {
		t.Errorf("ratios of a metric nobody has: %v", got)
	}
	if got := s.ratios("a", "c", "rate"); got != nil {
		t.Errorf("ratios to an unknown contender: %v", got)
	}
}

func TestValuesNeedEveryRun(t *testing.T) {
	s := Series{"a": {{"rate": 1}, {"latency": 2}}}
	if got := s.Values("a", "rate"); got != nil {
		t.Errorf("got %v although a run lacks it", got)
	}
}

func TestInterleaveOrder(t *testing.T) {
	var order []string
	s, err := Interleave(t.Context(), 2, []string{"a", "b", "c"},
		func(_ context.Context, c string) (Sample, error) {
			order = append(order, c)
			return Sample{"turn": float64(len(order))}, nil
		})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"a", "b", "c", "a", "b", "c"}, order); diff != "" {
		t.Errorf("order (-want +got):\n%s", diff)
	}
	want := map[string][]float64{"a": {1, 4}, "b": {2, 5}, "c": {3, 6}}
	for c, v := range want {
		if diff := cmp.Diff(v, s.Values(c, "turn")); diff != "" {
			t.Errorf("%s (-want +got):\n%s", c, diff)
		}
	}
}

func TestInterleaveStopsAtTheFirstFailure(t *testing.T) {
	broken := errors.New("broken")
	calls := 0
	s, err := Interleave(t.Context(), 3, []string{"a", "b"},
		func(_ context.Context, c string) (Sample, error) {
			calls++
			if calls == 4 {
				return nil, broken
			}
			return Sample{}, nil
		})
	if !errors.Is(err, broken) {
		t.Fatalf("error %v, want %v", err, broken)
	}
	if got, want := err.Error(), "bench: b, run 2 of 3: broken"; got != want {
		t.Errorf("error %q, want %q", got, want)
	}
	if s != nil || calls != 4 {
		t.Errorf("series %v after %d calls, want none after 4", s, calls)
	}
}
