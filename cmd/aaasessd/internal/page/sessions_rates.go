package page

import (
	"math"
	"sync"
	"time"

	"aaasess/cmd/internal/api"
	"aaasess/cmd/internal/rates"
)

const (
	// maxSamples limits the sessions whose counters are remembered, twice: see samples.
	maxSamples = 10_000
	// keepSamples is how long a session is remembered at least that nobody looks at, if there are not too
	// many. NASes report once in some minutes.
	keepSamples = 30 * time.Minute
)

// samples remember what the sessions had counted that people look at, for their rates. When there are
// too many, or after some time, those are forgotten that nobody has looked at since the last time.
type samples struct {
	mu         sync.Mutex
	young, old map[uint32]seen // by Number
	since      time.Time       // of young
}

// seen is what is known of a session that somebody has looked at before.
type seen struct {
	started time.Time // of another session with this number if it differs
	rate    rates.Rate
	// active is when user data last flowed. The daemon tells it in whole seconds, so it is computed once:
	// else it would differ by a second from one look to the next.
	active time.Time
}

// observe notes what a session has counted, and returns what is known of it.
func (m *samples) observe(s *api.Session, now time.Time) seen {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.young == nil || len(m.young) >= maxSamples || now.Sub(m.since) >= keepSamples {
		m.young, m.old, m.since = map[uint32]seen{}, m.young, now
	}
	before, known := m.young[s.Number]
	if !known {
		before, known = m.old[s.Number]
	}
	sample := rates.SampleOf(s, now)
	next := seen{s.Started, rates.First(sample), now.Add(-time.Duration(s.Idle) * time.Second)}
	if known && before.started.Equal(s.Started) {
		next.rate = before.rate.Next(sample)
		if next.active.Sub(before.active).Abs() <= time.Second {
			next.active = before.active
		}
	}
	m.young[s.Number] = next
	return next
}

// perSecond formats a rate; a dash if it is not known yet.
func perSecond(r rates.Rate, c rates.Counter) string {
	n, known := r.PerSecond(c)
	if !known {
		return dash("")
	}
	return octets(uint64(math.Round(n))) + "/s"
}
