package snmp

import (
	"errors"
	"fmt"
	"time"

	"aaasess/agent/snmp/vacm"
	"aaasess/mib"
)

// admitSet checks a SetRequest-PDU as far as no object is needed (RFC 3416 section 4.2.5). The rest
// may wait for the disk, so another goroutine does it.
func (e *exchange) admitSet(view *vacm.View) verdict {
	if !e.fits(len(e.pdu.RawVarbinds), mib.NoError, 0) {
		// Check this before the SET is carried out: otherwise its sender could not learn that it
		// was.
		return e.refuseSize()
	}
	for i := range e.pdu.Varbinds {
		if !view.Contains(e.pdu.Varbinds[i].Name) {
			e.logSet(setRefused, mib.NoAccess, i+1)
			return e.echo(mib.NoAccess, i+1)
		}
	}
	return deferred
}

// set carries out a SET: all assignments or none.
func (e *exchange) set() verdict {
	status, index := e.commitSet()
	if status == mib.NoError {
		e.r.counters.setVars.Add(uint64(len(e.pdu.Varbinds)))
	}
	return e.echo(status, index)
}

// requester returns the sender of the request, which is authenticated or uses a valid community.
func (e *exchange) requester() mib.Requester {
	by := mib.Requester{Name: e.securityName, Address: e.from.String()}
	if e.secured() {
		by.Name = string(e.session.UserName)
	}
	return by
}

func (e *exchange) commitSet() (mib.ErrorStatus, int) {
	set, err := e.r.tree.TestBy(e.requester(), e.pdu.Varbinds)
	if err != nil {
		status, index := e.refuseSet(err)
		e.logSet(setRefused, status, index)
		return status, index
	}
	if err := set.Commit(); err != nil {
		err = awaitUndo(err)
		status, index := e.refuseSet(err)
		kind, at := setFailed, index
		if status == mib.UndoFailed {
			kind = setNotUndone
		}
		if refused, ok := errors.AsType[*mib.SetError](err); ok {
			at = refused.Index // the answer has none with undoFailed
		}
		e.logSet(kind, err, at)
		return status, index
	}
	set.Cleanup()
	return mib.NoError, 0
}

// undoWait is how long a commit that failed may take to undo itself; see [mib.SetError].
const undoWait = time.Second

var errUndoLate = fmt.Errorf("snmp: not undone within %s", undoWait)

// awaitUndo waits until a commit that failed is undone, and returns its error: undoFailed if that
// fails. commitFailed means that nothing has changed, so the answer has to wait.
func awaitUndo(err error) error {
	refused, ok := errors.AsType[*mib.SetError](err)
	if !ok || refused.Undoing == nil {
		return err
	}
	timer := time.NewTimer(undoWait)
	defer timer.Stop()
	undo := errUndoLate
	select {
	case undo = <-refused.Undoing:
	case <-timer.C:
	}
	if undo == nil {
		return err
	}
	return &mib.SetError{Status: mib.UndoFailed, Index: refused.Index, Err: errors.Join(refused.Err, undo)}
}

// refuseSet returns the error-status and error-index for an error of a test or commit.
func (e *exchange) refuseSet(err error) (mib.ErrorStatus, int) {
	refused, ok := errors.AsType[*mib.SetError](err)
	switch {
	case !ok:
		return mib.GenErr, 0
	case refused.Status == mib.UndoFailed:
		return refused.Status, 0
	}
	return refused.Status, refused.Index
}
