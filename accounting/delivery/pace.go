package delivery

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

// spend notes that so many were sent.
func (p *pace) spend(n int) { p.from = p.from.Add(p.interval * time.Duration(n)) }

// next is when there is room for as many as may be sent at once: a wake-up for each costs too much.
func (p *pace) next() time.Time { return p.from.Add(p.interval * time.Duration(p.burst)) }

// drainer is how the backlog of a method is sent.
type drainer struct {
	on        bool              // there is one, as far as is known
	marks     map[*queue]uint64 // what is of it is below these
	undrained *item             // one of it, if one is known
	pace      pace
	at        time.Time // when the pace allows more, if that is what is waited for
}

func newDrainer(rate float64) drainer {
	return drainer{pace: newPace(rate), marks: map[*queue]uint64{}}
}

// beginDrain makes a backlog of all that is in the queues now.
func (d *Delivery) beginDrain(m *method) {
	clear(m.drain.marks)
	for _, q := range d.queues {
		d.markBacklog(m, q)
	}
}

// markBacklog makes a part of the method's backlog of all that is in a queue now.
func (d *Delivery) markBacklog(m *method, q *queue) {
	m.drain.on, m.drain.undrained = true, nil
	for _, info := range d.store.Queues() {
		if info.Name == q.name {
			m.drain.marks[q] = info.NextSeq
		}
	}
}

// isBacklog reports whether the first record of a lane is part of the method's backlog.
func (m *method) isBacklog(l *lane) bool { return l.head().seq < m.drain.marks[l.queue] }

// isDraining reports whether something of the method's backlog was never sent. What waits for another
// try, what stands behind that, and what another method takes, is none of it any more.
func (d *Delivery) isDraining(m *method) bool {
	if it := m.drain.undrained; it != nil && it.lane != nil && it.first == 0 && !it.lane.waits() {
		return true
	}
	m.drain.undrained = nil
	for _, q := range d.queues {
		mark := m.drain.marks[q]
		if mark == 0 {
			continue
		}
		if q.more && q.cursor < mark && q.hasFor(m) {
			return true
		}
		for _, l := range q.bySession {
			if l.waits() || len(l.items) == 0 || l.head().route.next(nil) != m {
				continue
			}
			for _, it := range l.items {
				if it.seq >= mark {
					break
				}
				if it.first == 0 {
					m.drain.undrained = it
					return true
				}
			}
		}
	}
	return false
}

// hasFor reports whether fresh records of the queue go to the method. One of which no record was read
// yet is its own method's.
func (q *queue) hasFor(m *method) bool {
	for _, r := range q.routes {
		if r.next(nil) == m {
			return true
		}
	}
	return len(q.routes) == 0 && q.method == m.name
}
