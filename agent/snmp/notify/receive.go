package notify

import (
	"bytes"
	"fmt"
	"time"

	"aaasess/agent/snmp/wire"
	"aaasess/mib"
)

// The usmStats counters that a receiver reports (RFC 3414 section 5).
var usmStats = mib.MustOID("1.3.6.1.6.3.15.1.1")

const (
	statNotInTimeWindows = 2
	statUnknownEngineIDs = 4
)

var statNames = [...]string{
	1: "usmStatsUnsupportedSecLevels", 2: "usmStatsNotInTimeWindows", 3: "usmStatsUnknownUserNames",
	4: "usmStatsUnknownEngineIDs", 5: "usmStatsWrongDigests", 6: "usmStatsDecryptionErrors",
}

// receive processes a datagram from the receiver's address, and modifies it. If it is no answer to
// one of our messages, or does not have the security of that message, it is ignored and counted.
func (m *machine) receive(b []byte, now time.Time) {
	if err := m.msg.Parse(b); err != nil || m.msg.Version != m.receiver.Version {
		m.counts.ignored++
		return
	}
	used := false
	if m.remote == nil {
		used = m.receiveCommunity(now)
	} else {
		used = m.receiveUSM(b, now)
	}
	if !used {
		m.counts.ignored++
	}
}

func (m *machine) receiveCommunity(now time.Time) (used bool) {
	if Community(m.msg.Community) != m.receiver.Community || m.pdu.Parse(m.msg.Data) != nil || m.pdu.Type != wire.Response {
		return false
	}
	in := m.byRequestID(m.pdu.RequestID)
	if in == nil || !in.everSent {
		return false
	}
	m.settle(in, now)
	return true
}

// receiveUSM processes a message of v3 (RFC 3412 section 7.2, RFC 3414 section 3.2).
func (m *machine) receiveUSM(b []byte, now time.Time) (used bool) {
	if m.msg.Model != wire.ModelUSM || m.params.Parse(m.msg.SecurityParameters) != nil {
		return false
	}
	in := m.byMsgID(m.msg.ID)
	toProbe := in == nil && m.probe.matches(m.msg.ID)
	if in == nil && !toProbe {
		return false
	}
	level, scoped := m.open(b, in, now)
	if level == 0 || !m.parse(scoped, level) {
		return false
	}
	switch {
	case m.pdu.Type == wire.Report && toProbe:
		return m.adopt(m.params.EngineID) // if it fails, the discovery goes on
	case m.pdu.Type == wire.Report:
		return m.report(in, level)
	case m.pdu.Type == wire.Response && in != nil:
		return m.respond(in, level, now)
	}
	return false
}

// open verifies and decrypts a message. It returns the verified security level, or 0 if the message
// must be ignored, and the scopedPDU.
func (m *machine) open(b []byte, in *inform, now time.Time) (wire.SecurityLevel, []byte) {
	switch m.msg.Flags & (wire.FlagAuth | wire.FlagPriv) {
	case 0:
		return wire.NoAuthNoPriv, m.msg.Data
	case wire.FlagPriv:
		return 0, nil // RFC 3412 section 7.2 step 5d
	}
	r, p := m.remote, &m.params
	if in == nil || r.id == nil || !bytes.Equal(p.EngineID, r.id) || string(p.UserName) != m.receiver.User.Name {
		return 0, nil
	}
	if !r.keys.Verify(b, p.AuthenticationParameters) {
		in.hint = "an answer had a wrong digest"
		return 0, nil
	}
	if !r.synchronise(p.Boots, p.Time, now) {
		in.hint = "an answer was not in the time window"
		return 0, nil
	}
	r.maxSize = m.msg.MaxSize
	if m.msg.Flags&wire.FlagPriv == 0 {
		return wire.AuthNoPriv, m.msg.Data
	}
	if err := r.keys.Decrypt(m.msg.Data, p.Boots, p.Time, p.PrivacyParameters); err != nil {
		return 0, nil
	}
	return wire.AuthPriv, m.msg.Data
}

func (m *machine) parse(scoped []byte, level wire.SecurityLevel) bool {
	return m.scoped.Parse(scoped, level == wire.AuthPriv) == nil && m.pdu.Parse(m.scoped.PDU) == nil
}

// adopt continues with another engine.
func (m *machine) adopt(id []byte) bool {
	if err := m.remote.adopt(id); err != nil {
		m.err = err
		return false
	}
	m.probe = probe{}
	for _, in := range m.pending {
		m.repeat(in)
	}
	return true
}

// report processes a Report about an inform. It settles nothing, because anyone can send one.
func (m *machine) report(in *inform, level wire.SecurityLevel) bool {
	stat := 0
	if len(m.pdu.Varbinds) > 0 {
		if name := m.pdu.Varbinds[0].Name; len(name) == len(usmStats)+2 && name.HasPrefix(usmStats) {
			stat = int(min(name[len(usmStats)], uint32(len(statNames)))) // above the last one: unknown
		}
	}
	if stat > 0 && stat < len(statNames) {
		in.hint = "the receiver reported " + statNames[stat]
	} else if len(m.pdu.Varbinds) > 0 {
		in.hint = fmt.Sprintf("the receiver reported %s", m.pdu.Varbinds[0].Name)
	}
	switch {
	case stat == statNotInTimeWindows && level >= wire.AuthNoPriv:
		m.repeat(in) // with the clock that open has read from this report
	case stat == statUnknownEngineIDs && level == wire.NoAuthNoPriv && !bytes.Equal(m.params.EngineID, m.remote.id):
		return m.adopt(m.params.EngineID)
	}
	return true
}

// respond processes a Response, which must have the security level of its inform (RFC 3412 section
// 7.2 step 12).
func (m *machine) respond(in *inform, level wire.SecurityLevel, now time.Time) bool {
	switch {
	case m.remote.id == nil, level != m.receiver.User.Level(), m.pdu.RequestID != in.requestID,
		!bytes.Equal(m.params.EngineID, m.remote.id), string(m.params.UserName) != m.receiver.User.Name,
		!bytes.Equal(m.scoped.ContextEngineID, m.encoder.context), len(m.scoped.ContextName) > 0:
		return false
	}
	if level == wire.NoAuthNoPriv {
		m.remote.lastAuthentic, m.remote.maxSize = now, m.msg.MaxSize
	}
	m.settle(in, now)
	return true
}

// settle ends an inform with the response in m.pdu.
func (m *machine) settle(in *inform, now time.Time) {
	m.remove(in)
	if m.pdu.ErrorStatus == 0 {
		m.counts.acknowledged++
		in.note.end(nil, now)
		return
	}
	m.counts.refused++
	m.err = &RefusedError{Status: m.pdu.ErrorStatus}
	in.note.end(m.err, now)
}
