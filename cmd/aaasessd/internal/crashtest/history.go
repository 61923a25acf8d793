package crashtest

import (
	"fmt"
	"slices"
	"strings"

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
	Lost                     // a NAS crashed: it has forgotten a session, and says nothing more of it
	Again                    // a record is on its way again, sent by its NAS or doubled by the network; for those who read
	Made                     // an accounting server has a stop that no NAS sent: the daemon made it
	Older                    // from here on a version runs that keeps order within a method, but not between methods
	Present                  // from here on the present version runs, on what the older one left
)

// Record names a record. A session's records are numbered from 0, the start, as they are sent. An Accounting-On is the only
// record of a session of its own.
type Record struct {
	Session string // unique among all sessions of all NASes; see Name
	Type    sessions.EventType
	Nth     int
}

// String is for those who read a history.
func (r Record) String() string { return fmt.Sprintf("%s %d of %s", r.Type, r.Nth, r.Session) }

// Name is what the NAS calls the session: what is before a "#". A NAS that reuses ids has several sessions of one name.
func (r Record) Name() string { return nameOf(r.Session) }

func nameOf(session string) string {
	name, _, _ := strings.Cut(session, "#")
	return name
}

// Row is what the daemon tells of a live session.
type Row struct {
	Name   string
	Number uint32
}

// Observation is one entry of a history.
type Observation struct {
	Kind   Kind
	Record Record   // of Sent, Answered, Arrived; of Lost and Made its Session
	Number uint32   // of Arrived, Made: the record's Acct-Session-Id
	Octets uint64   // of Sent, Made: the counters of the session; 0 if there are none
	Ends   []string // of Sent: lost sessions that are over when this start or Accounting-On is answered

	Rows             []Row  // of Told
	Total, HighWater uint64 // of Told: casnTotalSessions, casnActiveTableHighWaterMark

	Text string // of Failed: what went wrong; of Again: how; of Arrived, Made: at which server, for those who read
}

// Concerns reports whether an observation tells something of a session.
func (o *Observation) Concerns(session string) bool {
	name := nameOf(session)
	for _, r := range o.Rows {
		if r.Name == name {
			return true
		}
	}
	return o.Record.Name() == name || slices.Contains(o.Ends, session) || slices.Contains([]Kind{Killed, Older, Present}, o.Kind)
}

// String is for those who read a history. Rows are only counted.
func (o *Observation) String() string {
	switch o.Kind {
	case Sent:
		if len(o.Ends) > 0 {
			return fmt.Sprintf("sent %s, which ends %s", o.Record, strings.Join(o.Ends, ", "))
		}
		return "sent " + o.Record.String()
	case Answered:
		return "answered " + o.Record.String()
	case Arrived:
		return strings.TrimSpace(fmt.Sprintf("arrived %s as %08X %s", o.Record, o.Number, o.Text))
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
	case Again:
		return o.Record.String() + " again " + o.Text
	case Lost:
		return o.Record.Session + " is lost by its NAS"
	case Made:
		return strings.TrimSpace(fmt.Sprintf("arrived a stop of %s as %08X that no NAS sent, %d octets %s", o.Record.Session, o.Number, o.Octets, o.Text))
	case Older:
		return "an older version runs"
	case Present:
		return "the present version runs"
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
