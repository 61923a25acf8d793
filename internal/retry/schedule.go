package retry

import "time"

// Schedule is when a record is sent to one server, as long as that does not answer: Retransmit times
// again, Timeout apart, then BackoffRetry times at intervals that double each time up to MaxDelay
// (R61, R62, S4). It is a pure function of its fields.
type Schedule struct {
	// Timeout is how long a transmission waits for its answer; positive.
	Timeout time.Duration
	// Retransmit is how many transmissions follow the first one, Timeout apart.
	Retransmit int
	// MaxDelay is the longest interval of the back-off.
	MaxDelay time.Duration
	// BackoffRetry is how many further transmissions the back-off makes; 0: there is no back-off.
	BackoffRetry int
}

// Transmissions is how many there are in all.
func (s Schedule) Transmissions() int { return 1 + s.Retransmit + s.BackoffRetry }

// Interval is the time from transmission n, of which the first is 0, to the next one; after the last,
// to the end of the schedule. What is not answered by then goes to the next server or method.
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
