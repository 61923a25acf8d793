package api

import (
	"fmt"
	"net/url"
	"time"
)

// EventFilter selects accountable events by their session, as it is after the event, and by what
// gets their record.
type EventFilter struct {
	Filter        // without State, which is of live sessions; Kind is one of EventKinds
	Group  string // group: this server group is among the methods that get the record
}

// EventKinds returns the values of Filter.Kind in an EventFilter: [Kinds], and those of calls and of
// commands, which are no rows.
func EventKinds() []string { return append(Kinds(), "resource", "commands") }

// ParseEventFilter parses the parameters of a URL, by the rules of ParseQuery.
func ParseEventFilter(values url.Values) (EventFilter, error) {
	var f EventFilter
	if err := setAll(values, f.set); err != nil {
		return EventFilter{}, err
	}
	return f, nil
}

func (f *EventFilter) set(key, value string) error {
	switch {
	case key == "group" && value != "":
		f.Group = value
	case key == "kind" && value != "":
		kind, err := oneOf(EventKinds(), key, value)
		f.Kind = kind
		return err
	case key == "state":
		return fmt.Errorf("%w: events cannot be selected by the state of their session", ErrQuery)
	default:
		return f.Filter.Set(key, value)
	}
	return nil
}

// Values returns the parameters of a URL that ParseEventFilter parses to f.
func (f EventFilter) Values() url.Values {
	v := f.values()
	if f.Group != "" {
		v.Set("group", f.Group)
	}
	return v
}

// EventLine is a line of the answer to PathEvents: an event, or the number of events that are missing
// here.
type EventLine struct {
	// LeftOut is the number of events that were left out before this line because the client reads
	// too slowly. Such a line has no event.
	LeftOut uint64 `json:"leftOut,omitempty"`
	*AccountableEvent
}

// AccountableEvent is an event of a session, and what becomes of it. The names of the fields never
// change.
type AccountableEvent struct {
	Time time.Time `json:"time"` // when the daemon decided about it
	At   time.Time `json:"at"`   // when it happened
	// Type is Start, Stop, Interim-Update, or the name or number of another Acct-Status-Type.
	Type string `json:"type"`
	// Made says that aaasess has made the stop or interim: the NAS sent none.
	Made bool `json:"made,omitempty"`
	// Resync says that the event tells a server of a live session again (R65). Made is true too.
	Resync bool `json:"resync,omitempty"`
	// TerminateCause is the name or number of the Acct-Terminate-Cause of a stop.
	TerminateCause string `json:"terminateCause,omitempty"`
	// Command is what a user typed, if that is the event. Its passwords and keys are masked.
	Command *EventCommand `json:"command,omitempty"`
	// Session is the session after the event. ID is "" and Number is 0 if the event is of no
	// session.
	Session
	// List is the method list, "network/default". "" if there is none.
	List string `json:"list"`
	// Methods get the record: all of them if Broadcast, else the first that answers. Empty if no
	// record is made.
	Methods   []string `json:"methods"`
	Broadcast bool     `json:"broadcast,omitempty"`
	// NotRecorded says why no record is made. Absent if one is.
	NotRecorded string `json:"notRecorded,omitempty"`
}

// EventCommand is a command of a user.
type EventCommand struct {
	Level int    `json:"level"` // privilege level, 0 to MaxPrivilegeLevel
	Text  string `json:"text"`
}
