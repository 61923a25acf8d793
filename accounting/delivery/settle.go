package delivery

import (
	"context"
	"errors"
	"time"

	"aaasess/accounting"
	"aaasess/internal/retry"
	"aaasess/store"
)

// settle handles the end of what was begun with an item.
func (d *Delivery) settle(ctx context.Context, r result, now time.Time) error {
	it := r.it
	if it.storing {
		return d.settleStored(r, now)
	}
	m := it.to
	it.to = nil
	m.underWay--
	if it.lane == nil {
		d.settleCopy(it, m, r.err, ctx.Err() != nil, now)
		return nil
	}
	q := it.lane.queue
	q.count.InFlight--
	if it.retry {
		it.retry = false
		m.retrying--
	}
	stale := it.gen != m.gen || ctx.Err() != nil
	wasProbe := it == m.probing.probe
	if wasProbe {
		m.probing.probe = nil
	}
	if it == m.probing.extra {
		m.probing.extra = nil
	}
	switch {
	case r.err == nil:
		if !stale {
			m.losses.add(it.missed(m))
			d.answered(m)
		}
		m.delivered++
		q.count.Delivered++
		if m.name != q.method {
			q.count.Elsewhere++
		}
		d.acks = append(d.acks, store.Ack{Queue: q.name, Seq: it.seq})
		for _, of := range d.methods {
			of.probing.delivered(it)
		}
		d.settled(it)
	case stale:
		it.forget(m)
		d.place(it.lane)
	default:
		d.notDelivered(it, m, r.err, wasProbe, now)
	}
	return nil
}

// settleCopy handles the end of a probe that was the copy of a record: it says how the method is, and
// nothing of the record.
func (d *Delivery) settleCopy(it *item, m *method, err error, ended bool, now time.Time) {
	if it.gen != m.gen || ended {
		return
	}
	wasProbe := it == m.probing.probe
	if wasProbe {
		m.probing.probe = nil
	}
	var later *retry.Later
	switch isStopped := errors.Is(err, accounting.ErrStopped) || errors.Is(err, context.Canceled); {
	case isStopped && wasProbe:
		m.health.probeAt = now.Add(d.cfg.RetryMin)
	case isStopped:
	case err == nil || !errors.As(err, &later) && !errors.Is(err, accounting.ErrNoResponse):
		d.answered(m)
	case wasProbe:
		m.noResponse++
		m.health.wait(later, now, d.cfg.RetryMin, d.cfg.RetryMax)
	}
}

// notDelivered handles what a method says of a record that it did not deliver.
func (d *Delivery) notDelivered(it *item, m *method, err error, wasProbe bool, now time.Time) {
	var later *retry.Later
	isLater := errors.As(err, &later)
	switch {
	case errors.Is(err, accounting.ErrStopped) || errors.Is(err, context.Canceled):
		if wasProbe {
			m.health.probeAt = now.Add(d.cfg.RetryMin)
			d.place(it.lane)
			return
		}
		d.wait(it.lane, now.Add(d.cfg.RetryMin))
	case !isLater && !errors.Is(err, accounting.ErrNoResponse):
		d.answered(m)
		it.known().reason = err
		d.place(it.lane)
	case it.probing && !wasProbe: // an extra try, or somebody was heard meanwhile: it changes nothing
		m.noResponse++
		it.lane.queue.count.NoResponse++
		it.known() // so that those that were not tried come before it
		d.place(it.lane)
	default:
		d.unanswered(it, m, later, err, wasProbe, now)
	}
}

// unanswered handles that a method has left a record unanswered. later is nil if its schedule is over.
func (d *Delivery) unanswered(it *item, m *method, later *retry.Later, err error, wasProbe bool, now time.Time) {
	m.noResponse++
	it.lane.queue.count.NoResponse++
	h, again := d.note(it, m, later)
	switch {
	case wasProbe:
		if m.probing.source == nil { // it was superseded
			m.probing.source = &source{it.rec, it.lane.queue, it.seq}
		}
		m.health.wait(later, now, d.cfg.RetryMin, d.cfg.RetryMax)
	case it.answersAtSend == m.health.answers && !m.health.isDown() && !again:
		// It is not known for it, and nothing else was answered since it was sent.
		m.health.markDown(now)
		m.probing.source = &source{it.rec, it.lane.queue, it.seq}
		m.health.wait(later, now, d.cfg.RetryMin, d.cfg.RetryMax)
		d.logger.Warn("accounting method does not respond", "method", string(m.name), "err", err, "next", m.health.probeAt.Sub(now))
		d.changed(m)
	}
	d.pass(it, h, m, later, now)
}

// note writes into the history of an item that a method left it unanswered. again is that it did so before.
func (d *Delivery) note(it *item, m *method, later *retry.Later) (h *history, again bool) {
	before := it.progress(m)
	if it.probing {
		before = m.health.at
	}
	h = it.known()
	h.tries++
	i := it.route.index(m)
	if i < 0 {
		return h, true // Reroute has taken it off the route
	}
	a := &h.by[i]
	again = a.tries > 0
	if !again {
		a.answersBefore = it.answersAtSend
	}
	a.tries++
	if m.health.answers != a.answersBefore { // somebody was there since it was sent the time before
		a.missed++
		a.recent = true
		sends := 1
		if later != nil {
			sends = max(1, int(later.At.Attempt)-int(before.Attempt))
		}
		a.sends += sends
	}
	a.answersBefore = it.answersAtSend
	h.at, h.of = retry.Progress{}, m.name
	return h, again
}

// pass decides what becomes of a record that a method left unanswered: it goes to the next method that
// is available, waits for one, goes on in its own back-off, waits for its next round, or is set aside.
func (d *Delivery) pass(it *item, h *history, m *method, later *retry.Later, now time.Time) {
	r := it.route
	i := r.index(m)
	if i >= 0 {
		h.by[i].asked = true
	}
	goesOn := later != nil && i >= 0 && m.isAvailable() && r.next(h) == nil
	if goesOn { // the method answers others: the back-off is the record's own
		h.by[i].asked = false
		h.at = later.At
		d.wait(it.lane, now.Add(max(later.After, time.Millisecond)))
		return
	}
	if i >= 0 && h.by[i].recent {
		h.by[i].rounds++
		h.by[i].recent = false
	}
	if r.next(h) != nil {
		d.place(it.lane)
		return
	}
	isIgnored := r.isOver(h) && d.isIgnored(it)
	h.newRound()
	switch {
	case r.next(h) == nil: // nobody answers anybody, or may
		d.place(it.lane)
	case isIgnored:
		d.giveUpOn(it, now)
		d.place(it.lane)
	default:
		h.rounds++
		d.wait(it.lane, now.Add(retryWait(h.rounds, d.cfg.RetryMin, d.cfg.RetryMax)))
	}
}

// isIgnored reports whether each method of a record's route that runs has left it unanswered, while it
// answered others, in [accounting.MethodConfig].Rounds schedules, and more often than its losses explain.
func (d *Delivery) isIgnored(it *item) bool {
	for i, m := range it.route.methods {
		if m == nil {
			continue
		}
		if a := &it.history.by[i]; a.rounds < m.cfg.Rounds || m.losses.explain(a.missed) {
			return false
		}
	}
	return true
}

// settleStored handles the end of a move into another queue.
func (d *Delivery) settleStored(r result, now time.Time) error {
	it := r.it
	q := it.lane.queue
	it.storing = false
	d.aside.storing--
	switch {
	case r.err != nil && isFatal(r.err):
		return d.failed(q, r.err)
	case r.err != nil:
		d.logger.Error("record cannot be moved", "queue", q.name, "seq", it.seq, "err", r.err, "next", d.cfg.RetryMax)
		d.wait(it.lane, now.Add(d.cfg.RetryMax))
		return nil
	case errors.As(it.reason(), new(*neverAnswered)):
		q.count.SetAside++
	default:
		q.count.Refused++
	}
	d.settled(it)
	return nil
}
