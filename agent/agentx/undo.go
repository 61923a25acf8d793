package agentx

import (
	"errors"
	"slices"
	"time"

	"github.com/posteo/go-agentx/pdu"

	"aaasess/mib"
)

// A commit and an undo can wait for the disk, but while they wait the master serves nobody. snmpd
// repeats a PDU after agentXTimeout, 1 s, and a manager its request after about the same time. So each
// PDU is answered earlier, and a SET whose commit is late is answered within a second as a whole.
const (
	// commitWait is how long a CommitSet waits: for the commit of all TestSets, and if that fails, for
	// the undo of those that were committed.
	commitWait = 600 * time.Millisecond
	// undoWait is how long an UndoSet waits for an undo. A repeated UndoSet waits again.
	undoWait = 700 * time.Millisecond
	// undoFailedWait is how long an UndoSet waits after a CommitSet that failed. The undo has begun
	// with that.
	undoFailedWait = 300 * time.Millisecond
)

// undoing is an undo in progress, on a goroutine of its own.
type undoing struct {
	index  int // of a variable that is not restored yet
	octets int // payloads of the TestSets of its SET
	done   chan struct{}
	failed verdict // after done; zero if everything is restored
	err    error   // after done: why it failed
}

// ended reports whether the undo is done, or has failed.
func (u *undoing) ended() bool {
	select {
	case <-u.done:
		return true
	default:
		return false
	}
}

// startUndo starts to undo committed sets, the last one first. cause is the error of the commit
// that failed, or nil; a Change may still be undoing its own part of that commit. The caller must
// set another phase than committed, so that nothing else is done with the sets.
func (t *transaction) startUndo(sets []testedSet, cause error) {
	var pending <-chan error
	index := 1
	if se, ok := errors.AsType[*mib.SetError](cause); ok {
		pending, index = se.Undoing, se.Index
	}
	if len(sets) == 0 && pending == nil {
		t.dropSets()
		return
	}
	u := &undoing{index: index, octets: t.octets, done: make(chan struct{})}
	t.undoing = u
	go func() {
		defer close(u.done)
		for _, s := range slices.Backward(sets) {
			if err := s.set.Undo(); err != nil {
				u.failed, u.err = verdictOf(err), errors.Join(u.err, err)
			}
		}
		if pending != nil {
			if err := <-pending; err != nil {
				u.failed, u.err = verdict{pdu.Error(mib.UndoFailed), index}, errors.Join(u.err, err)
			}
		}
	}()
}

// awaitUndo waits for the undo that is in progress, and returns its result: undoFailed if it takes
// longer than limit. snmpd makes genErr of an undoFailed without an index, so there is always one.
func (t *transaction) awaitUndo(limit time.Duration) verdict {
	if t.undoing == nil {
		return t.undo
	}
	timer := time.NewTimer(limit)
	defer timer.Stop()
	select {
	case <-t.undoing.done:
	case <-timer.C:
		return verdict{pdu.Error(mib.UndoFailed), t.undoing.index}
	}
	if t.undoing.failed != (verdict{}) {
		t.undo = t.undoing.failed
		t.failure = errors.Join(t.failure, t.undoing.err)
	}
	t.undoing = nil
	t.dropSets()
	return t.undo
}
