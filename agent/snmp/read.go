package snmp

import (
	"aaasess/agent/snmp/vacm"
	"aaasess/agent/snmp/wire"
	"aaasess/mib"
)

// The error-status values of RFC 3416 section 3 that package mib has no use for.
const (
	tooBig             mib.ErrorStatus = 1
	authorizationError mib.ErrorStatus = 16
)

// released lets go of the state that an answer was read from.
func (e *exchange) released() {
	e.reader.Release()
	e.vb.Value.Str = ""
}

// refuseSize answers that the answer would be too big (RFC 3416 section 4.2.1).
func (e *exchange) refuseSize() verdict {
	e.frame.Reset()
	return e.finishPDU(tooBig, 0)
}

// echo answers with an error-status and the variable bindings of the request.
func (e *exchange) echo(status mib.ErrorStatus, index int) verdict {
	e.frame.Reset()
	e.frame.AppendRaw(e.pdu.RawVarbinds)
	if e.frame.Len() > e.room() {
		return e.refuseSize()
	}
	return e.finishPDU(status, index)
}

// getEach answers a GetRequest-PDU or GetNextRequest-PDU (RFC 3416 sections 4.2.1 and 4.2.2): one variable for
// each that is asked for, or none.
func (e *exchange) getEach(view *vacm.View) verdict {
	defer e.released()
	e.frame.Reset()
	room := e.room()
	for i := range e.pdu.Varbinds {
		name := e.pdu.Varbinds[i].Name
		if e.pdu.Type == wire.GetRequest {
			e.exact(view, name)
		} else if !e.next(view, name) {
			return e.echo(mib.GenErr, i+1)
		}
		if !e.appendFitting(room) {
			return e.refuseSize()
		}
	}
	return e.retrieved(len(e.pdu.Varbinds))
}

// exact puts the variable with this name into e.vb.
func (e *exchange) exact(view *vacm.View, name mib.OID) {
	e.vb.Name = append(e.vb.Name[:0], name...)
	if view.Contains(name) {
		e.reader.Get(name, &e.vb.Value)
	} else {
		e.vb.Value.Type = mib.NoSuchObject
	}
}

// retrieved answers with the variables in the frame.
func (e *exchange) retrieved(n int) verdict {
	e.r.counters.reqVars.Add(uint64(n))
	return e.finishPDU(mib.NoError, 0)
}

// maxJumps is how often a request may go on behind what its view has not. A request for thousands of
// variables through a view of hundreds of subtrees without an object would take seconds, and others wait.
const maxJumps = 10_000

// next puts the first variable behind name that the view has into e.vb. Where the view has nothing
// it jumps: a million rows that may not be seen cost as much as one. It reports false if the request
// has jumped too often.
func (e *exchange) next(view *vacm.View, name mib.OID) bool {
	e.look(view)
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

// getBulk answers a GetBulkRequest-PDU (RFC 3416 section 4.2.3). What does not fit is left out: the
// manager asks again from where it has come to. If nothing fits it is told so, or it would ask for ever.
func (e *exchange) getBulk(view *vacm.View) verdict {
	defer e.released()
	e.frame.Reset()
	room := e.room()
	single := min(int(e.pdu.NonRepeaters()), len(e.pdu.Varbinds))
	for i := range e.pdu.Varbinds[:single] {
		if !e.next(view, e.pdu.Varbinds[i].Name) {
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
			if !e.repeat(view, repeaters[i].Name, i) {
				return e.cutShort(found, single+i+1)
			}
			if !e.appendFitting(room) {
				return e.cutShort(found, 0)
			}
			found++
			e.last[i], e.vb.Name = e.vb.Name, e.last[i]
			ended = ended && e.ended[i]
		}
		if ended { // as section 4.2.3 allows
			break
		}
	}
	return e.retrieved(found)
}

// cutShort answers a GETBULK with the variables found so far, if there are any. index is the one that took
// too long, 0 if it did not fit.
func (e *exchange) cutShort(found, index int) verdict {
	switch {
	case found > 0:
		return e.retrieved(found)
	case index > 0:
		return e.echo(mib.GenErr, index)
	}
	return e.refuseSize()
}

// reset makes room for the state of n repeaters.
func (e *exchange) reset(n int) {
	for len(e.last) < n {
		e.last, e.ended = append(e.last, nil), append(e.ended, false)
	}
	for i := range n {
		e.last[i], e.ended[i] = e.last[i][:0], false
	}
}

// repeat puts the next variable of repeater i into e.vb, as next does.
func (e *exchange) repeat(view *vacm.View, first mib.OID, i int) bool {
	last := e.last[i]
	if len(last) == 0 {
		last = first
	}
	if e.ended[i] {
		e.vb.Name = append(e.vb.Name[:0], last...)
		e.vb.Value.Type = mib.EndOfMibView
		return true
	}
	ok := e.next(view, last)
	e.ended[i] = e.vb.Value.Type == mib.EndOfMibView
	return ok
}

// appendFitting appends e.vb if there is room.
func (e *exchange) appendFitting(room int) bool {
	before := e.frame.Len()
	e.frame.AppendVarbind(&e.vb)
	if e.frame.Len() <= room {
		return true
	}
	e.frame.Truncate(before)
	return false
}
