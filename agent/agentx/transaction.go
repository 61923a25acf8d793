package agentx

import (
	"errors"
	"slices"
	"time"

	"github.com/posteo/go-agentx/pdu"

	"aaasess/mib"
)

// Limits for the SETs of a session. A master must not be able to fill our memory.
const (
	// maxTransactions is how many SETs a master can leave open; for the next one the oldest is
	// cleaned up. snmpd has one at a time.
	maxTransactions = 32
	// maxTestSets is how many TestSets a transaction can have. snmpd sends one.
	maxTestSets = 256
	// maxTestOctets limits the payloads of all TestSets of a transaction. One PDU can have that
	// much.
	maxTestOctets = MaxPayload
	// maxSessionOctets limits the payloads of the TestSets that a session keeps, in all its
	// transactions. In memory a SET is about ten times as large.
	maxSessionOctets = 2 * maxTestOctets
)

// phase is the progress of a SET (RFC 2741 section 7.2.4).
type phase uint8

const (
	tested    phase = iota // each TestSet so far was answered with noError
	refused                // a TestSet was refused: so are all others until the end; nothing is set
	tooMany                // as refused, because of a limit
	failed                 // the CommitSet was refused; nothing is set
	committed              // everything is set, and can be undone
	undone                 // the UndoSet was received
)

// transaction is one SET. If an answer is late, a master repeats the identical PDU. So each phase
// keeps its answer and has its effect once.
type transaction struct {
	id           uint32
	phase        phase
	tests        []testedSet // most masters put all variables of a session into one
	octets       int         // payloads of the TestSets that are kept
	refusal      pdu.Error   // of the first TestSet that was refused
	reason       string      // of the same; "" if the code says all
	commit, undo verdict
	undoing      *undoing // nil: no undo is in progress
	failure      error    // of a commit or an undo; not yet in the log
}

// testedSet is a TestSet PDU of a transaction. PDUs with other packet ids extend the SET.
type testedSet struct {
	packetID uint32
	set      *mib.Set // nil if refused
	verdict  verdict
}

// verdict is a res.error and res.index.
type verdict struct {
	code  pdu.Error
	index int
}

// verdictOf converts an error of package mib.
func verdictOf(err error) verdict {
	if err == nil {
		return verdict{}
	}
	if se, ok := errors.AsType[*mib.SetError](err); ok && se.Status != mib.NoError {
		return verdict{pdu.Error(se.Status), se.Index}
	}
	return verdict{pdu.Error(mib.GenErr), 0}
}

// transactions are the SETs of a session.
type transactions struct {
	open   []*transaction // the oldest first
	undoes []*undoing     // of SETs that have ended, while they were in progress
}

// octets returns the payloads of the TestSets that are kept.
func (ts *transactions) octets() int {
	ts.undoes = slices.DeleteFunc(ts.undoes, (*undoing).ended)
	n := 0
	for _, u := range ts.undoes {
		n += u.octets
	}
	for _, t := range ts.open {
		if t.undoing != nil && t.undoing.ended() {
			t.dropSets()
		}
		n += t.octets
	}
	return n
}

func (ts *transactions) find(id uint32) *transaction {
	for _, t := range ts.open {
		if t.id == id {
			return t
		}
	}
	return nil
}

// test answers a TestSet.
func (ts *transactions) test(tree *mib.Tree, by mib.Requester, h *Header, vbs []mib.Varbind) (pdu.Error, int) {
	t := ts.find(h.TransactionID)
	if t != nil {
		for _, earlier := range t.tests {
			if earlier.packetID == h.PacketID {
				return earlier.verdict.code, earlier.verdict.index
			}
		}
		switch t.phase {
		case tested, refused:
		case tooMany:
			return t.refuseMore(vbs)
		default: // the master has forgotten that SET, and starts a new one
			ts.cleanup(t.id)
			t = nil
		}
	}
	if t == nil {
		if len(ts.open) == maxTransactions {
			ts.cleanup(ts.open[0].id)
		}
		t = &transaction{id: h.TransactionID}
		ts.open = append(ts.open, t)
	}
	octets := int(h.PayloadLength)
	switch {
	case len(t.tests) == maxTestSets || t.octets+octets > maxTestOctets:
		t.failure = errLongSet
		return t.refuseMore(vbs)
	case ts.octets()+octets > maxSessionOctets:
		t.failure = errManySets
		return t.refuseMore(vbs)
	}
	set, err := tree.TestBy(by, vbs)
	v := verdictOf(err)
	switch {
	case err != nil:
		if t.phase == tested {
			t.phase, t.refusal, t.reason = refused, v.code, mib.Reason(err)
			t.dropSets()
		}
		set = nil
	case t.phase == refused: // good by itself, but an earlier one is not
		set, v = nil, verdict{t.refusal, min(1, len(vbs))}
	}
	if set != nil {
		t.octets += octets
	}
	t.tests = append(t.tests, testedSet{h.PacketID, set, v})
	return v.code, v.index
}

// refuseMore refuses a TestSet beyond the limits, and drops the others: the SET as a whole fails.
func (t *transaction) refuseMore(vbs []mib.Varbind) (pdu.Error, int) {
	t.dropSets()
	t.phase, t.tests = tooMany, nil
	return pdu.Error(mib.ResourceUnavailable), min(1, len(vbs))
}

// dropSets frees the memory of the TestSets. Their answers stay, for repeated PDUs.
func (t *transaction) dropSets() {
	for i := range t.tests {
		t.tests[i].set = nil
	}
	t.octets = 0
}

// commit answers a CommitSet. An unknown transaction cannot be committed.
func (ts *transactions) commit(id uint32) (pdu.Error, int) {
	t := ts.find(id)
	if t == nil {
		return pdu.Error(mib.CommitFailed), 0
	}
	if t.phase == tested {
		t.commitAll()
	} else if t.commit == (verdict{}) && t.phase != committed {
		t.commit = verdict{pdu.Error(mib.CommitFailed), 0}
	}
	return t.commit.code, t.commit.index
}

// commitAll commits every TestSet, or none. If a commit is late, its result is not known: the answer is
// commitFailed, and it is undone when it is done.
func (t *transaction) commitAll() {
	t.phase = committed
	end := time.Now().Add(commitWait)
	for i := range t.tests {
		err := t.tests[i].set.CommitWithin(time.Until(end))
		if err == nil {
			continue
		}
		// RFC 2741 section 7.2.4.2 allows no other error for a CommitSet. The UndoSet that follows
		// reports that the undo failed.
		v := verdictOf(err)
		t.commit, t.phase, t.failure = verdict{pdu.Error(mib.CommitFailed), v.index}, failed, err
		if v.code == pdu.Error(mib.UndoFailed) {
			t.undo = v
		}
		t.startUndo(t.tests[:i], err)
		t.awaitUndo(time.Until(end))
		return
	}
}

// undo answers an UndoSet, after everything is restored.
func (ts *transactions) undo(id uint32) (pdu.Error, int) {
	t := ts.find(id)
	if t == nil {
		return pdu.Error(mib.UndoFailed), 0
	}
	limit := undoWait
	switch {
	case t.phase == committed:
		t.startUndo(t.tests, nil)
	case t.undoing == nil:
		t.dropSets()
	case t.phase == failed:
		limit = undoFailedWait
	}
	t.phase = undone
	v := t.awaitUndo(limit)
	return v.code, v.index
}

// cleanup ends a transaction: a committed one is final, a tested one is dropped.
func (ts *transactions) cleanup(id uint32) {
	for i, t := range ts.open {
		if t.id == id {
			t.cleanup()
			if t.undoing != nil {
				ts.undoes = append(ts.undoes, t.undoing)
			}
			ts.open = slices.Delete(ts.open, i, i+1)
			return
		}
	}
}

func (ts *transactions) cleanupAll() {
	for _, t := range ts.open {
		t.cleanup()
	}
	*ts = transactions{}
}

func (t *transaction) cleanup() {
	if t.phase != committed {
		return
	}
	for _, test := range t.tests {
		test.set.Cleanup()
	}
}
