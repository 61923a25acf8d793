package wire

import "aaasess/mib"

// ParseV1 parses a PDU of SNMPv1 (RFC 1157 section 4.1) as Parse does. It rejects what only SNMPv2
// has: GetBulkRequest and the types above it, Counter64 and the exceptions. The values of a
// GetRequest or GetNextRequest count for nothing, so these may have any type, as at snmpd: some
// managers send what they got before. Of a Trap-PDU it sets only Type.
func (p *PDU) ParseV1(b []byte) error {
	if len(b) > 0 && PDUType(b[0]) == TrapV1 {
		p.Type, p.Varbinds, p.RawVarbinds = TrapV1, p.Varbinds[:0], nil
		return checkTrapV1(b)
	}
	if err := p.Parse(b); err != nil {
		return err
	}
	if !p.Type.knownV1() {
		return &syntaxError{field: "PDU", problem: "type that SNMPv1 does not have"}
	}
	for i := range p.Varbinds {
		if !p.Type.isRead() && !InV1(p.Varbinds[i].Value.Type) {
			return &syntaxError{varbind: i + 1, field: "value", problem: "type that SNMPv1 does not have"}
		}
	}
	return nil
}

// checkTrapV1 checks the fields of a Trap-PDU (RFC 1157 section 4.1.6). A command responder has no
// use for their content.
func checkTrapV1(b []byte) error {
	c := cursor{rest: b}
	c.enter(byte(TrapV1), "PDU")
	c.read(tagOID, "enterprise")
	c.read(byte(mib.IpAddress), "agent-addr")
	c.int32("generic-trap", noLimit)
	c.int32("specific-trap", noLimit)
	c.read(byte(mib.TimeTicks), "time-stamp")
	c.enter(tagSequence, "variable-bindings")
	c.rest = nil
	return c.err()
}

// knownV1 reports whether t is a PDU of RFC 1157.
func (t PDUType) knownV1() bool { return t >= GetRequest && t <= TrapV1 }

// InV1 reports whether SNMPv1 has values of this type (RFC 1155 section 3.2). It has neither
// Counter64 nor exceptions.
func InV1(t mib.Type) bool {
	switch t {
	case mib.Counter64, mib.NoSuchObject, mib.NoSuchInstance, mib.EndOfMibView:
		return false
	}
	return true
}
