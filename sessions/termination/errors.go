package termination

import "errors"

var (
	// ErrPortUnreachable is the Err of an [Outcome] when the NAS's host reports a closed port.
	ErrPortUnreachable = errors.New("port unreachable")
	// ErrNoMeans is wrapped by the Err of an [Outcome], and by the error of [Terminator.CanEnd], when
	// the NAS of the session has no means to end it.
	ErrNoMeans = errors.New("nothing can end the session")
	// ErrNoAnswer is wrapped by the Err of an [Outcome] when the session was to end, and nothing answered
	// in time. Its text says what was waited for.
	ErrNoAnswer = errors.New("no answer")
	// ErrSessionEnded is the cause of the cancellation when the session of an attempt has ended.
	ErrSessionEnded = errors.New("the session has ended")
)
