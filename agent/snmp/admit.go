package snmp

import (
	"aaasess/agent/snmp/limit"
	"aaasess/agent/snmp/vacm"
	"aaasess/agent/snmp/wire"
)

// sender is what a message has proved about who sent it. Anybody can forge a source address, so
// messages that have proved less must not use up what those have that proved more: each sender has
// its own token buckets and log lines.
type sender uint8

const (
	unknown sender = iota // nothing: a wrong community, user or digest, or no access without one
	listed                // the same, but some community accepts its source; only for the log
	named                 // a right community, or a user at noAuthNoPriv that has access
	proven                // a right digest
	numSenders
)

// limiters are the token buckets. A message is checked first and spends then: otherwise whoever
// forges the address of a manager could use up the manager's requests without a community or key.
type limiters struct {
	named, proven *limit.Limiter // requests of these senders
	failures      *limit.Limiter // answers to unknown senders
	// provenFailures is for reports to messages with a right digest, such as those by which a
	// manager learns our time after a restart. Others can only repeat what they have recorded.
	provenFailures *limit.Limiter
	octets         *limit.Limiter // in answers to named senders, for each source
	total          *limit.Total   // the same, for all sources together
}

func newLimiters(l Limits) *limiters {
	ls := &limiters{
		named: limit.New(0, 0), proven: limit.New(0, 0), failures: limit.New(0, 0),
		provenFailures: limit.New(0, 0), octets: limit.New(0, 0), total: limit.NewTotal(0, 0),
	}
	ls.set(l)
	return ls
}

// set replaces the rates. Each burst is the rate of one second, or more for octets.
func (ls *limiters) set(l Limits) {
	ls.named.SetRate(l.Requests, l.Requests)
	ls.proven.SetRate(l.Requests, l.Requests)
	ls.failures.SetRate(l.Failures, l.Failures)
	ls.provenFailures.SetRate(l.Failures, l.Failures)
	ls.octets.SetRate(l.ResponseOctets, octetBurst(l.ResponseOctets))
	ls.total.SetRate(l.TotalResponseOctets, octetBurst(l.TotalResponseOctets))
}

// octetBurst is at least the largest answer: if an answer exceeded the burst, the next source to
// get the bucket would inherit the debt.
func octetBurst(perSecond int) int { return max(perSecond, MaxMessageSize) }

// usmSender returns the sender of a message that USM has accepted. A user name is no secret, so
// without a digest it counts only where access control lets it in.
func (e *exchange) usmSender(status vacm.Status) sender {
	switch {
	case e.session.Level > wire.NoAuthNoPriv:
		return proven
	case status == vacm.Allowed:
		return named
	}
	return unknown
}

// admit spends a request of the sender, and reports whether it had one.
func (e *exchange) admit(by sender) bool {
	e.sender = by
	l := e.r.limiters.named
	switch by {
	case unknown:
		return e.admitReport(e.r.limiters.failures)
	case proven:
		l = e.r.limiters.proven
	}
	if l.Allow(e.from.Addr(), 1, e.now) {
		return true
	}
	e.r.counters.overRequests.Add(1)
	e.logProblem(overLimit, nil, "limit", "requests")
	return false
}

// admitFailure reports whether a message that USM has rejected may be answered.
func (e *exchange) admitFailure() bool {
	if e.sender == proven {
		return e.admitReport(e.r.limiters.provenFailures)
	}
	return e.admitReport(e.r.limiters.failures)
}

func (e *exchange) admitReport(l *limit.Limiter) bool {
	if l.Allow(e.from.Addr(), 1, e.now) {
		return true
	}
	e.r.counters.overFailures.Add(1)
	e.logProblem(overLimit, nil, "limit", "failures")
	return false
}

// admitAnswer spends the octets of the answer in the frame, if the sender could be anybody who
// knows a name: the answer must not help to attack the address that the request claims to be from.
// The source is first, so that one above its own limit takes nothing from the total.
func (e *exchange) admitAnswer() bool {
	if e.sender != named {
		return true
	}
	n := len(e.frame.Bytes())
	if !e.r.limiters.octets.Allow(e.from.Addr(), n, e.now) {
		e.r.counters.overOctets.Add(1)
		e.logProblem(overLimit, nil, "limit", "response-octets")
		return false
	}
	if !e.r.limiters.total.Allow(n, e.now) {
		e.r.counters.overTotalOctets.Add(1)
		e.logProblem(overLimit, nil, "limit", "total-response-octets")
		return false
	}
	return true
}
