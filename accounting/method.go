package accounting

import "aaasess/internal/retry"

// Method takes records to where they are kept: the servers of a group, or a file.
type Method interface {
	// Send begins to deliver a record and returns at once. at is where in its schedule the record
	// stands: zero, or what the [retry.Later] of the call before said. done is called once, from any
	// goroutine: with nil when the record is where it belongs; with a [retry.Later] when nobody answered and
	// the schedule goes on after a while; with [ErrNoResponse] when the schedule is over and nobody
	// answered; with [ErrStopped] when the method was stopped before; with any other error when the
	// record is refused for good. (Wrapped errors count as what they wrap.) The method must not change
	// the record; done may be called before Send returns.
	Send(rec *Record, at retry.Progress, done func(error))
	// Window is how many records the method wants to have at once, at least 1. It may change.
	Window() int
}
