package dynauth

import (
	"sync/atomic"

	"aaasess/internal/radius"
)

// counter is the index of a counter.
type counter uint8

const (
	disconnects counter = iota
	coas
	acks
	naks
	silent
	incomplete
	unknown
	ambiguous
	mismatched
	prohibited
	unroutable
	unusable
	busy
	stops
	counterCount
)

type counters [counterCount]atomic.Uint64

// counterOf returns the counter of requests with a code.
func counterOf(code radius.Code) counter {
	if code == radius.CodeCoARequest {
		return coas
	}
	return disconnects
}

// refusalOf returns the counter of a refusal of our own.
func refusalOf(cause radius.ErrorCause) counter {
	switch cause {
	case radius.MissingAttribute:
		return incomplete
	case radius.SessionContextNotFound:
		return unknown
	case radius.MultipleSessions:
		return ambiguous
	case radius.NASIdentificationMismatch:
		return mismatched
	case radius.AdministrativelyProhibited:
		return prohibited
	case radius.RequestNotRoutable:
		return unroutable
	case radius.InvalidAttributeValue, radius.InvalidRequest:
		return unusable
	}
	return busy
}

// Stats counts requests since the Forwarder was created. Each is in one counter of its outcome, or waits.
type Stats struct {
	Disconnects uint64 // Disconnect-Requests
	CoAs        uint64 // CoA-Requests
	ACKs        uint64 // from NASes
	NAKs        uint64 // from NASes
	Silent      uint64 // the NAS did not answer
	Incomplete  uint64 // 402: nothing identifies a session
	Unknown     uint64 // 503: no session matches
	Ambiguous   uint64 // 508: several sessions match
	Mismatched  uint64 // 403: the session has another NAS
	Prohibited  uint64 // 501: the server does not account the session
	Unroutable  uint64 // 502: the NAS is no client, cannot end sessions, or nothing could be sent to it
	Unusable    uint64 // 404 or 407: several Acct-Session-Ids, or an encrypted value of a wrong length
	Busy        uint64 // 506: a limit was reached
	Stops       uint64 // stop records that were made because the NAS sent no stop
	InFlight    int    // requests that wait for their answer now
	Waiting     int    // sessions whose stop we shall make if their NAS does not
}

// Stats returns a copy of the statistics.
func (f *Forwarder) Stats() Stats {
	f.mu.Lock()
	inFlight, waiting := f.inFlight, len(f.stops)
	f.mu.Unlock()
	c := &f.counters
	return Stats{
		Disconnects: c[disconnects].Load(),
		CoAs:        c[coas].Load(),
		ACKs:        c[acks].Load(),
		NAKs:        c[naks].Load(),
		Silent:      c[silent].Load(),
		Incomplete:  c[incomplete].Load(),
		Unknown:     c[unknown].Load(),
		Ambiguous:   c[ambiguous].Load(),
		Mismatched:  c[mismatched].Load(),
		Prohibited:  c[prohibited].Load(),
		Unroutable:  c[unroutable].Load(),
		Unusable:    c[unusable].Load(),
		Busy:        c[busy].Load(),
		Stops:       c[stops].Load(),
		InFlight:    inFlight,
		Waiting:     waiting,
	}
}
