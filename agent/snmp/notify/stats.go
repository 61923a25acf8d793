package notify

import "time"

// TargetStats are the statistics of a target since it was configured. Each notification is Waiting,
// UnderWay, or counted in one of Acknowledged (for traps: Sent), TimedOut, Refused and Dropped.
type TargetStats struct {
	Name          string
	Waiting       int       // in the queue
	UnderWay      int       // informs in flight, at most 16
	Sent          uint64    // notifications sent at least once
	Retransmitted uint64    // retransmissions of informs
	Acknowledged  uint64    // informs
	TimedOut      uint64    // informs without response
	Refused       uint64    // too large, or answered with an error
	Dropped       uint64    // because the queue was full, or because the target or Run ended
	Ignored       uint64    // datagrams from the receiver's address that are no valid answer
	EngineID      []byte    // of the receiver of v3 informs, if known
	LastError     error     // nil means none; the text is for a person
	LastErrorAt   time.Time // time of LastError
}
