package snmp

import (
	"aaasess/agent/snmp/vacm"
	"aaasess/agent/snmp/wire"
	"aaasess/mib"
)

// The error-status values of RFC 3416 section 3 that package mib does not use.
const (
	tooBig             mib.ErrorStatus = 1
	authorizationError mib.ErrorStatus = 16
)

// releaseReader releases the state that the answer was read from.
func (e *exchange) releaseReader() {
	e.reader.Release()
	e.vb.Value.Str = ""
}

// refuseSize answers with tooBig and no variable bindings (RFC 3416 section 4.2.1), or in SNMPv1
// with those of the request (RFC 1157 section 4.1.2). If these do not fit either, there is no
// answer.
func (e *exchange) refuseSize() verdict {
	e.frame.Reset()
	if e.v1() {
		e.frame.AppendRaw(e.pdu.RawVarbinds)
	}
	return e.finishPDU(tooBig, 0)
}

// echo answers with an error-status and the variable bindings of the request.
func (e *exchange) echo(status mib.ErrorStatus, index int) verdict {
	e.frame.Reset()
	e.frame.AppendRaw(e.pdu.RawVarbinds)
	if !e.fits(e.frame.Len(), status, index) {
		return e.refuseSize()
	}
	return e.finishPDU(status, index)
}

// getEach answers a GetRequest-PDU or GetNextRequest-PDU (RFC 3416 sections 4.2.1 and 4.2.2), with
// one variable for each requested name, or with an error.
func (e *exchange) getEach(view *vacm.View) verdict {
	defer e.releaseReader()
	e.frame.Reset()
	room := e.room()
	for i := range e.pdu.Varbinds {
		name := e.pdu.Varbinds[i].Name
		if e.pdu.Type == wire.GetRequest {
			e.getVisible(view, name)
		} else if !e.nextVisible(view, name) {
			return e.echo(mib.GenErr, i+1)
		}
		if !e.appendFitting(room) {
			return e.refuseSize()
		}
	}
	return e.retrieved(len(e.pdu.Varbinds))
}

// getVisible reads the variable with this name into e.vb, or noSuchObject if it is outside the
// view.
func (e *exchange) getVisible(view *vacm.View, name mib.OID) {
	e.vb.Name = append(e.vb.Name[:0], name...)
	if view.Contains(name) {
		e.reader.Get(name, &e.vb.Value)
	} else {
		e.vb.Value.Type = mib.NoSuchObject
	}
}

// retrieved answers with the n variables in the frame.
func (e *exchange) retrieved(n int) verdict {
	e.r.counters.reqVars.Add(uint64(n))
	return e.finishPDU(mib.NoError, 0)
}

// maxJumps is how many ranges outside its view a request may skip. Without this limit, a request
// for thousands of variables through a view of hundreds of subtrees without objects would take
// seconds and delay all others.
const maxJumps = 10_000

// nextVisible reads the first variable behind name that is in the view into e.vb. It skips each
// range outside the view at once: a million hidden rows cost as much as one. It returns false if
// the request has made too many such jumps.
func (e *exchange) nextVisible(view *vacm.View, name mib.OID) bool {
	e.setView(view)
	e.reader.Next(name, false, nil, &e.vb)
	for e.vb.Value.Type != mib.EndOfMibView && !e.covered[e.reader.Object()] && !view.Contains(e.vb.Name) {
		var more bool
		if e.start, more = view.After(e.vb.Name, e.start); !more {
			e.vb.Value.Type = mib.EndOfMibView
			break
		}
		if e.jumps++; e.jumps > maxJumps {
			return false
		}
		e.reader.Next(e.start, true, nil, &e.vb)
	}
	if e.vb.Value.Type == mib.EndOfMibView {
		e.vb.Name = append(e.vb.Name[:0], name...)
	}
	return true
}

// getBulk answers a GetBulkRequest-PDU (RFC 3416 section 4.2.3). It omits variables that do not
// fit; the manager continues from the last one. If none fits, it answers tooBig, because otherwise
// the manager would repeat the request forever.
func (e *exchange) getBulk(view *vacm.View) verdict {
	defer e.releaseReader()
	e.frame.Reset()
	room := e.room()
	single := min(int(e.pdu.NonRepeaters()), len(e.pdu.Varbinds))
	for i := range e.pdu.Varbinds[:single] {
		if !e.nextVisible(view, e.pdu.Varbinds[i].Name) {
			return e.cutShort(i, i+1)
		}
		if !e.appendFitting(room) {
			return e.cutShort(i, 0)
		}
	}
	repeaters := e.pdu.Varbinds[single:]
	e.reset(len(repeaters))
	found := single
	for n := e.pdu.MaxRepetitions(); n > 0 && len(repeaters) > 0; n-- {
		ended := true
		for i := range repeaters {
			if !e.nextOfRepeater(view, repeaters[i].Name, i) {
				return e.cutShort(found, single+i+1)
			}
			if !e.appendFitting(room) {
				return e.cutShort(found, 0)
			}
			found++
			e.last[i], e.vb.Name = e.vb.Name, e.last[i]
			ended = ended && e.ended[i]
		}
		if ended { // section 4.2.3 allows this
			break
		}
	}
	return e.retrieved(found)
}

// cutShort ends a GETBULK early. It answers with the variables found so far, if there are any.
// index is the variable that exceeded maxJumps, or 0 if a variable did not fit.
func (e *exchange) cutShort(found, index int) verdict {
	switch {
	case found > 0:
		return e.retrieved(found)
	case index > 0:
		return e.echo(mib.GenErr, index)
	}
	return e.refuseSize()
}

// reset prepares the state of n repeaters.
func (e *exchange) reset(n int) {
	for len(e.last) < n {
		e.last, e.ended = append(e.last, nil), append(e.ended, false)
	}
	for i := range n {
		e.last[i], e.ended[i] = e.last[i][:0], false
	}
}

// nextOfRepeater reads the next variable of repeater i into e.vb, as nextVisible does.
func (e *exchange) nextOfRepeater(view *vacm.View, first mib.OID, i int) bool {
	last := e.last[i]
	if len(last) == 0 {
		last = first
	}
	if e.ended[i] {
		e.vb.Name = append(e.vb.Name[:0], last...)
		e.vb.Value.Type = mib.EndOfMibView
		return true
	}
	ok := e.nextVisible(view, last)
	e.ended[i] = e.vb.Value.Type == mib.EndOfMibView
	return ok
}

// appendFitting appends e.vb if it fits. room is what e.room has returned: most variables need no
// exact size.
func (e *exchange) appendFitting(room int) bool {
	before := e.frame.Len()
	e.frame.AppendVarbind(&e.vb)
	if e.frame.Len() <= room || e.size(e.frame.Len(), mib.NoError, 0) <= e.maxSize() {
		return true
	}
	e.frame.Truncate(before)
	return false
}
