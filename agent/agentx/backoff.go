package agentx

import "time"

const (
	firstRetry = 50 * time.Millisecond
	// maxRetry keeps the promise of R15: a master that is back is served within two seconds, one
	// for this pause and one for the connection.
	maxRetry = time.Second
	// settled is how long a connection must have stood for the next loss to count as a new one. A
	// master that takes us and drops us at once is not asked twenty times a second.
	settled = 5 * time.Second
)

// retryAfter is the pause before attempt n after a loss, from 0.
func retryAfter(n int) time.Duration {
	if n >= 5 {
		return maxRetry
	}
	return firstRetry << n
}
