package retry

import (
	"fmt"
	"time"
)

// Progress is how far something that is sent again and again has come: a sender's own. Zero is the beginning. It means
// nothing to another sender; one that cannot make sense of it begins anew.
type Progress struct {
	Tried   uint64 // bit i: server i had, or has, its chance
	Server  uint16 // whose turn it is, if Attempt is not 0
	Attempt uint16 // transmissions to that server so far
	Servers uint32 // which servers these are
}

// Later is the error of something that nobody answered and whose schedule goes on: a back-off (R62). Until then the sender
// has nothing of it in memory.
type Later struct {
	After time.Duration // from now to the next transmission
	At    Progress      // for the call that makes it
}

// Error says when it goes on.
func (l *Later) Error() string {
	return fmt.Sprintf("no response yet, next transmission in %v", l.After)
}
