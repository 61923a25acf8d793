package radius

import "sync/atomic"

// counter names one of the things that a Listener counts.
type counter uint8

const (
	requests counter = iota
	responses
	duplicates
	malformed
	leftOut
	badAuthenticators
	unknownClients
	statusServers
	refused
	dropped
	numCounters
)

// counters is the live form of Counters.
type counters [numCounters]atomic.Uint64

// Counters is what a Listener has counted since it was made. Requests less Duplicates, Malformed,
// BadAuthenticators, UnknownClients and StatusServers is what was passed to the sink.
type Counters struct {
	Requests          uint64 // datagrams received
	Responses         uint64 // sent, repeated ones and those to Status-Servers too
	Duplicates        uint64 // the same datagram again: answered again or still in progress
	Malformed         uint64 // not a request that can be understood
	LeftOut           uint64 // requests taken without an attribute whose length was wrong
	BadAuthenticators uint64 // wrong Request Authenticator or Message-Authenticator, or a Status-Server without one
	UnknownClients    uint64 // from an address that is no client's; in no client's Counters
	StatusServers     uint64 // Status-Servers with the right Message-Authenticator
	Refused           uint64 // the sink could not take it or make it durable: not answered; of a Status-Server: it would not
	Dropped           uint64 // answers that could not be sent
}

func (c *counters) snapshot() Counters {
	return Counters{
		Requests:          c[requests].Load(),
		Responses:         c[responses].Load(),
		Duplicates:        c[duplicates].Load(),
		Malformed:         c[malformed].Load(),
		LeftOut:           c[leftOut].Load(),
		BadAuthenticators: c[badAuthenticators].Load(),
		UnknownClients:    c[unknownClients].Load(),
		StatusServers:     c[statusServers].Load(),
		Refused:           c[refused].Load(),
		Dropped:           c[dropped].Load(),
	}
}

// ClientCounters is what was counted of one client.
type ClientCounters struct {
	Name   string
	Prefix string
	Counters
}

// Stats is a Listener's statistics at one moment: in all, and of each client in the order in
// which they were given.
type Stats struct {
	Counters
	Clients []ClientCounters
}
