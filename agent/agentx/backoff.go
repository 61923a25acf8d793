package agentx

import "time"

const (
	firstRetry = 50 * time.Millisecond
	// maxRetry fulfils R15: a restarted master is served again within two seconds, one for this
	// pause and one for the connection.
	maxRetry = time.Second
	// maxRefusedRetry is the longest pause once a master has refused us for longRefusal. It writes a
	// line or two to its log for each attempt. If another subagent has our subtree, we take over at
	// most this long after it has gone. A master that has just returned and refuses us for a moment
	// is contacted as often as an absent one, for R15.
	maxRefusedRetry = 5 * time.Second
	longRefusal     = time.Minute
	// settled is how long a connection must have lasted for its loss to restart the pauses at
	// firstRetry. A master that accepts and drops connections is not contacted twenty times a
	// second.
	settled = 5 * time.Second
)

// backoff decides the pauses between attempts.
type backoff struct {
	attempts int       // failed ones since a connection that settled
	refusals int       // the last of these that the master refused
	refused  time.Time // when the first of the refusals was
}

// next returns the pause after an attempt that failed for a reason, and that was connected for up.
// The pause after a refusal starts at firstRetry, however long the master was away before.
func (b *backoff) next(reason Reason, up time.Duration, now time.Time) time.Duration {
	if up > settled {
		*b = backoff{}
	}
	n, longest := b.attempts, maxRetry
	b.attempts++
	if reason != DuplicateRegistration && reason != Refused {
		b.refusals = 0
		return min(longest, firstRetry<<min(n, 10))
	}
	if b.refusals == 0 {
		b.refused = now
	}
	if now.Sub(b.refused) >= longRefusal {
		longest = maxRefusedRetry
	}
	n = b.refusals
	b.refusals++
	return min(longest, firstRetry<<min(n, 10))
}
