package snmp

import (
	"aaasess/agent/snmp/vacm"
	"aaasess/agent/snmp/wire"
	"aaasess/mib"
)

// The error-status values of RFC 1157 section 4.1.1 that only SNMPv1 uses.
const (
	noSuchName mib.ErrorStatus = 2
	badValue   mib.ErrorStatus = 3
	readOnly   mib.ErrorStatus = 4
)

// v1 reports whether the message is SNMPv1.
func (e *exchange) v1() bool { return e.msg.Version == wire.Version1 }

// parseCommunityPDU parses the PDU of a message of SNMPv1 or SNMPv2c.
func (e *exchange) parseCommunityPDU() error {
	if e.v1() {
		return e.pdu.ParseV1(e.msg.Data)
	}
	return e.pdu.Parse(e.msg.Data)
}

// v1Status returns the error-status of SNMPv1 for one of SNMPv2 (RFC 3584 section 4.4).
func v1Status(s mib.ErrorStatus) mib.ErrorStatus {
	switch s {
	case mib.NoError, tooBig, noSuchName, badValue:
		return s
	case mib.WrongType, mib.WrongLength, mib.WrongEncoding, mib.WrongValue, mib.InconsistentValue:
		return badValue
	case mib.NoAccess, mib.NotWritable, mib.NoCreation, mib.InconsistentName, authorizationError:
		return noSuchName
	}
	return mib.GenErr
}

// getEachV1 answers a GetRequest-PDU or GetNextRequest-PDU of SNMPv1 (RFC 1157 sections 4.1.2 and
// 4.1.3, RFC 3584 section 4.2.2). A name without a variable has priority over the size.
func (e *exchange) getEachV1(view *vacm.View) verdict {
	defer e.releaseReader()
	e.frame.Reset()
	room, fits := e.room(), true
	for i := range e.pdu.Varbinds {
		name := e.pdu.Varbinds[i].Name
		if e.pdu.Type == wire.GetRequest {
			e.getVisible(view, name)
		} else if !e.nextVisibleV1(view, name) {
			return e.echo(mib.GenErr, i+1)
		}
		if !wire.InV1(e.vb.Value.Type) {
			return e.echo(noSuchName, i+1)
		}
		fits = fits && e.appendFitting(room)
	}
	if !fits {
		return e.refuseSize()
	}
	return e.retrieved(len(e.pdu.Varbinds))
}

// nextVisibleV1 is nextVisible without the variables of type Counter64. All instances of an object
// have one type, so it skips the object at once.
func (e *exchange) nextVisibleV1(view *vacm.View, name mib.OID) bool {
	for {
		if !e.nextVisible(view, name) {
			return false
		}
		if e.vb.Value.Type != mib.Counter64 {
			return true
		}
		if e.jumps++; e.jumps > maxJumps {
			return false
		}
		e.behind = append(e.behind[:0], e.r.objects[e.reader.Object()]...)
		e.behind[len(e.behind)-1]++
		name = e.behind
	}
}

// denyAccessV1 answers a request for which the sender has no view. To SNMPv1 no variable exists
// then, and the first one is the index of noSuchName (RFC 1157 section 4.1.2).
func (e *exchange) denyAccessV1() verdict {
	return e.echo(noSuchName, min(1, len(e.pdu.Varbinds)))
}
