package agentx

import "time"

const (
	firstRetry = 50 * time.Millisecond
	// maxRetry fulfils R15: a restarted master is served again within two seconds, one for this
	// pause and one for the connection.
	maxRetry = time.Second
	// settled is how long a connection must have lasted for its loss to restart the pauses at
	// firstRetry. A master that accepts and drops connections is not contacted twenty times a
	// second.
	settled = 5 * time.Second
)

// retryAfter returns the pause before attempt n after a loss, from 0.
func retryAfter(n int) time.Duration {
	if n >= 5 {
		return maxRetry
	}
	return firstRetry << n
}
