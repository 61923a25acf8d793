package delivery

import (
	"math"
	"slices"
	"time"

	"aaasess/accounting"
	"aaasess/internal/retry"
	"aaasess/store"
)

// maxMoving is how many records may be moved to other queues at once while the store is short of
// space.
const maxMoving = 16

// dispatch sends as many records as may be in flight, and sets aside what was refused or damaged.
func (d *Delivery) dispatch(now time.Time) error {
	d.setAside.retryAt, d.placed = time.Time{}, false
	if err := d.setAsideReady(now); err != nil {
		return err
	}
	for _, m := range d.methods { // first, because a method that is up might take the record for the probe
		if m.hold == Open && m.health.isDown() {
			if err := d.probe(m, now); err != nil {
				return err
			}
		}
	}
	for _, m := range d.methods {
		if m.drain.nextAt = (time.Time{}); m.isAvailable() {
			d.collecting = true
			err := d.sendReady(m, now)
			d.collecting = false
			d.sendCollected(m)
			if err != nil {
				return err
			}
		}
	}
	return nil
}

// sendReady sends as many records as the health and the pace of a method allow.
func (d *Delivery) sendReady(m *method, now time.Time) error {
	m.readyRoutes = m.readyRoutes[:0]
	for r := range d.routes() {
		if r.ready.len() > 0 && r.next(nil) == m {
			r.scanned = 0
			m.readyRoutes = append(m.readyRoutes, r)
		}
	}
	limit := m.window(d.reading.loaded)
	room := max(0, min(m.health.window, limit)-m.inFlight)
	paced := m.drain.on && m.drain.pace.interval > 0
	for room > 0 {
		l := d.nextLane(m, limit, paced && m.drain.pace.room(now) <= 0)
		if l == nil {
			break
		}
		it := l.head()
		if !it.isLoaded() {
			d.sendCollected(m) // they need not wait for the disk
		}
		ok, err := d.reload(it, now)
		switch {
		case err != nil:
			return err
		case !ok:
		case it.reason() != nil:
			d.place(l)
		default:
			room--
			if paced && m.isBacklog(l) {
				m.drain.pace.spend(1)
			}
			d.send(m, it, it.progress(m), now)
		}
	}
	if paced && room > 0 && m.hasLanes() {
		m.drain.nextAt = m.drain.pace.next()
	}
	if m.drain.on {
		m.drain.on = d.isDraining(m)
	}
	return nil
}

// hasLanes reports whether there are records that could be sent to the method.
func (m *method) hasLanes() bool {
	return m.failover.len()+m.overdue.len() > 0 ||
		slices.ContainsFunc(m.readyRoutes, func(r *route) bool { return r.ready.len() > 0 })
}

// nextLane removes and returns the next lane to send, nil if there is none. Thousands of records
// that no server ever answers may stand in front. These rules let the records behind them through:
//
//   - Overdue records get a quarter of the window, or every fourth turn if that is less than one.
//   - While the method is reopening, overdue records get nothing, unless there is nothing else.
//   - While the method is reopening, every other record is the newest one.
//
// Routes take turns. With skipBacklog, records of the backlog wait for the pace.
func (d *Delivery) nextLane(m *method, limit int, skipBacklog bool) *lane {
	if skipBacklog {
		for k := range m.readyRoutes {
			r := m.readyRoutes[(m.nextRoute+k)%len(m.readyRoutes)]
			var l *lane
			l, r.scanned = r.ready.find(r.scanned, func(l *lane) bool {
				return len(l.items) > 0 && r.isReady(l.head()) && !m.isBacklog(l)
			})
			if l != nil {
				return l
			}
		}
		return nil
	}
	fresh := m.failover.len() > 0 || slices.ContainsFunc(m.readyRoutes, func(r *route) bool { return r.ready.len() > 0 })
	share := min(limit, m.health.window) / 4
	mayRetry := !m.health.reopening && (m.retrying < share || share == 0 && m.sent%4 == 3)
	if m.overdue.len() > 0 && (!fresh || mayRetry) {
		if l := d.nextFrom(&m.overdue, false, m.isNext); l != nil {
			l.head().retry = true
			return l
		}
	}
	newest := m.health.reopening && m.sent%2 == 1
	for k := range len(m.readyRoutes) + 1 {
		i := (m.nextRoute + k) % (len(m.readyRoutes) + 1)
		var l *lane
		if i == len(m.readyRoutes) {
			l = d.nextFrom(&m.failover, newest, m.isNext)
		} else {
			l = d.nextFrom(&m.readyRoutes[i].ready, newest, m.readyRoutes[i].isReady)
		}
		if l != nil {
			m.nextRoute = i + 1
			return l
		}
	}
	if l := d.nextFrom(&m.overdue, false, m.isNext); l != nil { // the fresh lanes were superseded
		l.head().retry = true
		return l
	}
	return nil
}

// send sends a record to a method. at is the record's progress in its schedule, or the method's if
// the record is a probe.
func (d *Delivery) send(m *method, it *item, at retry.Progress, now time.Time) {
	it.probing = it == m.probing.probe || it == m.probing.extra
	it.sentTo, it.gen, it.answersAtSend, it.moving = m, m.gen, m.health.answers, false
	if it.firstSent == 0 {
		it.firstSent = now.Sub(d.created) + 1
	}
	m.inFlight++
	m.sent++
	if it.lane != nil {
		it.lane.queue.count.InFlight++
	}
	if it.retry {
		m.retrying++
	}
	if it.lane != nil && it.rec.Hold > 0 {
		d.addAddress(it)
	}
	done := func(err error) { d.inbox.finished(it, err) }
	if d.collecting {
		d.collected = append(d.collected, accounting.Sending{Record: it.rec, At: at, Done: done})
		return
	}
	m.impl.Send(it.rec, at, done)
}

// sendCollected hands the records that send has collected to their method.
func (d *Delivery) sendCollected(m *method) {
	if b, ok := m.impl.(accounting.Batcher); ok && len(d.collected) > 1 {
		b.SendAll(d.collected)
	} else {
		for _, s := range d.collected {
			m.impl.Send(s.Record, s.At, s.Done)
		}
	}
	clear(d.collected)
	d.collected = d.collected[:0]
}

// moveRoom returns how many records may be moved to other queues now. A store that is short of
// space refuses new events but keeps a reserve for moves. Only a few are made at once.
func (d *Delivery) moveRoom() int {
	switch {
	case d.store.Accepting() == nil:
		return math.MaxInt
	case d.store.AcceptingMoves() == nil:
		return max(0, maxMoving-d.setAside.moving)
	}
	return 0
}

// move moves the first record of a busy lane into another queue, in one atomic change.
func (d *Delivery) move(it *item, to store.Append) {
	it.sentTo, it.moving = nil, true
	d.setAside.moving++
	change := store.Change{
		Appends: []store.Append{to},
		Acks:    []store.Ack{{Queue: it.lane.queue.name, Seq: it.seq}},
	}
	d.store.Commit(change, func(err error) { d.inbox.finished(it, err) })
}
