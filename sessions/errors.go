package sessions

import (
	"errors"
	"fmt"
)

var (
	// ErrEvent is returned when an event cannot name a session: no Acct-Session-Id, or an unknown type.
	ErrEvent = errors.New("sessions: event without Acct-Session-Id or type")
	// ErrFull is returned when every session id is in use.
	ErrFull = errors.New("sessions: no session id is free")
	// ErrState is returned when the durable state cannot be read.
	ErrState = errors.New("sessions: durable state is damaged")
	// ErrPortUnreachable is the Err of an [Outcome] when the host of the NAS says that nobody listens at its port.
	ErrPortUnreachable = errors.New("port unreachable")
	// ErrSessionEnded is the cause with which an attempt is cancelled when the row of its session has ended.
	ErrSessionEnded = errors.New("the session has ended")
)

// NotLiveError is returned when a session to be ended is not (or no longer) live.
type NotLiveError struct {
	Index int // which of the ids that were given, from 0
	ID    ID
}

func (e *NotLiveError) Error() string {
	return fmt.Sprintf("sessions: no live session %d (%s)", e.ID, e.ID)
}
