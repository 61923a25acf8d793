package agentx

import (
	"errors"
	"io/fs"

	"github.com/posteo/go-agentx/pdu"
)

// Reason says why there is no session with a master, in words for an operator. It is empty while
// there is one, and before the first attempt has ended.
type Reason string

// The reasons.
const (
	// NoMaster: nothing accepts connections at the address, or the connection was lost.
	NoMaster Reason = "no master agent"
	// PermissionDenied: we may not open the master's socket (its mode, owner or folder).
	PermissionDenied Reason = "permission denied"
	// DuplicateRegistration: another session has the same subtree with the same priority (RFC 2741
	// section 7.1.4), for example one of a second aaasess.
	DuplicateRegistration Reason = "duplicate registration"
	// Refused: the master answers Open, Register or Ping with another error.
	Refused Reason = "refused by the master agent"
	// NoAnswer: the master accepts connections and does not answer.
	NoAnswer Reason = "no answer from the master agent"
	// Closed: the master closed the session.
	Closed Reason = "closed by the master agent"
	// BadPDU: the master sent octets that are not a PDU, or a PDU that no master sends.
	BadPDU Reason = "bad PDU from the master agent"
)

// reasonOf classifies the error of an attempt.
func reasonOf(err error) Reason {
	if refused, ok := errors.AsType[*RefusedError](err); ok {
		if refused.Code == pdu.ErrorDuplicateRegistration {
			return DuplicateRegistration
		}
		return Refused
	}
	if _, ok := errors.AsType[*ClosedError](err); ok {
		return Closed
	}
	switch {
	case errors.Is(err, fs.ErrPermission):
		return PermissionDenied
	case errors.Is(err, ErrNoAnswer):
		return NoAnswer
	case errors.Is(err, ErrMalformed), errors.Is(err, ErrProtocol):
		return BadPDU
	}
	return NoMaster
}

// message is the log line of an attempt that failed for this reason.
func (r Reason) message() string {
	switch r {
	case PermissionDenied:
		return "agentx: permission denied at the master agent's socket; will retry"
	case DuplicateRegistration:
		return "agentx: duplicate registration: another subagent has the same subtree; will retry"
	case Refused:
		return "agentx: the master agent refuses the session; will retry"
	case NoAnswer:
		return "agentx: the master agent does not answer; will retry"
	case Closed:
		return "agentx: the master agent has closed the session; will retry"
	case BadPDU:
		return "agentx: bad PDU from the master agent; will retry"
	}
	return "agentx: no connection to the master agent; will retry"
}
