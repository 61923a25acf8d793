package accounting

import (
	"fmt"
	"slices"
	"strings"

	"aaasess/sessions"
)

// RecordType says which events of a session are recorded (R41).
type RecordType uint8

// The record types, by the names of S1.
const (
	None        RecordType = iota // none: nothing
	StartStop                     // start-stop: start, interims and stop
	StopOnly                      // stop-only
	StopFailure                   // stop-failure: the stops of calls that failed (R51)
)

var recordTypes = [...]string{None: "none", StartStop: "start-stop", StopOnly: "stop-only", StopFailure: "stop-failure"}

// String returns the name of the record type.
func (t RecordType) String() string {
	if int(t) < len(recordTypes) {
		return recordTypes[t]
	}
	return fmt.Sprintf("record-type(%d)", uint8(t))
}

// UnmarshalText parses the result of String.
func (t *RecordType) UnmarshalText(text []byte) error {
	i := slices.Index(recordTypes[:], string(text))
	if i < 0 {
		return fmt.Errorf("accounting: record type %q is not one of %s", text, strings.Join(recordTypes[:], ", "))
	}
	*t = RecordType(i)
	return nil
}

// includes reports whether a notice is recorded. Events other than start, interim and stop (R27)
// are recorded only by start-stop lists: a server that gets only stops cannot use a Tunnel-Start.
func (t RecordType) includes(n *sessions.Notice) bool {
	switch t {
	case StartStop:
		return true
	case StopOnly:
		return n.Type == sessions.Stop
	case StopFailure:
		return n.CallFailed()
	}
	return false
}
