package usm

import (
	"bytes"
	"fmt"

	"aaasess/agent/snmp/wire"
)

// Session is the state that a worker needs to receive one message and to answer it. It is reused
// for the next message. The zero value is ready. A Session belongs to one goroutine.
type Session struct {
	// UserName is the security name in the message, authenticated or not. It is a copy.
	UserName []byte
	// Level is the security level of the message. After a successful Incoming the message has been
	// verified at this level.
	Level wire.SecurityLevel
	// Params are the security parameters of the message; they refer to its octets.
	Params wire.SecurityParameters

	keys    *Keys    // of the authenticated user, else nil
	scratch *scratch // of the last user
	engine  []byte   // the engine's id
	// boots and time are those of the engine when the message came in. The answer has them too:
	// with a later time it could be larger than Size has said.
	boots, time int32
	failure     Failure
	out         wire.SecurityParameters
	header      wire.HeaderV3
	salt        [saltLen]byte
}

// scratchFor returns the scratch for keys. It reuses the current one while the keys are those of
// the previous message, as in a walk.
func (s *Session) scratchFor(k *Keys) *scratch {
	if s.scratch != nil && s.scratch.keys == k {
		return s.scratch
	}
	if s.scratch != nil {
		s.scratch.release()
	}
	s.scratch = k.borrow()
	return s.scratch
}

// zeros reserve the place of a digest.
var zeros [maxDigest]byte

// Incoming checks a received message as the authoritative engine (RFC 3414 section 3.2). whole are
// all octets of the message and m is the parsed message. Incoming modifies whole: it decrypts the
// scopedPDU in place, but only after digest and time were right.
//
// scoped is the plaintext scopedPDU. In an encrypted message padding may follow it, whatever the
// cipher: AES needs none (RFC 3826 section 3.1.1.2), but pysnmp 4 fills up the last block all the
// same. The error is a [*Failure] that the caller reports, or wraps [wire.ErrMalformed].
func (u *USM) Incoming(whole []byte, m *wire.Message, s *Session) (scoped []byte, err error) {
	s.UserName, s.Level, s.keys, s.engine = s.UserName[:0], wire.NoAuthNoPriv, nil, u.engine.id
	s.boots, s.time = u.engine.BootsTime()
	// Steps 1 and 2.
	if err := s.Params.Parse(m.SecurityParameters); err != nil {
		return nil, err
	}
	s.UserName = append(s.UserName, s.Params.UserName...)
	switch m.Flags & (wire.FlagAuth | wire.FlagPriv) {
	case wire.FlagAuth:
		s.Level = wire.AuthNoPriv
	case wire.FlagAuth | wire.FlagPriv:
		s.Level = wire.AuthPriv
	case wire.FlagPriv: // callers count this in snmpInvalidMsgs (RFC 3412 section 7.2 step 5d)
		return nil, fmt.Errorf("usm: privacy without authentication: %w", wire.ErrMalformed)
	}
	// Step 3. An empty id is a discovery request.
	if !bytes.Equal(s.Params.EngineID, u.engine.id) {
		return nil, u.fail(s, unknownEngineIDs, wire.NoAuthNoPriv)
	}
	// Steps 4 and 5.
	user := u.users.Load().byName[string(s.Params.UserName)]
	if user == nil {
		return nil, u.fail(s, unknownUserNames, wire.NoAuthNoPriv)
	}
	if s.Level > user.Level() {
		return nil, u.fail(s, unsupportedSecLevels, wire.NoAuthNoPriv)
	}
	if s.Level == wire.NoAuthNoPriv {
		return m.Data, nil
	}
	// Step 6.
	if !s.scratchFor(user.keys).verify(whole, s.Params.AuthenticationParameters) {
		return nil, u.fail(s, wrongDigests, wire.NoAuthNoPriv)
	}
	s.keys = user.keys
	// Step 7a.
	if !inTimeWindow(&s.Params, s.boots, s.time) {
		return nil, u.fail(s, notInTimeWindows, wire.AuthNoPriv)
	}
	// Step 8. Octets that were encrypted with another key count as a decryption error too, so the
	// report tells an operator of a wrong password; RFC 3412 section 7.2 step 7 would drop a
	// scopedPDU that cannot be parsed. The report is authenticated, because the authentication key
	// is right and some managers ignore other reports.
	if s.Level == wire.AuthNoPriv {
		return m.Data, nil
	}
	err = s.scratch.decrypt(m.Data, s.Params.Boots, s.Params.Time, s.Params.PrivacyParameters)
	var plain wire.ScopedPDU
	if err != nil || plain.Parse(m.Data, true) != nil {
		return nil, u.fail(s, decryptionErrors, wire.AuthNoPriv)
	}
	return m.Data, nil
}

// inTimeWindow implements RFC 3414 section 3.2 step 7a.
func inTimeWindow(p *wire.SecurityParameters, boots, time int32) bool {
	late := int64(time) - int64(p.Time)
	return boots != MaxBoots && p.Boots == boots && late <= TimeWindow && late >= -TimeWindow
}

// Outgoing builds a message from the scopedPDU in f, as the answer to the last message of s: it
// encrypts, prepends the headers and authenticates (RFC 3414 section 3.1). level is that of the
// session for a Response, that of the [Failure] for a Report. Of h only ID, MaxSize and
// FlagReportable are used. A level for which the session has no keys is an error: the sender has
// not proved that it has them.
func (u *USM) Outgoing(f *wire.Frame, s *Session, level wire.SecurityLevel, h *wire.HeaderV3) error {
	if level > wire.NoAuthNoPriv && (s.keys == nil || level > levelOf(s.keys.auth, s.keys.priv)) {
		return fmt.Errorf("usm: no keys for an answer at %s", level)
	}
	s.setHeaders(level, h)
	if level == wire.AuthPriv {
		if s.keys.priv == DES {
			f.Pad(paddingDES(f.Len()))
		}
		s.scratchFor(s.keys).encrypt(f.Bytes(), s.boots, s.time, &s.salt)
		f.CloseOctets()
	}
	auth := f.CloseV3(&s.header, &s.out)
	if level >= wire.AuthNoPriv {
		s.scratchFor(s.keys).sign(auth, f.Bytes())
	}
	return nil
}

// setHeaders sets the header and the security parameters of an answer. They have their final sizes,
// but not yet the digest and the salt.
func (s *Session) setHeaders(level wire.SecurityLevel, h *wire.HeaderV3) {
	s.out = wire.SecurityParameters{EngineID: s.engine, Boots: s.boots, Time: s.time, UserName: s.UserName}
	s.header = wire.HeaderV3{ID: h.ID, MaxSize: h.MaxSize, Flags: h.Flags & wire.FlagReportable, Model: wire.ModelUSM}
	if level >= wire.AuthNoPriv {
		s.header.Flags |= wire.FlagAuth
		s.out.AuthenticationParameters = zeros[:s.keys.auth.TruncatedLen()]
	}
	if level == wire.AuthPriv {
		s.header.Flags |= wire.FlagPriv
		s.out.PrivacyParameters = s.salt[:]
	}
}

// paddingDES returns how many octets fill up the last block of DES behind n octets.
func paddingDES(n int) int { return -n & 7 }

// Size returns the octets of the message that [wire.Frame.CloseScoped], in the engine's own context
// with an empty context name, and Outgoing make of a PDU of that size. It is for the answer to the
// last message, which Incoming has accepted, at its level and with the same h.
func (s *Session) Size(pdu int, h *wire.HeaderV3) int {
	s.setHeaders(s.Level, h)
	data := wire.ScopedSize(pdu, len(s.engine), 0)
	if s.Level == wire.AuthPriv {
		if s.keys.priv == DES {
			data += paddingDES(data)
		}
		data = wire.OctetsSize(data)
	}
	return wire.V3Size(data, &s.header, &s.out)
}

// Overhead is an upper bound of the octets that Size adds to a PDU: it costs less. It is valid for
// messages below 65,536 octets.
func (s *Session) Overhead() int {
	const (
		header   = 4 // tag and length of any content
		short    = 2 // tag and length of a content below 128 octets
		middling = 3 // tag and length of a content below 256 octets
		number   = short + 4
		global   = header + 3 + short + number + number + 3 + 3 // message, msgVersion, msgGlobalData
		security = middling + middling + number + number
	)
	n := global + security + short + len(s.engine) + short + len(s.UserName) + short + short
	n += header + short + len(s.engine) + short // scopedPDU
	if s.keys != nil {
		n += s.keys.auth.TruncatedLen()
		if s.keys.priv != NoPriv {
			n += header + saltLen
		}
		if s.keys.priv == DES {
			n += 7
		}
	}
	return n
}
