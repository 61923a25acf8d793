package accounting

import (
	"math"
	"time"

	"aaasess/store"
)

// readBatch is how many records are read from the store at once.
const readBatch = 1024

// maxMoving is how many records are taken to other queues at once while the store is short of space.
const maxMoving = 16

// read takes records from the store as long as there is room for them.
func (d *Deliverer) read(now time.Time) error {
	for d.more && !d.readAt.After(now) && d.lanes.items < d.cfg.Waiting {
		if d.lanes.loaded > d.cfg.Loaded/2 && d.isMoving() {
			// What is far behind may have another method, or be what somebody answers.
			d.lanes.unloadReady()
		}
		if d.lanes.loaded > d.cfg.Loaded/2 {
			break // a read costs much the same for one record as for many
		}
		limit := min(readBatch, d.cfg.Loaded-d.lanes.loaded, d.cfg.Waiting-d.lanes.items)
		var err error
		d.entries, err = d.store.Read(d.queue, d.cursor, limit, d.entries[:0])
		if err != nil {
			if isFatal(err) {
				return err
			}
			d.readAt = now.Add(d.cfg.RetryMax)
			d.logger.Error("queue cannot be read", "err", err, "next", d.cfg.RetryMax)
			return nil
		}
		for _, e := range d.entries {
			it := &item{seq: e.Seq}
			it.parse(e.Data)
			d.lanes.add(it)
			d.cursor = e.Seq + 1
		}
		d.more = len(d.entries) == limit
		clear(d.entries)
	}
	return nil
}

func (it *item) parse(data []byte) {
	var err error
	if it.rec, err = ParseRecord(data); err != nil {
		o := it.strange()
		o.damaged, o.refusal = append([]byte{}, data...), err
		return
	}
	it.hasNext, it.when = len(it.rec.Next) > 0, it.rec.At.UnixNano()
}

// reload reads an item again whose octets were given up. False means that it cannot be had now.
func (d *Deliverer) reload(it *item) (ok bool, err error) {
	if it.isLoaded() {
		return true, nil
	}
	got, err := d.store.Read(d.queue, it.seq, 1, nil)
	switch {
	case err != nil && isFatal(err):
		return false, err
	case err != nil || len(got) == 0 || got[0].Seq != it.seq:
		d.logger.Error("record cannot be read", "seq", it.seq, "err", err)
		return false, nil
	}
	it.parse(got[0].Data)
	d.lanes.loaded++
	return true, nil
}

// dispatch starts what can be started: sends as many as may be under way, sets aside what is
// refused and, while the method is away for long, moves what has another one.
func (d *Deliverer) dispatch(now time.Time) (err error) {
	d.paceAt, d.moveAt = time.Time{}, time.Time{}
	switch {
	case d.hold != Open:
	case d.probe != nil:
		err = d.sendProbe(now)
	default:
		err = d.sendReady(now)
	}
	if err == nil && d.isMoving() {
		return d.moveReady(now)
	}
	d.lanes.ready.passed, d.lanes.overdue.passed = 0, 0
	return err
}

// sendReady sends as many as health and pace allow.
func (d *Deliverer) sendReady(now time.Time) error {
	limit := min(max(1, d.method.Window()), d.cfg.Loaded)
	room := d.health.room(now, d.underWay, limit)
	paced := d.draining && d.pace.interval > 0 && !d.health.isDown()
	passed := 0 // of what waits for the pace
	for room > 0 {
		var l *lane
		if paced && d.pace.room(now) <= 0 {
			l, passed = d.lanes.ready.take(passed, d.isLate)
		} else {
			l = d.nextLane(limit)
		}
		if l == nil {
			break
		}
		it := l.head()
		ok, err := d.reload(it)
		switch {
		case err != nil:
			return err
		case !ok:
			d.lanes.wait(l, now.Add(d.cfg.RetryMax))
		case it.refusal() != nil:
			d.setAside(it, now)
		default:
			room--
			if paced && it.seq < d.mark {
				d.pace.take(1)
			}
			d.send(it, it.progress(), now)
		}
	}
	if paced && room > 0 && d.lanes.ready.len()+d.lanes.overdue.len() > 0 {
		d.paceAt = d.pace.next()
	}
	if d.draining && !d.health.isDown() {
		d.draining = d.isDraining()
	}
	return nil
}

// nextLane takes the lane whose turn it is, nil if there is none.
//
// A few thousand records that nobody will ever answer may stand in front. Those behind them get
// through all the same: what was not answered before has a quarter of what may be under way, or of the
// turns if that is less than one, and nothing while the method is ailing unless there is nothing else;
// and then every other one is the newest.
func (d *Deliverer) nextLane(limit int) *lane {
	fresh := d.lanes.ready.len() > 0
	share := min(limit, d.health.window) / 4
	mayRetry := !d.health.ailing && (d.retrying < share || share == 0 && d.sent%4 == 3)
	if d.lanes.overdue.len() > 0 && (!fresh || mayRetry) {
		if l := d.lanes.next(&d.lanes.overdue, false); l != nil {
			return l
		}
	}
	return d.lanes.next(&d.lanes.ready, d.health.ailing && d.sent%2 == 1)
}

func (d *Deliverer) send(it *item, at Progress, now time.Time) {
	it.gen, it.since, it.stored = d.gen, d.health.answers, false
	if it.first == 0 {
		it.first = now.Sub(d.made) + 1
	}
	d.underWay++
	d.sent++
	if it.retry = it.isSuspect(); it.retry {
		d.retrying++
	}
	d.method.Send(it.rec, at, func(err error) { d.finished(it, err) })
}

// moveReady sends what has another method there, and sets aside what is refused or damaged.
func (d *Deliverer) moveReady(now time.Time) (err error) {
	room := d.transferRoom()
	if room == 0 {
		d.moveAt = now.Add(d.cfg.RetryMin)
		return nil
	}
	limited := false
	stays := func(l *lane) bool {
		if len(l.items) == 0 {
			d.lanes.forget(l)
			return false
		}
		it := l.head()
		if err != nil || it.refusal() == nil && !it.hasNext {
			return true
		}
		if room == 0 {
			limited = true
			return true
		}
		room--
		var ok bool
		ok, err = d.reload(it)
		switch {
		case err != nil:
			return true
		case !ok:
			d.lanes.wait(l, now.Add(d.cfg.RetryMax))
		case it.refusal() != nil:
			d.setAside(it, now)
		default:
			d.move(it, now)
		}
		return false
	}
	d.lanes.ready.sift(stays)
	d.lanes.overdue.sift(stays)
	if limited { // the next time they are asked again
		d.lanes.ready.passed, d.lanes.overdue.passed = 0, 0
		d.moveAt = now.Add(d.cfg.RetryMin)
	}
	return err
}

// move has a record go on to the next method of its list.
func (d *Deliverer) move(it *item, now time.Time) {
	to := *it.rec
	to.Next = it.rec.Next[1:]
	d.transfer(it, store.Append{Queue: it.rec.Next[0].Queue(), Data: AppendRecord(nil, &to)}, now)
}

// transferRoom is how many records may be taken to other queues now. A store that is short of space
// and takes no new events has some left for that, of which little is used at once.
func (d *Deliverer) transferRoom() int {
	switch {
	case d.store.Accepting() == nil:
		return math.MaxInt
	case d.store.Moving() == nil:
		return max(0, maxMoving-d.storing)
	}
	return 0
}

// transfer takes a record out of this queue and puts it into another, both or neither.
func (d *Deliverer) transfer(it *item, to store.Append, now time.Time) {
	if d.transferRoom() == 0 {
		d.lanes.wait(it.lane, now.Add(d.cfg.RetryMin))
		return
	}
	it.stored = true
	d.storing++
	change := store.Change{
		Appends: []store.Append{to},
		Acks:    []store.Ack{{Queue: d.queue, Seq: it.seq}},
	}
	d.store.Commit(change, func(err error) { d.finished(it, err) })
}
