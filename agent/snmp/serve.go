package snmp

import "context"

// work is a request for another goroutine, and where its answer leaves from.
type work struct {
	ep *endpoint
	e  *exchange
}

// help gives a request to a helper that has nothing to do, if there is one.
func (r *Responder) help(ep *endpoint, e *exchange) bool {
	select {
	case r.helpers <- work{ep, e}:
		return true
	default:
		return false
	}
}

// helper answers requests that an endpoint has read more of than one.
func (r *Responder) helper(ctx context.Context) {
	for {
		select {
		case w := <-r.helpers:
			r.serve(w.ep, w.e)
		case <-ctx.Done():
			return
		}
	}
}

// setter carries out SETs.
func (r *Responder) setter(ctx context.Context) {
	for {
		select {
		case w := <-r.sets:
			r.conclude(w.ep, w.e, w.e.set())
		case <-ctx.Done():
			return
		}
	}
}

// serve answers one request, and takes the exchange.
func (r *Responder) serve(ep *endpoint, e *exchange) {
	v := e.process()
	if v == deferred {
		select {
		case r.sets <- work{ep, e}:
			return
		default:
			r.counters.overSets.Add(1)
			r.complain(overLimit, e.from, e.now, nil, "limit", "SETs that wait")
			v = dropped
		}
	}
	r.conclude(ep, e, v)
}

// conclude sends the answer, if there is one.
func (r *Responder) conclude(ep *endpoint, e *exchange, v verdict) {
	if v == answered {
		if err := ep.send(e); err == nil {
			r.counters.outPkts.Add(1)
		} else {
			r.counters.sendErrors.Add(1)
			r.complain(notSent, e.from, e.now, nil, "err", err)
		}
	}
	r.put(e)
}
