package agentx

import (
	"sync/atomic"
	"time"

	"github.com/posteo/go-agentx/pdu"

	"aaasess/internal/histogram"
	"aaasess/mib"
)

// firstOperation to lastOperation are the PDUs of a master that are answered with a Response and read
// or write objects (RFC 2741 section 6.2). CleanupSet has no answer.
const (
	firstOperation = pdu.TypeGet
	lastOperation  = pdu.TypeUndoSet
	numOperations  = lastOperation - firstOperation + 1
)

// The values of res.error (RFC 2741 section 6.2.16): those of SNMP, and from 256 those of AgentX.
const (
	snmpCodes   = mib.InconsistentName + 1
	agentXCodes = pdu.ErrorProcessing - pdu.ErrorOpenFailed + 1
)

// answerBounds are the buckets of the time to an answer. A read takes microseconds, a CommitSet waits for
// the disk, and snmpd for one second.
var answerBounds = []time.Duration{
	50 * time.Microsecond, 100 * time.Microsecond, 250 * time.Microsecond, 500 * time.Microsecond, time.Millisecond, 2500 * time.Microsecond,
	5 * time.Millisecond, 10 * time.Millisecond, 25 * time.Millisecond, 50 * time.Millisecond, 100 * time.Millisecond, 250 * time.Millisecond,
	500 * time.Millisecond, time.Second,
}

// operationFigures are the figures of one type of PDU, updated for each.
type operationFigures struct {
	bySNMP   [snmpCodes]atomic.Uint64   // answers by res.error; the first one is never counted
	byAgentX [agentXCodes]atomic.Uint64 // the same, from 256
	answered *histogram.Histogram
}

// operations are the figures of all operations.
type operations [numOperations]operationFigures

func newOperations() *operations {
	all := &operations{}
	for i := range all {
		all[i].answered = histogram.New(answerBounds...)
	}
	return all
}

// of returns the figures of a type of PDU; nil if it is no operation.
func (all *operations) of(t pdu.Type) *operationFigures {
	if t < firstOperation || t > lastOperation {
		return nil
	}
	return &all[t-firstOperation]
}

// count counts the res.error of an answer.
func (f *operationFigures) count(code pdu.Error) {
	switch {
	case code == pdu.ErrorNone:
	case code < pdu.Error(snmpCodes):
		f.bySNMP[code].Add(1)
	case code >= pdu.ErrorOpenFailed && code <= pdu.ErrorProcessing:
		f.byAgentX[code-pdu.ErrorOpenFailed].Add(1)
	}
}

// OperationStats are the statistics of one type of PDU of masters since New. [Stats] has their number.
type OperationStats struct {
	Type pdu.Type // Get, GetNext, GetBulk, TestSet, CommitSet or UndoSet
	Name string   // as RFC 2741 section 6.2 writes it, without agentx- and -PDU
	// Errors is the number of answers by their res.error. It has every res.error that is usual for
	// this type, and others that have occurred.
	Errors []CodeCount
	// AnswerTime is the time from when a PDU was read until its answer was written.
	AnswerTime histogram.Snapshot
}

// CodeCount is the number of answers with a res.error.
type CodeCount struct {
	Code    pdu.Error
	Name    string
	Answers uint64
}

// Operations returns the statistics of each operation.
func (s *Subagent) Operations() []OperationStats {
	all := make([]OperationStats, numOperations)
	for i := range all {
		f, t := &s.operations[i], firstOperation+pdu.Type(i)
		all[i] = OperationStats{Type: t, Name: typeName(t), AnswerTime: f.answered.Snapshot()}
		add := func(code pdu.Error, n uint64) {
			if n > 0 || isUsual(t, code) {
				all[i].Errors = append(all[i].Errors, CodeCount{code, codeName(code), n})
			}
		}
		for code := range f.bySNMP {
			add(pdu.Error(code), f.bySNMP[code].Load())
		}
		for code := range f.byAgentX {
			add(pdu.ErrorOpenFailed+pdu.Error(code), f.byAgentX[code].Load())
		}
	}
	return all
}

// isUsual reports whether an answer to a type of PDU can have a res.error (RFC 2741 section 7.2).
func isUsual(t pdu.Type, code pdu.Error) bool {
	if code == pdu.ErrorNotOpen || code == pdu.ErrorUnsupportedContext {
		return true
	}
	status := mib.ErrorStatus(code)
	switch {
	case code >= pdu.Error(snmpCodes) || code == pdu.ErrorNone:
		return false
	case t == pdu.TypeTestSet:
		_, isSet := setErrors[status]
		return isSet
	case t == pdu.TypeCommitSet:
		return status == mib.CommitFailed
	case t == pdu.TypeUndoSet:
		return status == mib.UndoFailed
	}
	return status == mib.GenErr
}

// setErrors are the values of res.error of a TestSet (RFC 2741 section 7.2.4.1).
var setErrors = map[mib.ErrorStatus]struct{}{
	mib.GenErr: {}, mib.NoAccess: {}, mib.WrongType: {}, mib.WrongLength: {}, mib.WrongEncoding: {}, mib.WrongValue: {},
	mib.NoCreation: {}, mib.InconsistentValue: {}, mib.ResourceUnavailable: {}, mib.NotWritable: {}, mib.InconsistentName: {},
}

// unwritten are the answers that a loop has not written yet, by operation.
type unwritten struct {
	arrived time.Time // when the last octets were read
	answers [numOperations]int
	any     bool
}

// answered counts the answer to a PDU, which is out; it may be empty.
func (l *loop) answered(h *Header, out []byte) {
	f := l.sub.operations.of(h.Type)
	if f == nil || len(out) < HeaderSize+8 {
		return
	}
	f.count(pdu.Error(h.order().uint16(out[HeaderSize+4:])))
	l.unwritten.answers[h.Type-firstOperation]++
	l.unwritten.any = true
}

// written counts how long the answers took that have been written.
func (l *loop) written() {
	u := &l.unwritten
	if !u.any {
		return
	}
	took := time.Since(u.arrived)
	for i, n := range u.answers {
		for range n {
			l.sub.operations[i].answered.Observe(took)
		}
	}
	u.answers, u.any = [numOperations]int{}, false
}
