package sessions

import (
	"context"
	"errors"

	"aaasess/internal/radius"
)

// Answer is how an attempt to end a session was received.
type Answer uint8

// The answers of RFC 5176 section 3; other ways to end a session map to them.
const (
	NoAnswer Answer = iota // nothing came back, or it could not be sent (see Outcome.Err)
	ACK                    // the session will end: its stop is to be expected
	NAK                    // refused, see Outcome.ErrorCause
)

// Outcome is the end of one attempt.
type Outcome struct {
	Answer     Answer
	ErrorCause radius.ErrorCause
	// Doubted says of a NAK 503 that the session may exist all the same: the NAS could be told more (R33).
	Doubted bool
	Err     error // why there is no answer, for NoAnswer; nil if the NAS is silent
}

// String is for logs and the command line.
func (o Outcome) String() string {
	switch {
	case o.Answer == ACK:
		return "ACK"
	case o.Answer == NAK && o.ErrorCause != 0:
		return "NAK " + o.ErrorCause.String()
	case o.Answer == NAK:
		return "NAK"
	case errors.Is(o.Err, ErrPortUnreachable):
		return "port unreachable"
	case errors.Is(o.Err, ErrSessionEnded):
		return "given up: the session has ended"
	case o.Err != nil:
		return "not sent: " + o.Err.Error()
	}
	return "no answer"
}

// Attempt is one try to end a session.
type Attempt struct {
	*Session
	// Memory belongs to the Disconnector, which finds here what it left at the attempt before of the same
	// session; nil at the first.
	Memory any
}

// Disconnector makes one attempt to end a session where it lives. It takes as long as its own
// retransmissions do, and ends with ctx. If the cause is [ErrSessionEnded] it sends nothing more, but may
// wait a moment for the answer to what it has sent. It may be called for many sessions at once.
type Disconnector interface {
	Disconnect(ctx context.Context, a *Attempt) Outcome
}
