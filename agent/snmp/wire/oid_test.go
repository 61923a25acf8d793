package wire

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"aaasess/mib"
)

// manyArcs returns an OID of n sub-identifiers of one octet each.
func manyArcs(n int) mib.OID {
	return append(mib.OID{1, 3}, slices.Repeat(mib.OID{5}, n-2)...)
}

var oidCases = []struct {
	name string
	oid  mib.OID
	hex  string
}{
	{"zeroDotZero is one octet", mib.OID{0, 0}, "00"},
	{"0.39", mib.OID{0, 39}, "27"},
	{"1.0", mib.OID{1, 0}, "28"},
	{"1.39", mib.OID{1, 39}, "4f"},
	{"2.0", mib.OID{2, 0}, "50"},
	{"2.47 ends at one octet", mib.OID{2, 47}, "7f"},
	{"2.48 needs two", mib.OID{2, 48}, "81 00"},
	{"2.999 (X.690 section 8.19.5)", mib.OID{2, 999, 3}, "88 37 03"},
	{"the greatest second arc", mib.OID{2, 1<<32 - 1}, "90 80 80 80 4f"},
	{"sysDescr.0", mib.MustOID("1.3.6.1.2.1.1.1.0"), "2b 06 01 02 01 01 01 00"},
	{"casnUserId", mib.MustOID("1.3.6.1.4.1.9.9.150.1.1.3.1.2.54321"), "2b 06 01 04 01 09 09 81 16 01 01 03 01 02 83 a8 31"},
	{"7 bits", mib.OID{1, 3, 127, 128}, "2b 7f 81 00"},
	{"14 bits", mib.OID{1, 3, 1<<14 - 1, 1 << 14}, "2b ff 7f 81 80 00"},
	{"21 bits", mib.OID{1, 3, 1<<21 - 1, 1 << 21}, "2b ff ff 7f 81 80 80 00"},
	{"28 bits", mib.OID{1, 3, 1<<28 - 1, 1 << 28}, "2b ff ff ff 7f 81 80 80 80 00"},
	{"32 bits", mib.OID{1, 3, 1<<32 - 1, 0, 1 << 31}, "2b 8f ff ff ff 7f 00 88 80 80 80 00"},
	{"128 sub-identifiers", manyArcs(128), "2b" + strings.Repeat("05", 126)},
}

func TestOID(t *testing.T) {
	for _, c := range oidCases {
		t.Run(c.name, func(t *testing.T) {
			b := unhex(t, c.hex)
			got, what := parseOID(nil, b)
			if what != "" || !slices.Equal(got, c.oid) {
				t.Errorf("parsed %v, %q; want %v", got, what, c.oid)
			}
			if what := checkOID(b); what != "" {
				t.Errorf("checked: %q", what)
			}
			if got := fmt.Sprintf("%x", appendOID(nil, c.oid)); got != fmt.Sprintf("%x", b) {
				t.Errorf("encoded %s, want %x", got, b)
			}
		})
	}
}

func TestOIDMalformed(t *testing.T) {
	for _, c := range []struct{ name, hex, want string }{
		{"nothing", "", "empty OBJECT IDENTIFIER"},
		{"the first sub-identifier does not end", "ab", "truncated sub-identifier"},
		{"the last one does not end", "2b 06 81", "truncated sub-identifier"},
		{"leading zeros", "2b 80 01", "sub-identifier with leading zeros"},
		{"leading zeros in the first", "80 2b", "sub-identifier with leading zeros"},
		{"nothing but leading zeros", "2b 80 80 80", "sub-identifier with leading zeros"},
		{"2^32", "2b 90 80 80 80 00", "sub-identifier above 2^32-1"},
		{"2^35-1", "2b ff ff ff ff 7f", "sub-identifier above 2^32-1"},
		{"of 10 octets, more than 64 bits", "2b 82 80 80 80 80 80 80 80 80 00", "sub-identifier above 2^32-1"},
		{"of 200 octets", "2b" + strings.Repeat("ff", 199) + "7f", "sub-identifier above 2^32-1"},
		{"the first above 2.(2^32-1)", "90 80 80 80 50", "sub-identifier above 2^32-1"},
		{"the first of 200 octets", strings.Repeat("ff", 199) + "7f", "sub-identifier above 2^32-1"},
		{"129 sub-identifiers", "2b" + strings.Repeat("05", 127), "more than 128 sub-identifiers"},
		{"60,000 sub-identifiers", strings.Repeat("2b", 60000), "more than 128 sub-identifiers"},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := unhex(t, c.hex)
			if _, what := parseOID(nil, b); what != c.want {
				t.Errorf("parsed: %q, want %q", what, c.want)
			}
			if what := checkOID(b); what != c.want {
				t.Errorf("checked: %q, want %q", what, c.want)
			}
		})
	}
}

// TestOIDNotEncodable: an OID that BER cannot encode becomes 0.0, and the next name is right.
func TestOIDNotEncodable(t *testing.T) {
	for _, oid := range []mib.OID{nil, {1}, {3, 1}, {0, 40}, {1, 40}, {1<<32 - 1, 1}, manyArcs(129)} {
		var f Frame
		good := mib.Varbind{Name: mib.MustOID("1.3.6.1.2.1.1.3.0"), Value: mib.Value{Type: mib.Null}}
		f.AppendVarbind(&good)
		f.AppendVarbind(&mib.Varbind{Name: oid, Value: mib.Value{Type: mib.ObjectIdentifier, OID: oid}})
		f.AppendVarbind(&good)
		f.ClosePDU(Response, 1, 0, 0)
		var p PDU
		if err := p.Parse(f.Bytes()); err != nil {
			t.Fatalf("%v: %v", oid, err)
		}
		zero := mib.OID{0, 0}
		want := []mib.Varbind{good, {Name: zero, Value: mib.Value{Type: mib.ObjectIdentifier, OID: zero}}, good}
		if d := cmp.Diff(want, p.Varbinds, sameMeaning); d != "" {
			t.Errorf("%v (-want +got):\n%s", oid, d)
		}
	}
}

// TestNames appends several names, each after the state that the previous one left.
func TestNames(t *testing.T) {
	column := mib.MustOID("1.3.6.1.4.1.9.9.150.1.1.3.1.2")
	long := slices.Repeat(mib.OID{1<<32 - 1}, 126)
	for _, c := range []struct {
		name string
		oids []mib.OID
	}{
		{"down a column", []mib.OID{column.Append(1), column.Append(127), column.Append(128), column.Append(1<<32 - 1)}},
		{"along a row", []mib.OID{column.Append(7), mib.MustOID("1.3.6.1.4.1.9.9.150.1.1.3.1.3.7"), column.Append(7)}},
		{"the next is where the kept part ends", []mib.OID{column.Append(1), column[:12], column[:11], column[:2]}},
		{"differs in the first arc", []mib.OID{{1, 3, 6, 1, 2, 1}, {0, 3, 6, 1, 2, 1}, {2, 3, 6, 1, 2, 1}}},
		{"differs in the second arc", []mib.OID{{1, 3, 6, 1, 2, 1}, {1, 2, 6, 1, 2, 1}}},
		{"differs in the fourth arc", []mib.OID{{1, 3, 6, 1, 2, 1}, {1, 3, 6, 2, 2, 1}, {1, 3, 6, 1, 2, 1}}},
		{"differs in the fifth arc", []mib.OID{{1, 3, 6, 1, 2, 1}, {1, 3, 6, 1, 3, 1}}},
		{"longest", []mib.OID{append(mib.OID{2, 5}, long...), append(mib.OID{2, 5}, long[:125]...), append(mib.OID{2, 5}, long...)}},
		{"too long behind one that is not", []mib.OID{manyArcs(128), manyArcs(129), manyArcs(128)}},
		{"after one that cannot be encoded", []mib.OID{column.Append(1), {1, 3}, {2, 100, 1, 1, 1, 1}, column.Append(2)}},
	} {
		t.Run(c.name, func(t *testing.T) {
			var f Frame
			var want []byte
			for _, oid := range c.oids {
				f.AppendVarbind(&mib.Varbind{Name: oid, Value: mib.Value{Type: mib.Null}})
				var alone Frame
				alone.AppendVarbind(&mib.Varbind{Name: oid, Value: mib.Value{Type: mib.Null}})
				want = append(want, alone.Bytes()...)
			}
			if d := cmp.Diff(fmt.Sprintf("%x", want), fmt.Sprintf("%x", f.Bytes())); d != "" {
				t.Errorf("(-one by one +together):\n%s", d)
			}
		})
	}
}
