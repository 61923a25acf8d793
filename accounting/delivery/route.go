package delivery

import (
	"iter"
	"slices"

	"aaasess/accounting"
	"aaasess/internal/retry"
)

// route is an ordered list of methods that records of a queue may go to. Run creates one for each
// list that it meets.
type route struct {
	carried  []accounting.MethodName // the methods in the records, which follow the queue's own
	names    []accounting.MethodName // the queue's own, carried, and those of Delivery.Reroute; each once
	ownCount int                     // how many names are not from Delivery.Reroute
	methods  []*method               // the methods of names; nil for one that is not configured
	// ready are the lanes whose first record was never tried. parked are the lanes whose first
	// record was left unanswered and waits for an available method.
	ready, parked deque
	items         int // items of the route, in whatever list
	scanned       int // lanes of ready that were found to wait for the pace in this step
}

// has reports whether the route contains a method.
func (r *route) has(m *method) bool { return r != nil && r.index(m) >= 0 }

// index returns the position of a method in the route, -1 if it is not there.
func (r *route) index(m *method) int {
	if r == nil {
		return -1
	}
	return slices.Index(r.methods, m)
}

// next returns the method that a record of the route is to be sent to: the first that is available
// and has not left the record unanswered in this round. The search stops at a method that is held.
// It skips one that is away, down or not configured. nil means that there is none now.
func (r *route) next(h *history) *method {
	for i, m := range r.methods {
		switch {
		case m == nil:
		case m.hold == Held:
			return nil
		case m.isAvailable() && (h == nil || !h.attempts[i].exhausted):
			return m
		}
	}
	return nil
}

// isExhausted reports whether all configured methods of the route have left a record unanswered.
func (r *route) isExhausted(h *history) bool {
	for i, m := range r.methods {
		if m != nil && !h.attempts[i].exhausted {
			return false
		}
	}
	return true
}

// hasNoMethod reports whether none of the route's methods is configured.
func (r *route) hasNoMethod() bool {
	return !slices.ContainsFunc(r.methods, func(m *method) bool { return m != nil })
}

// mayProbe reports whether fresh records of the route may probe a method that is down: no earlier
// method of the route is available or held.
func (r *route) mayProbe(m *method) bool {
	i := r.index(m)
	return i >= 0 && !slices.ContainsFunc(r.methods[:i], func(m *method) bool {
		return m != nil && (m.hold == Held || m.isAvailable())
	})
}

// isHeldBefore reports whether an earlier method of the route is held.
func (r *route) isHeldBefore(m *method) bool {
	return slices.ContainsFunc(r.methods[:r.index(m)], func(m *method) bool { return m != nil && m.hold == Held })
}

// route returns the route of a record of the queue that carries the methods next.
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
	r.ownCount = len(r.names)
	d.extend(r, q.fallback)
	for _, m := range r.methods { // the backlog may have records of this route
		if m != nil {
			m.drain.on = true
		}
	}
	q.routes = append(q.routes, r)
	q.lastRoute = r
	return r
}

// add appends the methods that the route does not have yet.
func (r *route) add(names []accounting.MethodName) {
	for _, name := range names {
		if !slices.Contains(r.names, name) {
			r.names = append(r.names, name)
		}
	}
}

// extend replaces the methods of the route that follow its own.
func (d *Delivery) extend(r *route, beyond []accounting.MethodName) {
	r.names = r.names[:r.ownCount:r.ownCount]
	r.add(beyond)
	r.methods = make([]*method, len(r.names))
	for i, name := range r.names {
		if at := slices.IndexFunc(d.methods, func(m *method) bool { return m.name == name }); at >= 0 {
			r.methods[i] = d.methods[at]
		}
	}
}

// reroute applies a call of Reroute.
func (d *Delivery) reroute(q *queue, beyond []accounting.MethodName) {
	if slices.Equal(q.fallback, beyond) { // every reload repeats it
		return
	}
	q.fallback = beyond
	for _, r := range q.routes {
		d.extend(r, beyond)
	}
	for _, l := range q.lanes {
		for _, it := range l.items {
			if h := it.history; h != nil && it.route != nil {
				by := make([]attempts, len(it.route.names))
				copy(by[:it.route.ownCount], h.attempts)
				h.attempts = by
				if !slices.Contains(it.route.names, h.method) {
					h.progress, h.method = retry.Progress{}, ""
				}
			}
		}
	}
	for _, l := range d.retrying.removeIf(func(l *lane) bool { return l.queue == q && !l.head().isFresh() }) {
		d.place(l)
	}
	for _, m := range d.methods {
		d.placeAgain(m)
	}
}

// routes yields the routes of all queues.
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
