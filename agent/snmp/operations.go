package snmp

import (
	"sync/atomic"
	"time"

	"aaasess/agent/snmp/wire"
	"aaasess/internal/histogram"
	"aaasess/mib"
)

// operation is what a request asks for: the index of its figures.
type operation uint8

const (
	getOperation operation = iota
	nextOperation
	bulkOperation
	setOperation
	numOperations
	noOperation = numOperations // of a message that is not carried out
)

// operationNames are the names of the PDUs of RFC 3416 section 3, in short and in lower case.
var operationNames = [numOperations]string{"get", "getnext", "getbulk", "set"}

// operationOf returns the operation of a request.
func operationOf(t wire.PDUType) operation {
	switch t {
	case wire.GetRequest:
		return getOperation
	case wire.GetNextRequest:
		return nextOperation
	case wire.GetBulkRequest:
		return bulkOperation
	case wire.SetRequest:
		return setOperation
	}
	return noOperation
}

// answerBounds are the buckets of the time to an answer. A read takes microseconds, a SET waits for the
// disk, and managers repeat a request after about a second.
var answerBounds = []time.Duration{
	50 * time.Microsecond, 100 * time.Microsecond, 250 * time.Microsecond, 500 * time.Microsecond, time.Millisecond, 2500 * time.Microsecond,
	5 * time.Millisecond, 10 * time.Millisecond, 25 * time.Millisecond, 50 * time.Millisecond, 100 * time.Millisecond, 250 * time.Millisecond,
	500 * time.Millisecond, time.Second,
}

// statuses is the number of values of error-status (RFC 3416 section 3).
const statuses = mib.InconsistentName + 1

// operationFigures are the figures of one operation, updated while messages are processed.
type operationFigures struct {
	requests atomic.Uint64
	byStatus [statuses]atomic.Uint64 // answers; the first one is never counted
	answered *histogram.Histogram
}

func newOperations() *[numOperations]operationFigures {
	all := &[numOperations]operationFigures{}
	for i := range all {
		all[i].answered = histogram.New(answerBounds...)
	}
	return all
}

// OperationStats are the statistics of one operation since New.
type OperationStats struct {
	Name     string // get, getnext, getbulk or set
	Requests uint64 // carried out, or answered with an error-status
	// Errors is the number of answers by their error-status, as they were sent: SNMPv1 has fewer of
	// them (RFC 3584 section 4.4). It has every error-status that the operation can have.
	Errors []StatusCount
	// AnswerTime is the time from when a request was read until its answer was sent. Requests without
	// an answer are not in it.
	AnswerTime histogram.Snapshot
}

// StatusCount is the number of answers with an error-status.
type StatusCount struct {
	Status  mib.ErrorStatus
	Answers uint64
}

// Operations returns the statistics of each operation.
func (r *Responder) Operations() []OperationStats {
	all := make([]OperationStats, numOperations)
	for op := range all {
		f, s := &r.operations[op], &all[op]
		s.Name, s.Requests, s.AnswerTime = operationNames[op], f.requests.Load(), f.answered.Snapshot()
		for status := tooBig; status < statuses; status++ {
			if n := f.byStatus[status].Load(); n > 0 || isPossible(operation(op), status) {
				s.Errors = append(s.Errors, StatusCount{status, n})
			}
		}
	}
	return all
}

// isPossible reports whether an answer to an operation can have an error-status. readOnly is never sent
// (RFC 3416 section 3, RFC 3584 section 4.4).
func isPossible(op operation, status mib.ErrorStatus) bool {
	switch status {
	case tooBig, noSuchName, mib.GenErr, authorizationError:
		return true
	}
	return op == setOperation && status != readOnly
}

// begin counts a request that is carried out, or answered with an error-status.
func (e *exchange) begin() {
	e.operation = operationOf(e.pdu.Type)
	e.r.operations[e.operation].requests.Add(1)
}

// countStatus counts the error-status of an answer.
func (e *exchange) countStatus(status mib.ErrorStatus) {
	if status != mib.NoError && status < statuses {
		e.r.operations[e.operation].byStatus[status].Add(1)
	}
}

// sent counts how long the answer to a request took.
func (e *exchange) sent() {
	if e.operation != noOperation {
		e.r.operations[e.operation].answered.Observe(time.Duration(e.r.clock() - e.now))
	}
}
