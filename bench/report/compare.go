package report

import (
	"context"
	"fmt"
	"slices"
)

// Sample is what one measurement of one contender gave: metric name to value.
type Sample map[string]float64

// Series holds the samples of each contender, in the order of the runs.
type Series map[string][]Sample

// Interleave measures every contender once a run, in the order given, runs
// times. A measurement that fails ends the whole comparison: a median over
// fewer runs would not be comparable.
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

// Values gives one contender's values of a metric by run, nil when a run
// lacks it.
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

// ratios divides num's value of a metric by den's, run by run: both met the
// machine in the same mood. It is nil when either lacks the metric.
func (s Series) ratios(num, den, metric string) []float64 {
	return pairwise(s.Values(num, metric), s.Values(den, metric))
}

// pairwise divides a[i] by b[i]. It is nil when the lengths differ.
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

// summary is what a table shows of several runs.
type summary struct {
	median, min, max float64
	runs             int
}

// summarize needs no particular order and leaves v as it is.
func summarize(v []float64) summary {
	if len(v) == 0 {
		return summary{}
	}
	return summary{median: median(v), min: slices.Min(v), max: slices.Max(v), runs: len(v)}
}

// median of a non-empty list: the middle value, or the mean of the two.
func median(v []float64) float64 {
	s := slices.Sorted(slices.Values(v))
	m := len(s) / 2
	if len(s)%2 == 1 {
		return s[m]
	}
	return (s[m-1] + s[m]) / 2
}
