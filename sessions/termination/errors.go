package termination

import "errors"

var (
	// ErrPortUnreachable is the Err of an [Outcome] when the NAS's host reports a closed port.
	ErrPortUnreachable = errors.New("port unreachable")
	// ErrSessionEnded is the cause of the cancellation when the session of an attempt has ended.
	ErrSessionEnded = errors.New("the session has ended")
)
