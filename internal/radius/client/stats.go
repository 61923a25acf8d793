package client

import (
	"net/netip"
	"time"
)

// Stats is the statistics of a group's servers. A server counts as long as any group has it, and for all of them.
type Stats struct {
	// InvalidServerAddresses is packets from elsewhere than a server, of all of the client's
	// (radiusAccClientInvalidServerAddresses).
	InvalidServerAddresses uint64
	Servers                []ServerStats // in the order of GroupConfig.Members
}

// State is what is known of whether a server answers (casState, CISCO-AAA-SERVER-MIB).
type State string

const (
	// Unknown is a server that neither answered nor died yet. Of casState it is up(1).
	Unknown State = "unknown"
	// Up is a server that answered since it died last, if it did.
	Up State = "up"
	// Dead is a server that met the DeadCriteria and has not answered since.
	Dead State = "dead"
)

// ServerStats is what is known of one server, by the names of radiusAccServerExtTable (RFC 4670) and,
// from State on, by those of casStatisticsTable (CISCO-AAA-SERVER-MIB). Of that table casAcctRequests
// is Requests and Retransmissions, casAcctRequestTimeouts is Timeouts, casAcctUnexpectedResponses is
// PacketsDropped, and casAcctIncorrectResponses is MalformedResponses, BadAuthenticators and
// UnknownTypes.
// A request that is answered late is among both Timeouts and Responses.
type ServerStats struct {
	Name string
	Addr netip.AddrPort
	// RoundTripTime is the time between the latest right answer and the attempt that it answers.
	RoundTripTime time.Duration
	// Requests is the requests that were sent to the server, without retransmissions. One that is under way when the server
	// moves to another address counts again.
	Requests uint64
	// Retransmissions is the further attempts with the same server, also those of the back-off.
	Retransmissions uint64
	// Responses is all datagrams from the server, right or wrong.
	Responses uint64
	// MalformedResponses is those whose framing is wrong.
	MalformedResponses uint64
	// BadAuthenticators is those with a wrong authenticator or Message-Authenticator: another secret
	// mostly, or the answer to an attempt so old that its identifier had to be used again.
	BadAuthenticators uint64
	// PendingRequests is attempts that wait for their answer, without those that timed out.
	PendingRequests int
	// Timeouts is attempts that got no answer in time.
	Timeouts uint64
	// UnknownTypes is packets with a code that answers no request of this kind.
	UnknownTypes uint64
	// PacketsDropped is answers to an identifier that waits for none: copies, mostly.
	PacketsDropped uint64
	// SendErrors is attempts that the system did not send, and sockets that could not be opened. No
	// object of the MIB counts them.
	SendErrors uint64
	// LastResponse is when the latest right answer came; zero: never.
	LastResponse time.Time
	// DownUntil is until when the server is held down; zero: it is not.
	DownUntil time.Time

	// State is casState.
	State State
	// StateSince is when the server became up or dead, or was first named (casCurrentStateDuration).
	// From Unknown to Up is no change.
	StateSince time.Time
	// PreviousState is how long the state before lasted; 0: there was none (casPreviousStateDuration).
	PreviousState time.Duration
	// TotalDeadTime is for how long the server was dead, with the present state (casTotalDeadTime).
	TotalDeadTime time.Duration
	// DeadCount is how often it died (casDeadCount).
	DeadCount uint64
	// Successes is the requests that it answered (casAcctTransactionSuccesses). Retransmissions make no
	// requests of their own.
	Successes uint64
	// Failures is the requests that it did not answer until its schedule was over
	// (casAcctTransactionFailures). One that it answers later still is among Successes, too.
	Failures uint64
	// AverageResponseTime is RoundTripTime smoothed: each answer to an attempt that had not timed out
	// moves it by an eighth of the difference, as SRTT of RFC 6298; the first sets it
	// (casAcctResponseTime).
	AverageResponseTime time.Duration
}

// smooth moves an average by one more sample; an average of 0 is none yet.
func smooth(average, sample time.Duration) time.Duration {
	if average == 0 {
		return sample
	}
	return average + (sample-average)/8
}

// Stats is a copy of the statistics.
func (g *Group) Stats() Stats {
	c := g.client
	now := c.cfg.Now()
	c.mu.Lock()
	defer c.mu.Unlock()
	all := Stats{InvalidServerAddresses: c.invalid, Servers: make([]ServerStats, len(g.paths))}
	for i, p := range g.paths {
		s := p.server
		state, to := &s.state, &all.Servers[i]
		*to = s.stats
		to.Name, to.Addr = s.Name, p.addr
		if state.down(now) {
			to.DownUntil = state.downUntil
		}
		to.State, to.StateSince, to.PreviousState = state.state(), state.since, state.previous
		to.TotalDeadTime, to.DeadCount = state.totalDeadTime(now), state.deaths
	}
	return all
}
