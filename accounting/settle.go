package accounting

import (
	"context"
	"errors"
	"time"

	"aaasess/store"
)

// readBatch is how many records are read from the store at once.
const readBatch = 1024

// read takes records from the store as long as there is room for them.
func (d *Deliverer) read(now time.Time) error {
	for d.more && !d.readAt.After(now) && d.lanes.items < d.cfg.Waiting {
		if d.lanes.loaded > d.cfg.Loaded/2 && d.health.isDown() {
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
		it.damaged, it.refusal = append([]byte{}, data...), err
		return
	}
	it.hasNext = len(it.rec.Next) > 0
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
// refused and, while the method is down, moves what has another one.
func (d *Deliverer) dispatch(now time.Time) error {
	limit := min(max(1, d.method.Window()), d.cfg.Loaded)
	room := d.health.room(now, d.underWay, limit)
	kept := d.kept[:0] // those that must wait for room
	for room > 0 || d.health.isDown() {
		l := d.nextLane(room, limit)
		if l == nil {
			break
		}
		it := l.head()
		if room == 0 && it.refusal == nil && !it.hasNext {
			kept = append(kept, l)
			continue
		}
		ok, err := d.reload(it)
		switch {
		case err != nil:
			return err
		case !ok:
			d.lanes.wait(l, now.Add(d.cfg.RetryMax))
		case it.refusal != nil:
			d.setAside(it, now)
		case room > 0:
			room--
			d.send(it)
		default:
			d.move(it, now)
		}
	}
	for _, l := range kept {
		d.lanes.release(l)
	}
	clear(kept)
	d.kept = kept[:0]
	return nil
}

// nextLane takes the lane whose turn it is, nil if there is none.
//
// A few thousand records that nobody will ever answer may stand in front. Those behind them get
// through all the same: what was not answered before has a quarter of the window, and none while the
// method is ailing unless there is nothing else; and then every other one is the newest.
func (d *Deliverer) nextLane(room, limit int) *lane {
	if room == 0 {
		return d.lanes.ready.pop()
	}
	fresh := d.lanes.ready.len() > 0
	switch {
	case d.lanes.overdue.len() > 0 && (!fresh || !d.health.ailing && d.retrying < max(1, limit/4)):
		return d.lanes.overdue.pop()
	case d.health.ailing && d.sent%2 == 1:
		return d.lanes.ready.popNewest()
	}
	return d.lanes.ready.pop()
}

func (d *Deliverer) send(it *item) {
	it.generation, it.since, it.stored = d.gen, d.health.answers, false
	d.underWay++
	d.sent++
	if it.tries > 0 {
		d.retrying++
	}
	d.method.Send(it.rec, Progress{}, func(err error) { d.finished(it, err) })
}

// settle takes the end of what was begun with an item.
func (d *Deliverer) settle(ctx context.Context, r result, now time.Time) error {
	if r.it.stored {
		return d.settleStored(r, now)
	}
	it := r.it
	d.underWay--
	if it.tries > 0 {
		d.retrying--
	}
	switch stale := it.generation != d.gen || ctx.Err() != nil; {
	case r.err == nil:
		if !stale {
			d.answered()
		}
		d.count.Delivered++
		d.acks = append(d.acks, store.Ack{Queue: d.queue, Seq: it.seq})
		d.lanes.settle(it)
	case stale:
		d.again(it, now, 0)
	case errors.Is(r.err, ErrStopped), errors.Is(r.err, context.Canceled):
		d.again(it, now, d.cfg.RetryMin)
	case errors.Is(r.err, ErrNoResponse):
		d.unanswered(it, r.err, now)
	default:
		d.answered()
		it.refusal = r.err
		d.setAside(it, now)
	}
	return nil
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
	case r.it.refusal != nil:
		d.count.Refused++
	default:
		d.count.Moved++
	}
	d.lanes.settle(r.it)
	return nil
}

// answered notes that somebody is there.
func (d *Deliverer) answered() {
	if d.health.isDown() {
		d.logger.Info("accounting method responds again", "down_since", d.health.down)
	}
	d.health.answered(min(max(1, d.method.Window()), d.cfg.Loaded))
	d.count.DownSince = d.health.down
}

// unanswered decides what becomes of a record that nobody answered.
func (d *Deliverer) unanswered(it *item, err error, now time.Time) {
	d.count.NoResponse++
	it.tries++
	was := d.health.isDown()
	d.health.unanswered(now, it.since, it.tries > 1, d.cfg.RetryMin, d.cfg.RetryMax)
	d.count.DownSince = d.health.down
	if !was && d.health.isDown() {
		d.logger.Warn("accounting method does not respond", "err", err, "next", d.health.probeAt.Sub(now))
	}
	if it.hasNext {
		d.move(it, now)
		return
	}
	d.again(it, now, retryWait(it.tries, d.cfg.RetryMin, d.cfg.RetryMax))
}

// again puts an item that was under way back, to be tried after a wait.
func (d *Deliverer) again(it *item, now time.Time, wait time.Duration) {
	if wait > 0 {
		d.lanes.wait(it.lane, now.Add(wait))
		return
	}
	d.lanes.release(it.lane)
}

// move has a record go on to the next method of its list.
func (d *Deliverer) move(it *item, now time.Time) {
	to := *it.rec
	to.Next = it.rec.Next[1:]
	d.transfer(it, store.Append{Queue: it.rec.Next[0].Queue(), Data: AppendRecord(nil, &to)}, now)
}

// setAside puts a record where people can look at it.
func (d *Deliverer) setAside(it *item, now time.Time) {
	data := it.damaged
	who := []any{"seq", it.seq}
	if it.rec != nil {
		data = AppendRecord(nil, it.rec)
		who = append(who, "session", it.rec.Session.String(), "type", it.rec.Type.String(), "list", it.rec.List)
	}
	if now.Sub(d.loggedAt) >= time.Second { // a server that refuses everything must not fill the disk with this
		d.loggedAt = now
		d.logger.Error("accounting record refused, set aside",
			append(who, "err", it.refusal, "refused_total", d.count.Refused+1)...)
	}
	refused := Refused{From: d.queue, At: now, Reason: it.refusal.Error(), Data: data}
	d.transfer(it, store.Append{Queue: RefusedQueue, Data: AppendRefused(nil, &refused)}, now)
}

// transfer takes a record out of this queue and puts it into another, both or neither.
func (d *Deliverer) transfer(it *item, to store.Append, now time.Time) {
	if err := d.store.Accepting(); err != nil {
		d.again(it, now, d.cfg.RetryMin)
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
