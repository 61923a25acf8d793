package sessions

import (
	"errors"
	"fmt"
)

var (
	// ErrEvent is returned when an event has no Acct-Session-Id, or an unknown type or kind.
	ErrEvent = errors.New("sessions: the event has no Acct-Session-Id, or an unknown type or kind")
	// ErrOneOff is returned when a [OneOff] lacks the address of its NAS or a command, or has another
	// kind, a privilege level above 15, a wrong [Unstarted], or damaged attributes.
	ErrOneOff = errors.New("sessions: the event has no NAS address or no command, another kind, a privilege level above 15, a session that has started, or damaged attributes")
	// ErrFull is returned when every session id is in use.
	ErrFull = errors.New("sessions: no session id is free")
	// ErrMax is returned for a start or interim that would make a row beyond Config.Max.
	ErrMax = errors.New("sessions: the table has as many sessions as sessions.max allows")
	// ErrMemory is returned for a start or interim that would make a row while memory is short.
	ErrMemory = errors.New("sessions: memory is too short for another session")
	// ErrState is returned when the durable state cannot be read.
	ErrState = errors.New("sessions: durable state is damaged")
)

// NotLiveError is returned when a session to be ended is not live.
type NotLiveError struct {
	Index int // position in the ids that were given, from 0
	ID    ID
}

func (e *NotLiveError) Error() string {
	return fmt.Sprintf("sessions: no live session %d (%s)", e.ID, e.ID)
}
