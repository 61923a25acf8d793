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

// set carries out a SET: all assignments or none. undoing is nil, or gets a value when a SET is undone
// that could not wait for that.
func (e *exchange) set() (v verdict, undoing <-chan error) {
	status, index, undoing := e.commitSet()
	if status == mib.NoError {
		e.r.counters.setVars.Add(uint64(len(e.pdu.Varbinds)))
	}
	return e.echo(status, index), undoing
}

// requester returns the sender of the request, which is authenticated or uses a valid community.
func (e *exchange) requester() mib.Requester {
	by := mib.Requester{Name: e.securityName, Address: e.from.String()}
	if e.secured() {
		by.Name = string(e.session.UserName)
	}
	return by
}

func (e *exchange) commitSet() (status mib.ErrorStatus, index int, undoing <-chan error) {
	set, err := e.r.tree.TestBy(e.requester(), e.pdu.Varbinds)
	if err != nil {
		status, index = e.refuseSet(err)
		e.logSet(setRefused, mib.Reason(err), index)
		return status, index, nil
	}
	begin := time.Now()
	if err := set.CommitWithin(commitWait); err != nil {
		undoing, err = awaitUndo(err, setWait-time.Since(begin))
		status, index = e.refuseSet(err)
		kind, at := setFailed, index
		if status == mib.UndoFailed {
			kind = setNotUndone
		}
		if refused, ok := errors.AsType[*mib.SetError](err); ok {
			at = refused.Index // the answer has none with undoFailed
		}
		e.logSet(kind, err, at)
		return status, index, undoing
	}
	set.Cleanup()
	return mib.NoError, 0, nil
}

// A manager sends its request again after about a second, so a SET is answered earlier, even if the
// disk hangs.
const (
	// commitWait is how long a commit may take. A later one is undone when it is done.
	commitWait = 600 * time.Millisecond
	// setWait is how long a commit may take together with its undo, if it fails; see [mib.SetError].
	setWait = 800 * time.Millisecond
)

var errUndoLate = fmt.Errorf("snmp: not undone within %s", setWait)

// awaitUndo waits until a commit that failed is undone, and returns its error: undoFailed if that
// fails, or takes longer than limit. commitFailed means that nothing has changed, so the answer has to
// wait. After limit the undo goes on, and later gets its value.
func awaitUndo(err error, limit time.Duration) (later <-chan error, failed error) {
	refused, ok := errors.AsType[*mib.SetError](err)
	if !ok || refused.Undoing == nil {
		return nil, err
	}
	timer := time.NewTimer(limit)
	defer timer.Stop()
	undo := errUndoLate
	select {
	case undo = <-refused.Undoing:
	case <-timer.C:
		later = refused.Undoing
	}
	if undo == nil {
		return nil, err
	}
	return later, &mib.SetError{Status: mib.UndoFailed, Index: refused.Index, Err: errors.Join(refused.Err, undo)}
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
