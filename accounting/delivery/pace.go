package delivery

import (
	"math"
	"time"
)

// pace is a token bucket that limits sends to a rate. It has no clock and no lock.
type pace struct {
	interval time.Duration // between two records; 0: no limit
	burst    int           // the most at once: the records of 10 ms, at least 1
	from     time.Time     // time from which unused tokens count
}

// newPace returns a pace of rate records a second; 0 means no limit.
func newPace(rate float64) pace {
	if !(rate > 0) {
		return pace{}
	}
	rate = max(rate, 1.0/3600)
	interval := time.Duration(math.Ceil(float64(time.Second) / rate)) // rounded up, so never above the rate
	return pace{interval: max(1, interval), burst: max(1, int(min(rate, 1e9)/100))}
}

// room returns how many records may be sent now.
func (p *pace) room(now time.Time) int {
	if full := now.Add(-p.interval * time.Duration(p.burst)); p.from.Before(full) {
		p.from = full
	}
	return int(now.Sub(p.from) / p.interval)
}

// spend removes the tokens of n sent records.
func (p *pace) spend(n int) { p.from = p.from.Add(p.interval * time.Duration(n)) }

// next returns when a full burst may be sent. To wake up for every record would cost too much.
func (p *pace) next() time.Time { return p.from.Add(p.interval * time.Duration(p.burst)) }

// drainer limits the rate at which the backlog of a method is sent.
type drainer struct {
	on        bool              // there is a backlog, as far as is known
	marks     map[*queue]uint64 // records below these sequence numbers belong to the backlog
	undrained *item             // a record of the backlog that was not sent yet, if one is known
	pace      pace
	nextAt    time.Time // when the pace allows more; zero: nothing waits for it
}

func newDrainer(rate float64) drainer {
	return drainer{pace: newPace(rate), marks: map[*queue]uint64{}}
}

// beginDrain makes everything in the queues the method's backlog.
func (d *Delivery) beginDrain(m *method) {
	clear(m.drain.marks)
	for _, q := range d.queues {
		d.markBacklog(m, q)
	}
}

// markBacklog adds everything in a queue to the method's backlog.
func (d *Delivery) markBacklog(m *method, q *queue) {
	m.drain.on, m.drain.undrained = true, nil
	if info, ok := d.store.Queue(q.name); ok {
		m.drain.marks[q] = info.NextSeq
	}
}

// isBacklog reports whether the first record of a lane is part of the method's backlog.
func (m *method) isBacklog(l *lane) bool { return l.head().seq < m.drain.marks[l.queue] }

// isDraining reports whether some record of the method's backlog was never sent. Records that wait
// for another try, records behind these, and records that another method takes no longer count.
func (d *Delivery) isDraining(m *method) bool {
	if it := m.drain.undrained; it != nil && it.lane != nil && it.firstSent == 0 && !it.lane.isWaiting() {
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
		for _, l := range q.lanes {
			if l.isWaiting() || len(l.items) == 0 || l.head().route.next(nil) != m {
				continue
			}
			for _, it := range l.items {
				if it.seq >= mark {
					break
				}
				if it.firstSent == 0 {
					m.drain.undrained = it
					return true
				}
			}
		}
	}
	return false
}

// hasFor reports whether fresh records of the queue go to the method. If no record was read yet,
// they go to the method that the queue is named after.
func (q *queue) hasFor(m *method) bool {
	for _, r := range q.routes {
		if r.next(nil) == m {
			return true
		}
	}
	return len(q.routes) == 0 && q.method == m.name
}
