package delivery

import (
	"math"
	"slices"
	"time"

	"aaasess/internal/retry"
	"aaasess/store"
)

// maxMoving is how many records are taken to other queues at once while the store is short of space.
const maxMoving = 16

// dispatch starts what can be started: sends as many records as may be under way, and sets aside what
// is refused or damaged.
func (d *Delivery) dispatch(now time.Time) error {
	d.aside.at, d.placed = time.Time{}, false
	if err := d.putAside(now); err != nil {
		return err
	}
	for _, m := range d.methods { // before others take what might be a probe
		if m.hold == Open && m.health.isDown() {
			if err := d.probe(m, now); err != nil {
				return err
			}
		}
	}
	for _, m := range d.methods {
		if m.drain.at = (time.Time{}); m.isAvailable() {
			if err := d.sendReady(m, now); err != nil {
				return err
			}
		}
	}
	return nil
}

// sendReady sends as many as the health and the pace of a method allow.
func (d *Delivery) sendReady(m *method, now time.Time) error {
	m.sources = m.sources[:0]
	for r := range d.routes() {
		if r.ready.len() > 0 && r.next(nil) == m {
			r.passed = 0
			m.sources = append(m.sources, r)
		}
	}
	limit := m.window(d.reading.loaded)
	room := max(0, min(m.health.window, limit)-m.underWay)
	paced := m.drain.on && m.drain.pace.interval > 0
	for room > 0 {
		l := d.nextLane(m, limit, paced && m.drain.pace.room(now) <= 0)
		if l == nil {
			break
		}
		it := l.head()
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
	if paced && room > 0 && m.waits() {
		m.drain.at = m.drain.pace.next()
	}
	if m.drain.on {
		m.drain.on = d.isDraining(m)
	}
	return nil
}

// waits reports whether there are records that the method could be sent.
func (m *method) waits() bool {
	return m.onward.len()+m.overdue.len() > 0 ||
		slices.ContainsFunc(m.sources, func(r *route) bool { return r.ready.len() > 0 })
}

// nextLane takes the lane whose turn it is, nil if there is none. Thousands of records that nobody will ever
// answer may stand in front; so that those behind them get through:
//
//   - overdue records have a quarter of what may be under way, or every fourth turn if that is less than one;
//   - while the method is reopening they have none, unless there is nothing else;
//   - and then every other record is the newest.
//
// Routes take turns. With lateOnly what is of the backlog waits for the pace.
func (d *Delivery) nextLane(m *method, limit int, lateOnly bool) *lane {
	if lateOnly {
		for k := range m.sources {
			r := m.sources[(m.turn+k)%len(m.sources)]
			var l *lane
			l, r.passed = r.ready.find(r.passed, func(l *lane) bool {
				return len(l.items) > 0 && l.head().route == r && l.head().isFresh() && !m.isBacklog(l)
			})
			if l != nil {
				return l
			}
		}
		return nil
	}
	fresh := m.onward.len() > 0 || slices.ContainsFunc(m.sources, func(r *route) bool { return r.ready.len() > 0 })
	share := min(limit, m.health.window) / 4
	mayRetry := !m.health.reopening && (m.retrying < share || share == 0 && m.sent%4 == 3)
	if m.overdue.len() > 0 && (!fresh || mayRetry) {
		if l := d.nextFrom(&m.overdue, false, m.isNext); l != nil {
			l.head().retry = true
			return l
		}
	}
	newest := m.health.reopening && m.sent%2 == 1
	for k := range len(m.sources) + 1 {
		i := (m.turn + k) % (len(m.sources) + 1)
		var l *lane
		if i == len(m.sources) {
			l = d.nextFrom(&m.onward, newest, m.isNext)
		} else {
			l = d.nextFrom(&m.sources[i].ready, newest, m.sources[i].isReady)
		}
		if l != nil {
			m.turn = i + 1
			return l
		}
	}
	if l := d.nextFrom(&m.overdue, false, m.isNext); l != nil { // what seemed fresh was superseded
		l.head().retry = true
		return l
	}
	return nil
}

// send sends a method a record that stands there in its schedule, or in the method's if that is probed.
func (d *Delivery) send(m *method, it *item, at retry.Progress, now time.Time) {
	it.probing = it == m.probing.probe || it == m.probing.extra
	it.to, it.gen, it.answersAtSend, it.storing = m, m.gen, m.health.answers, false
	if it.first == 0 {
		it.first = now.Sub(d.made) + 1
	}
	m.underWay++
	m.sent++
	if it.lane != nil {
		it.lane.queue.count.InFlight++
	}
	if it.retry {
		m.retrying++
	}
	m.impl.Send(it.rec, at, func(err error) { d.inbox.finished(it, err) })
}

// transferRoom is how many records may be taken to other queues now. A store that is short of space
// and takes no new events has some left for that, of which little is used at once.
func (d *Delivery) transferRoom() int {
	switch {
	case d.store.Accepting() == nil:
		return math.MaxInt
	case d.store.Moving() == nil:
		return max(0, maxMoving-d.aside.storing)
	}
	return 0
}

// transfer takes a record of a busy lane out of its queue and puts it into another, both or neither.
func (d *Delivery) transfer(it *item, to store.Append) {
	it.to, it.storing = nil, true
	d.aside.storing++
	change := store.Change{
		Appends: []store.Append{to},
		Acks:    []store.Ack{{Queue: it.lane.queue.name, Seq: it.seq}},
	}
	d.store.Commit(change, func(err error) { d.inbox.finished(it, err) })
}
