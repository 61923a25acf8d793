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

// beginDrain makes a backlog of all that is in the queue now.
func (d *Deliverer) beginDrain() {
	d.draining, d.mark, d.undrained = true, 0, nil
	for _, q := range d.store.Queues() {
		if q.Name == d.queue {
			d.mark = q.NextSeq
		}
	}
}

// isLate reports whether the first record of a lane is no part of the backlog.
func (d *Deliverer) isLate(l *lane) bool { return len(l.items) > 0 && l.head().seq >= d.mark }

// isDraining reports whether something of the backlog was never sent. What waits for another try, and
// what stands behind that, is none of it any more.
func (d *Deliverer) isDraining() bool {
	if d.more && d.cursor < d.mark {
		return true
	}
	if it := d.undrained; it != nil && it.lane != nil && it.first == 0 && it.lane.due.IsZero() {
		return true
	}
	d.undrained = nil
	for _, l := range d.lanes.bySession {
		if !l.due.IsZero() {
			continue
		}
		for _, it := range l.items {
			if it.seq >= d.mark {
				break
			}
			if it.first == 0 {
				d.undrained = it
				return true
			}
		}
	}
	return false
}
