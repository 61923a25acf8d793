package wire

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"aaasess/mib"
)

// trapV1 is a Trap-PDU with these fields.
func trapV1(fields ...[]byte) []byte { return tlv(byte(TrapV1), fields...) }

// trapFields returns the fields of a well-formed Trap-PDU: linkDown of 192.0.2.1.
func trapFields(t testing.TB) [][]byte {
	return [][]byte{
		tlv(tagOID, unhex(t, "2b 06 01 04 01 81 fd 59")), tlv(0x40, unhex(t, "c0 00 02 01")), integer(2), integer(0), tlv(0x43, unhex(t, "30 39")),
		tlv(tagSequence, varbind(sysUpTime0, integer(1))),
	}
}

// TestV1PDUs: SNMPv1 has four PDUs with the fields of SNMPv2, and a trap with others.
func TestV1PDUs(t *testing.T) {
	for typ := 0; typ < 256; typ++ {
		var p PDU
		if err := p.ParseV1(pduOf(SetRequest, varbind(sysUpTime0, integer(1)))); err != nil {
			t.Fatal(err)
		}
		err := p.ParseV1(tlv(byte(typ), integer(-2147483648), integer(-7), integer(2147483647), tlv(tagSequence)))
		switch {
		case slices.Contains([]int{0xa0, 0xa1, 0xa2, 0xa3}, typ):
			want := PDU{Type: PDUType(typ), RequestID: -2147483648, ErrorStatus: -7, ErrorIndex: 2147483647}
			if d := cmp.Diff(want, p, sameMeaning); d != "" || err != nil {
				t.Errorf("%s: %v (-want +got):\n%s", PDUType(typ), err, d)
			}
		case typ == 0xa4:
			checkMalformed(t, err, "enterprise: unexpected tag")
		case slices.Contains([]int{0xa5, 0xa6, 0xa7, 0xa8}, typ):
			checkMalformed(t, err, "PDU: type that SNMPv1 does not have")
		default:
			checkMalformed(t, err, "PDU: unknown PDU type")
		}
		if len(p.Varbinds) > 0 {
			t.Errorf("%#x: variable bindings of the PDU before are still there", typ)
		}
	}
}

// TestV1Values: of the values that SNMPv2 has, SNMPv1 lacks Counter64 and the exceptions. A read
// request may have them, because its values count for nothing.
func TestV1Values(t *testing.T) {
	for _, typ := range allTypes {
		missing := slices.Contains([]mib.Type{mib.Counter64, mib.NoSuchObject, mib.NoSuchInstance, mib.EndOfMibView}, typ)
		if InV1(typ) == missing {
			t.Errorf("SNMPv1 has %s: %v", typ, !missing)
		}
		for _, pdu := range []PDUType{GetRequest, GetNextRequest, Response, SetRequest} {
			var f Frame
			f.Reset()
			f.AppendVarbind(&mib.Varbind{Name: sysUpTime0, Value: mib.Value{Type: mib.Integer32}})
			f.AppendVarbind(&mib.Varbind{Name: sysUpTime0, Value: mib.Value{Type: typ, OID: sysUpTime0}})
			f.ClosePDU(pdu, 1, 0, 0)
			var p PDU
			err := p.ParseV1(f.Bytes())
			if missing && !pdu.isRead() {
				checkMalformed(t, err, "varbind 2: value: type that SNMPv1 does not have")
			} else if err != nil {
				t.Errorf("%s of %s: %v", pdu, typ, err)
			}
		}
	}
}

func TestV1Trap(t *testing.T) {
	good := trapV1(trapFields(t)...)
	p := PDU{Varbinds: make([]mib.Varbind, 3), RawVarbinds: good}
	if err := p.ParseV1(good); err != nil || p.Type != TrapV1 || len(p.Varbinds) > 0 || p.RawVarbinds != nil {
		t.Errorf("%v, %v with %d variables", err, p.Type, len(p.Varbinds))
	}
	names := []string{"enterprise", "agent-addr", "generic-trap", "specific-trap", "time-stamp", "variable-bindings"}
	for i, name := range names {
		fields := trapFields(t)
		checkMalformed(t, p.ParseV1(trapV1(fields[:i]...)), name+": truncated header")
		fields[i] = text("another")
		checkMalformed(t, p.ParseV1(trapV1(fields...)), name+": unexpected tag")
	}
	checkMalformed(t, p.ParseV1(trapV1(append(trapFields(t), integer(0))...)), "variable-bindings: trailing octets")
	checkMalformed(t, p.ParseV1(append(good, 0)), "PDU: trailing octets")
	cutEach(t, good, p.ParseV1)
}
