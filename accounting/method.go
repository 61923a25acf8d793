package accounting

// Method takes records to where they are kept: the servers of a group, or a file.
type Method interface {
	// Send begins to deliver a record and returns at once. done is called once, from any goroutine:
	// with nil when the record is where it belongs; with [ErrNoResponse] when the schedule of
	// retransmissions is over and nobody answered; with [ErrStopped] when the method was stopped
	// before; with any other error when the record is refused for good. (Wrapped errors count as what
	// they wrap.) The method must not change the record; done may be called before Send returns.
	Send(rec *Record, done func(error))
	// Window is how many records the method wants to have at once, at least 1. It may change.
	Window() int
}
