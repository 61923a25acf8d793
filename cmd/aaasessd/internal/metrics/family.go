package metrics

import (
	"slices"

	dto "github.com/prometheus/client_model/go"

	"aaasess/internal/histogram"
)

// prefix is in front of all names.
const prefix = "aaasess_"

// family is the definition of a metric. Its labels are in the order of their values in [builder.add].
type family struct {
	index  int // in families
	name   string
	help   string
	kind   dto.MetricType
	labels []string
}

// families are all families, in the order of their definitions.
var families []*family

func define(kind dto.MetricType, name, help string, labels []string) *family {
	f := &family{len(families), prefix + name, help, kind, labels}
	families = append(families, f)
	return f
}

func gauge(name, help string, labels ...string) *family {
	return define(dto.MetricType_GAUGE, name, help, labels)
}

func counter(name, help string, labels ...string) *family {
	return define(dto.MetricType_COUNTER, name, help, labels)
}

func durations(name, help string, labels ...string) *family {
	return define(dto.MetricType_HISTOGRAM, name, help, labels)
}

// cell is a metric with what it points to, so that one allocation makes many.
type cell struct {
	metric  dto.Metric
	counter dto.Counter
	gauge   dto.Gauge
	value   float64
}

// cells is how many cells an allocation makes.
const cells = 256

// builder makes the metrics of one scrape.
type builder struct {
	metrics [][]*dto.Metric // by index of the family
	free    []cell
}

// values are label pairs that several metrics share: the first ones of their labels.
type values []*dto.LabelPair

// of returns the values of the first labels of a family.
func (f *family) of(texts ...string) values {
	pairs := make([]dto.LabelPair, len(texts))
	out := make(values, len(texts))
	for i := range texts {
		pairs[i].Name, pairs[i].Value = &f.labels[i], &texts[i]
		out[i] = &pairs[i]
	}
	return out
}

// add adds a value of a family, with the first labels that it shares with others, and its own.
func (b *builder) add(f *family, v float64, shared values, own ...string) {
	c := b.cell(f, shared, own)
	c.value = v
	if f.kind == dto.MetricType_COUNTER {
		c.counter.Value, c.metric.Counter = &c.value, &c.counter
	} else {
		c.gauge.Value, c.metric.Gauge = &c.value, &c.gauge
	}
}

func (b *builder) cell(f *family, shared values, own []string) *cell {
	if len(b.free) == 0 {
		b.free = make([]cell, cells)
	}
	c := &b.free[0]
	b.free = b.free[1:]
	c.metric.Label = shared
	for i := range own {
		c.metric.Label = append(slices.Clip(c.metric.Label), &dto.LabelPair{Name: &f.labels[len(shared)+i], Value: &own[i]})
	}
	b.metrics[f.index] = append(b.metrics[f.index], &c.metric)
	return c
}

// count adds a counter.
func (b *builder) count(f *family, n uint64, shared values, own ...string) {
	b.add(f, float64(n), shared, own...)
}

// is adds a gauge that is 1 or 0.
func (b *builder) is(f *family, yes bool, shared values, own ...string) {
	v := 0.0
	if yes {
		v = 1
	}
	b.add(f, v, shared, own...)
}

// histogram adds a histogram of durations.
func (b *builder) histogram(f *family, s histogram.Snapshot, shared values, own ...string) {
	sum, n := s.Sum.Seconds(), len(s.Counts)
	// One allocation for each kind of value, not for each bucket: a thousand servers have 20,000 buckets.
	counts, bounds, buckets := make([]uint64, n), make([]float64, n), make([]dto.Bucket, n)
	out := &dto.Histogram{SampleCount: &s.Total, SampleSum: &sum, Bucket: make([]*dto.Bucket, n)}
	below := uint64(0)
	for i, count := range s.Counts {
		below += count
		counts[i], bounds[i] = below, s.Bounds[i].Seconds()
		buckets[i].CumulativeCount, buckets[i].UpperBound = &counts[i], &bounds[i]
		out.Bucket[i] = &buckets[i]
	}
	b.cell(f, shared, own).metric.Histogram = out
}
