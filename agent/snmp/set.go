package snmp

import (
	"errors"

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
			e.logSetRefused(mib.NoAccess, i+1)
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
	} else {
		e.logSetRefused(status, index)
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
	if err == nil {
		err = set.Commit()
	}
	if err != nil {
		refused, ok := errors.AsType[*mib.SetError](err)
		switch {
		case !ok:
			return mib.GenErr, 0
		case refused.Status == mib.UndoFailed:
			return refused.Status, 0
		}
		return refused.Status, refused.Index
	}
	set.Cleanup()
	return mib.NoError, 0
}
