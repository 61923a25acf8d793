package delivery

import (
	"context"
	"errors"
	"time"

	"aaasess/accounting"
	"aaasess/internal/retry"
	"aaasess/store"
)

// settle handles the result of a send or of a move.
func (d *Delivery) settle(ctx context.Context, r result, now time.Time) error {
	it := r.it
	if it.moving {
		return d.settleMove(r, now)
	}
	m := it.sentTo
	it.sentTo = nil
	m.inFlight--
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
		m.deliveryTime.Observe(now.Sub(time.Unix(0, it.when)))
		q.count.Delivered++
		if m.name != q.method {
			q.count.Elsewhere++
		}
		d.acks = append(d.acks, store.Ack{Queue: q.name, Seq: it.seq})
		for _, other := range d.methods {
			other.probing.delivered(it)
		}
		d.removeHead(it)
	case stale:
		it.forgetMethod(m)
		d.place(it.lane)
	default:
		d.notDelivered(it, m, r.err, wasProbe, now)
	}
	return nil
}

// settleCopy handles the result of a probe that was a copy of a record. It tells how the method is,
// but does not change the record.
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
		m.health.scheduleProbe(later, now, d.cfg.RetryMin, d.cfg.RetryMax)
		d.logDown(m, err, now)
	}
}

// notDelivered handles the error of a method that did not deliver a record.
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
		d.waitUntil(it.lane, now.Add(d.cfg.RetryMin))
	case !isLater && !errors.Is(err, accounting.ErrNoResponse):
		d.answered(m)
		it.ensureHistory().reason = err
		d.place(it.lane)
	case it.probing && !wasProbe:
		// An extra try, or the method answered meanwhile: the method stays as it is.
		m.noResponse++
		it.lane.queue.count.NoResponse++
		it.ensureHistory() // so that records that were never tried come before it
		d.place(it.lane)
	default:
		d.unanswered(it, m, later, err, wasProbe, now)
	}
}

// unanswered handles a record that a method left unanswered. later is nil if its schedule is over.
func (d *Delivery) unanswered(it *item, m *method, later *retry.Later, err error, wasProbe bool, now time.Time) {
	m.noResponse++
	it.lane.queue.count.NoResponse++
	h, again := d.recordAttempt(it, m, later)
	switch {
	case wasProbe:
		if m.probing.source == nil { // the source was superseded
			m.probing.source = &source{it.rec, it.lane.queue, it.seq}
		}
		m.health.scheduleProbe(later, now, d.cfg.RetryMin, d.cfg.RetryMax)
		d.logDown(m, err, now)
	case it.answersAtSend == m.health.answers && !m.health.isDown() && !again && !errors.Is(err, accounting.ErrNotAccepted):
		// It is the first time that the method leaves this record unanswered, and it answered
		// nothing else since the record was sent.
		m.health.markDown(now)
		m.probing.source = &source{it.rec, it.lane.queue, it.seq}
		m.health.scheduleProbe(later, now, d.cfg.RetryMin, d.cfg.RetryMax)
		d.logDown(m, err, now)
		d.placeAgain(m)
	}
	d.placeUnanswered(it, h, m, later, now)
}

// recordAttempt notes in the history of an item that a method left it unanswered. again reports
// whether the method did so before.
func (d *Delivery) recordAttempt(it *item, m *method, later *retry.Later) (h *history, again bool) {
	before := it.progress(m)
	if it.probing {
		before = m.health.progress
	}
	h = it.ensureHistory()
	h.tries++
	i := it.route.index(m)
	if i < 0 {
		return h, true // Reroute has removed the method from the route
	}
	a := &h.attempts[i]
	again = a.tries > 0
	if !again {
		a.answersBefore = it.answersAtSend
	}
	a.tries++
	if m.health.answers != a.answersBefore { // the method answered others since it was last sent
		a.missed++
		a.missedNow = true
		sends := 1
		if later != nil {
			sends = max(1, int(later.At.Transmissions)-int(before.Transmissions))
		}
		a.sends += sends
	}
	a.answersBefore = it.answersAtSend
	h.progress, h.method = retry.Progress{}, m.name
	return h, again
}

// placeUnanswered decides what happens to a record that a method left unanswered. The record goes
// to the next available method, waits for one, continues its own back-off, waits for its next
// round, or is set aside.
func (d *Delivery) placeUnanswered(it *item, h *history, m *method, later *retry.Later, now time.Time) {
	r := it.route
	i := r.index(m)
	if i >= 0 {
		h.attempts[i].exhausted = true
	}
	continues := later != nil && i >= 0 && m.isAvailable() && r.next(h) == nil
	if continues { // the method answers others, so this back-off belongs to the record
		h.attempts[i].exhausted = false
		h.progress = later.At
		d.waitUntil(it.lane, now.Add(max(later.After, time.Millisecond)))
		return
	}
	if i >= 0 && h.attempts[i].missedNow {
		h.attempts[i].rounds++
		h.attempts[i].missedNow = false
	}
	if r.next(h) != nil {
		d.place(it.lane)
		return
	}
	isIgnored := r.isExhausted(h) && d.isIgnored(it)
	h.newRound()
	switch {
	case r.next(h) == nil: // no method is available
		d.place(it.lane)
	case isIgnored:
		d.markNeverAnswered(it, now)
		d.place(it.lane)
	default:
		h.rounds++
		d.waitUntil(it.lane, now.Add(retryWait(h.rounds, d.cfg.RetryMin, d.cfg.RetryMax)))
	}
}

// isIgnored reports whether each configured method of a record's route has left it unanswered in
// [accounting.MethodConfig].Rounds schedules while it answered other records, and more often than
// packet loss explains.
func (d *Delivery) isIgnored(it *item) bool {
	for i, m := range it.route.methods {
		if m == nil {
			continue
		}
		if a := &it.history.attempts[i]; a.rounds < m.cfg.Rounds || m.losses.explains(a.missed) {
			return false
		}
	}
	return true
}

// settleMove handles the result of a move into another queue.
func (d *Delivery) settleMove(r result, now time.Time) error {
	it := r.it
	q := it.lane.queue
	it.moving = false
	d.setAside.moving--
	switch {
	case r.err != nil && isFatal(r.err):
		return d.queueError(q, r.err)
	case r.err != nil:
		d.logger.Error("record cannot be set aside; will retry", "queue", q.name, "seq", it.seq, "err", r.err, "next", d.cfg.RetryMax)
		d.waitUntil(it.lane, now.Add(d.cfg.RetryMax))
		return nil
	case errors.As(it.reason(), new(*neverAnswered)):
		q.count.SetAside++
	default:
		q.count.Refused++
	}
	d.logSetAside(it, now)
	d.removeHead(it)
	return nil
}
