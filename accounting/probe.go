package accounting

import "time"

// A method with back-off that is down is probed by the schedule of one record, the probe: its
// transmissions are the only ones. The schedule is the method's as much as the record's: so that a
// record that a server never answers cannot hide for a day that the server is there, every other
// transmission of the back-off is that of another record if there is one, the stand-in, with the
// probe's progress. What becomes of it is written to the probe's account.
//
// Those transmissions may be an hour apart, which is long for a record that came meanwhile if the
// probe is poisoned. So between them a record that never was transmitted gets an extra try, now and
// then, on nobody's account.

// becomeProbe makes a record that was with the method the probe.
func (d *Deliverer) becomeProbe(it *item, after time.Duration, now time.Time) {
	d.probe, d.probing, d.standIn, d.substituted = it, false, nil, false
	d.probeLater(after, now)
}

// probeLater has the next transmission of the probe's schedule wait.
func (d *Deliverer) probeLater(after time.Duration, now time.Time) {
	d.probing, d.standIn = false, nil
	d.health.probeAt = now.Add(after)
	d.lanes.unloadLane(d.probe.lane)
}

// releaseProbe ends its being one.
func (d *Deliverer) releaseProbe() {
	if d.probe != nil && (!d.probing || d.standIn != nil) {
		d.lanes.release(d.probe.lane)
	}
	d.probe, d.probing, d.standIn = nil, false, nil
}

// sendProbe makes the next transmission of the probe's schedule if it is due.
func (d *Deliverer) sendProbe(now time.Time) error {
	switch {
	case d.probing:
		return nil
	case now.Before(d.health.probeAt):
		return d.sendExtra(now)
	}
	it := d.substitute()
	ok, err := d.reload(it)
	switch {
	case err != nil:
		return err
	case !ok && it == d.probe:
		d.health.probeAt = now.Add(d.cfg.RetryMax)
		return nil
	case !ok:
		d.lanes.wait(it.lane, now.Add(d.cfg.RetryMax))
		return nil // the probe itself is next, at once
	}
	d.probing, d.probedAt = true, now
	if it != d.probe {
		d.standIn, it.role = it, standIn
	}
	d.send(it, d.probe.progress(), now)
	return nil
}

// substitute chooses who makes the next transmission of the probe's schedule.
func (d *Deliverer) substitute() *item {
	if d.substituted { // last time
		d.substituted = false
		return d.probe
	}
	l := d.lanes.next(&d.lanes.ready, false)
	if l == nil {
		return d.probe
	}
	if l.head().refusal() != nil {
		d.lanes.release(l)
		return d.probe
	}
	d.substituted = true
	return l.head()
}

// standInFailed takes what a method says of a stand-in that was not delivered. It concerns the probe
// if it is still the one by whose schedule the stand-in was sent.
func (d *Deliverer) standInFailed(it *item, later *Later, stopped bool, err error, now time.Time) {
	isNews := it == d.standIn
	d.lanes.release(it.lane)
	if !isNews {
		return
	}
	switch p := d.probe; {
	case stopped:
		d.probeLater(d.cfg.RetryMin, now)
	case later != nil:
		d.count.NoResponse++
		p.odd.at = later.At
		d.timeTrial(now)
		d.probeLater(later.After, now)
	default:
		d.count.NoResponse++
		d.exhausted(p, err, now)
	}
}

// sendExtra sends a record that never was transmitted, with the probe's progress, one in RetryMax and
// one at a time. Nothing else may be with the method by the time that the probe is due: a method that
// finds another record on its way to a dead server makes no transmission.
func (d *Deliverer) sendExtra(now time.Time) error {
	if d.underWay > 0 || now.Before(d.extraAt) || d.trial == 0 || now.Add(2*d.trial).After(d.health.probeAt) {
		return nil
	}
	moving := d.isMoving()
	l, _ := d.lanes.ready.take(0, func(l *lane) bool {
		if len(l.items) == 0 {
			return false
		}
		it := l.head()
		return it.first == 0 && it.refusal() == nil && !(moving && it.hasNext)
	})
	if l == nil {
		return nil
	}
	it := l.head()
	switch ok, err := d.reload(it); {
	case err != nil:
		return err
	case !ok:
		d.lanes.wait(l, now.Add(d.cfg.RetryMax))
		return nil
	}
	d.extraAt = now.Add(d.cfg.RetryMax)
	it.role = extra
	d.send(it, d.probe.progress(), now)
	return nil
}

// timeTrial notes how long the transmission of the probe's schedule that just failed took.
func (d *Deliverer) timeTrial(now time.Time) {
	d.trial = max(d.trial, now.Sub(d.probedAt), 1)
}
