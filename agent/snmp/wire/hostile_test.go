package wire

import (
	"bytes"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"testing"

	"aaasess/mib"
)

// TestHostile parses messages that crashed or compromised other implementations, built from the
// descriptions.
func TestHostile(t *testing.T) {
	null := tlv(5)
	v2c := func(pdu []byte) []byte { return tlv(tagSequence, integer(1), goodCommunity, pdu) }
	v3 := func(parameters []byte) []byte { return v3Message(goodGlobal, text(string(parameters)), goodScoped) }
	e, n := text("engine"), integer(1)
	for _, c := range []struct {
		name string
		b    []byte
		want string // error; "" means none
	}{
		{
			"CVE-2015-5621, CVE-2018-18066 net-snmp: a bad VarBind behind a good one stays in the list",
			v2c(pduOf(GetRequest, varbind(sysUpTime0, null), unhex(t, "30 4b 30 0d 06 09 2b 06"))), "varbind 2: VarBind: longer than the enclosing element",
		},
		{
			"the same, the name being none",
			v2c(pduOf(GetNextRequest, varbind(sysUpTime0, null), tlv(tagSequence, tlv(4, []byte("\x81\x7d\x08")), null))), "varbind 2: name: unexpected tag",
		},
		{
			"CVE-2018-18065 net-snmp: GETBULK with more non-repeaters than variables",
			v2c(tlv(byte(GetBulkRequest), integer(1), integer(1<<31-1), integer(0), tlv(tagSequence, varbind(sysUpTime0, null)))), "",
		},
		{
			"CVE-2007-5846 net-snmp: GETBULK of 2^31-1 repetitions",
			v2c(tlv(byte(GetBulkRequest), integer(1), integer(0), integer(1<<31-1), tlv(tagSequence, varbind(sysUpTime0, null)))), "",
		},
		{
			"CVE-2025-68615 net-snmp: a trap whose snmpTrapOID has no octets",
			v2c(pduOf(SNMPv2Trap, varbind(sysUpTime0, num43), varbind(mib.MustOID("1.3.6.1.6.3.1.1.4.1.0"), tlv(6)))), "varbind 2: value: empty OBJECT IDENTIFIER",
		},
		{
			"CVE-2022-24805 to 24810 net-snmp: an index of sub-identifiers that say a great length",
			v2c(pduOf(GetNextRequest, varbind(mib.MustOID("1.3.6.1.4.1.8072.1.9.1.1.1.4294967295.4294967295"), null))), "",
		},
		{
			"CVE-2002-0013 PROTOS: format string as community",
			tlv(tagSequence, integer(0), text("%s%n%s%n"), goodPDU), "",
		},
		{
			"CVE-2002-0013 PROTOS: community of 60,000 octets",
			tlv(tagSequence, integer(0), text(strings.Repeat("a", 60000)), goodPDU), "",
		},
		{
			"CVE-2002-0013 PROTOS: community of negative length",
			unhex(t, "30 0c 02 01 00 04 84 ff ff ff ff 70 75 62"), "community: longer than the enclosing element",
		},
		{
			"CVE-2002-0013 PROTOS: request-id of 1,000 octets",
			v2c(tlv(byte(GetRequest), tlv(2, bytes.Repeat([]byte{0x7f}, 1000)))), "request-id: integer of more than 32 bits",
		},
		{
			"CVE-2002-0012 PROTOS: the Trap-PDU of SNMPv1",
			tlv(tagSequence, integer(0), goodCommunity, tlv(0xa4, tlv(6, []byte{0x2b}), tlv(0x40, make([]byte, 4)), n, n, tlv(0x43, []byte{1}), tlv(tagSequence))), "",
		},
		{
			"gosnmp parseLength: a length of 8 octets, 7fffffffffffffee",
			v2c(pduOf(SetRequest, varbind(sysUpTime0, null), unhex(t, "30 88 7f ff ff ff ff ff ff ee a4 30"))), "varbind 2: VarBind: length of more than 4 octets",
		},
		{
			"gosnmp unmarshalV3Header: the version takes what is left",
			unhex(t, "30 04 02 02 30 03"), "", // version 12291
		},
		{
			"gosnmp unmarshalV3Header: msgFlags of no octet",
			v3Message(tlv(tagSequence, integer(77), integer(65507), text(""), integer(3)), text(string(goodUSM)), goodScoped), "msgFlags: not of one octet",
		},
		{
			"gosnmp decodeValue: an Opaque float cut short is only octets",
			v2c(pduOf(SetRequest, varbind(sysUpTime0, tlv(0x44, unhex(t, "9f 78 04 30"))))), "",
		},
		{
			"gosnmp parseRawField: numbers with another tag",
			unhex(t, "30 0d 43 01 30 43 06 30 30 30 30 30 30 a2 00"), "version: unexpected tag",
		},
		{
			"net-snmp usm_process_in_msg: parameters that reach behind their OCTET STRING",
			v3(unhex(t, "30 7f 04 06 656e67696e65 02 01 01")), "UsmSecurityParameters: longer than the enclosing element",
		},
		{
			"Mini-SNMPD decode_int: an integer that reaches behind the message",
			unhex(t, "30 04 02 04 7f ff"), "version: longer than the enclosing element",
		},
		{
			"mod_snmp of ProFTPD: a length below that of what stands in it",
			unhex(t, "30 02 02 01 01"), "Message: trailing octets",
		},
		{
			"user name of 4,000 octets",
			v3(tlv(tagSequence, e, n, n, text(strings.Repeat("u", 4000)), text(""), text(""))), "msgUserName: longer than 32 octets",
		},
		{
			"SEQUENCEs in SEQUENCEs, 15,000 of them",
			bytes.Repeat([]byte{0x30, 0x82, 0xff, 0xff}, 15000), "Message: longer than the enclosing element",
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			var o opened
			err := o.parse(c.b)
			if c.want == "" {
				if err != nil && !errors.Is(err, ErrVersion) {
					t.Fatal(err)
				}
				return
			}
			checkMalformed(t, err, c.want)
		})
	}
}

// num43 is a TimeTicks of 5.
var num43 = []byte{0x43, 1, 5}

// TestSetOfNull (CVE-2022-44792, CVE-2022-44793 of net-snmp: a SET of ipDefaultTTL or
// ipv6IpForwarding to NULL): the value has type NULL, which no object accepts, and no number of the
// previous message.
func TestSetOfNull(t *testing.T) {
	var p PDU
	name := mib.MustOID("1.3.6.1.2.1.4.2.0")
	for _, value := range [][]byte{integer(64), tlv(5)} {
		if err := p.Parse(pduOf(SetRequest, varbind(name, value))); err != nil {
			t.Fatal(err)
		}
	}
	if v := p.Varbinds[0].Value; v.Type != mib.Null || v.Num != 0 {
		t.Errorf("value %+v, want NULL", v)
	}
}

// TestShortDigest (CVE-2008-0960: net-snmp compared one octet of the HMAC if only one was sent;
// pysnmp 7.1.27 compared none): the field is returned unchanged, and usm rejects it.
func TestShortDigest(t *testing.T) {
	for n := range 64 {
		var p SecurityParameters
		b := tlv(tagSequence, text("engine"), integer(1), integer(1), text("user"), text(strings.Repeat("d", n)), text(strings.Repeat("s", n)))
		if err := p.Parse(b); err != nil {
			t.Fatal(err)
		}
		if len(p.AuthenticationParameters) != n || cap(p.AuthenticationParameters) != n || len(p.PrivacyParameters) != n {
			t.Errorf("digest of %d octets: field of %d and capacity %d", n, len(p.AuthenticationParameters), cap(p.AuthenticationParameters))
		}
	}
}

// TestManyVarbinds parses a datagram full of the shortest possible variable bindings.
func TestManyVarbinds(t *testing.T) {
	const n = (65507 - 40) / 7
	var p PDU
	b := pduOf(GetBulkRequest, slices.Repeat(unhex(t, "30 05 06 01 00 05 00"), n))
	if err := p.Parse(b); err != nil {
		t.Fatal(err)
	}
	if len(p.Varbinds) != n {
		t.Errorf("%d variable bindings, want %d", len(p.Varbinds), n)
	}
	if avg := testing.AllocsPerRun(10, func() { _ = p.Parse(b) }); avg != 0 {
		t.Errorf("%v allocations the second time", avg)
	}
}

// elements returns the position of each element's tag in b, except inside OCTET STRINGs and names.
func elements(b []byte) (places []int) {
	for at := 0; at < len(b); {
		content, rest, what := header(b[at:])
		if what != "" {
			return places
		}
		places = append(places, at)
		inside := len(b) - len(rest) - len(content)
		if b[at] == tagSequence || b[at]&0xe0 == 0xa0 {
			for _, p := range elements(content) {
				places = append(places, inside+p)
			}
		}
		at = len(b) - len(rest)
	}
	return places
}

// TestHostileLengths inserts wrong lengths into each element of each recorded datagram.
func TestHostileLengths(t *testing.T) {
	lengths := map[string][]byte{
		"indefinite": {0x80}, "2^32-1": {0x84, 0xff, 0xff, 0xff, 0xff}, "2^31": {0x84, 0x80, 0, 0, 0}, "2^31-1": {0x84, 0x7f, 0xff, 0xff, 0xff},
		"2^64-1": {0x88, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff}, "reserved": {0xff}, "65535": {0x82, 0xff, 0xff},
		"of 126 octets": append([]byte{0xfe}, make([]byte, 126)...),
	}
	tried := 0
	for _, r := range readRecorded(t) {
		for _, at := range elements(r.octets) {
			content, _, _ := header(r.octets[at:])
			size := headerSize(len(content)) - 1 // net-snmp writes the shortest lengths
			for name, length := range lengths {
				b := slices.Concat(r.octets[:at+1], length, r.octets[at+1+size:])
				tried++
				// The lengths around it do not fit any more. Correct them, so that only this one is
				// wrong.
				fixed := refit(b, at)
				var o opened
				if err := o.parse(fixed); !errors.Is(err, ErrMalformed) {
					t.Errorf("%s:%d: length %s at octet %d: %v: %x", r.file, r.line, name, at, err, fixed)
				}
			}
		}
	}
	if tried < 5000 {
		t.Errorf("only %d messages were tried", tried)
	}
}

// refit recomputes the lengths of the constructed elements that begin before bad.
func refit(b []byte, bad int) []byte {
	if bad == 0 {
		return b
	}
	var out []byte
	for at := 0; at < len(b); {
		if at >= bad {
			return append(out, b[at:]...)
		}
		size := 2
		if b[at+1] > 0x80 {
			size += int(b[at+1] & 0x7f)
		}
		n := 0
		for _, o := range b[at+2 : at+size] {
			n = n<<8 | int(o)
		}
		if size == 2 {
			n = int(b[at+1])
		}
		if constructed := b[at] == tagSequence || b[at]&0xe0 == 0xa0; constructed && bad < at+size+n {
			return append(out, tlv(b[at], refit(b[at+size:], bad-at-size))...)
		}
		out = append(out, b[at:at+size+n]...)
		at += size + n
	}
	return out
}

// TestHostileMemory: allocations do not depend on the lengths that a message claims.
func TestHostileMemory(t *testing.T) {
	b := tlv(tagSequence, integer(1), goodCommunity, tlv(byte(SetRequest), integer(1), integer(0), integer(1<<31-1),
		unhex(t, "30 84 7f ff ff ff 30 84 7f ff ff ff 06 84 7f ff ff ff")))
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	const times = 1000
	for range times {
		var o opened
		if o.parse(b) == nil {
			t.Fatal("no error")
		}
	}
	runtime.ReadMemStats(&after)
	if each := (after.TotalAlloc - before.TotalAlloc) / times; each > 2000 {
		t.Errorf("%d octets were allocated for each message of %d", each, len(b))
	}
}

// TestSyntaxErrorText: an error names the place and the problem, in this form.
func TestSyntaxErrorText(t *testing.T) {
	var p PDU
	err := p.Parse(pduOf(SetRequest, varbind(sysUpTime0, integer(1)), varbind(sysUpTime0, tlv(2))))
	if want := "wire: malformed message: varbind 2: value: empty integer"; err == nil || err.Error() != want {
		t.Errorf("error %v, want %s", err, want)
	}
	var m Message
	if err, want := m.Parse(tlv(tagSequence, integer(2))), "wire: unknown message version: 2"; fmt.Sprint(err) != want {
		t.Errorf("error %v, want %s", err, want)
	}
}
