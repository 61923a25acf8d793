package agentx

import (
	"errors"
	"fmt"

	"github.com/posteo/go-agentx/pdu"

	"aaasess/mib"
)

// Errors of the codec. All of them wrap ErrMalformed.
var (
	// ErrMalformed is returned if octets are not a PDU of RFC 2741.
	ErrMalformed = errors.New("agentx: malformed PDU")
	// errTruncated is returned if a field exceeds the end of the PDU.
	errTruncated = fmt.Errorf("%w: truncated", ErrMalformed)
	// errTrailing is returned if octets follow the last field.
	errTrailing = fmt.Errorf("%w: trailing octets", ErrMalformed)
)

// Errors for the log: TestSets are refused with resourceUnavailable.
var (
	// errLongSet is logged if a SET has too many TestSets, or too large ones.
	errLongSet = fmt.Errorf("agentx: a SET may have at most %d TestSets and %d octets", maxTestSets, maxTestOctets)
	// errManySets is logged if the SETs of a session that the master has not cleaned up are too
	// large.
	errManySets = fmt.Errorf("agentx: SETs without a CleanupSet may have at most %d octets", maxSessionOctets)
)

// Errors of a session. They end a connection, never the process.
var (
	// ErrProtocol is returned if the master sends a PDU that only subagents send.
	ErrProtocol = errors.New("agentx: unexpected PDU")
	// ErrNoAnswer is returned if the master does not answer a PDU of ours in time.
	ErrNoAnswer = errors.New("agentx: no answer from the master")
	// ErrDisconnected is returned by Notify if the connection is lost before the answer.
	ErrDisconnected = errors.New("agentx: connection lost before the master answered")
	// ErrQueueFull is returned by Notify if too many notifications wait.
	ErrQueueFull = errors.New("agentx: notification queue is full")
	// ErrStopped is returned by Notify if Run has ended.
	ErrStopped = errors.New("agentx: subagent has stopped")
)

// RefusedError is returned if the master answers a PDU of ours with an error.
type RefusedError struct {
	Type  pdu.Type  // the PDU: Open, Register, Ping, Notify
	Code  pdu.Error // res.error
	Index int       // res.index, from 1; 0 means none
}

func (e *RefusedError) Error() string {
	s := fmt.Sprintf("agentx: %s refused: %s", typeName(e.Type), codeName(e.Code))
	if e.Index > 0 {
		s += fmt.Sprintf(" (variable %d)", e.Index)
	}
	return s
}

// ClosedError is returned if the master closes the session.
type ClosedError struct {
	Reason pdu.Reason
}

func (e *ClosedError) Error() string { return "agentx: closed by the master: " + reasonName(e.Reason) }

var typeNames = [...]string{
	pdu.TypeOpen: "Open", pdu.TypeClose: "Close", pdu.TypeRegister: "Register", pdu.TypeUnregister: "Unregister",
	pdu.TypeGet: "Get", pdu.TypeGetNext: "GetNext", pdu.TypeGetBulk: "GetBulk", pdu.TypeTestSet: "TestSet",
	pdu.TypeCommitSet: "CommitSet", pdu.TypeUndoSet: "UndoSet", pdu.TypeCleanupSet: "CleanupSet",
	pdu.TypeNotify: "Notify", pdu.TypePing: "Ping", pdu.TypeIndexAllocate: "IndexAllocate",
	pdu.TypeIndexDeallocate: "IndexDeallocate", pdu.TypeAddAgentCaps: "AddAgentCaps",
	pdu.TypeRemoveAgentCaps: "RemoveAgentCaps", pdu.TypeResponse: "Response",
}

// typeName returns the name as RFC 2741 section 6.2 writes it, without agentx- and -PDU.
func typeName(t pdu.Type) string {
	if int(t) < len(typeNames) && typeNames[t] != "" {
		return typeNames[t]
	}
	return fmt.Sprintf("type(%d)", uint8(t))
}

var codeNames = map[pdu.Error]string{
	pdu.ErrorOpenFailed: "openFailed", pdu.ErrorNotOpen: "notOpen", pdu.ErrorIndexWrongType: "indexWrongType",
	pdu.ErrorIndexAlreadyAllocated: "indexAlreadyAllocated", pdu.ErrorIndexNoneAvailable: "indexNoneAvailable",
	pdu.ErrorIndexNotAllocated: "indexNotAllocated", pdu.ErrorUnsupportedContext: "unsupportedContext",
	pdu.ErrorDuplicateRegistration: "duplicateRegistration", pdu.ErrorUnknownRegistration: "unknownRegistration",
	pdu.ErrorUnknownAgentCaps: "unknownAgentCaps", pdu.ErrorParse: "parseError",
	pdu.ErrorRequestDenied: "requestDenied", pdu.ErrorProcessing: "processingError",
}

// codeName returns the name of a res.error; numbers below 256 are SNMP's.
func codeName(e pdu.Error) string {
	if n, ok := codeNames[e]; ok {
		return n
	}
	if e < 256 {
		return mib.ErrorStatus(e).String()
	}
	return fmt.Sprintf("res.error(%d)", uint16(e))
}

var reasonNames = [...]string{
	pdu.ReasonOther: "reasonOther", pdu.ReasonParseError: "reasonParseError",
	pdu.ReasonProtocolError: "reasonProtocolError", pdu.ReasonTimeouts: "reasonTimeouts",
	pdu.ReasonShutdown: "reasonShutdown", pdu.ReasonByManager: "reasonByManager",
}

func reasonName(r pdu.Reason) string {
	if int(r) < len(reasonNames) && reasonNames[r] != "" {
		return reasonNames[r]
	}
	return fmt.Sprintf("reason(%d)", uint8(r))
}
