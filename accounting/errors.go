package accounting

import (
	"errors"
	"fmt"
)

// Errors of a [Method]. Any other error means that the record is refused for good.
var (
	// ErrNoResponse is returned when the schedule of retransmissions is over without an answer.
	// Then the next method of the list is tried, or the same method again later.
	ErrNoResponse = errors.New("accounting: no response")
	// ErrNotAccepted is an ErrNoResponse: servers have answered, but none has accepted the record
	// (TACACS+ status ERROR, R42).
	ErrNotAccepted = fmt.Errorf("%w that accepts the record", ErrNoResponse)
	// ErrStopped is returned when the method was stopped before an answer came. It says nothing
	// about the servers, and the record is sent again.
	ErrStopped = errors.New("accounting: method stopped")
)

// Errors of stored data.
var (
	// ErrRoute is returned when the route of a session cannot be read.
	ErrRoute = errors.New("accounting: bad route")
	// ErrRecord is returned when octets are not a record, or not an entry of [SetAsideQueue].
	ErrRecord = errors.New("accounting: not a record")
)
