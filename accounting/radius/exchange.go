package radius

import (
	"math"
	"time"

	"aaasess/accounting"
)

// exchange is one record on its way, through all of its attempts. The group's mutex guards it.
type exchange struct {
	rec  *accounting.Record
	done func(error)

	settled  bool // done was called, or is about to be
	deadline time.Time
	index    int // in the group's deadlines, or none

	server int       // where it goes now, or none
	tried  uint64    // bit i: was or is sent to server i
	tries  int       // attempts with the present server
	since  time.Time // when the first of them was made
	slot   int       // the identifier of the last of them, or none

	pending bool // the last attempt waits for its answer, in time
}

// delay is the Acct-Delay-Time of an attempt that is made now (RFC 2866 section 5.2), in seconds.
func (x *exchange) delay(now time.Time) uint32 {
	seconds := now.Sub(x.rec.At) / time.Second
	return uint32(min(max(0, seconds), math.MaxUint32))
}

// advance decides where the next attempt of x goes; the last one, if any, got no answer in time. It
// reports false when all servers had their chances. The caller holds the mutex.
func (g *Group) advance(x *exchange, now time.Time) bool {
	if x.pending {
		g.servers[x.server].stats.Timeouts++
		g.withdraw(x)
	}
	switch {
	case x.server == none: // a new record
	case x.tries <= g.cfg.Retransmit: // also 0: the first attempt is still to be made
		return true
	case g.states[x.server].failed(x.since, now, g.cfg.HoldDown):
		g.changes = append(g.changes, change{g.servers[x.server], false})
	}
	x.server = choose(g.states, x.tried, now)
	if x.server == none {
		return false
	}
	x.tried |= 1 << x.server
	x.tries = 0
	return true
}

// withdraw ends the present attempt; its identifier waits on for a late answer. The caller holds
// the mutex.
func (g *Group) withdraw(x *exchange) {
	if x.pending {
		x.pending = false
		g.servers[x.server].stats.PendingRequests--
	}
	if x.slot != none {
		g.servers[x.server].ids.supersede(x.slot)
		x.slot = none
	}
}

// settle ends an exchange; done is still to be called, without the mutex. The caller holds the mutex.
func (g *Group) settle(x *exchange) {
	x.settled = true
	g.withdraw(x)
	g.deadlines.remove(x)
}

// begin counts an attempt that is made now, with identifier slot or, if none could be had, none.
// The caller holds the mutex.
func (g *Group) begin(x *exchange, slot int, now time.Time) {
	stats := &g.servers[x.server].stats
	if x.tries == 0 {
		x.since = now
		stats.Requests++
	} else {
		stats.Retransmissions++
	}
	x.tries++
	x.slot, x.pending = slot, true
	stats.PendingRequests++
	g.schedule(x, now.Add(g.cfg.Timeout))
}

// schedule has x looked at again at this time. The caller holds the mutex.
func (g *Group) schedule(x *exchange, at time.Time) {
	g.deadlines.set(x, at)
	if at.Before(g.wakeAt) {
		g.wakeAt = at
		select {
		case g.wake <- struct{}{}:
		default: // it is awake, or about to be
		}
	}
}
