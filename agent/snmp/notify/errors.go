package notify

import (
	"errors"
	"fmt"

	"aaasess/mib"
)

// Errors of Notify. Those that concern one target name it.
var (
	// ErrQueueFull is returned by Notify when too many notifications wait for a target already.
	ErrQueueFull = errors.New("queue is full")
	// ErrTooLarge is returned by Notify when a message could be larger than we send or the receiver
	// takes, and is a target's last error when that is found out later.
	ErrTooLarge = errors.New("message is too large")
	// ErrStopped is returned by Notify when Run has ended, or a target is just being removed.
	ErrStopped = errors.New("stopped")
)

// Errors that are found in [TargetStats].LastError, wrapped.
var (
	// ErrNoResponse is the error of an inform that was not acknowledged in time.
	ErrNoResponse = errors.New("no response")
	// ErrNotSent is the error of notifications that were left over when Run or the target ended.
	ErrNotSent = errors.New("ended before notifications were sent or acknowledged")
	// ErrEngine is the error of a receiver whose engine cannot be spoken to: its id is not one, is
	// ours, or is not the configured one.
	ErrEngine = errors.New("engine of the receiver")
)

// errTooLong is the error of a message that the network does not take, whatever the receiver would.
var errTooLong = fmt.Errorf("%w for the network", ErrTooLarge)

// ofOne reports whether an error is about some notification, and not a sign that the target does not
// work: others may get through.
func ofOne(err error) bool {
	_, refused := errors.AsType[*RefusedError](err)
	return refused || errors.Is(err, ErrQueueFull) || errors.Is(err, ErrTooLarge) || errors.Is(err, ErrStopped) ||
		errors.Is(err, ErrNotSent)
}

// RefusedError is an inform that the receiver answered with an error (RFC 3416 section 4.2.7).
type RefusedError struct {
	Status int32 // error-status, not 0
}

func (e *RefusedError) Error() string {
	if e.Status == 1 { // the one that a receiver has use for; no SET has it
		return "the receiver answered tooBig"
	}
	if e.Status < 0 || e.Status > 18 {
		return fmt.Sprintf("the receiver answered error-status %d", e.Status)
	}
	return "the receiver answered " + mib.ErrorStatus(e.Status).String()
}
