package delivery

import (
	"context"
	"maps"
	"slices"

	"aaasess/accounting"
)

// method is what Run knows of one method.
type method struct {
	name accounting.MethodName
	impl accounting.Method
	cfg  accounting.MethodConfig
	gen  int32 // of impl; what was sent with another one is no news of this one
	gone bool
	hold Hold

	health  health
	losses  losses
	probing prober
	drain   drainer

	// Lanes whose first record this method is to have: onward, since those before it in the route left
	// the record unanswered; overdue, since all did, and the record's time to be tried again has come.
	onward, overdue deque

	underWay int // records with the method
	retrying int // of them, those of overdue
	sent     int // all that were ever sent
	turn     int // of the routes, whose is next
	sources  []*route

	delivered, noResponse uint64
	published             MethodStats // what others know of it
}

// isAvailable reports whether the method takes records, as far as is known.
func (m *method) isAvailable() bool { return m.hold == Open && !m.gone && !m.health.isDown() }

// window is how many records it may have.
func (m *method) window(loaded int) int { return min(max(1, m.impl.Window()), loaded) }

// adopt takes over what is wanted of methods.
func (d *Delivery) adopt(ctx context.Context, all map[accounting.MethodName]wanted) {
	for _, name := range slices.Sorted(maps.Keys(all)) {
		w := all[name]
		i := slices.IndexFunc(d.methods, func(m *method) bool { return m.name == name })
		switch {
		case w.gone && i >= 0:
			d.remove(i)
			continue
		case w.gone || w.impl == nil:
			continue
		case i < 0:
			d.methods = append(d.methods, d.join(ctx, name, w))
			continue
		}
		m := d.methods[i]
		if m.gen != w.gen {
			m.gen, m.impl, m.cfg = w.gen, w.impl, w.cfg
			d.renew(m)
		}
		d.changeHold(m, w.hold)
		if w.heard && m.health.isDown() {
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

// join makes a method of which nothing was known. A backlog may wait after a restart, so its window opens
// from one.
func (d *Delivery) join(ctx context.Context, name accounting.MethodName, w wanted) *method {
	m := &method{
		name: name, impl: w.impl, cfg: w.cfg, gen: w.gen, hold: w.hold,
		health: health{window: 1}, drain: newDrainer(w.cfg.DrainRate),
	}
	d.queueNamed(ctx, name.Queue())
	d.beginDrain(m)
	for r := range d.routes() {
		for i, of := range r.names {
			if of == name {
				r.methods[i] = m
			}
		}
	}
	d.changed(m)
	return m
}

// remove forgets a method. What it has under way is no news of anybody any more.
func (d *Delivery) remove(i int) {
	m := d.methods[i]
	all := d.retrying.removeIf(func(l *lane) bool { return l.head().route.has(m) })
	d.forgetMethod(m)
	d.methods = slices.Delete(d.methods, i, i+1)
	m.gone = true
	m.gen++
	m.probing.reset()
	for r := range d.routes() {
		for i, of := range r.methods {
			if of == m {
				r.methods[i] = nil
			}
		}
	}
	for _, l := range all {
		d.place(l)
	}
	d.changed(m)
}

// renew begins anew with an implementation that took the place of another.
func (d *Delivery) renew(m *method) {
	m.probing.reset()
	m.health = health{window: 1, answers: m.health.answers}
	m.losses, m.drain.pace = losses{}, newPace(m.cfg.DrainRate)
	d.forgetMethod(m)
	d.beginDrain(m)
	for _, l := range d.retrying.removeIf(func(l *lane) bool { return l.head().route.has(m) }) {
		d.place(l)
	}
	d.changed(m)
}

// forgetMethod forgets how records fared with a method that is replaced or removed.
func (d *Delivery) forgetMethod(m *method) {
	for _, q := range d.queues {
		for _, l := range q.bySession {
			if len(l.items) > 0 {
				l.head().forget(m)
			}
		}
	}
}

// changed finds the records another place that stand where they do because a method took records, or
// did not.
func (d *Delivery) changed(m *method) {
	var all []*lane
	for r := range d.routes() {
		if r.has(m) || m.gone {
			all = r.parked.empty(all)
		}
	}
	if !m.isAvailable() {
		all = m.onward.empty(all)
		all = m.overdue.empty(all)
	}
	all = append(all, d.endBackOffs(m)...)
	for _, l := range all {
		if len(l.items) == 0 {
			l.queue.forget(l) // all of it was superseded
			continue
		}
		d.place(l)
	}
}

// endBackOffs ends the wait of those that are in a back-off of their own, where the method is the one that
// it is of, or takes records and could have them.
func (d *Delivery) endBackOffs(m *method) []*lane {
	all := d.retrying.removeIf(func(l *lane) bool {
		it := l.head()
		return it.history.isInSchedule() && (it.history.of == m.name || m.isAvailable() && it.route.has(m))
	})
	for _, l := range all {
		it := l.head()
		if i := slices.Index(it.route.names, it.history.of); i >= 0 && it.history.of != m.name {
			it.history.by[i].asked = true // that one did not answer it
		}
	}
	return all
}

// answered notes that somebody of the method is there.
func (d *Delivery) answered(m *method) {
	wasDown, since := m.health.isDown(), m.health.down
	m.health.answered(m.window(d.reading.loaded))
	if !wasDown {
		return
	}
	d.logger.Info("accounting method responds again", "method", string(m.name), "down_since", since)
	m.probing.reset()
	d.beginDrain(m)
	d.changed(m)
}
