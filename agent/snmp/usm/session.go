package usm

import (
	"bytes"
	"fmt"

	"aaasess/agent/snmp/wire"
)

// Session is what one worker needs to take one message and to answer it, used again for the next. The
// zero value is ready. It belongs to one goroutine.
type Session struct {
	// UserName is the security name: that in the message, whoever sent it. It is not part of the message.
	UserName []byte
	// Level is the security level of the message; if Incoming accepted it, that at which it was accepted.
	Level wire.SecurityLevel
	// Params are those of the message, parts of it.
	Params wire.SecurityParameters

	keys    *Keys    // of the user whom the message is proved to come from, else nil
	scratch *scratch // of the user last dealt with
	engine  int      // octets of the engine's id
	failure Failure
	out     wire.SecurityParameters
	header  wire.HeaderV3
	salt    [saltLen]byte
}

// use gives the scratch for keys. As long as they are those of the message before, which in a walk they
// are, that is the one that is there.
func (s *Session) use(k *Keys) *scratch {
	if s.scratch != nil && s.scratch.keys == k {
		return s.scratch
	}
	if s.scratch != nil {
		s.scratch.giveBack()
	}
	s.scratch = k.borrow()
	return s.scratch
}

// zeros stand for a digest until it is known.
var zeros [maxDigest]byte

// Incoming is what the authoritative engine does with a message that came in (RFC 3414 section 3.2).
// whole are all octets of the message and m is what they parse to; they are written to: the scopedPDU is
// decrypted in place, and not before the digest and the time were found right.
//
// scoped is the plaintext scopedPDU, which DES leaves padded. The error is a [*Failure], to be reported,
// or wraps [wire.ErrMalformed].
func (u *USM) Incoming(whole []byte, m *wire.Message, s *Session) (scoped []byte, err error) {
	s.UserName, s.Level, s.keys, s.engine = s.UserName[:0], wire.NoAuthNoPriv, nil, len(u.engine.id)
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
	case wire.FlagPriv: // the caller should have counted it in snmpInvalidMsgs (RFC 3412 section 7.2 step 5d)
		return nil, fmt.Errorf("usm: privacy without authentication: %w", wire.ErrMalformed)
	}
	// Step 3. An empty id asks for ours.
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
	if !s.use(user.keys).verify(whole, s.Params.AuthenticationParameters) {
		return nil, u.fail(s, wrongDigests, wire.NoAuthNoPriv)
	}
	s.keys = user.keys
	// Step 7a.
	if boots, time := u.engine.BootsTime(); !inTimeWindow(&s.Params, boots, time) {
		return nil, u.fail(s, notInTimeWindows, wire.AuthNoPriv)
	}
	// Step 8. Octets that were encrypted with another key count here too: whoever configured a wrong
	// password is told so, where RFC 3412 section 7.2 step 7 would drop a scopedPDU that is none. The report
	// is signed, as the keys for that are right: there are managers that believe no other.
	if s.Level == wire.AuthNoPriv {
		return m.Data, nil
	}
	err = s.scratch.decrypt(m.Data, s.Params.Boots, s.Params.Time, s.Params.PrivacyParameters)
	var plain wire.ScopedPDU
	if err != nil || plain.Parse(m.Data, user.keys.Priv() == DES) != nil {
		return nil, u.fail(s, decryptionErrors, wire.AuthNoPriv)
	}
	return m.Data, nil
}

// inTimeWindow is RFC 3414 section 3.2 step 7a.
func inTimeWindow(p *wire.SecurityParameters, boots, time int32) bool {
	late := int64(time) - int64(p.Time)
	return boots != MaxBoots && p.Boots == boots && late <= TimeWindow && late >= -TimeWindow
}

// Outgoing makes a message of the scopedPDU in f, the answer to what s last took in: it encrypts, puts
// the headers in front, and signs (RFC 3414 section 3.1). level is that of the session for a Response,
// that of the [Failure] for a Report. Of h only ID, MaxSize and FlagReportable are used. It is an error
// to ask for a level for which the session has no keys: whoever sent the message has not proved to have
// them.
func (u *USM) Outgoing(f *wire.Frame, s *Session, level wire.SecurityLevel, h *wire.HeaderV3) error {
	if level > wire.NoAuthNoPriv && (s.keys == nil || level > levelOf(s.keys.auth, s.keys.priv)) {
		return fmt.Errorf("usm: no keys for an answer at %s", level)
	}
	boots, time := u.engine.BootsTime()
	s.out = wire.SecurityParameters{EngineID: u.engine.id, Boots: boots, Time: time, UserName: s.UserName}
	s.header = wire.HeaderV3{ID: h.ID, MaxSize: h.MaxSize, Flags: h.Flags & wire.FlagReportable, Model: wire.ModelUSM}
	if level == wire.AuthPriv {
		s.header.Flags |= wire.FlagPriv
		if s.keys.priv == DES {
			f.Pad(-len(f.Bytes()) & 7)
		}
		s.use(s.keys).encrypt(f.Bytes(), boots, time, &s.salt)
		s.out.PrivacyParameters = s.salt[:]
		f.CloseOctets()
	}
	if level >= wire.AuthNoPriv {
		s.header.Flags |= wire.FlagAuth
		s.out.AuthenticationParameters = zeros[:s.keys.auth.TruncatedLen()]
	}
	auth := f.CloseV3(&s.header, &s.out)
	if level >= wire.AuthNoPriv {
		s.use(s.keys).sign(auth, f.Bytes())
	}
	return nil
}

// Overhead is an upper bound of the octets that Outgoing and [wire.Frame.CloseScoped] put around a PDU
// when they answer the message at its level, in the engine's own context and a context name of no octets.
// It holds for messages of less than 65,536 octets.
func (s *Session) Overhead() int {
	const (
		header   = 4 // tag and length of what may be long
		short    = 2 // tag and length of what has less than 128 octets
		middling = 3 // tag and length of what has less than 256 octets
		number   = short + 4
		global   = header + 3 + short + number + number + 3 + 3 // message, msgVersion, msgGlobalData
		security = middling + middling + number + number
	)
	n := global + security + short + s.engine + short + len(s.UserName) + short + short
	n += header + short + s.engine + short // scopedPDU
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
