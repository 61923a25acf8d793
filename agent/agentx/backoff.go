package agentx

import "time"

const (
	firstRetry = 50 * time.Millisecond
	// maxRetry fulfils R15: a restarted master is served again within two seconds, one for this
	// pause and one for the connection.
	maxRetry = time.Second
	// maxRefusedRetry is the longest pause while a master refuses us. It writes a line or two to its
	// log for each attempt. If another subagent has our subtree, we take over at most this long
	// after it has gone.
	maxRefusedRetry = 5 * time.Second
	// settled is how long a connection must have lasted for its loss to restart the pauses at
	// firstRetry. A master that accepts and drops connections is not contacted twenty times a
	// second.
	settled = 5 * time.Second
)

// retryAfter returns the pause before attempt n after a loss, from 0. reason is that of the last
// attempt.
func retryAfter(n int, reason Reason) time.Duration {
	longest := maxRetry
	if reason == DuplicateRegistration || reason == Refused {
		longest = maxRefusedRetry
	}
	return min(longest, firstRetry<<min(n, 10))
}
