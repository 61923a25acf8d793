package crash

import (
	"fmt"

	"aaasess/sessions"
)

// Kind is what sort of thing was observed.
type Kind uint8

// What can be observed.
const (
	Sent     Kind = iota + 1 // a NAS is about to send a record for the first time
	Answered                 // a NAS has an authentic answer to a record
	Arrived                  // an accounting server has a record, whether it answers or not
	Asked                    // the daemon is about to be asked for its table and counters
	Told                     // its answer; each Told follows an Asked, with no kill between them
	Killed                   // the daemon was killed and has ended
	Failed                   // the daemon did not come up, or ended by itself
	Drained                  // the NASes are done, and the daemon was given time to deliver all
)

// Record names a record. A session's records are numbered from 0, the start, as they are sent.
type Record struct {
	Session string // unique among all sessions of all NASes
	Type    sessions.EventType
	Nth     int
}

// String is for those who read a history.
func (r Record) String() string { return fmt.Sprintf("%s %d of %s", r.Type, r.Nth, r.Session) }

// Row is what the daemon tells of a live session.
type Row struct {
	Session string
	Number  uint32
}

// Observation is one entry of a history.
type Observation struct {
	Kind   Kind
	Record Record // of Sent, Answered, Arrived
	Number uint32 // of Arrived: the record's Acct-Session-Id

	Rows             []Row  // of Told
	Total, HighWater uint64 // of Told: casnTotalSessions, casnActiveTableHighWaterMark

	Text string // of Failed: what went wrong
}

// Concerns reports whether an observation tells something of a session.
func (o *Observation) Concerns(session string) bool {
	for _, r := range o.Rows {
		if r.Session == session {
			return true
		}
	}
	return o.Record.Session == session || o.Kind == Killed
}

// String is for those who read a history. Rows are only counted.
func (o *Observation) String() string {
	switch o.Kind {
	case Sent:
		return "sent " + o.Record.String()
	case Answered:
		return "answered " + o.Record.String()
	case Arrived:
		return fmt.Sprintf("arrived %s as %08X", o.Record, o.Number)
	case Asked:
		return "asked"
	case Told:
		return fmt.Sprintf("told %d rows, total %d, high-water mark %d", len(o.Rows), o.Total, o.HighWater)
	case Killed:
		return "killed"
	case Failed:
		return "failed: " + o.Text
	case Drained:
		return "drained"
	}
	return "unknown"
}

// Violation is something that must not be.
type Violation struct {
	Session string // "": of no session in particular
	At      int    // which observation showed it, from 0
	Text    string
}

// String says all of it.
func (v Violation) String() string { return fmt.Sprintf("at %d: %s", v.At, v.Text) }
