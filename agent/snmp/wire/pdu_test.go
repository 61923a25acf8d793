package wire

import (
	"bytes"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"aaasess/mib"
)

// pduOf encodes a PDU with this content of its VarBindList.
func pduOf(t PDUType, varbinds ...[]byte) []byte {
	return tlv(byte(t), integer(1), integer(0), integer(0), tlv(tagSequence, varbinds...))
}

func varbind(name mib.OID, value []byte) []byte {
	return tlv(tagSequence, tlv(tagOID, appendOID(nil, name)), value)
}

var sysUpTime0 = mib.MustOID("1.3.6.1.2.1.1.3.0")

// TestPDUFields parses the three numbers in all types of PDU.
func TestPDUFields(t *testing.T) {
	for typ := 0; typ < 256; typ++ {
		b := tlv(byte(typ), integer(-2147483648), integer(-7), integer(2147483647), tlv(tagSequence))
		var p PDU
		if err := p.Parse(pduOf(SetRequest, varbind(sysUpTime0, integer(1)))); err != nil {
			t.Fatal(err)
		}
		err := p.Parse(b)
		if !slices.Contains([]int{0xa0, 0xa1, 0xa2, 0xa3, 0xa5, 0xa6, 0xa7, 0xa8}, typ) {
			checkMalformed(t, err, "PDU: unknown PDU type")
			if len(p.Varbinds) > 0 || p.RawVarbinds != nil {
				t.Errorf("%#x: variable bindings of the PDU before are still there", typ)
			}
			continue
		}
		want := PDU{Type: PDUType(typ), RequestID: -2147483648, ErrorStatus: -7, ErrorIndex: 2147483647}
		if d := cmp.Diff(want, p, sameMeaning); d != "" || err != nil {
			t.Errorf("%s: %v (-want +got):\n%s", PDUType(typ), err, d)
		}
	}
}

// TestBulkNumbers: negative numbers count as 0, and 2^31-1 is valid (RFC 3416 section 4.2.3).
func TestBulkNumbers(t *testing.T) {
	for _, c := range []struct{ sent, want int32 }{{0, 0}, {50, 50}, {-1, 0}, {-1 << 31, 0}, {1<<31 - 1, 1<<31 - 1}} {
		var p PDU
		if err := p.Parse(tlv(byte(GetBulkRequest), integer(1), integer(int64(c.sent)), integer(int64(c.sent)), tlv(tagSequence))); err != nil {
			t.Fatal(err)
		}
		if p.NonRepeaters() != c.want || p.MaxRepetitions() != c.want {
			t.Errorf("%d: non-repeaters %d, max-repetitions %d, want %d", c.sent, p.NonRepeaters(), p.MaxRepetitions(), c.want)
		}
	}
}

func TestPDUMalformed(t *testing.T) {
	null := tlv(5)
	good := varbind(sysUpTime0, null)
	for _, c := range []struct {
		name string
		b    []byte
		want string
	}{
		{"nothing", nil, "PDU: unknown PDU type"},
		{"the Trap-PDU of SNMPv1", tlv(0xa4, tlv(tagOID, []byte{0x2b})), "PDU: unknown PDU type"},
		{"a SEQUENCE", tlv(tagSequence), "PDU: unknown PDU type"},
		{"octets behind it", append(pduOf(GetRequest, good), 0), "PDU: trailing octets"},
		{"no fields", tlv(0xa0), "request-id: truncated header"},
		{"request-id of 5 octets", tlv(0xa0, unhex(t, "02 05 ff fb 6a 65 17")), "request-id: integer of more than 32 bits"},
		{"request-id an OCTET STRING", tlv(0xa0, text("1")), "request-id: unexpected tag"},
		{"no error-status", tlv(0xa0, integer(1)), "error-status: truncated header"},
		{"error-index a NULL", tlv(0xa0, integer(1), integer(0), null), "error-index: unexpected tag"},
		{"non-repeaters a NULL", tlv(0xa5, integer(1), null), "non-repeaters: unexpected tag"},
		{"max-repetitions 2^31", tlv(0xa5, integer(1), integer(0), integer(1<<31), tlv(tagSequence)), "max-repetitions: integer of more than 32 bits"},
		{"no VarBindList", tlv(0xa0, integer(1), integer(0), integer(0)), "variable-bindings: truncated header"},
		{"two VarBindLists", tlv(0xa0, integer(1), integer(0), integer(0), tlv(tagSequence), tlv(tagSequence)), "variable-bindings: trailing octets"},
		{"VarBind is an OBJECT IDENTIFIER", pduOf(GetRequest, tlv(tagOID, []byte{0x2b})), "varbind 1: VarBind: unexpected tag"},
		{"VarBind longer than the list", pduOf(GetRequest, good, []byte{0x30, 5, 6}), "varbind 2: VarBind: longer than the enclosing element"},
		{"an empty VarBind", pduOf(GetRequest, good, tlv(tagSequence)), "varbind 2: name: truncated header"},
		{"name of no octets", pduOf(GetRequest, good, good, tlv(tagSequence, tlv(tagOID), null)), "varbind 3: name: empty OBJECT IDENTIFIER"},
		{"name an INTEGER", pduOf(GetRequest, tlv(tagSequence, integer(1), null)), "varbind 1: name: unexpected tag"},
		{"name longer than the VarBind", pduOf(GetRequest, tlv(tagSequence, []byte{6, 9, 0x2b})), "varbind 1: name: longer than the enclosing element"},
		{"no value", pduOf(GetRequest, tlv(tagSequence, tlv(tagOID, []byte{0x2b}))), "varbind 1: value: truncated header"},
		{"two values", pduOf(GetRequest, tlv(tagSequence, tlv(tagOID, []byte{0x2b}), null, null)), "varbind 1: value: trailing octets"},
		{"value too long", pduOf(SetRequest, varbind(sysUpTime0, tlv(2, make([]byte, 5)))), "varbind 1: value: integer of more than 32 bits"},
		{"value of no type", pduOf(GetRequest, varbind(sysUpTime0, tlv(0x21))), "varbind 1: value: unknown type"},
	} {
		t.Run(c.name, func(t *testing.T) {
			var p PDU
			checkMalformed(t, p.Parse(c.b), c.want)
		})
	}
}

// TestPDUUsedAgain parses several PDUs into the same struct: nothing of an earlier one remains.
func TestPDUUsedAgain(t *testing.T) {
	var p PDU
	long := mib.MustOID("1.3.6.1.4.1.9.9.150.1.1.3.1.2.54321")
	for _, c := range []struct {
		name string
		b    []byte
		want []mib.Varbind
	}{
		{"two long ones", pduOf(SetRequest, varbind(long, text("value")), varbind(long, tlv(tagOID, []byte{0x2b, 6, 1}))), []mib.Varbind{
			{Name: long, Value: octets(mib.OctetString, "value")},
			{Name: long, Value: mib.Value{Type: mib.ObjectIdentifier, OID: mib.OID{1, 3, 6, 1}}},
		}},
		{"malformed", pduOf(SetRequest, varbind(sysUpTime0, nil)), nil},
		{"one short one", pduOf(GetRequest, varbind(mib.OID{1, 3}, tlv(5))), []mib.Varbind{{Name: mib.OID{1, 3}, Value: mib.Value{Type: mib.Null}}}},
		{"none", pduOf(GetNextRequest), nil},
		{"three", pduOf(Response, slices.Repeat([][]byte{varbind(long, integer(5))}, 3)...), slices.Repeat([]mib.Varbind{{Name: long, Value: int32Value(5)}}, 3)},
	} {
		err := p.Parse(c.b)
		if c.name == "malformed" {
			checkMalformed(t, err, "varbind 1: value: truncated header")
			continue
		}
		if d := cmp.Diff(c.want, p.Varbinds, sameMeaning); d != "" || err != nil {
			t.Errorf("%s: %v (-want +got):\n%s", c.name, err, d)
		}
	}
}

// TestPDUOwnsItsMemory: names and values do not change with the parsed octets, and one that grows
// does not overwrite the next.
func TestPDUOwnsItsMemory(t *testing.T) {
	b := pduOf(SetRequest, varbind(sysUpTime0, text("one")), varbind(sysUpTime0, tlv(tagOID, []byte{0x2b})))
	var p PDU
	if err := p.Parse(b); err != nil {
		t.Fatal(err)
	}
	clear(b)
	p.Varbinds[0].Name = append(p.Varbinds[0].Name, 99)
	p.Varbinds[0].Value.SetOID(sysUpTime0, 1, 2, 3)
	want := []mib.Varbind{
		{Name: sysUpTime0.Append(99), Value: mib.Value{Type: mib.ObjectIdentifier, OID: sysUpTime0.Append(1, 2, 3)}},
		{Name: sysUpTime0, Value: mib.Value{Type: mib.ObjectIdentifier, OID: mib.OID{1, 3}}},
	}
	if d := cmp.Diff(want, p.Varbinds, sameMeaning); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
}

// TestRawVarbinds: RawVarbinds is the unchanged content of the list, as AppendRaw needs it.
func TestRawVarbinds(t *testing.T) {
	longForm := unhex(t, "30 82 00 0c 06 81 06 2b 06 01 02 01 01 05 81 00")
	b := tlv(byte(SetRequest), integer(5), integer(0), integer(0), tlv(tagSequence, longForm, longForm))
	var p PDU
	if err := p.Parse(b); err != nil {
		t.Fatal(err)
	}
	if want := append(bytes.Clone(longForm), longForm...); !bytes.Equal(p.RawVarbinds, want) {
		t.Errorf("RawVarbinds %x, want %x", p.RawVarbinds, want)
	}
	var f Frame
	f.AppendRaw(p.RawVarbinds)
	f.ClosePDU(Response, p.RequestID, 0, 0)
	if want := tlv(byte(Response), b[2:]); !bytes.Equal(f.Bytes(), want) {
		t.Errorf("response %x, want %x", f.Bytes(), want)
	}
}

// TestNumbersOfNames: what String gives of what exists can be read again.
func TestNumbersOfNames(t *testing.T) {
	for _, want := range []Version{Version1, Version2c, Version3} {
		var got Version
		if err := got.UnmarshalText([]byte(want.String())); err != nil || got != want {
			t.Errorf("%s: %s, %v", want, got, err)
		}
	}
	for _, want := range []SecurityLevel{NoAuthNoPriv, AuthNoPriv, AuthPriv} {
		var got SecurityLevel
		if err := got.UnmarshalText([]byte(want.String())); err != nil || got != want {
			t.Errorf("%s: %s, %v", want, got, err)
		}
	}
	version, level := Version3, AuthPriv
	for _, text := range []string{"", "2c", "Version(2)", "SecurityLevel(0)", "authnopriv"} {
		if version.UnmarshalText([]byte(text)) == nil || level.UnmarshalText([]byte(text)) == nil {
			t.Errorf("%q is read", text)
		}
	}
	if version != Version3 || level != AuthPriv {
		t.Error("an error changes the value")
	}
}

func TestNamesOfNumbers(t *testing.T) {
	for _, c := range []struct{ got, want string }{
		{NoAuthNoPriv.String() + AuthNoPriv.String() + AuthPriv.String(), "noAuthNoPrivauthNoPrivauthPriv"},
		{SecurityLevel(0).String(), "SecurityLevel(0)"},
		{Version1.String() + Version2c.String() + Version3.String() + Version(2).String(), "v1v2cv3Version(2)"},
		{ModelV1.String() + ModelV2c.String() + ModelUSM.String() + SecurityModel(4).String(), "v1v2cusmSecurityModel(4)"},
		{TrapV1.String() + PDUType(0xa9).String(), "TrapPDUType(0xa9)"},
	} {
		if c.got != c.want {
			t.Errorf("%q, want %q", c.got, c.want)
		}
	}
	seen := map[string]bool{}
	for typ := GetRequest; typ <= Report; typ++ {
		if s := typ.String(); seen[s] || (typ.known() || typ.knownV1()) == strings.HasPrefix(s, "PDUType(") {
			t.Errorf("%#x is called %q", uint8(typ), s)
		} else {
			seen[s] = true
		}
	}
}
