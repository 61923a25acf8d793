package delivery

import (
	"context"
	"maps"
	"slices"
	"time"

	"aaasess/accounting"
	"aaasess/internal/histogram"
	"aaasess/internal/throttle"
)

// method is Run's state of one method.
type method struct {
	name    accounting.MethodName
	impl    accounting.Method
	cfg     accounting.MethodConfig
	gen     int32 // of impl; results of an earlier one say nothing about this one
	removed bool
	hold    Hold

	health  health
	losses  lossRate
	probing prober

	logged     throttle.Line // of when it goes down
	downLogged bool          // it is down, and the log says so

	drain drainer

	// Lanes whose first record is to be sent to this method. failover: methods before it in the
	// route left the record unanswered. overdue: all methods did, and the time to try the record
	// again has come.
	failover, overdue deque

	inFlight    int // records in flight
	retrying    int // of these, records from overdue
	sent        int // records sent since the start
	nextRoute   int // index of the ready route that is next
	readyRoutes []*route

	delivered, noResponse uint64
	deliveryTime          *histogram.Histogram
	published             MethodStats // what Method last returned
}

// isAvailable reports whether records may be sent to the method, as far as is known.
func (m *method) isAvailable() bool { return m.hold == Open && !m.removed && !m.health.isDown() }

// window returns how many records may be in flight at the method.
func (m *method) window(loaded int) int { return min(max(1, m.impl.Window()), loaded) }

// applySettings applies the settings of all methods.
func (d *Delivery) applySettings(ctx context.Context, all map[accounting.MethodName]settings) {
	for _, name := range slices.Sorted(maps.Keys(all)) {
		w := all[name]
		i := slices.IndexFunc(d.methods, func(m *method) bool { return m.name == name })
		switch {
		case w.removed && i >= 0:
			d.removeMethod(i)
			continue
		case w.removed || w.impl == nil:
			continue
		case i < 0:
			d.methods = append(d.methods, d.addMethod(ctx, name, w))
			continue
		}
		m := d.methods[i]
		if m.gen != w.gen {
			m.gen, m.impl, m.cfg = w.gen, w.impl, w.cfg
			d.replaceMethod(m)
		}
		if m.cfg != w.cfg {
			m.cfg, m.drain.pace = w.cfg, newPace(w.cfg.DrainRate)
		}
		d.changeHold(m, w.hold)
		if w.answered && m.health.isDown() {
			d.answered(m)
		}
	}
	if all != nil {
		d.reading.loaded = d.cfg.Loaded
		if d.reading.loaded <= 0 {
			d.reading.loaded = 4096
			for _, m := range d.methods {
				d.reading.loaded = max(d.reading.loaded, 4*m.impl.Window())
			}
		}
		d.cfg.Waiting = max(d.cfg.Waiting, d.reading.loaded)
	}
}

// addMethod returns the state of a new method. A backlog may wait after a restart, so the window
// opens from one.
func (d *Delivery) addMethod(ctx context.Context, name accounting.MethodName, w settings) *method {
	m := &method{
		name: name, impl: w.impl, cfg: w.cfg, gen: w.gen, hold: w.hold,
		health: health{window: 1}, drain: newDrainer(w.cfg.DrainRate), deliveryTime: d.inbox.deliveryTime(name),
	}
	d.queueNamed(ctx, name.Queue())
	d.beginDrain(m)
	for r := range d.routes() {
		for i, n := range r.names {
			if n == name {
				r.methods[i] = m
			}
		}
	}
	d.placeAgain(m)
	return m
}

// removeMethod removes a method. Results of its records in flight no longer affect any health.
func (d *Delivery) removeMethod(i int) {
	m := d.methods[i]
	all := d.retrying.removeIf(func(l *lane) bool { return l.head().route.has(m) })
	d.forgetMethod(m)
	d.methods = slices.Delete(d.methods, i, i+1)
	m.removed = true
	m.gen++
	m.probing.reset()
	for r := range d.routes() {
		for i, other := range r.methods {
			if other == m {
				r.methods[i] = nil
			}
		}
	}
	for _, l := range all {
		d.place(l)
	}
	d.placeAgain(m)
}

// replaceMethod resets the state of a method whose implementation was replaced.
func (d *Delivery) replaceMethod(m *method) {
	m.probing.reset()
	m.health = health{window: 1, answers: m.health.answers}
	m.losses, m.drain.pace = lossRate{}, newPace(m.cfg.DrainRate)
	d.forgetMethod(m)
	d.beginDrain(m)
	for _, l := range d.retrying.removeIf(func(l *lane) bool { return l.head().route.has(m) }) {
		d.place(l)
	}
	d.placeAgain(m)
}

// forgetMethod removes a method that was replaced or removed from the histories of all records.
func (d *Delivery) forgetMethod(m *method) {
	for _, q := range d.queues {
		for _, l := range q.lanes {
			if len(l.items) > 0 {
				l.head().forgetMethod(m)
			}
		}
	}
}

// placeAgain places the lanes whose list depends on whether the method is available.
func (d *Delivery) placeAgain(m *method) {
	var all []*lane
	for r := range d.routes() {
		if r.has(m) || m.removed {
			all = r.parked.empty(all)
		}
	}
	if !m.isAvailable() {
		all = m.failover.empty(all)
		all = m.overdue.empty(all)
	}
	all = append(all, d.endBackOffs(m)...)
	for _, l := range all {
		if len(l.items) == 0 {
			l.queue.removeLane(l) // all its items were superseded
			continue
		}
		d.place(l)
	}
}

// endBackOffs ends the wait of lanes that are in a back-off of their own with this method. If the
// method is available, it also ends the wait of lanes in a back-off with another method of the same
// route.
func (d *Delivery) endBackOffs(m *method) []*lane {
	all := d.retrying.removeIf(func(l *lane) bool {
		it := l.head()
		return it.history.isInSchedule() && (it.history.method == m.name || m.isAvailable() && it.route.has(m))
	})
	for _, l := range all {
		it := l.head()
		if i := slices.Index(it.route.names, it.history.method); i >= 0 && it.history.method != m.name {
			it.history.attempts[i].exhausted = true // that method left the record unanswered
		}
	}
	return all
}

// logDown logs that the method is down: once, and at most once a minute if it goes down and up all the
// time. A method that stays down is logged with a later probe.
func (d *Delivery) logDown(m *method, err error, now time.Time) {
	if m.downLogged {
		return
	}
	if suppressed, ok := m.logged.Allow(now); ok {
		m.downLogged = true
		d.logger.Warn("accounting method does not respond; its records go to the next method or wait", "method", string(m.name), "err", err, "next", m.health.probeAt.Sub(now), "suppressed", suppressed)
	}
}

// answered records that the method answered something.
func (d *Delivery) answered(m *method) {
	wasDown, since := m.health.isDown(), m.health.down
	m.health.answered(m.window(d.reading.loaded))
	if !wasDown {
		return
	}
	if m.downLogged {
		d.logger.Info("accounting method responds again; sending its backlog", "method", string(m.name), "down_since", since)
		m.downLogged = false
	}
	m.probing.reset()
	d.beginDrain(m)
	d.placeAgain(m)
}
