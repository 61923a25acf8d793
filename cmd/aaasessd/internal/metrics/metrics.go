package metrics

import (
	"cmp"
	"errors"
	"slices"
	"strings"

	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"
)

// Metrics implements prometheus.Gatherer.
type Metrics struct {
	registry prometheus.Gatherer
	sources  Sources
}

// New returns the metrics of these sources, and those of a registry, whose names must be others.
func New(registry prometheus.Gatherer, sources Sources) *Metrics {
	return &Metrics{registry, sources}
}

// Gather returns all metrics, by name. An error is one of the registry.
func (m *Metrics) Gather() ([]*dto.MetricFamily, error) {
	b := &builder{metrics: make([][]*dto.Metric, len(families))}
	b.addDaemon(&m.sources)
	b.addSessions(&m.sources)
	b.addListeners(&m.sources)
	b.addRelay(&m.sources)
	b.addServers(&m.sources)
	b.addQueues(&m.sources)
	b.addStore(&m.sources)
	b.addConditions(&m.sources)
	b.addDisconnects(&m.sources)
	b.addSNMP(&m.sources)
	b.addLocal(&m.sources)
	all, err := m.registry.Gather()
	for _, f := range families {
		if metrics := b.metrics[f.index]; len(metrics) > 0 {
			all = append(all, &dto.MetricFamily{Name: &f.name, Help: &f.help, Type: f.kind.Enum(), Metric: metrics})
		}
	}
	slices.SortFunc(all, func(a, b *dto.MetricFamily) int { return cmp.Compare(a.GetName(), b.GetName()) })
	if err != nil {
		err = errors.New("metrics: " + err.Error())
	}
	return all, err
}

// Family describes a metric, for tests and documentation.
type Family struct {
	Name, Help, Type string // Type is gauge, counter or histogram
	Labels           []string
}

// Families returns the descriptions of all metrics of ours, in the order of the source.
func Families() (all []Family) {
	for _, f := range families {
		all = append(all, Family{f.name, f.help, strings.ToLower(f.kind.String()), f.labels})
	}
	return all
}
