package radius

import (
	"sync/atomic"
	"time"

	"aaasess/internal/histogram"
)

// counter is the index of a counter. Some are only for one of the listeners. accepts and rejects also
// count ACKs and NAKs.
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
	accepts
	rejects
	challenges
	unsigned
	stale
	numCounters
)

// counters is the live form of Counters and AuthCounters.
type counters [numCounters]atomic.Uint64

// Counters counts events since the Listener was created. Requests minus Duplicates, Malformed,
// BadAuthenticators, UnknownClients and StatusServers is the number of requests passed to the sink.
type Counters struct {
	Requests          uint64 // datagrams received
	Responses         uint64 // answers sent, including repeated ones and those to Status-Servers
	Duplicates        uint64 // identical datagrams: answered again or still in flight
	Malformed         uint64 // requests that could not be parsed
	LeftOut           uint64 // requests accepted without an attribute of a wrong length
	BadAuthenticators uint64 // wrong authenticators, and Status-Servers without a Message-Authenticator
	UnknownClients    uint64 // datagrams from an address of no client; not in ClientCounters
	StatusServers     uint64 // Status-Servers with the right Message-Authenticator
	// Refused counts requests that the sink refused or could not make durable, and Status-Servers
	// received while the sink refuses events. None of them is answered.
	Refused uint64
	Dropped uint64 // answers that could not be sent
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

// ClientCounters are the counters of one client.
type ClientCounters struct {
	Name         string
	Prefix       string
	LastAnswered time.Time // zero if the client has had no answer since the Listener was created
	Counters
}

// Stats are a Listener's statistics at one moment: in total, and for each client in the configured
// order.
type Stats struct {
	Counters
	Clients []ClientCounters
}

// AnswerTime is how long the NASes of a client, or a server, have waited for the first answers to their
// requests. Requests without an answer are not in it, nor are copies and Status-Servers.
type AnswerTime struct {
	Name   string
	Prefix string
	histogram.Snapshot
}

// AnswerTimes returns the times of each client, in the configured order.
func (e *endpoint) AnswerTimes() (all []AnswerTime) {
	e.eachClient(func(c *client, _ *counters) {
		all = append(all, AnswerTime{c.Name, c.Prefix.String(), c.stats.answerTime.Snapshot()})
	})
	return all
}

// AuthCounters counts events since the AuthListener was created. Requests minus Duplicates,
// Malformed, BadAuthenticators, Unsigned, UnknownClients and StatusServers is the number of requests
// passed to the relay.
type AuthCounters struct {
	Requests          uint64 // datagrams received
	Responses         uint64 // answers sent, including repeated ones and those to Status-Servers
	Accepts           uint64 // Access-Accepts among the Responses, without those to Status-Servers
	Rejects           uint64 // Access-Rejects among the Responses
	Challenges        uint64 // Access-Challenges among the Responses
	Duplicates        uint64 // identical datagrams: answered again or still in flight
	Malformed         uint64 // requests that could not be parsed, or are of another code
	BadAuthenticators uint64 // wrong Message-Authenticators, and Status-Servers without one
	Unsigned          uint64 // Access-Requests without the Message-Authenticator that they must have
	UnknownClients    uint64 // datagrams from an address of no client; not in AuthClientCounters
	StatusServers     uint64 // Status-Servers with the right Message-Authenticator
	// Refused counts requests that the relay left unanswered, and Status-Servers received while it
	// accepts none.
	Refused uint64
	// Dropped counts answers that could not be sent: too many waited, they were longer than 4,096
	// octets, or the NAS had sent another request with the same identifier.
	Dropped uint64
}

func (c *counters) authSnapshot() AuthCounters {
	return AuthCounters{
		Requests:          c[requests].Load(),
		Responses:         c[responses].Load(),
		Accepts:           c[accepts].Load(),
		Rejects:           c[rejects].Load(),
		Challenges:        c[challenges].Load(),
		Duplicates:        c[duplicates].Load(),
		Malformed:         c[malformed].Load(),
		BadAuthenticators: c[badAuthenticators].Load(),
		Unsigned:          c[unsigned].Load(),
		UnknownClients:    c[unknownClients].Load(),
		StatusServers:     c[statusServers].Load(),
		Refused:           c[refused].Load(),
		Dropped:           c[dropped].Load(),
	}
}

// AuthClientCounters are the counters of one client.
type AuthClientCounters struct {
	Name         string
	Prefix       string
	LastAnswered time.Time // zero if the client has had no answer since the AuthListener was created
	AuthCounters
}

// AuthStats are an AuthListener's statistics at one moment: in total, and for each client in the
// configured order.
type AuthStats struct {
	AuthCounters
	Clients []AuthClientCounters
}
