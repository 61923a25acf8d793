package crashtest

import (
	"fmt"
	"slices"
	"strings"

	"aaasess/sessions"
)

// Kind is the kind of an observation.
type Kind uint8

// The kinds of observations.
const (
	Sent     Kind = iota + 1 // a NAS is about to send a record for the first time
	Answered                 // a NAS has received an authentic answer to a record
	Arrived                  // an accounting server has received a record, whether it answers or not
	Queried                  // the daemon is about to be queried for its table and counters
	Reported                 // its answer; each follows a Queried, without a kill between them
	Killed                   // the daemon was killed and has ended
	Failed                   // the daemon did not start, or ended by itself
	Drained                  // the NASes have ended, and the daemon had time to deliver everything
	Lost                     // a NAS has crashed and lost a session
	Again                    // a record is sent again, or the network has doubled it; only for the reader
	// An accounting server has received a stop that no NAS sent: the daemon generated it.
	Generated
	// From here on, a version runs that keeps order within a method, but not between methods.
	Older
	Present // from here on, the present version runs, with the state of the older one
)

// Record identifies a record. Nth is its place in the session, in the order of sending; the start
// is 0. An Accounting-On counts as the only record of a session of its own.
type Record struct {
	Session string // unique among all sessions of all NASes; see Name
	Type    sessions.EventType
	Nth     int
}

// String formats a record for a history.
func (r Record) String() string { return fmt.Sprintf("%s %d of %s", r.Type, r.Nth, r.Session) }

// Name returns the Acct-Session-Id at the NAS: the part of Session before a "#". A NAS that reuses
// ids has several sessions of one name.
func (r Record) Name() string { return nameOf(r.Session) }

func nameOf(session string) string {
	name, _, _ := strings.Cut(session, "#")
	return name
}

// Row is a live session in the daemon's table.
type Row struct {
	Name   string
	Number uint32
}

// Observation is one entry of a history.
type Observation struct {
	Kind   Kind
	Record Record   // of Sent, Answered, Arrived; of Lost and Generated only the Session
	Number uint32   // of Arrived, Generated: the Acct-Session-Id of the record
	Octets uint64   // of Sent, Generated: the counters of the session; 0 if there are none
	Ends   []string // of Sent: lost sessions that this start or Accounting-On ends

	Rows             []Row  // of Reported
	Total, HighWater uint64 // of Reported: casnTotalSessions, casnActiveTableHighWaterMark

	Text string // of Failed: the error; of Again: how; of Arrived, Generated: the server
}

// Concerns reports whether an observation is about a session.
func (o *Observation) Concerns(session string) bool {
	name := nameOf(session)
	for _, r := range o.Rows {
		if r.Name == name {
			return true
		}
	}
	return o.Record.Name() == name || slices.Contains(o.Ends, session) || slices.Contains([]Kind{Killed, Older, Present}, o.Kind)
}

// String formats an observation for a history. It only counts the rows.
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
	case Queried:
		return "queried"
	case Reported:
		return fmt.Sprintf("reported %d rows, total %d, high-water mark %d", len(o.Rows), o.Total, o.HighWater)
	case Killed:
		return "killed"
	case Failed:
		return "failed: " + o.Text
	case Drained:
		return "drained"
	case Again:
		return o.Record.String() + " again " + o.Text
	case Lost:
		return "the NAS of " + o.Record.Session + " crashed"
	case Generated:
		return strings.TrimSpace(fmt.Sprintf("arrived a generated stop of %s as %08X, %d octets %s", o.Record.Session, o.Number, o.Octets, o.Text))
	case Older:
		return "an older version runs"
	case Present:
		return "the present version runs"
	}
	return "unknown"
}

// Violation is an observation that must not occur, or the lack of one.
type Violation struct {
	Session string // "": no particular session
	At      int    // the observation that showed it, from 0
	Text    string
}

// String formats a violation with its place.
func (v Violation) String() string { return fmt.Sprintf("at %d: %s", v.At, v.Text) }
