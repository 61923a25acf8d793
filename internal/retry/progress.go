package retry

import (
	"fmt"
	"time"
)

// Progress is how far a sender has come with a request that is repeated. Zero is the start. It is
// meaningful only to the sender that made it; another sender that cannot interpret it starts again.
type Progress struct {
	Tried         uint64 // bit i: server i was tried or is being tried
	Server        uint16 // the current server, if Transmissions is not 0
	Transmissions uint16 // transmissions to that server so far
	Servers       uint32 // identifies the list of servers
}

// Later is the error of a request that got no answer yet and whose schedule continues in the
// back-off (R62). Until then the sender keeps nothing about it in memory.
type Later struct {
	After time.Duration // from now to the next transmission
	At    Progress      // for the call that makes it
}

// Error returns the time of the next transmission.
func (l *Later) Error() string {
	return fmt.Sprintf("no response yet, next transmission in %v", l.After)
}
