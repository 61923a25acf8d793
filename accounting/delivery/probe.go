package delivery

import (
	"slices"
	"time"

	"aaasess/accounting"
)

// A method that is down is probed with one record at a time, at the times of its back-off schedule.
// The schedule belongs to the method (health.go). Each transmission uses the record that waits
// next, so one record that a server never answers cannot hide that the server is up. The result
// moves the method's schedule. The record itself continues like any record that was not answered.
//
// If other methods take the records, no record has to wait for the probe. Then each transmission of
// the back-off is a copy of the record that found the method down. The session of that record has
// continued at another method, so the answer counts only for the health of the probed method.
// Without a back-off, every other probe is such a copy, and the ones between are records that have
// just arrived.
//
// Transmissions may be an hour apart. That is long for a new record if only the earlier record is
// at fault. So between transmissions a record that was never transmitted gets an extra try now and
// then, which does not move the schedule.

// prober holds the records that probe a method that is down.
type prober struct {
	probe  *item // in flight, by the schedule of the back-off
	extra  *item // in flight as an extra try
	source *source

	extraAt      time.Time // when the next extra try may be made
	scannedLanes uint64    // reader.lanes+1 when no record was found for an extra try
}

// reset forgets all probes: the method is up again, or replaced.
func (p *prober) reset() { *p = prober{} }

// source is the record that probes are copied from: the record that found the method down or, once
// that was delivered elsewhere, the newest delivered record of its lane. So a server never
// receives a copy after a later record. A superseded interim is not copied.
type source struct {
	rec   *accounting.Record
	queue *queue
	seq   uint64
}

// is reports whether the source is this record.
func (s *source) is(q *queue, seq uint64) bool { return s != nil && s.queue == q && s.seq == seq }

// delivered replaces the source by a newer record of its lane that was delivered.
func (p *prober) delivered(it *item) {
	s := p.source
	if s != nil && it.rec != nil && s.queue == it.lane.queue && s.rec.InLane() == it.rec.InLane() {
		p.source = &source{it.rec, s.queue, it.seq}
	}
}

// probe sends the next probe to a method that is down, if its time has come.
func (d *Delivery) probe(m *method, now time.Time) error {
	switch {
	case m.probing.probe != nil || m.probing.extra != nil:
		return nil
	case !m.health.isInSchedule() && m.inFlight > 0:
		return nil // the schedules of records in flight are not over
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
		d.send(m, it, m.health.progress, now)
		return nil
	}
	if d.probesWithCopy(m, now) {
		m.probing.probe = &item{rec: m.probing.source.rec}
		d.send(m, m.probing.probe, m.health.progress, now)
	}
	return nil
}

// nextProbe removes and returns the lane whose first record is the next probe. It returns nil if
// there is none, or if a copy is to be sent. It prefers records that no other method takes, and of
// these the ones that were never tried.
func (d *Delivery) nextProbe(m *method, now time.Time) *lane {
	newest := m.sent%2 == 1
	fresh := func(alone bool) *lane {
		return d.laneFromRoutes(m, func(r *route) *lane {
			if !r.mayProbe(m) || (r.next(nil) == nil) != alone {
				return nil
			}
			return d.nextFrom(&r.ready, newest, r.isReady)
		})
	}
	if l := fresh(true); l != nil {
		return l
	}
	parked := d.laneFromRoutes(m, func(r *route) *lane {
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

// probesWithCopy reports whether the next probe is a copy of the source: in a back-off, so that its
// times are kept; without one, every other time, and when no record came for a while.
func (d *Delivery) probesWithCopy(m *method, now time.Time) bool {
	return m.probing.source != nil && (m.health.isInSchedule() || m.sent%2 == 1 || !now.Before(m.health.probeAt.Add(d.cfg.RetryMax)))
}

// laneFromRoutes picks a lane from the routes of a method, which take turns. It returns nil if no
// route has one.
func (d *Delivery) laneFromRoutes(m *method, pick func(*route) *lane) *lane {
	all := slices.Collect(d.routes())
	for i := range all {
		if r := all[(m.sent/2+i)%len(all)]; r.has(m) {
			if l := pick(r); l != nil {
				return l
			}
		}
	}
	return nil
}

// tryExtra sends a record that was never transmitted, with the progress of the method's back-off,
// at most once in RetryMax. It must end before the probe is due: a server that is marked dead
// transmits nothing while another record is on its way to it.
func (d *Delivery) tryExtra(m *method, now time.Time) error {
	if !m.health.isInSchedule() || m.inFlight > 0 || now.Before(m.probing.extraAt) || m.probing.scannedLanes == d.reading.lanes+1 ||
		m.health.probeAt.Sub(now) < d.cfg.RetryMax/2 {
		return nil
	}
	for r := range d.routes() {
		if !r.mayProbe(m) {
			continue
		}
		l, _ := r.ready.find(0, func(l *lane) bool {
			return len(l.items) > 0 && l.head().firstSent == 0 && r.isReady(l.head())
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
		d.send(m, it, m.health.progress, now)
		return nil
	}
	m.probing.scannedLanes = d.reading.lanes + 1 // no further search until there is a new lane
	return nil
}

// probeDue returns when probe will next have work, zero if that is not known.
func (d *Delivery) probeDue(m *method, now time.Time) time.Time {
	if m.hold != Open || !m.health.isDown() || m.probing.probe != nil || m.probing.extra != nil ||
		!m.health.isInSchedule() && m.inFlight > 0 {
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
	return time.Time{} // no record to probe with until a new one arrives
}
