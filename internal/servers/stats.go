package servers

import (
	"net/netip"
	"time"
)

// State is whether a server is known to answer (casState, CISCO-AAA-SERVER-MIB).
type State string

const (
	// Unknown is a server that has neither answered nor been dead. Its casState is up(1).
	Unknown State = "unknown"
	// Up is a server that has answered, since it was last dead if it was.
	Up State = "up"
	// Dead is a server that met the DeadCriteria and has not answered since.
	Dead State = "dead"
)

// Stats are the statistics of one server. The first ones have the names of radiusAccServerExtTable
// (RFC 4670) and radiusAuthServerExtTable (RFC 4668), those from State on belong to
// casStatisticsTable (CISCO-AAA-SERVER-MIB). In the latter table, casAcctRequests is Requests plus
// Retransmissions, casAcctRequestTimeouts is Timeouts, casAcctUnexpectedResponses is PacketsDropped,
// and casAcctIncorrectResponses is MalformedResponses plus BadAuthenticators plus UnknownTypes. A
// request that is answered late counts in both Timeouts and Responses.
type Stats struct {
	Name string
	Addr netip.AddrPort
	// CountedSince is since when these statistics count without a gap
	// (radiusAccClientCounterDiscontinuity, radiusAuthClientCounterDiscontinuity).
	CountedSince time.Time
	// RoundTripTime is the time between the last valid answer and the transmission that it answers.
	RoundTripTime time.Duration
	// Requests counts requests sent to the server, without retransmissions. A request in flight
	// counts again when the server's address changes.
	Requests uint64
	// Tests counts the active tests among the Requests, and TestsFailed those without a valid answer.
	Tests, TestsFailed uint64
	// Retransmissions counts further transmissions with the same server, including those of the
	// back-off.
	Retransmissions uint64
	// Responses counts all packets from the server, valid or not.
	Responses uint64
	// Accepts, Rejects and Challenges count those with the codes Access-Accept, Access-Reject and
	// Access-Challenge (RFC 4668). They are 0 in the statistics of accounting.
	Accepts, Rejects, Challenges uint64
	// MalformedResponses counts answers with invalid framing.
	MalformedResponses uint64
	// BadAuthenticators counts answers with a wrong authenticator or Message-Authenticator, or
	// without the Message-Authenticator that the server must send. A wrong one usually means another
	// secret; it may also be an answer to a transmission so old that its identifier was reused.
	BadAuthenticators uint64
	// PendingRequests is the number of transmissions that wait for their answer and have not timed
	// out.
	PendingRequests int
	// Timeouts counts transmissions without an answer in time.
	Timeouts uint64
	// UnknownTypes counts packets with a code that does not answer this kind of request.
	UnknownTypes uint64
	// PacketsDropped counts answers for which no transmission waits, mostly copies.
	PacketsDropped uint64
	// SendErrors counts transmissions that the system could not send, sockets that could not be
	// opened, and connections that failed. The MIB has no object for it.
	SendErrors uint64
	// LastResponse is the time of the last valid answer; zero means never.
	LastResponse time.Time
	// DownUntil is the end of the server's hold-down; zero means that it is not held down.
	DownUntil time.Time

	// State is casState.
	State State
	// StateSince is when the server became up or dead, or was first configured
	// (casCurrentStateDuration). From Unknown to Up is no change.
	StateSince time.Time
	// PreviousState is how long the previous state lasted; 0 means that there was none
	// (casPreviousStateDuration).
	PreviousState time.Duration
	// TotalDeadTime is how long the server has been dead in total (casTotalDeadTime).
	TotalDeadTime time.Duration
	// DeadCount is how often it became dead (casDeadCount).
	DeadCount uint64
	// Successes counts the requests that it answered (casAcctTransactionSuccesses), not their
	// retransmissions.
	Successes uint64
	// Failures counts the requests that it did not answer by the end of its schedule
	// (casAcctTransactionFailures). One that is answered later counts in Successes too.
	Failures uint64
	// AverageResponseTime is the smoothed RoundTripTime. Each answer to a transmission that had not
	// timed out moves it by an eighth of the difference, like SRTT in RFC 6298; the first answer
	// sets it (casAcctResponseTime).
	AverageResponseTime time.Duration
	// MaxResponseTime is the longest RoundTripTime of all valid answers.
	MaxResponseTime time.Duration
}

// Smooth moves an average towards one more sample; an average of 0 means that there is none yet.
func Smooth(average, sample time.Duration) time.Duration {
	if average == 0 {
		return sample
	}
	return average + (sample-average)/8
}
