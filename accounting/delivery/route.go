package delivery

import (
	"iter"
	"slices"

	"aaasess/accounting"
	"aaasess/internal/retry"
)

// route is the ordered methods that records of a queue may go to. Run makes one for each that it meets.
type route struct {
	carried []accounting.MethodName // by records, behind that of the queue
	names   []accounting.MethodName // of the queue, those carried, and those of Delivery.Reroute; each once
	own     int                     // how many of them are not of Delivery.Reroute
	methods []*method               // those of names; nil for one that does not run
	// ready are the lanes whose first record nobody was asked about yet; parked those whose first record
	// was left unanswered, and that wait for a method to be available.
	ready, parked deque
	items         int // records that are held, wherever they are
	passed        int // of ready: lanes that were found to wait for the pace in this turn
}

// has reports whether a method is one of the route's.
func (r *route) has(m *method) bool { return r != nil && r.index(m) >= 0 }

// index is which of the route's methods a method is, -1 if none.
func (r *route) index(m *method) int {
	if r == nil {
		return -1
	}
	return slices.Index(r.methods, m)
}

// next is the method that a record of the route is to be sent to: the first that is available and has
// not left this record unanswered. One that is held stops the search, since what it holds may not be
// passed; one that is away, down or does not run is passed. nil means that there is none now.
func (r *route) next(h *history) *method {
	for i, m := range r.methods {
		switch {
		case m == nil:
		case m.hold == Held:
			return nil
		case m.isAvailable() && (h == nil || !h.by[i].asked):
			return m
		}
	}
	return nil
}

// isOver reports whether all methods of the route that run have left a record unanswered.
func (r *route) isOver(h *history) bool {
	for i, m := range r.methods {
		if m != nil && !h.by[i].asked {
			return false
		}
	}
	return true
}

// isLost reports whether none of the route's methods runs.
func (r *route) isLost() bool {
	return !slices.ContainsFunc(r.methods, func(m *method) bool { return m != nil })
}

// mayProbe reports whether a method that is down may be probed with fresh records of the route: no method
// before it takes them, or is held.
func (r *route) mayProbe(m *method) bool {
	i := r.index(m)
	return i >= 0 && !slices.ContainsFunc(r.methods[:i], func(m *method) bool {
		return m != nil && (m.hold == Held || m.isAvailable())
	})
}

// isHeldBefore reports whether a method before this one holds the records of the route.
func (r *route) isHeldBefore(m *method) bool {
	return slices.ContainsFunc(r.methods[:r.index(m)], func(m *method) bool { return m != nil && m.hold == Held })
}

// route is the route of a record of the queue with these methods after the queue's own.
func (d *Delivery) route(q *queue, next []accounting.MethodName) *route {
	same := func(r *route) bool { return slices.Equal(r.carried, next) }
	if q.lastRoute != nil && same(q.lastRoute) {
		return q.lastRoute
	}
	if i := slices.IndexFunc(q.routes, same); i >= 0 {
		q.lastRoute = q.routes[i]
		return q.lastRoute
	}
	r := &route{carried: slices.Clone(next), names: []accounting.MethodName{q.method}}
	r.add(next)
	r.own = len(r.names)
	d.extend(r, q.beyond)
	for _, m := range r.methods { // a backlog may have records of this route
		if m != nil {
			m.drain.on = true
		}
	}
	q.routes = append(q.routes, r)
	q.lastRoute = r
	return r
}

// add puts the methods behind the others that are not there yet.
func (r *route) add(names []accounting.MethodName) {
	for _, name := range names {
		if !slices.Contains(r.names, name) {
			r.names = append(r.names, name)
		}
	}
}

// extend sets the methods of a route behind its own.
func (d *Delivery) extend(r *route, beyond []accounting.MethodName) {
	r.names = r.names[:r.own:r.own]
	r.add(beyond)
	r.methods = make([]*method, len(r.names))
	for i, name := range r.names {
		if at := slices.IndexFunc(d.methods, func(m *method) bool { return m.name == name }); at >= 0 {
			r.methods[i] = d.methods[at]
		}
	}
}

// reroute takes over what Reroute said.
func (d *Delivery) reroute(q *queue, beyond []accounting.MethodName) {
	if slices.Equal(q.beyond, beyond) { // as every reload says
		return
	}
	q.beyond = beyond
	for _, r := range q.routes {
		d.extend(r, beyond)
	}
	for _, l := range q.bySession {
		for _, it := range l.items {
			if h := it.history; h != nil && it.route != nil {
				by := make([]attempts, len(it.route.names))
				copy(by[:it.route.own], h.by)
				h.by = by
				if !slices.Contains(it.route.names, h.of) {
					h.at, h.of = retry.Progress{}, ""
				}
			}
		}
	}
	for _, l := range d.retrying.removeIf(func(l *lane) bool { return l.queue == q && !l.head().isFresh() }) {
		d.place(l)
	}
	for _, m := range d.methods {
		d.changed(m)
	}
}

// routes are those of all queues.
func (d *Delivery) routes() iter.Seq[*route] {
	return func(yield func(*route) bool) {
		for _, q := range d.queues {
			for _, r := range q.routes {
				if !yield(r) {
					return
				}
			}
		}
	}
}
