package retry

import "time"

// Schedule is when a record is sent to one server that does not answer: once, Retransmit times
// again, Timeout apart, then BackoffRetry times at intervals that double up to MaxDelay (R61, R62,
// S4).
type Schedule struct {
	// Timeout is how long a transmission waits for its answer; it must be positive.
	Timeout time.Duration
	// Retransmit is how many transmissions follow the first one, Timeout apart.
	Retransmit int
	// MaxDelay is the longest interval of the back-off.
	MaxDelay time.Duration
	// BackoffRetry is the number of transmissions in the back-off; 0 means no back-off.
	BackoffRetry int
}

// Transmissions is the total number of transmissions.
func (s Schedule) Transmissions() int { return 1 + s.Retransmit + s.BackoffRetry }

// Interval returns the time from transmission n (the first is 0) to the next one; for the last, to
// the end of the schedule. If there is no answer by then, the next server or method is used.
func (s Schedule) Interval(n int) time.Duration {
	if n < s.Retransmit || n >= s.Retransmit+s.BackoffRetry {
		return s.Timeout
	}
	interval := s.Timeout
	for range n - s.Retransmit + 1 {
		if interval >= s.MaxDelay-interval {
			return max(s.MaxDelay, s.Timeout)
		}
		interval *= 2
	}
	return interval
}
