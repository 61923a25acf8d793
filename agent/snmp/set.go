package snmp

import (
	"errors"

	"aaasess/agent/snmp/vacm"
	"aaasess/mib"
)

// testSet begins to answer a SetRequest-PDU (RFC 3416 section 4.2.5): what needs no object. The rest
// may wait for the disk, which is not for the goroutine that all others wait for.
func (e *exchange) testSet(view *vacm.View) verdict {
	if len(e.pdu.RawVarbinds) > e.room() {
		return e.refuseSize() // before anything is done: its sender could not know
	}
	for i := range e.pdu.Varbinds {
		if !view.Contains(e.pdu.Varbinds[i].Name) {
			return e.echo(mib.NoAccess, i+1)
		}
	}
	return deferred
}

// set carries a SET out: all of it or nothing.
func (e *exchange) set() verdict {
	status, index := e.assign()
	if status == mib.NoError {
		e.r.counters.setVars.Add(uint64(len(e.pdu.Varbinds)))
	}
	return e.echo(status, index)
}

// requester is who sends the request, which was authenticated or has a community that is good.
func (e *exchange) requester() mib.Requester {
	by := mib.Requester{Name: e.securityName, Address: e.from.String()}
	if e.secured() {
		by.Name = string(e.session.UserName)
	}
	return by
}

func (e *exchange) assign() (mib.ErrorStatus, int) {
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
