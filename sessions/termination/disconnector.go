package termination

import (
	"context"
	"errors"

	"aaasess/internal/radius"
	"aaasess/sessions"
)

// Answer is how a NAS reacts to an attempt to end a session.
type Answer uint8

// The answers of RFC 5176 section 3. Other ways to end a session map to them.
const (
	NoAnswer Answer = iota // no answer arrived, or the request could not be sent (see Outcome.Err)
	ACK                    // the session will end, and its stop should follow
	NAK                    // refused; see Outcome.ErrorCause
)

// Outcome is the result of one attempt.
type Outcome struct {
	Answer     Answer
	ErrorCause radius.ErrorCause
	// Inconclusive reports that a NAK 503 does not end the session: the NAS may still find it by
	// attributes that no request had (R33).
	Inconclusive bool
	// Err is, for NoAnswer, the reason; nil if the NAS is silent. For NAK it is what was said beside
	// ErrorCause, mostly nothing.
	Err error
}

// String describes the outcome for logs and the command line.
func (o Outcome) String() string {
	switch {
	case o.Answer == ACK:
		return "ACK"
	case o.Answer == NAK:
		return o.nak()
	case errors.Is(o.Err, ErrPortUnreachable):
		return "port unreachable"
	case errors.Is(o.Err, ErrSessionEnded):
		return "given up: the session has ended"
	case errors.Is(o.Err, ErrNoAnswer):
		return o.Err.Error()
	case o.Err != nil:
		return "not sent: " + o.Err.Error()
	}
	return ErrNoAnswer.Error()
}

func (o Outcome) nak() string {
	text := "NAK"
	if o.ErrorCause != 0 {
		text += " " + o.ErrorCause.String()
	}
	if o.Err != nil {
		text += ": " + o.Err.Error()
	}
	return text
}

// Attempt is one attempt to end a session.
type Attempt struct {
	*sessions.Session
	// Memory belongs to the Disconnector. What one attempt leaves here, the next attempt for the
	// same session finds. It is nil at the first attempt.
	Memory any
}

// Disconnector makes one attempt to end a session at its NAS. Disconnect takes as long as its own
// retransmissions, and ends with ctx. If the cause of ctx is [ErrSessionEnded], it sends nothing
// more, but may wait a moment for an answer. It may be called for many sessions at once.
type Disconnector interface {
	Disconnect(ctx context.Context, a *Attempt) Outcome
}
