package notify

import (
	"errors"
	"fmt"

	"aaasess/mib"
)

// Errors of Notify and NotifyWatched. If one target caused the error, the error names it.
var (
	// ErrQueueFull is returned by Notify if the target's queue is full.
	ErrQueueFull = errors.New("queue is full")
	// ErrTooLarge is returned by Notify if a message could exceed our or the receiver's maximum
	// size. If that is detected later, it is the target's last error.
	ErrTooLarge = errors.New("message is too large")
	// ErrStopped is returned by Notify if Run has ended, or the target is being removed.
	ErrStopped = errors.New("stopped")
	// ErrNotInView is the outcome of a notification that the notify view of the target's user leaves out.
	// It is not counted and not logged.
	ErrNotInView = errors.New("outside of the notify view of the target's user")
	// ErrNoTarget is returned by NotifyWatched if no target has the name.
	ErrNoTarget = errors.New("no such target")
)

// Errors in [TargetStats].LastError and [Outcome].Err, wrapped.
var (
	// ErrNoResponse is the error of an inform that was not acknowledged in time.
	ErrNoResponse = errors.New("no response")
	// ErrNotSent is the error of notifications that remained when Run or the target ended.
	ErrNotSent = errors.New("ended before notifications were sent or acknowledged")
	// ErrEngine is the error of a receiver with an unusable engine id: it is invalid, is our own,
	// or differs from the configured one.
	ErrEngine = errors.New("receiver's engine")
)

// errTooLong is the error of a message that the network rejects, whatever the receiver accepts.
var errTooLong = fmt.Errorf("%w for the network", ErrTooLarge)

// ofOneNotification reports whether an error concerns one notification only. The target may still
// work for others.
func ofOneNotification(err error) bool {
	_, refused := errors.AsType[*RefusedError](err)
	return refused || errors.Is(err, ErrQueueFull) || errors.Is(err, ErrTooLarge) || errors.Is(err, ErrStopped) ||
		errors.Is(err, ErrNotSent)
}

// RefusedError is the error of an inform that the receiver answered with an error (RFC 3416 section
// 4.2.7).
type RefusedError struct {
	Status int32 // error-status, not 0
}

func (e *RefusedError) Error() string {
	if e.Status == 1 { // used by receivers only; package mib does not have it
		return "the receiver answered tooBig"
	}
	if e.Status < 0 || e.Status > 18 {
		return fmt.Sprintf("the receiver answered error-status %d", e.Status)
	}
	return "the receiver answered " + mib.ErrorStatus(e.Status).String()
}
