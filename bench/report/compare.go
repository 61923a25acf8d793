package report

import (
	"context"
	"fmt"
	"slices"
)

// Sample is the result of one measurement of one contender: metric name to value.
type Sample map[string]float64

// Series is the samples of each contender, in the order of the runs.
type Series map[string][]Sample

// Interleave measures every contender once in each run, in the given order. If a measurement fails,
// it returns an error: a median over fewer runs would not be comparable.
func Interleave(ctx context.Context, runs int, contenders []string,
	measure func(ctx context.Context, contender string) (Sample, error),
) (Series, error) {
	s := make(Series, len(contenders))
	for run := 1; run <= runs; run++ {
		for _, c := range contenders {
			got, err := measure(ctx, c)
			if err != nil {
				return nil, fmt.Errorf("bench: %s, run %d of %d: %w", c, run, runs, err)
			}
			s[c] = append(s[c], got)
		}
	}
	return s, nil
}

// Values returns one contender's values of a metric by run, or nil if a run has none.
func (s Series) Values(contender, metric string) []float64 {
	var v []float64
	for _, one := range s[contender] {
		x, ok := one[metric]
		if !ok {
			return nil
		}
		v = append(v, x)
	}
	return v
}

// ratios divides num's value of a metric by den's, run by run, because the speed of the machine may
// differ between runs. It returns nil if either has no value.
func (s Series) ratios(num, den, metric string) []float64 {
	return pairwise(s.Values(num, metric), s.Values(den, metric))
}

// pairwise returns all a[i]/b[i], or nil if the lengths differ.
func pairwise(a, b []float64) []float64 {
	if len(a) != len(b) {
		return nil
	}
	var r []float64
	for i := range a {
		r = append(r, a[i]/b[i])
	}
	return r
}

// summary summarizes the values of several runs.
type summary struct {
	median, min, max float64
	runs             int
}

// summarize does not change v, which may be in any order.
func summarize(v []float64) summary {
	if len(v) == 0 {
		return summary{}
	}
	return summary{median: median(v), min: slices.Min(v), max: slices.Max(v), runs: len(v)}
}

// median returns the middle value of a non-empty list, or the mean of the two in the middle.
func median(v []float64) float64 {
	s := slices.Sorted(slices.Values(v))
	m := len(s) / 2
	if len(s)%2 == 1 {
		return s[m]
	}
	return (s[m-1] + s[m]) / 2
}
