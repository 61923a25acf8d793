package snmp

import "context"

// work is a request for another goroutine, with the endpoint that its answer leaves from.
type work struct {
	ep *endpoint
	e  *exchange
}

// offer passes a request to a helper if one is idle.
func (r *Responder) offer(ep *endpoint, e *exchange) bool {
	select {
	case r.helpers <- work{ep, e}:
		return true
	default:
		return false
	}
}

// helper answers the requests that readers offer.
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

// setter carries out SETs. While the undo of one goes on after its answer, it takes no other: so a disk
// that hangs does not collect more and more of them.
func (r *Responder) setter(ctx context.Context) {
	for {
		select {
		case w := <-r.sets:
			v, undoing := w.e.set()
			r.finish(w.ep, w.e, v)
			if undoing != nil {
				<-undoing
			}
		case <-ctx.Done():
			return
		}
	}
}

// serve answers or queues one request. It takes over the exchange.
func (r *Responder) serve(ep *endpoint, e *exchange) {
	v := e.process()
	if v == deferred {
		select {
		case r.sets <- work{ep, e}:
			return
		default:
			r.counters.overSets.Add(1)
			e.logProblem(overLimit, nil, "limit", "pending SETs")
			v = dropped
		}
	}
	r.finish(ep, e, v)
}

// finish sends the answer if there is one, and releases the exchange.
func (r *Responder) finish(ep *endpoint, e *exchange, v verdict) {
	if v == answered {
		if err := ep.send(e); err == nil {
			r.counters.outPkts.Add(1)
			e.sent()
		} else {
			r.counters.sendErrors.Add(1)
			e.logProblem(notSent, nil, "err", err)
		}
	}
	r.release(e)
}
