package notify

import "time"

// TargetStats is what has become of the notifications for one target since it was configured. Each is
// Waiting, UnderWay or counted in one of Acknowledged (Sent, for traps), TimedOut, Refused and Dropped.
type TargetStats struct {
	Name          string
	Waiting       int       // in the queue
	UnderWay      int       // informs, at most 16
	Sent          uint64    // notifications that were given to the network at least once
	Retransmitted uint64    // further messages with informs
	Acknowledged  uint64    // informs
	TimedOut      uint64    // informs without response
	Refused       uint64    // too large, or answered with an error
	Dropped       uint64    // because the queue was full, or the target or Run ended
	Ignored       uint64    // datagrams from the receiver's address that are no right answer
	EngineID      []byte    // of the receiver of v3 informs, as far as it is known
	LastError     error     // nil: none; its text is for a person
	LastErrorAt   time.Time // when LastError came up
}
