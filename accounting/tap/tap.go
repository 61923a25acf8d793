package tap

import (
	"time"

	"aaasess/internal/taps"
	"aaasess/sessions"
)

// Event is an accountable event and what was decided about it. Its Session and Attrs never change.
type Event struct {
	sessions.Notice
	Seen time.Time // by the clock of the host

	List string // "network/default"; "" if there is none
	// Methods get the record: all of them if Broadcast, else the first that answers. Empty if no
	// record is made.
	Methods   []string
	Broadcast bool
	// NotRecorded says for people why no record is made; "" if one is.
	NotRecorded string
}

// Tap passes events to Listeners.
type Tap = taps.Tap[Event]

// Listener receives events.
type Listener = taps.Listener[Event]
