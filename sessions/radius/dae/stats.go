package dae

import (
	"sync/atomic"

	"aaasess/sessions/termination"
)

// counters is the live form of Stats.
type counters struct {
	requests, retransmissions, acks, naks, unanswered, malformed, badAuthenticators, unexpected atomic.Uint64
}

// Stats counts events since the Disconnector was created.
type Stats struct {
	Requests          uint64 // Disconnect-Requests and CoA-Requests, without retransmissions
	Retransmissions   uint64
	ACKs              uint64
	NAKs              uint64
	Unanswered        uint64 // requests without an answer in time, or whose context ended
	Malformed         uint64 // datagrams that are neither ACK nor NAK, or not of the request
	BadAuthenticators uint64 // wrong Response Authenticator or Message-Authenticator
	Unexpected        uint64 // answers that match no request in flight
}

// Stats returns a copy of the statistics.
func (d *Disconnector) Stats() Stats {
	c := &d.counters
	return Stats{
		Requests:          c.requests.Load(),
		Retransmissions:   c.retransmissions.Load(),
		ACKs:              c.acks.Load(),
		NAKs:              c.naks.Load(),
		Unanswered:        c.unanswered.Load(),
		Malformed:         c.malformed.Load(),
		BadAuthenticators: c.badAuthenticators.Load(),
		Unexpected:        c.unexpected.Load(),
	}
}

// answered counts how a request ended.
func (c *counters) answered(r response) response {
	switch r.Answer {
	case termination.ACK:
		c.acks.Add(1)
	case termination.NAK:
		c.naks.Add(1)
	default:
		c.unanswered.Add(1)
	}
	return r
}
