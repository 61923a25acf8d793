package accounting

import (
	"context"
	"errors"
	"time"

	"aaasess/store"
)

// settle takes the end of what was begun with an item.
func (d *Deliverer) settle(ctx context.Context, r result, now time.Time) error {
	it := r.it
	if it.stored {
		return d.settleStored(r, now)
	}
	d.underWay--
	if it.retry {
		it.retry = false
		d.retrying--
	}
	stale := it.gen != d.gen || ctx.Err() != nil
	if r.err == nil {
		if !stale {
			d.losses.add(it.blamed())
			d.answered()
		}
		d.count.Delivered++
		d.acks = append(d.acks, store.Ack{Queue: d.queue, Seq: it.seq})
		d.lanes.settle(it)
		return nil
	}
	if stale {
		it.role = itself
		d.lanes.release(it.lane)
		return nil
	}
	d.failed(it, r.err, now)
	return nil
}

// failed takes what a method says of a record that it did not deliver.
func (d *Deliverer) failed(it *item, err error, now time.Time) {
	var later *Later
	stopped := errors.Is(err, ErrStopped) || errors.Is(err, context.Canceled)
	isLater := errors.As(err, &later)
	as := it.role
	it.role = itself
	switch {
	case !stopped && !isLater && !errors.Is(err, ErrNoResponse):
		d.answered()
		it.strange().refusal = err
		d.setAside(it, now)
	case as == extra: // which changes nothing
		d.count.NoResponse++
		d.lanes.release(it.lane)
	case as == standIn:
		d.standInFailed(it, later, stopped, err, now)
	case stopped && it == d.probe:
		d.probeLater(d.cfg.RetryMin, now)
	case stopped:
		d.lanes.wait(it.lane, now.Add(d.cfg.RetryMin))
	case isLater:
		d.unanswered(it, int(later.At.Attempt)-int(it.progress().Attempt))
		d.postponed(it, later, err, now)
	default:
		d.unanswered(it, 1)
		d.exhausted(it, err, now)
	}
}

// settleStored takes the end of a move into another queue.
func (d *Deliverer) settleStored(r result, now time.Time) error {
	d.storing--
	switch {
	case r.err != nil && isFatal(r.err):
		return r.err
	case r.err != nil:
		d.logger.Error("record cannot be moved", "seq", r.it.seq, "err", r.err, "next", d.cfg.RetryMax)
		d.lanes.wait(r.it.lane, now.Add(d.cfg.RetryMax))
		return nil
	case errors.As(r.it.refusal(), new(*neverAnswered)):
		d.count.SetAside++
	case r.it.refusal() != nil:
		d.count.Refused++
	default:
		d.count.Moved++
	}
	d.lanes.settle(r.it)
	return nil
}

// answered notes that somebody is there.
func (d *Deliverer) answered() {
	wasDown := d.health.isDown()
	d.health.answered(min(max(1, d.method.Window()), d.cfg.Loaded))
	if !wasDown {
		return
	}
	d.logger.Info("accounting method responds again", "down_since", d.count.DownSince)
	d.count.DownSince = time.Time{}
	d.releaseProbe()
	d.lanes.wakeLater()
	d.beginDrain()
}

// unanswered notes that nobody answered so many transmissions of a record, as far as is known.
func (d *Deliverer) unanswered(it *item, transmissions int) {
	d.count.NoResponse++
	o := it.strange()
	o.tries++
	if d.health.answers != o.seen { // somebody was there since it was sent the time before
		o.blamed++
		o.vain += max(1, transmissions)
		o.inVain = true
	}
	o.seen = it.since
}

// postponed decides what becomes of a record whose schedule goes on.
func (d *Deliverer) postponed(it *item, later *Later, err error, now time.Time) {
	it.odd.at = later.At
	after := max(later.After, time.Millisecond)
	if it == d.probe {
		d.timeTrial(now)
		d.probeLater(after, now)
		return
	}
	if it.hasNext && d.isMoving() { // a day is too long for what can go elsewhere
		d.health.unanswered(now, it.since, true, d.cfg.RetryMin, d.cfg.RetryMax)
		d.move(it, now)
		return
	}
	wasDown := d.health.isDown()
	if d.probe == nil && d.health.later(now, it.since, it.odd.tries > 1) {
		d.becomeProbe(it, after, now)
		d.tellDown(wasDown, err, now)
		return
	}
	d.lanes.wait(it.lane, now.Add(after))
}

// exhausted decides what becomes of a record whose schedule is over.
func (d *Deliverer) exhausted(it *item, err error, now time.Time) {
	wasDown := d.health.isDown()
	if it == d.probe {
		d.probe, d.probing, d.standIn = nil, false, nil
		d.health.scheduleOver(now, d.cfg.RetryMin, d.cfg.RetryMax)
		d.lanes.wakeLater()
	} else {
		d.health.unanswered(now, it.since, it.odd.tries > 1, d.cfg.RetryMin, d.cfg.RetryMax)
	}
	d.tellDown(wasDown, err, now)

	o := it.odd
	o.at = Progress{}
	o.rounds++
	if o.inVain {
		o.guilty++
		o.inVain = false
	}
	switch {
	case it.hasNext && d.hold != Held && it.isLoaded():
		d.move(it, now)
	case it.hasNext && d.hold != Held:
		d.lanes.release(it.lane) // it goes on as those do that never were here
	case !it.hasNext && o.guilty >= d.cfg.Rounds && !d.losses.explain(o.blamed):
		d.convict(it, now)
		if it.isLoaded() {
			d.setAside(it, now)
			return
		}
		d.lanes.release(it.lane)
	default:
		d.lanes.wait(it.lane, now.Add(retryWait(o.rounds, d.cfg.RetryMin, d.cfg.RetryMax)))
	}
}

// tellDown logs that the method was found to be down.
func (d *Deliverer) tellDown(wasDown bool, err error, now time.Time) {
	if wasDown || !d.health.isDown() {
		return
	}
	d.count.DownSince = d.health.down
	d.logger.Warn("accounting method does not respond", "err", err, "next", d.health.probeAt.Sub(now))
}
