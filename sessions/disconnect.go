package sessions

import (
	"context"
	"errors"
	"fmt"
)

// Answer is how an attempt to end a session was received.
type Answer uint8

// The answers of RFC 5176 section 3; other ways to end a session map to them.
const (
	NoAnswer Answer = iota // nothing came back, or it could not be sent (see Outcome.Err)
	ACK                    // the session will end: its stop is to be expected
	NAK                    // refused, see Outcome.ErrorCause
)

// ErrorCause is an Error-Cause (RFC 5176 section 3.5), 0 if the NAK had none.
type ErrorCause uint32

// Error-Cause values that change what we do.
const (
	UnsupportedAttribute      ErrorCause = 401
	MissingAttribute          ErrorCause = 402
	NASIdentificationMismatch ErrorCause = 403
	InvalidRequest            ErrorCause = 404
	UnsupportedExtension      ErrorCause = 406
	InvalidAttributeValue     ErrorCause = 407
	SessionContextNotFound    ErrorCause = 503
)

var errorCauses = map[ErrorCause]string{
	201: "Residual-Session-Context-Removed", 202: "Invalid-EAP-Packet", 401: "Unsupported-Attribute",
	402: "Missing-Attribute", 403: "NAS-Identification-Mismatch", 404: "Invalid-Request", 405: "Unsupported-Service",
	406: "Unsupported-Extension", 407: "Invalid-Attribute-Value", 501: "Administratively-Prohibited",
	502: "Request-Not-Routable", 503: "Session-Context-Not-Found", 504: "Session-Context-Not-Removable",
	505: "Other-Proxy-Processing-Error", 506: "Resources-Unavailable", 507: "Request-Initiated",
	508: "Multiple-Session-Selection-Unsupported",
}

// String gives number and name.
func (c ErrorCause) String() string {
	if name, ok := errorCauses[c]; ok {
		return fmt.Sprintf("%d (%s)", uint32(c), name)
	}
	return fmt.Sprint(uint32(c))
}

// Outcome is the end of one attempt.
type Outcome struct {
	Answer     Answer
	ErrorCause ErrorCause
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
