package wire

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"aaasess/mib"
)

func num(t mib.Type, n uint64) mib.Value { return mib.Value{Type: t, Num: n} }

func int32Value(n int32) mib.Value { return num(mib.Integer32, uint64(uint32(n))) }

func octets(t mib.Type, s string) mib.Value { return mib.Value{Type: t, Str: s} }

// valueCases are values and their shortest encodings, which net-snmp writes too.
var valueCases = []struct {
	name  string
	value mib.Value
	hex   string
}{
	{"Integer32 0", int32Value(0), "02 01 00"},
	{"Integer32 127", int32Value(127), "02 01 7f"},
	{"Integer32 128", int32Value(128), "02 02 00 80"},
	{"Integer32 -1", int32Value(-1), "02 01 ff"},
	{"Integer32 -128", int32Value(-128), "02 01 80"},
	{"Integer32 -129", int32Value(-129), "02 02 ff 7f"},
	{"Integer32 32767", int32Value(32767), "02 02 7f ff"},
	{"Integer32 32768", int32Value(32768), "02 03 00 80 00"},
	{"Integer32 2^31-1", int32Value(1<<31 - 1), "02 04 7f ff ff ff"},
	{"Integer32 -2^31", int32Value(-1 << 31), "02 04 80 00 00 00"},
	{"Counter32 127", num(mib.Counter32, 127), "41 01 7f"},
	{"Counter32 128", num(mib.Counter32, 128), "41 02 00 80"},
	{"Counter32 2^32-1", num(mib.Counter32, 1<<32-1), "41 05 00 ff ff ff ff"},
	{"Gauge32 2^31-1", num(mib.Gauge32, 1<<31-1), "42 04 7f ff ff ff"},
	{"Gauge32 2^31", num(mib.Gauge32, 1<<31), "42 05 00 80 00 00 00"},
	{"TimeTicks 0", num(mib.TimeTicks, 0), "43 01 00"},
	{"Counter64 0", num(mib.Counter64, 0), "46 01 00"},
	{"Counter64 2^32", num(mib.Counter64, 1<<32), "46 05 01 00 00 00 00"},
	{"Counter64 2^63-1", num(mib.Counter64, 1<<63-1), "46 08 7f ff ff ff ff ff ff ff"},
	{"Counter64 2^63", num(mib.Counter64, 1<<63), "46 09 00 80 00 00 00 00 00 00 00"},
	{"Counter64 2^64-1", num(mib.Counter64, 1<<64-1), "46 09 00 ff ff ff ff ff ff ff ff"},
	{"IpAddress", num(mib.IpAddress, 0xc00002ff), "40 04 c0 00 02 ff"},
	{"IpAddress 0.0.0.0", num(mib.IpAddress, 0), "40 04 00 00 00 00"},
	{"OCTET STRING of none", octets(mib.OctetString, ""), "04 00"},
	{"OCTET STRING", octets(mib.OctetString, "a\x00\xff"), "04 03 61 00 ff"},
	{"OCTET STRING of 127", octets(mib.OctetString, strings.Repeat("x", 127)), "04 7f" + strings.Repeat("78", 127)},
	{"OCTET STRING of 128", octets(mib.OctetString, strings.Repeat("x", 128)), "04 81 80" + strings.Repeat("78", 128)},
	{"OCTET STRING of 256", octets(mib.OctetString, strings.Repeat("x", 256)), "04 82 01 00" + strings.Repeat("78", 256)},
	{"OCTET STRING of 65536", octets(mib.OctetString, strings.Repeat("x", 65536)), "04 83 01 00 00" + strings.Repeat("78", 65536)},
	{"Opaque float of net-snmp", octets(mib.Opaque, "\x9f\x78\x04\x3f\xc0\x00\x00"), "44 07 9f 78 04 3f c0 00 00"},
	{"OBJECT IDENTIFIER", mib.Value{Type: mib.ObjectIdentifier, OID: mib.OID{1, 3, 6, 1, 4, 1, 32473}}, "06 08 2b 06 01 04 01 81 fd 59"},
	{"NULL", mib.Value{Type: mib.Null}, "05 00"},
	{"noSuchObject", mib.Value{Type: mib.NoSuchObject}, "80 00"},
	{"noSuchInstance", mib.Value{Type: mib.NoSuchInstance}, "81 00"},
	{"endOfMibView", mib.Value{Type: mib.EndOfMibView}, "82 00"},
}

func TestValue(t *testing.T) {
	for _, c := range valueCases {
		t.Run(c.name, func(t *testing.T) {
			b := unhex(t, c.hex)
			if got := appendValue(nil, &c.value); fmt.Sprintf("%x", got) != fmt.Sprintf("%x", b) {
				t.Errorf("written %x, want %x", got, b)
			}
			checkParsed(t, b, c.value)
		})
	}
}

// checkParsed parses a value in a SetRequest and in a GetRequest.
func checkParsed(t *testing.T, b []byte, want mib.Value) {
	t.Helper()
	set, get := PDU{Type: SetRequest}, PDU{Type: GetRequest}
	got := mib.Value{Type: mib.Opaque, Num: 77, Str: "old", OID: mib.OID{9, 9}} // in use before
	if what := set.readValue(&got, b); what != "" {
		t.Fatalf("%x: %s", b, what)
	}
	if d := cmp.Diff(memberOf(want), memberOf(got)); d != "" {
		t.Errorf("%x (-want +got):\n%s", b, d)
	}
	old := mib.Value{Num: 77, Str: "old"}
	if what := get.readValue(&old, b); what != "" || old.Type != want.Type || old.Num != 77 || old.Str != "old" {
		t.Errorf("%x in a GetRequest: %+v, %q; only the type is wanted", b, old, what)
	}
}

// TestValueLenient has valid encodings of others that we would not write.
func TestValueLenient(t *testing.T) {
	for _, c := range []struct {
		name  string
		value mib.Value
		hex   string
	}{
		{"Integer32 of 4 octets that needs 1", int32Value(1), "02 04 00 00 00 01"},
		{"Integer32 -1 of 4 octets", int32Value(-1), "02 04 ff ff ff ff"},
		{"Counter32 of 5 octets that needs 1", num(mib.Counter32, 7), "41 05 00 00 00 00 07"},
		{"Counter32 with the sign bit set", num(mib.Counter32, 0xb39961ed), "41 04 b3 99 61 ed"},
		{"Gauge32 with the sign bit set", num(mib.Gauge32, 1<<32-1), "42 04 ff ff ff ff"},
		{"Counter64 with the sign bit set", num(mib.Counter64, 1<<64-1), "46 08 ff ff ff ff ff ff ff ff"},
		{"Counter64 of 9 octets that needs 1", num(mib.Counter64, 7), "46 09 00 00 00 00 00 00 00 00 07"},
		{"length of one octet in long form", int32Value(5), "02 81 01 05"},
		{"length 82 00 xx", octets(mib.OctetString, "abc"), "04 82 00 03 61 62 63"},
		{"length 84 00 00 00 xx", num(mib.Gauge32, 5), "42 84 00 00 00 01 05"},
		{"NULL of length 81 00", mib.Value{Type: mib.Null}, "05 81 00"},
	} {
		t.Run(c.name, func(t *testing.T) { checkParsed(t, unhex(t, c.hex), c.value) })
	}
}

func TestValueMalformed(t *testing.T) {
	for _, c := range []struct{ name, hex, want string }{
		{"nothing", "", "truncated header"},
		{"a tag", "02", "truncated header"},
		{"Integer32 without octets", "02 00", "empty integer"},
		{"Integer32 of 5 octets", "02 05 00 00 00 00 01", "integer of more than 32 bits"},
		{"Integer32 of 100 octets", "02 64" + strings.Repeat("00", 100), "integer of more than 32 bits"},
		{"Counter32 without octets", "41 00", "empty integer"},
		{"Counter32 of 5 octets, 2^32", "41 05 01 00 00 00 00", "integer too long"},
		{"Counter32 of 6 octets", "41 06 00 00 00 00 00 01", "integer too long"},
		{"Gauge32 -1", "42 01 ff", "negative"},
		{"TimeTicks -32536, or 33000 of mini-snmpd", "43 02 80 e8", "negative"},
		{"Counter64 of 9 octets, 2^64", "46 09 01 00 00 00 00 00 00 00 00", "integer too long"},
		{"Counter64 of 10 octets", "46 0a 00 00 00 00 00 00 00 00 00 01", "integer too long"},
		{"Counter64 -1 of 4 octets", "46 04 ff ff ff ff", "negative"},
		{"IpAddress without octets", "40 00", "IpAddress is not of 4 octets"},
		{"IpAddress of 3 octets", "40 03 7f 00 01", "IpAddress is not of 4 octets"},
		{"IpAddress of 16 octets", "40 10" + strings.Repeat("00", 16), "IpAddress is not of 4 octets"},
		{"NULL with content", "05 01 00", "NULL with content"},
		{"noSuchObject with content", "80 01 00", "NULL with content"},
		{"endOfMibView with content", "82 02 05 00", "NULL with content"},
		{"OBJECT IDENTIFIER without octets", "06 00", "empty OBJECT IDENTIFIER"},
		{"unSpecified as 83", "83 00", "unknown type"},
		{"BIT STRING", "03 02 00 01", "unknown type"},
		{"NsapAddress of SMIv1", "45 01 00", "unknown type"},
		{"UInteger32 of SNMPv2 party", "47 01 05", "unknown type"},
		{"a SEQUENCE", "30 00", "unknown type"},
		{"constructed OCTET STRING", "24 03 04 01 61", "unknown type"},
		{"tag of several octets", "1f 81 01 00", "unknown type"},
		{"longer than what is left", "04 04 61 62 63", "longer than the enclosing element"},
		{"indefinite length", "04 80 04 01 61 00 00", "indefinite length"},
		{"reserved length ff", "04 ff" + strings.Repeat("00", 127), "length of more than 4 octets"},
		{"length of 5 octets", "04 85 00 00 00 00 01 61", "length of more than 4 octets"},
		{"length of 2^64-1", "04 88 ff ff ff ff ff ff ff ff 61", "length of more than 4 octets"},
		{"length of 2^32-1", "04 84 ff ff ff ff 61", "longer than the enclosing element"},
		{"length of 2^31", "04 84 80 00 00 00 61", "longer than the enclosing element"},
		{"length cut short", "04 83 00 00", "truncated length"},
		{"another octet", "05 00 00", "trailing octets"},
	} {
		t.Run(c.name, func(t *testing.T) {
			for _, typ := range []PDUType{SetRequest, GetRequest} {
				p := PDU{Type: typ}
				var v mib.Value
				if got := p.readValue(&v, unhex(t, c.hex)); got != c.want {
					t.Errorf("%s: %q, want %q", typ, got, c.want)
				}
			}
		})
	}
}

// TestValueUnknownWritten: a type that SNMP does not have is never written.
func TestValueUnknownWritten(t *testing.T) {
	for _, typ := range []mib.Type{0, 1, 3, 0x45, 0x47, 0x83, 0xff} {
		if got := appendValue(nil, &mib.Value{Type: typ, Num: 5, Str: "x"}); fmt.Sprintf("%x", got) != "0500" {
			t.Errorf("type %d is written %x, want NULL", typ, got)
		}
	}
}

// TestValueNarrow: Num has 64 bits, but 32-bit types use only the lower half.
func TestValueNarrow(t *testing.T) {
	for _, c := range []struct {
		value mib.Value
		hex   string
	}{
		{num(mib.Counter32, 1<<32+5), "410105"},
		{num(mib.Integer32, 1<<64-1), "0201ff"},
		{num(mib.IpAddress, 1<<32+1), "400400000001"},
	} {
		if got := fmt.Sprintf("%x", appendValue(nil, &c.value)); got != c.hex {
			t.Errorf("%+v is written %s, want %s", c.value, got, c.hex)
		}
	}
}
