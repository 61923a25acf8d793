package client

import (
	"time"

	"aaasess/internal/servers"
)

// batch is how LeastOutstanding assigns new requests that come one after the other to one server.
type batch struct {
	server int // index of the member
	left   int // how many more requests it gets
}

// leastOutstanding returns the next server of a request for [LeastOutstanding]; tried has the
// servers that it had (bit i is server i). The caller holds the mutex.
//
// A new request goes to the server of the batch, unless that server is dead or has no address. If
// the batch is over, another one begins at the server with the fewest requests, those of other
// groups included; of several, the first in the order of the members. A request that its server did
// not answer goes to the server with the fewest requests that it was not sent to, outside any batch.
//
// Dead servers get nothing but probes, which are in no batch: a server that is due for its probe
// gets the next request. If all servers are dead, the order is that of the members.
func (g *Group) leastOutstanding(tried uint64, now time.Time) int {
	least := none
	for i, state := range g.states {
		switch {
		case (tried|g.absent)&(1<<i) != 0:
		case g.isUp(i):
			if least == none || g.paths[i].server.assigned < g.paths[least].server.assigned {
				least = i
			}
		case state.Usable(now):
			return i
		}
	}
	switch {
	case least == none && g.rule.HoldDown > 0:
		return servers.Choose(g.states, tried, g.absent, 0, now)
	case least == none || tried != 0:
		return least
	}
	if b := &g.batch; b.left == 0 || g.absent&(1<<b.server) != 0 || !g.isUp(b.server) {
		*b = batch{least, g.cfg.BatchSize}
	}
	g.batch.left--
	return g.batch.server
}

// isUp reports whether member i is not dead for this group. The caller holds the mutex.
func (g *Group) isUp(i int) bool { return g.rule.HoldDown == 0 || !g.states[i].Dead() }
