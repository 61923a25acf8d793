package dae

import (
	"sync/atomic"

	"aaasess/sessions/termination"
)

// counters is the live form of Stats, with the counters of answers from unknown addresses.
type counters struct {
	requests, retransmissions, acks, naks, unanswered, malformed, badAuthenticators, unexpected atomic.Uint64

	unknownAddresses [kinds]atomic.Uint64 // see NASView
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

// transmitted counts a transmission. again means that it is a retransmission.
func (c *counters) transmitted(again bool) {
	if again {
		c.retransmissions.Add(1)
	} else {
		c.requests.Add(1)
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

// discardReason is why a datagram is discarded.
type discardReason uint8

const (
	unknownType discardReason = iota // neither an ACK nor a NAK
	malformed
	wrongAuthenticator
	unexpected // no request in flight has its identifier, or an answer was there before
	otherKind  // the request in flight with its identifier is of the other kind
)

// discard counts a datagram that is discarded. from is nil if nothing was sent to where it is from. k is
// the kind of the answer; it does not matter for an unknown type.
func (c *counters) discard(from *nas, k kind, why discardReason) {
	switch why {
	case unknownType, malformed, otherKind:
		c.malformed.Add(1)
	case wrongAuthenticator:
		c.badAuthenticators.Add(1)
	case unexpected:
		c.unexpected.Add(1)
	}
	switch {
	case from == nil && why != unknownType:
		c.unknownAddresses[k].Add(1)
	case from == nil:
	case why == unknownType:
		from.unknownTypes.Add(1)
	case why == malformed:
		from.messages[k].malformed.Add(1)
	case why == wrongAuthenticator:
		from.messages[k].badAuthenticators.Add(1)
	default:
		from.messages[k].dropped.Add(1)
	}
}
