package agentx

import (
	"encoding/hex"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/posteo/go-agentx/pdu"
	"github.com/posteo/go-agentx/value"
	"pgregory.net/rapid"

	"aaasess/mib"
)

// unhex decodes hexadecimal digits and ignores white space.
func unhex(tb testing.TB, s string) []byte {
	tb.Helper()
	b, err := hex.DecodeString(strings.Join(strings.Fields(s), ""))
	if err != nil {
		tb.Fatal(err)
	}
	return b
}

func vb(name string, fill func(v *mib.Value)) mib.Varbind {
	vb := mib.Varbind{Name: mib.MustOID(name)}
	fill(&vb.Value)
	return vb
}

func ofType(t mib.Type) func(v *mib.Value) { return func(v *mib.Value) { v.Type = t } }

// codecCases are written by hand from the diagrams in RFC 2741 sections 5 and 6: each PDU type at
// least once, in both byte orders.
var codecCases = []struct {
	name    string
	hex     string
	header  Header
	payload Payload
}{
	{
		"Open, big endian", `01 01 10 00  00000000 00000000 00000001 0000001c
		05 000000  02 04 00 00 0001869f 00000003  00000005 64657363 72000000`,
		Header{Type: pdu.TypeOpen, Flags: pdu.FlagNetworkByteOrder, PacketID: 1, PayloadLength: 28},
		&Open{Timeout: 5, ID: value.OID{1, 3, 6, 1, 4, 99999, 3}, Description: "descr"},
	},
	{
		"Open, little endian, null id", `01 01 00 00  00000000 00000000 01000000 0c000000
		00 000000  00 00 00 00  00000000`,
		Header{Type: pdu.TypeOpen, PacketID: 1, PayloadLength: 12},
		&Open{},
	},
	{
		"Close", `01 02 10 00  00000007 00000000 00000002 00000004  05 000000`,
		Header{Type: pdu.TypeClose, Flags: pdu.FlagNetworkByteOrder, SessionID: 7, PacketID: 2, PayloadLength: 4},
		&Close{Reason: pdu.ReasonShutdown},
	},
	{
		"Register", `01 03 00 00  07000000 00000000 02000000 10000000
		00 7f 00 00  02 04 00 00 01000000 9f860100`,
		Header{Type: pdu.TypeRegister, SessionID: 7, PacketID: 2, PayloadLength: 16},
		&Register{Priority: 127, Subtree: value.OID{1, 3, 6, 1, 4, 1, 99999}},
	},
	{
		"Register of a range with a context", `01 03 18 00  00000007 00000000 00000002 00000018
		00000003 61626300  03 7f 06 00  01 04 00 00 00000001  0000ffff`,
		Header{Type: pdu.TypeRegister, Flags: pdu.FlagNetworkByteOrder | pdu.FlagNonDefaultContext, SessionID: 7, PacketID: 2, PayloadLength: 24},
		&Register{Context: "abc", Timeout: 3, Priority: 127, RangeSubID: 6, Subtree: value.OID{1, 3, 6, 1, 4, 1}, UpperBound: 65535},
	},
	{
		"Unregister of a range with a context", `01 04 18 00  00000007 00000000 00000002 00000018
		00000003 61626300  00 7f 06 00  01 04 00 00 00000001  0000ffff`,
		Header{Type: pdu.TypeUnregister, Flags: pdu.FlagNetworkByteOrder | pdu.FlagNonDefaultContext, SessionID: 7, PacketID: 2, PayloadLength: 24},
		&Unregister{Context: "abc", Priority: 127, RangeSubID: 6, Subtree: value.OID{1, 3, 6, 1, 4, 1}, UpperBound: 65535},
	},
	{
		"Get of two", `01 05 10 00  00000007 00000008 00000009 00000024
		03 02 00 00 00000001 00000001 00000000  00 00 00 00
		02 00 00 00 00000000 00000001  00 00 00 00`,
		Header{Type: pdu.TypeGet, Flags: pdu.FlagNetworkByteOrder, SessionID: 7, TransactionID: 8, PacketID: 9, PayloadLength: 36},
		&Get{Ranges: []SearchRange{{Start: value.OID{1, 3, 6, 1, 2, 1, 1, 0}}, {Start: value.OID{0, 1}}}},
	},
	{
		"GetNext with include", `01 06 00 00  07000000 08000000 09000000 0c000000
		00 04 01 00  01 04 00 00 02000000`,
		Header{Type: pdu.TypeGetNext, SessionID: 7, TransactionID: 8, PacketID: 9, PayloadLength: 12},
		&GetNext{Ranges: []SearchRange{{Start: value.OID{1, 3, 6, 1, 4}, Include: true, End: value.OID{1, 3, 6, 1, 4, 2}}}},
	},
	{
		"GetNext in a context", `01 06 08 00  07000000 08000000 09000000 14000000
		01000000 61000000  00 04 01 00  01 04 00 00 02000000`,
		Header{Type: pdu.TypeGetNext, Flags: pdu.FlagNonDefaultContext, SessionID: 7, TransactionID: 8, PacketID: 9, PayloadLength: 20},
		&GetNext{Context: "a", Ranges: []SearchRange{{Start: value.OID{1, 3, 6, 1, 4}, Include: true, End: value.OID{1, 3, 6, 1, 4, 2}}}},
	},
	{
		"GetBulk", `01 07 10 00  00000007 00000008 00000009 0000000c
		0001 000a  00 04 00 00  00 05 00 00`,
		Header{Type: pdu.TypeGetBulk, Flags: pdu.FlagNetworkByteOrder, SessionID: 7, TransactionID: 8, PacketID: 9, PayloadLength: 12},
		&GetBulk{NonRepeaters: 1, MaxRepetitions: 10, Ranges: []SearchRange{{Start: value.OID{1, 3, 6, 1, 4}, End: value.OID{1, 3, 6, 1, 5}}}},
	},
	{
		"TestSet of an Integer32 and an OCTET STRING", `01 08 00 00  07000000 08000000 09000000 20000000
		0200 0000  00 04 00 00  ffffffff
		0400 0000  00 05 00 00  05000000 68656c6c 6f000000`,
		Header{Type: pdu.TypeTestSet, SessionID: 7, TransactionID: 8, PacketID: 9, PayloadLength: 32},
		&TestSet{Varbinds: []mib.Varbind{
			vb("1.3.6.1.4", func(v *mib.Value) { v.SetInteger32(-1) }),
			vb("1.3.6.1.5", func(v *mib.Value) { v.SetOctets("hello") }),
		}},
	},
	{
		"CommitSet", `01 09 10 00  00000007 00000008 0000000a 00000000`,
		Header{Type: pdu.TypeCommitSet, Flags: pdu.FlagNetworkByteOrder, SessionID: 7, TransactionID: 8, PacketID: 10},
		&CommitSet{},
	},
	{
		"UndoSet", `01 0a 00 00  07000000 08000000 0a000000 00000000`,
		Header{Type: pdu.TypeUndoSet, SessionID: 7, TransactionID: 8, PacketID: 10},
		&UndoSet{},
	},
	{
		"CleanupSet", `01 0b 10 00  00000007 00000008 0000000a 00000000`,
		Header{Type: pdu.TypeCleanupSet, Flags: pdu.FlagNetworkByteOrder, SessionID: 7, TransactionID: 8, PacketID: 10},
		&CleanupSet{},
	},
	{
		"Notify with snmpTrapOID", `01 0c 10 00  00000007 00000000 0000000b 0000002c
		0006 0000  06 06 00 00 00000003 00000001 00000001 00000004 00000001 00000000  02 04 00 00 00000001 0001869f`,
		Header{Type: pdu.TypeNotify, Flags: pdu.FlagNetworkByteOrder, SessionID: 7, PacketID: 11, PayloadLength: 44},
		&Notify{Varbinds: []mib.Varbind{
			vb("1.3.6.1.6.3.1.1.4.1.0", func(v *mib.Value) { v.SetOID(mib.MustOID("1.3.6.1.4.1.99999")) }),
		}},
	},
	{
		"Notify of all numbers", `01 0c 10 00  00000007 00000000 0000000b 00000044
		0040 0000  00 04 00 00  00000004 0a000001
		0041 0000  00 04 00 00  ffffffff
		0042 0000  00 04 00 00  00000001
		0043 0000  00 04 00 00  00000002
		0046 0000  00 04 00 00  00000001 00000002`,
		Header{Type: pdu.TypeNotify, Flags: pdu.FlagNetworkByteOrder, SessionID: 7, PacketID: 11, PayloadLength: 68},
		&Notify{Varbinds: []mib.Varbind{
			vb("1.3.6.1.4", func(v *mib.Value) { v.SetIPAddress(0x0a000001) }),
			vb("1.3.6.1.4", func(v *mib.Value) { v.SetCounter32(1<<32 - 1) }),
			vb("1.3.6.1.4", func(v *mib.Value) { v.SetGauge32(1) }),
			vb("1.3.6.1.4", func(v *mib.Value) { v.SetTimeTicks(2) }),
			vb("1.3.6.1.4", func(v *mib.Value) { v.SetCounter64(1<<32 + 2) }),
		}},
	},
	{
		"Ping", `01 0d 00 00  07000000 00000000 0c000000 00000000`,
		Header{Type: pdu.TypePing, SessionID: 7, PacketID: 12},
		&Ping{},
	},
	{
		"IndexAllocate", `01 0e 12 00  00000007 00000000 0000000d 0000000c  0002 0000  00 04 00 00  00000000`,
		Header{Type: pdu.TypeIndexAllocate, Flags: pdu.FlagNetworkByteOrder | pdu.FlagNewIndex, SessionID: 7, PacketID: 13, PayloadLength: 12},
		&IndexAllocate{Varbinds: []mib.Varbind{vb("1.3.6.1.4", func(v *mib.Value) { v.SetInteger32(0) })}},
	},
	{
		"IndexDeallocate", `01 0f 10 00  00000007 00000000 0000000d 0000000c  0002 0000  00 04 00 00  00000003`,
		Header{Type: pdu.TypeIndexDeallocate, Flags: pdu.FlagNetworkByteOrder, SessionID: 7, PacketID: 13, PayloadLength: 12},
		&IndexDeallocate{Varbinds: []mib.Varbind{vb("1.3.6.1.4", func(v *mib.Value) { v.SetInteger32(3) })}},
	},
	{
		"AddAgentCaps", `01 10 10 00  00000007 00000000 00000004 00000020
		03 04 00 00 00000001 0001869f 00000001  0000000b 4649585455 52452d4d49 42 00`,
		Header{Type: pdu.TypeAddAgentCaps, Flags: pdu.FlagNetworkByteOrder, SessionID: 7, PacketID: 4, PayloadLength: 32},
		&AddAgentCaps{ID: value.OID{1, 3, 6, 1, 4, 1, 99999, 1}, Descr: "FIXTURE-MIB"},
	},
	{
		"AddAgentCaps in a context, little endian", `01 10 08 00  07000000 00000000 04000000 14000000
		01000000 61000000  00 04 00 00  02000000 68690000`,
		Header{Type: pdu.TypeAddAgentCaps, Flags: pdu.FlagNonDefaultContext, SessionID: 7, PacketID: 4, PayloadLength: 20},
		&AddAgentCaps{Context: "a", ID: value.OID{1, 3, 6, 1, 4}, Descr: "hi"},
	},
	{
		"Response with exceptions, little endian", `01 12 00 00  07000000 08000000 09000000 48000000
		01000000 0c00 0200
		8000 0000  00 04 00 00
		8100 0000  00 04 00 00
		8200 0000  00 04 00 00
		0500 0000  00 04 00 00
		4600 0000  00 04 00 00  02000000 01000000
		4000 0000  00 04 00 00  04000000 0a000001`,
		Header{Type: pdu.TypeResponse, SessionID: 7, TransactionID: 8, PacketID: 9, PayloadLength: 72},
		&Response{SysUpTime: 1, Error: pdu.Error(mib.InconsistentValue), Index: 2, Varbinds: []mib.Varbind{
			vb("1.3.6.1.4", ofType(mib.NoSuchObject)), vb("1.3.6.1.4", ofType(mib.NoSuchInstance)),
			vb("1.3.6.1.4", ofType(mib.EndOfMibView)), vb("1.3.6.1.4", ofType(mib.Null)),
			vb("1.3.6.1.4", func(v *mib.Value) { v.SetCounter64(1<<32 + 2) }),
			vb("1.3.6.1.4", func(v *mib.Value) { v.SetIPAddress(0x0a000001) }),
		}},
	},
	{
		"Response with OBJECT IDENTIFIER and Opaque", `01 12 10 00  00000007 00000008 00000009 0000002c
		00000000 0000 0000
		0006 0000  00 04 00 00  02 00 00 00 00000000 00000000
		0044 0000  00 04 00 00  00000003 01020300`,
		Header{Type: pdu.TypeResponse, Flags: pdu.FlagNetworkByteOrder, SessionID: 7, TransactionID: 8, PacketID: 9, PayloadLength: 44},
		&Response{Varbinds: []mib.Varbind{
			vb("1.3.6.1.4", func(v *mib.Value) { v.SetOID(nil, 0, 0) }),
			{Name: mib.MustOID("1.3.6.1.4"), Value: mib.Value{Type: mib.Opaque, Str: "\x01\x02\x03"}},
		}},
	},
}

func TestCodec(t *testing.T) {
	seen := map[pdu.Type]bool{}
	for _, c := range codecCases {
		t.Run(c.name, func(t *testing.T) {
			b := unhex(t, c.hex)
			h, p, err := ParsePDU(b)
			if err != nil {
				t.Fatal(err)
			}
			seen[h.Type] = true
			if diff := cmp.Diff(c.header, h); diff != "" {
				t.Errorf("header (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(c.payload, p, cmpopts.EquateEmpty()); diff != "" {
				t.Errorf("payload (-want +got):\n%s", diff)
			}
			if got := AppendPDU(nil, c.header, c.payload); !cmp.Equal(got, b) {
				t.Errorf("appended:\n%x, want\n%x", got, b)
			}
		})
	}
	for ty := pdu.TypeOpen; ty <= pdu.TypeResponse; ty++ {
		if known := newPayload(ty) != nil; known && !seen[ty] {
			t.Errorf("no case for %s", typeName(ty))
		}
	}
}

// TestAppendPDUBehind: AppendPDU appends to other octets, and its lengths do not include them.
func TestAppendPDUBehind(t *testing.T) {
	for _, c := range codecCases {
		if got := AppendPDU([]byte("front"), c.header, c.payload); string(got) != "front"+string(unhex(t, c.hex)) {
			t.Errorf("%s: %x", c.name, got)
		}
	}
}

func TestParseTruncatedAnywhere(t *testing.T) {
	for _, c := range codecCases {
		whole := unhex(t, c.hex)
		for n := range whole {
			if _, _, err := ParsePDU(whole[:n]); !errors.Is(err, ErrMalformed) {
				t.Errorf("%s: first %d octets: error %v", c.name, n, err)
			}
			if n < HeaderSize {
				continue
			}
			// The same with a header that has the shorter length: now fields exceed the payload.
			b := append([]byte(nil), whole[:n]...)
			order := byteOrder(b[2]&byte(pdu.FlagNetworkByteOrder) != 0)
			order.putUint32(b[16:], uint32(n-HeaderSize))
			_, p, err := ParsePDU(b)
			if err == nil && !isList(p) {
				t.Errorf("%s: cut to %d octets with its length: %+v, no error", c.name, n, p)
			}
			if err != nil && !errors.Is(err, ErrMalformed) {
				t.Errorf("%s: cut to %d octets with its length: error %v", c.name, n, err)
			}
		}
		if _, _, err := ParsePDU(append(whole, 0, 0, 0, 0)); !errors.Is(err, ErrMalformed) {
			t.Errorf("%s: four octets more: error %v", c.name, err)
		}
	}
}

// isList reports whether a payload ends with a list, so a truncated one can be valid.
func isList(p Payload) bool {
	switch p.(type) {
	case *Open, *Close, *Register, *Unregister, *AddAgentCaps, *Ping, *CommitSet, *UndoSet, *CleanupSet:
		return false
	}
	return true
}

func TestParseMalformed(t *testing.T) {
	const header = `01 06 10 00  00000007 00000008 00000009 `
	tests := []struct{ name, hex, want string }{
		{"nothing", ``, "header has 0 octets"},
		{"version 2", `02 06 10 00  00000007 00000008 00000009 00000000`, "version 2"},
		{"type 0", `01 00 10 00  00000007 00000008 00000009 00000000`, "unknown PDU type(0)"},
		{"RemoveAgentCaps", `01 11 10 00  00000007 00000008 00000009 00000000`, "unknown PDU RemoveAgentCaps"},
		{"AddAgentCaps without a description", `01 10 10 00  00000007 00000008 00000009 00000004 00 04 00 00`, "need 4 octets, 0 left"},
		{"AddAgentCaps with octets behind", `01 10 10 00  00000007 00000008 00000009 0000000c 00 04 00 00 00000000 00000000`, "trailing octets"},
		{"type 19", `01 13 10 00  00000007 00000008 00000009 00000000`, "unknown PDU type(19)"},
		{"payload of a megabyte and four", header + `00100004`, "has 1048580 octets"},
		{"payload of 4 GB", header + `fffffffc`, "has 4294967292 octets"},
		{"payload of five octets", header + `00000005 0004000000`, "has 5 octets"},
		{"129 sub-identifiers", header + `00000008 81 00 00 00 00000000`, "129 sub-identifiers"},
		{"124 behind a prefix", header + `00000008 7c 04 00 00 00000000`, "129 sub-identifiers"},
		{"sub-identifiers that are not there", header + `00000008 03 04 00 00 00000000`, "need 12 octets, 4 left"},
		{"range without end", header + `00000004 00 04 00 00`, "need 4 octets, 0 left"},
		{"context of 4 GB", `01 06 18 00  00000007 00000008 00000009 00000008 ffffffff 00000000`, "octet string has 4294967295 octets"},
		{"context without padding", `01 0d 18 00  00000007 00000008 00000009 00000008 00000005 61616161`, "octet string has 5 octets"},
		{"VarBind of type 3", `01 08 10 00  00000007 00000008 00000009 00000008 0003 0000 00 04 00 00`, "VarBind of type 3"},
		{"VarBind of type 258", `01 08 10 00  00000007 00000008 00000009 0000000c 0102 0000 00 04 00 00 00000001`, "VarBind of type 258"},
		{"IpAddress of 5 octets", `01 08 10 00  00000007 00000008 00000009 00000014 0040 0000 00 04 00 00 00000005 0a000001 02000000`, "IpAddress has 5 octets"},
		{"Response of four octets", `01 12 10 00  00000007 00000008 00000009 00000004 00000000`, "need 2 octets, 0 left"},
		{"CommitSet with a payload", `01 09 10 00  00000007 00000008 00000009 00000004 00000000`, "trailing octets"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, p, err := ParsePDU(unhex(t, tt.hex))
			if !errors.Is(err, ErrMalformed) {
				t.Fatalf("got %+v, error %v, want ErrMalformed", p, err)
			}
			if !strings.Contains(err.Error(), tt.want) {
				t.Errorf("error %q, want %q in it", err, tt.want)
			}
		})
	}
}

// TestParseLenient: encodings that RFC 2741 allows but we do not write.
func TestParseLenient(t *testing.T) {
	tests := []struct {
		name, hex string
		want      Payload
	}{
		{
			"no prefix", `01 05 10 00  00000007 00000008 00000009 0000001c
			05 00 00 00 00000001 00000003 00000006 00000001 00000004  00000000`,
			&Get{Ranges: []SearchRange{{Start: value.OID{1, 3, 6, 1, 4}}}},
		},
		{
			"0.0 as a null value", `01 08 10 00  00000007 00000008 00000009 0000000c
			0006 0000  00 04 00 00  00 00 00 00`,
			&TestSet{Varbinds: []mib.Varbind{vb("1.3.6.1.4", func(v *mib.Value) { v.SetOID(nil, 0, 0) })}},
		},
		{
			"padding and reserved octets that are not zero", `01 08 10 ff  00000007 00000008 00000009 00000010
			0004 ffff  00 04 00 ff  00000001 61ffffff`,
			&TestSet{Varbinds: []mib.Varbind{vb("1.3.6.1.4", func(v *mib.Value) { v.SetOctets("a") })}},
		},
		{"empty context", `01 0d 18 00  00000007 00000008 00000009 00000004 00000000`, &Ping{}},
		{"context flag where no context can be", `01 09 18 00  00000007 00000008 00000009 00000000`, &CommitSet{}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			h, p, err := ParsePDU(unhex(t, tt.hex))
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.want, p, cmpopts.EquateEmpty()); diff != "" {
				t.Errorf("payload (-want +got):\n%s", diff)
			}
			if h.Flags != pdu.FlagNetworkByteOrder {
				t.Errorf("flags %s", h.Flags)
			}
		})
	}
}

// TestRoundTrip encodes and parses search ranges and variables of any content in both byte orders.
func TestRoundTrip(t *testing.T) {
	oid := rapid.Custom(func(t *rapid.T) mib.OID {
		o := mib.OID(rapid.SliceOfN(rapid.Uint32(), 0, mib.MaxSubIDs-5).Draw(t, "sub-identifiers"))
		if rapid.Bool().Draw(t, "internet") {
			o = append(mib.OID{1, 3, 6, 1, rapid.Uint32Range(0, 300).Draw(t, "prefix")}, o...)
		}
		return o
	})
	varbind := rapid.Custom(func(t *rapid.T) mib.Varbind {
		vb := mib.Varbind{Name: oid.Draw(t, "name")}
		v := &vb.Value
		v.Type = rapid.SampledFrom([]mib.Type{
			mib.Integer32, mib.OctetString, mib.Null, mib.ObjectIdentifier, mib.IpAddress, mib.Counter32, mib.Gauge32,
			mib.TimeTicks, mib.Opaque, mib.Counter64, mib.NoSuchObject, mib.NoSuchInstance, mib.EndOfMibView,
		}).Draw(t, "type")
		switch v.Type {
		case mib.Integer32, mib.IpAddress, mib.Counter32, mib.Gauge32, mib.TimeTicks:
			v.Num = uint64(rapid.Uint32().Draw(t, "number"))
		case mib.Counter64:
			v.Num = rapid.Uint64().Draw(t, "number")
		case mib.OctetString, mib.Opaque:
			v.Str = string(rapid.SliceOf(rapid.Byte()).Draw(t, "octets"))
		case mib.ObjectIdentifier:
			if v.OID = oid.Draw(t, "value"); len(v.OID) == 0 {
				v.OID = mib.OID{0, 0}
			}
		}
		return vb
	})
	searchRange := rapid.Custom(func(t *rapid.T) SearchRange {
		return SearchRange{value.OID(oid.Draw(t, "start")), rapid.Bool().Draw(t, "include"), value.OID(oid.Draw(t, "end"))}
	})
	rapid.Check(t, func(t *rapid.T) {
		h := Header{
			SessionID: rapid.Uint32().Draw(t, "session"), TransactionID: rapid.Uint32().Draw(t, "transaction"),
			PacketID: rapid.Uint32().Draw(t, "packet"),
		}
		if rapid.Bool().Draw(t, "network byte order") {
			h.Flags = pdu.FlagNetworkByteOrder
		}
		ctx := rapid.String().Draw(t, "context")
		for _, p := range []Payload{
			&GetBulk{ctx, rapid.Uint16().Draw(t, "non-repeaters"), rapid.Uint16().Draw(t, "repetitions"), rapid.SliceOf(searchRange).Draw(t, "ranges")},
			&TestSet{ctx, rapid.SliceOf(varbind).Draw(t, "variables")},
		} {
			gotHeader, got, err := ParsePDU(AppendPDU(nil, h, p))
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(p, got, cmpopts.EquateEmpty()); diff != "" {
				t.Fatalf("payload (-want +got):\n%s", diff)
			}
			if gotHeader.SessionID != h.SessionID || gotHeader.TransactionID != h.TransactionID || gotHeader.PacketID != h.PacketID {
				t.Fatalf("header %+v, want %+v", gotHeader, h)
			}
		}
	})
}
