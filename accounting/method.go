package accounting

import (
	"fmt"
	"time"
)

// Method takes records to where they are kept: the servers of a group, or a file.
type Method interface {
	// Send begins to deliver a record and returns at once. at is where in its schedule the record
	// stands: zero, or what the [Later] of the call before said. done is called once, from any
	// goroutine: with nil when the record is where it belongs; with a [Later] when nobody answered and
	// the schedule goes on after a while; with [ErrNoResponse] when the schedule is over and nobody
	// answered; with [ErrStopped] when the method was stopped before; with any other error when the
	// record is refused for good. (Wrapped errors count as what they wrap.) The method must not change
	// the record; done may be called before Send returns.
	Send(rec *Record, at Progress, done func(error))
	// Window is how many records the method wants to have at once, at least 1. It may change.
	Window() int
}

// Progress is how far the schedule of a record is: a method's own. Zero is the beginning. It means
// nothing to another method; one that cannot make sense of it begins anew.
type Progress struct {
	Tried   uint64 // bit i: server i had, or has, its chance
	Server  uint16 // whose turn it is, if Attempt is not 0
	Attempt uint16 // transmissions to that server so far
	Servers uint32 // which servers these are, if they change
}

// Later is the error of a record that nobody answered and whose schedule goes on: a back-off (R62).
// Until then the method has nothing of the record in memory.
type Later struct {
	After time.Duration // from now to the next transmission
	At    Progress      // for the Send that makes it
}

// Error says when it goes on.
func (l *Later) Error() string {
	return fmt.Sprintf("accounting: no response yet, next transmission in %v", l.After)
}
