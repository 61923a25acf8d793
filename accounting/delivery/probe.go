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

// prober is what a method that is down is probed with.
type prober struct {
	probe  *item // with the method now, by the schedule of its back-off
	extra  *item // with the method now, besides
	source *source

	extraAt time.Time // when the next extra try may be made
	scanned uint64    // reader.lanes when nothing was found for one
}

// reset forgets it all: the method is not down any more, or another one.
func (p *prober) reset() { *p = prober{} }

// source is what copies are made of: the record that found the method down or, when that has been delivered
// elsewhere, the newest record of its session that was. So no copy is the first to arrive behind a later
// record. Superseded interims are none.
type source struct {
	rec   *accounting.Record
	queue *queue
	seq   uint64
}

// is reports whether it is this record.
func (s *source) is(q *queue, seq uint64) bool { return s != nil && s.queue == q && s.seq == seq }

// delivered takes the place of an older record of its session.
func (p *prober) delivered(it *item) {
	s := p.source
	if s != nil && it.rec != nil && s.queue == it.lane.queue && s.rec.Session == it.rec.Session {
		p.source = &source{it.rec, s.queue, it.seq}
	}
}

// probe sends a method that is down the next record if its time has come.
func (d *Delivery) probe(m *method, now time.Time) error {
	switch {
	case m.probing.probe != nil || m.probing.extra != nil:
		return nil
	case !m.health.isInSchedule() && m.underWay > 0:
		return nil // the schedules of what is under way are not over
	case now.Before(m.health.probeAt):
		return d.tryExtra(m, now)
	}
	for {
		l := d.nextProbe(m, now)
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
		m.probing.probe = it
		d.send(m, it, m.health.at, now)
		return nil
	}
	if d.probesWithCopy(m, now) {
		m.probing.probe = &item{rec: m.probing.source.rec}
		d.send(m, m.probing.probe, m.health.at, now)
	}
	return nil
}

// nextProbe takes the lane whose first record is to find out whether a method that is down is there, nil
// if there is none, or if it is the turn of the copy: rather one that nobody else takes, and rather one
// that nobody was asked about.
func (d *Delivery) nextProbe(m *method, now time.Time) *lane {
	newest := m.sent%2 == 1
	fresh := func(alone bool) *lane {
		return d.takeFrom(m, func(r *route) *lane {
			if !r.mayProbe(m) || (r.next(nil) == nil) != alone {
				return nil
			}
			return d.nextFrom(&r.ready, newest, r.isReady)
		})
	}
	if l := fresh(true); l != nil {
		return l
	}
	parked := d.takeFrom(m, func(r *route) *lane {
		if r.isHeldBefore(m) {
			return nil
		}
		return d.nextFrom(&r.parked, false, r.isParked)
	})
	if parked != nil {
		return parked
	}
	if d.probesWithCopy(m, now) {
		return nil
	}
	return fresh(false)
}

// probesWithCopy reports whether a method that nobody waits for is probed with a copy of the record that
// found it down: in a back-off, so that its times are kept; else every other time, and when none came
// for a while.
func (d *Delivery) probesWithCopy(m *method, now time.Time) bool {
	return m.probing.source != nil && (m.health.isInSchedule() || m.sent%2 == 1 || !now.Before(m.health.probeAt.Add(d.cfg.RetryMax)))
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
	if !m.health.isInSchedule() || m.underWay > 0 || now.Before(m.probing.extraAt) || m.probing.scanned == d.reading.lanes+1 ||
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
		m.probing.extra, m.probing.extraAt = it, now.Add(d.cfg.RetryMax)
		d.send(m, it, m.health.at, now)
		return nil
	}
	m.probing.scanned = d.reading.lanes + 1 // until another lane comes
	return nil
}

// probeDue is when probe has something to do that it had not now, zero if that is not known.
func (d *Delivery) probeDue(m *method, now time.Time) time.Time {
	if m.hold != Open || !m.health.isDown() || m.probing.probe != nil || m.probing.extra != nil ||
		!m.health.isInSchedule() && m.underWay > 0 {
		return time.Time{}
	}
	waits := m.probing.source != nil
	for r := range d.routes() {
		fresh := r.ready.len() > 0 && r.mayProbe(m)
		waits = waits || fresh || r.parked.len() > 0 && r.has(m) && !r.isHeldBefore(m)
		if fresh && m.health.isInSchedule() && m.probing.extraAt.After(now) && m.probing.extraAt.Before(m.health.probeAt) {
			return m.probing.extraAt
		}
	}
	switch {
	case m.health.probeAt.After(now) && waits:
		return m.health.probeAt
	case m.probing.source != nil && m.health.probeAt.Add(d.cfg.RetryMax).After(now):
		return m.health.probeAt.Add(d.cfg.RetryMax)
	}
	return time.Time{} // there is nothing to probe with until something comes
}
