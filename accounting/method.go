package accounting

import "aaasess/internal/retry"

// Method delivers records to where they are kept: the servers of a group, or a file.
type Method interface {
	// Send starts to deliver a record and returns at once. at is the record's progress in its
	// schedule: zero, or the value of the [retry.Later] of the call before. done is called once,
	// from any goroutine, possibly before Send returns. Its error is
	//
	//   - nil when the record is delivered;
	//   - a [retry.Later] when there was no answer and the schedule continues after a while;
	//   - [ErrNoResponse] when the schedule is over without an answer, [ErrNotAccepted] if servers
	//     answered that they do not accept this record;
	//   - [ErrStopped] when the method was stopped before an answer came;
	//   - any other error when the record is refused for good.
	//
	// Wrapped errors count as the errors that they wrap. The method must not change the record.
	Send(rec *Record, at retry.Progress, done func(error))
	// Window returns how many records the method accepts at once, at least 1. It may change.
	Window() int
}

// Batcher is a Method for which several records at once are less work.
type Batcher interface {
	Method
	// SendAll is Send for each of the records. It does not keep the slice.
	SendAll(batch []Sending)
}

// Sending has the arguments of a call of Send.
type Sending struct {
	Record *Record
	At     retry.Progress
	Done   func(error)
}
