package accounting

import (
	"math"
	"time"
)

// pace is a token bucket: how many records may be sent now, so that there are never more than rate a
// second. It has no clock and no lock.
type pace struct {
	interval time.Duration // between two records; 0: there is no limit
	burst    int           // how many at most at once: those of 10 ms, at least 1
	from     time.Time     // since when tokens have been gathering
}

// newPace makes a pace of so many records a second; 0 is without limit.
func newPace(rate float64) pace {
	if !(rate > 0) {
		return pace{}
	}
	rate = max(rate, 1.0/3600)
	interval := time.Duration(math.Ceil(float64(time.Second) / rate)) // never above the rate
	return pace{interval: max(1, interval), burst: max(1, int(min(rate, 1e9)/100))}
}

// room is how many records may be sent now.
func (p *pace) room(now time.Time) int {
	if full := now.Add(-p.interval * time.Duration(p.burst)); p.from.Before(full) {
		p.from = full
	}
	return int(now.Sub(p.from) / p.interval)
}

// take is that so many were sent.
func (p *pace) take(n int) { p.from = p.from.Add(p.interval * time.Duration(n)) }

// next is when there is room for as many as may be sent at once: a wake-up for each would be dear.
func (p *pace) next() time.Time { return p.from.Add(p.interval * time.Duration(p.burst)) }
