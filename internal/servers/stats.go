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

// Stats are the statistics of one server for one purpose. Those up to PacketsDropped have the names of
// radiusAccServerExtTable (RFC 4670) and radiusAuthServerExtTable (RFC 4668). [Stats.CasRequests] and
// the methods after it are the columns of casStatisticsTable (CISCO-AAA-SERVER-MIB). A request that is
// answered late counts in Timeouts, in Responses and in LateResponses.
//
// Status-Server (RFC 5997) and the answers to it count in Tests, TestsFailed and StatusServer only.
type Stats struct {
	Name string
	Addr netip.AddrPort
	// CountedSince is since when these statistics count without a gap
	// (radiusAccClientCounterDiscontinuity, radiusAuthClientCounterDiscontinuity).
	CountedSince time.Time
	// RoundTripTime is the time between the last valid answer and the transmission that it answers.
	RoundTripTime time.Duration
	// Requests counts requests sent to the server, without retransmissions, also those that the system
	// could not send. A request in flight counts again when the server's address changes.
	Requests uint64
	// Retransmissions counts further transmissions with the same server, including those of the
	// back-off.
	Retransmissions uint64
	// Responses counts all packets from the server, valid or not.
	Responses uint64
	// Accepts, Rejects and Challenges count those with the codes Access-Accept, Access-Reject and
	// Access-Challenge, valid or not (RFC 4668). They are 0 in the statistics of accounting.
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
	// UnknownTypes counts packets whose code is none of an answer on this port, whatever else is wrong
	// with them.
	UnknownTypes uint64
	// PacketsDropped counts answers for which no transmission waits, mostly copies, and those with a
	// code that does not answer their request.
	PacketsDropped uint64

	// Tests counts active tests, TestsFailed those without a valid answer. Tests other than
	// Status-Server are also among the Requests.
	Tests, TestsFailed uint64
	// StatusServer counts the packets of those tests that are Status-Servers.
	StatusServer StatusServer
	// LateResponses counts valid answers to transmissions that had timed out.
	LateResponses uint64
	// Errors and Follows count answers of a TACACS+ server with status ERROR and FOLLOW. Their requests
	// count in Failures.
	Errors, Follows uint64
	// Opened counts the connections to a TACACS+ server.
	Opened uint64
	// SendErrors counts transmissions that the system could not send, sockets that could not be
	// opened, and connections that failed. The MIB has no object for it.
	SendErrors uint64
	// LastResponse is the time of the last valid answer since the process started; zero means none.
	LastResponse time.Time
	// DownUntil is the end of the server's hold-down; zero means that it is not held down.
	DownUntil time.Time

	// Server is the state of the server as a whole.
	Server Lifetime
	// State is that of the port.
	State State
	// StateSince is when the port became up or dead, or was first configured. From Unknown to Up is no
	// change.
	StateSince time.Time
	// PreviousState is how long the previous state lasted; 0 means that there was none.
	PreviousState time.Duration
	// TotalDeadTime is how long the port has been dead in total.
	TotalDeadTime time.Duration
	// DeadCount is how often it became dead.
	DeadCount uint64
	// Successes counts the requests that it answered, not their retransmissions.
	Successes uint64
	// Failures counts the requests that it did not answer by the end of its schedule. One that is
	// answered later counts in Successes too.
	Failures uint64
	// TimedResponses counts the answers to transmissions that had not timed out and were made once,
	// and ResponseTime is the sum of their RoundTripTimes. [Stats.CasResponseTime] is their mean.
	TimedResponses uint64
	ResponseTime   time.Duration
	// ResponseTimes counts the TimedResponses by their RoundTripTime: how many are at most each of
	// [ResponseBounds], and not at most the one before. The others took longer.
	ResponseTimes [responseBuckets]uint64
	// MaxResponseTime is the longest RoundTripTime of all valid answers.
	MaxResponseTime time.Duration
}

// StatusServer counts the packets of Status-Server (RFC 5997), which no MIB has.
type StatusServer struct {
	Sent      uint64 // with retransmissions
	Responses uint64 // packets from the server that answer one, valid or not
	Timeouts  uint64
}

const responseBuckets = 9

// ResponseBounds are the upper bounds of [Stats.ResponseTimes]. They are few, because a daemon may have
// a thousand servers. A bound belongs to its bucket.
var ResponseBounds = [responseBuckets]time.Duration{
	time.Millisecond, 5 * time.Millisecond, 10 * time.Millisecond, 25 * time.Millisecond, 50 * time.Millisecond,
	100 * time.Millisecond, 250 * time.Millisecond, time.Second, 5 * time.Second,
}

// AddResponseTime counts an answer that came in time.
func (s *Stats) AddResponseTime(d time.Duration) {
	s.TimedResponses++
	s.ResponseTime += d
	for i, bound := range &ResponseBounds {
		if d <= bound {
			s.ResponseTimes[i]++
			return
		}
	}
}

// Discontinuity returns for how long the statistics count without a gap
// (radiusAccClientCounterDiscontinuity, radiusAuthClientCounterDiscontinuity).
func (s *Stats) Discontinuity(now time.Time) time.Duration { return max(0, now.Sub(s.CountedSince)) }

// Unexpected counts the packets that nobody waits for: UnknownTypes and PacketsDropped.
func (s *Stats) Unexpected() uint64 { return s.UnknownTypes + s.PacketsDropped }

// CasRequests is casAuthenRequests or casAcctRequests: all transmissions.
func (s *Stats) CasRequests() uint64 { return s.Requests + s.Retransmissions }

// CasRequestTimeouts is casAuthenRequestTimeouts or casAcctRequestTimeouts.
func (s *Stats) CasRequestTimeouts() uint64 { return s.Timeouts }

// CasUnexpectedResponses is casAuthenUnexpectedResponses or casAcctUnexpectedResponses. A delayed
// response to a request that had timed out is one of them.
func (s *Stats) CasUnexpectedResponses() uint64 { return s.PacketsDropped + s.LateResponses }

// CasServerErrorResponses is casAuthenServerErrorResponses or casAcctServerErrorResponses. RADIUS has
// no such answers.
func (s *Stats) CasServerErrorResponses() uint64 { return s.Errors }

// CasIncorrectResponses is casAuthenIncorrectResponses or casAcctIncorrectResponses.
func (s *Stats) CasIncorrectResponses() uint64 {
	return s.MalformedResponses + s.BadAuthenticators + s.UnknownTypes
}

// CasResponseTime is casAuthenResponseTime or casAcctResponseTime: the mean, without timeouts.
// 0 means that there was no answer.
func (s *Stats) CasResponseTime() time.Duration {
	return s.ResponseTime / time.Duration(max(1, s.TimedResponses))
}

// CasTransactionSuccesses is casAuthenTransactionSuccesses or casAcctTransactionSuccesses.
func (s *Stats) CasTransactionSuccesses() uint64 { return s.Successes }

// CasTransactionFailures is casAuthenTransactionFailures or casAcctTransactionFailures.
func (s *Stats) CasTransactionFailures() uint64 { return s.Failures }
