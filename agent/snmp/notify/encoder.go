package notify

import (
	"aaasess/agent/snmp/usm"
	"aaasess/agent/snmp/wire"
)

// maxDigest is the longest msgAuthenticationParameters, that of HMAC-384-SHA-512 (RFC 7860 section
// 4).
const maxDigest = 48

var zeros [maxDigest]byte // placeholder for a digest during its computation

// encoder builds the messages for one target. It belongs to one goroutine. Each result is valid
// until the next call.
type encoder struct {
	frame   wire.Frame
	maxSize int32  // msgMaxSize: the largest message that we send or accept
	context []byte // contextEngineID: always our own engine's
}

// authority is the authoritative engine of a v3 message, with the user's keys there (RFC 3414
// section 1.5.1).
type authority struct {
	engineID    []byte
	boots, time int32
	user        string
	level       wire.SecurityLevel
	keys        *usm.Keys // may be nil at noAuthNoPriv
}

func (e *encoder) community(t wire.PDUType, community Community, requestID int32, varbinds []byte) []byte {
	e.pdu(t, requestID, varbinds)
	e.frame.CloseCommunity(wire.Version2c, []byte(community))
	return e.frame.Bytes()
}

// usm builds a message of v3 (RFC 3414 section 3.1).
func (e *encoder) usm(t wire.PDUType, a *authority, msgID, requestID int32, varbinds []byte) []byte {
	e.pdu(t, requestID, varbinds)
	e.frame.CloseScoped(e.context, nil)
	h := wire.HeaderV3{ID: msgID, MaxSize: e.maxSize, Model: wire.ModelUSM}
	p := wire.SecurityParameters{EngineID: a.engineID, Boots: a.boots, Time: a.time, UserName: []byte(a.user)}
	if t != wire.SNMPv2Trap {
		h.Flags |= wire.FlagReportable // the PDU is in the confirmed class
	}
	var salt [8]byte
	if a.level == wire.AuthPriv {
		if a.keys.Priv() == usm.DES {
			e.frame.Pad(-e.frame.Len() & 7)
		}
		a.keys.Encrypt(e.frame.Bytes(), a.boots, a.time, &salt)
		e.frame.CloseOctets()
		h.Flags |= wire.FlagPriv
		p.PrivacyParameters = salt[:]
	}
	if a.level >= wire.AuthNoPriv {
		h.Flags |= wire.FlagAuth
		p.AuthenticationParameters = zeros[:a.keys.Auth().TruncatedLen()]
	}
	digest := e.frame.CloseV3(&h, &p)
	if len(digest) > 0 {
		a.keys.Digest(digest, e.frame.Bytes())
	}
	return e.frame.Bytes()
}

func (e *encoder) pdu(t wire.PDUType, requestID int32, varbinds []byte) {
	e.frame.Reset()
	e.frame.AppendRaw(varbinds)
	e.frame.ClosePDU(t, requestID, 0, 0)
}

// Upper bounds of the headers of a message in octets, without names and ids. Lengths up to 65535
// need at most 3 octets after the tag, integers at most 4.
const (
	overheadPDU       = 4 + 6 + 3 + 3 + 4             // PDU, request-id, error-status, error-index, VarBindList
	overheadCommunity = 4 + 3 + 4                     // message, version, community
	overheadScoped    = 4 + 2 + 2                     // scopedPDU, contextEngineID, contextName
	overheadUSM       = 4 + 3 + (2 + 6 + 6 + 3 + 3) + // message, version, msgGlobalData
		4 + 4 + 2 + 6 + 6 + 2 + 2 + 2 // msgSecurityParameters, its SEQUENCE and fields
	overheadPrivacy = 4 + 7 + 8 // encryptedPDU, padding, salt
)

// size returns a close upper bound for the size of a message to r with that many octets of variable
// bindings. context is the length of our engine id.
func (r *receiver) size(varbinds, context int) int {
	n := overheadPDU + varbinds
	if r.Version == wire.Version2c {
		return n + overheadCommunity + len(r.Community)
	}
	n += overheadScoped + context + overheadUSM + len(r.User.Name)
	if r.Inform {
		n += maxEngineID
	} else {
		n += context
	}
	if r.User.Level() >= wire.AuthNoPriv {
		n += r.User.Auth.TruncatedLen()
	}
	if r.User.Level() == wire.AuthPriv {
		n += overheadPrivacy
	}
	return n
}
