package delivery

import (
	"slices"
	"time"

	"aaasess/accounting"
)

// A method that is down is probed: one record at a time, at the times of its back-off. The schedule is
// the method's (health.go), and each transmission is made by the record that waits next, so that a
// record that a server never answers cannot hide that the server is there. What becomes of it moves the
// method's schedule, and the record goes on as every record does that was not answered.
//
// Where other methods take the records none need wait. Then the transmissions of the back-off are copies
// of the record that found the method down, whose session has gone on elsewhere: the answer counts for
// the health of the method only. Without a back-off every other probe is one, and the next is the record
// that comes then.
//
// Transmissions may be an hour apart, which is long for a record that comes meanwhile, if the one before
// is all that is wrong. So between them a record that never was transmitted gets an extra try now and
// then, which moves nothing.

// finder is the record that found a method down, and where it stood.
type finder struct {
	rec   *accounting.Record
	queue *queue
	seq   uint64
}

// is reports whether it is this record.
func (f *finder) is(q *queue, seq uint64) bool { return f != nil && f.queue == q && f.seq == seq }

// probe sends a method that is down the next record if its time has come.
func (d *Delivery) probe(m *method, now time.Time) error {
	switch {
	case m.probe != nil || m.extra != nil:
		return nil
	case !m.health.isInSchedule() && m.underWay > 0:
		return nil // the schedules of what is under way are not over
	case now.Before(m.health.probeAt):
		return d.tryExtra(m, now)
	}
	for {
		l := d.nextProbe(m)
		if l == nil {
			break
		}
		it := l.head()
		switch ok, err := d.reload(it, now); {
		case err != nil:
			return err
		case !ok:
			continue
		case it.reason() != nil:
			d.place(l)
			continue
		}
		m.probe = it
		d.send(m, it, m.health.at, now)
		return nil
	}
	if m.finder != nil && (m.health.isInSchedule() || m.sent%2 == 1) {
		m.probe = &item{rec: m.finder.rec}
		d.send(m, m.probe, m.health.at, now)
	}
	return nil
}

// nextProbe takes the lane whose first record is to find out whether a method that is down is there, nil
// if there is none, or if it is the turn of the copy: rather one that nobody else takes, and rather one
// that nobody was asked about.
func (d *Delivery) nextProbe(m *method) *lane {
	newest := m.sent%2 == 1
	fresh := func(alone bool) *lane {
		return d.takeFrom(m, func(r *route) *lane {
			if !r.mayProbe(m) || (r.next(nil) == nil) != alone {
				return nil
			}
			return d.take(&r.ready, r, newest)
		})
	}
	if l := fresh(true); l != nil {
		return l
	}
	parked := d.takeFrom(m, func(r *route) *lane {
		if r.isHeld(nil) {
			return nil
		}
		return d.take(&r.parked, nil, false)
	})
	if parked != nil {
		return parked
	}
	if m.finder != nil && (m.health.isInSchedule() || newest) {
		return nil
	}
	return fresh(false)
}

// takeFrom takes a lane from the routes of a method, which take turns; nil if none gives one.
func (d *Delivery) takeFrom(m *method, take func(*route) *lane) *lane {
	all := slices.Collect(d.routes())
	for i := range all {
		if r := all[(m.sent/2+i)%len(all)]; r.has(m) {
			if l := take(r); l != nil {
				return l
			}
		}
	}
	return nil
}

// tryExtra sends a record that never was transmitted, with the progress of the method's back-off, one
// in RetryMax. Nothing else may be with the method by the time that the probe is due: a method that
// finds another record on its way to a dead server makes no transmission.
func (d *Delivery) tryExtra(m *method, now time.Time) error {
	if !m.health.isInSchedule() || m.underWay > 0 || now.Before(m.extraAt) || m.scanned == d.added+1 ||
		m.health.probeAt.Sub(now) < d.cfg.RetryMax/2 {
		return nil
	}
	for r := range d.routes() {
		if !r.mayProbe(m) {
			continue
		}
		l, _ := r.ready.find(0, func(l *lane) bool {
			return len(l.items) > 0 && l.head().first == 0 && l.head().isFresh() && l.head().route == r
		})
		if l == nil {
			continue
		}
		it := l.head()
		switch ok, err := d.reload(it, now); {
		case err != nil:
			return err
		case !ok:
			return nil
		case it.reason() != nil:
			d.place(l)
			return nil
		}
		m.extra, m.extraAt = it, now.Add(d.cfg.RetryMax)
		d.send(m, it, m.health.at, now)
		return nil
	}
	m.scanned = d.added + 1 // until another lane comes
	return nil
}

// probeDue is when probe has something to do that it had not now, zero if that is not known.
func (d *Delivery) probeDue(m *method, now time.Time) time.Time {
	if m.hold != Open || !m.health.isDown() || m.probe != nil || m.extra != nil ||
		!m.health.isInSchedule() && m.underWay > 0 {
		return time.Time{}
	}
	waits := m.finder != nil
	for r := range d.routes() {
		fresh := r.ready.len() > 0 && r.mayProbe(m)
		waits = waits || fresh || r.parked.len() > 0 && r.has(m) && !r.isHeld(nil)
		if fresh && m.health.isInSchedule() && m.extraAt.After(now) && m.extraAt.Before(m.health.probeAt) {
			return m.extraAt
		}
	}
	if !waits || !m.health.probeAt.After(now) { // there is nothing to probe with until something comes
		return time.Time{}
	}
	return m.health.probeAt
}
