package wire

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// tlv encodes an element with these parts as content; if tag is 0, it only concatenates them.
func tlv(tag byte, parts ...[]byte) []byte {
	content := bytes.Join(parts, nil)
	if tag == 0 {
		return content
	}
	b := make([]byte, headerSize(len(content)))
	putHeader(b, tag, len(content))
	return append(b, content...)
}

func integer(n int64) []byte { return appendInteger(nil, tagInteger, n) }

func text(s string) []byte { return tlv(tagOctets, []byte(s)) }

// Valid parts of messages.
var (
	goodVersion   = integer(1)
	goodCommunity = text("public")
	goodPDU       = tlv(byte(GetRequest), integer(1), integer(0), integer(0), tlv(tagSequence))
	goodScoped    = tlv(tagSequence, text("engine"), text(""), goodPDU)
	goodGlobal    = tlv(tagSequence, integer(77), integer(65507), text("\x04"), integer(3))
	goodUSM       = tlv(tagSequence, text("engine"), integer(1), integer(2), text("user"), text(""), text(""))
)

func v3Message(global, parameters, data []byte) []byte {
	return tlv(tagSequence, integer(3), global, parameters, data)
}

func TestMessage(t *testing.T) {
	v2 := func(v Version) Message { return Message{Version: v, Community: []byte("public"), Data: goodPDU} }
	v3 := Message{Version: Version3, ID: 77, MaxSize: 65507, Flags: FlagReportable, Model: ModelUSM, SecurityParameters: goodUSM, Data: goodScoped}
	limits := Message{Version: Version3, ID: 1<<31 - 1, MaxSize: MinMaxSize, Flags: 0xf8, Model: 1<<31 - 1, SecurityParameters: []byte{}, Data: goodScoped}
	private := v3
	private.Flags, private.Data = FlagAuth|FlagPriv, []byte("secret")
	invalid, invalidPlain := private, v3
	invalid.Flags, invalidPlain.Flags = FlagPriv, FlagPriv
	for _, c := range []struct {
		name string
		b    []byte
		want Message
	}{
		{"v2c", tlv(tagSequence, goodVersion, goodCommunity, goodPDU), v2(Version2c)},
		{"v1 has the same frame", tlv(tagSequence, integer(0), goodCommunity, goodPDU), v2(Version1)},
		{
			"version of 4 octets, lengths of more octets than needed",
			unhex(t, "30 82 00 1d 02 04 00 00 00 01 04 82 00 06 7075626c6963 a0 0b 020101 020100 020100 3000"), v2(Version2c),
		},
		{"community of no octets", tlv(tagSequence, goodVersion, text(""), goodPDU), Message{Version: Version2c, Community: []byte{}, Data: goodPDU}},
		{
			"community of 300 octets", tlv(tagSequence, goodVersion, text(strings.Repeat("x", 300)), goodPDU),
			Message{Version: Version2c, Community: bytes.Repeat([]byte("x"), 300), Data: goodPDU},
		},
		{"v3", v3Message(goodGlobal, text(string(goodUSM)), goodScoped), v3},
		{
			"v3 at its limits, reserved flags, another security model",
			v3Message(tlv(tagSequence, integer(1<<31-1), integer(484), text("\xf8"), integer(1<<31-1)), text(""), goodScoped), limits,
		},
		{
			"v3 encrypted",
			v3Message(tlv(tagSequence, integer(77), integer(65507), text("\x03"), integer(3)), text(string(goodUSM)), text("secret")), private,
		},
		{
			"privacy without authentication is for the one who counts snmpInvalidMsgs",
			v3Message(tlv(tagSequence, integer(77), integer(65507), text("\x02"), integer(3)), text(string(goodUSM)), text("secret")), invalid,
		},
		{
			"the same with a plain scopedPDU",
			v3Message(tlv(tagSequence, integer(77), integer(65507), text("\x02"), integer(3)), text(string(goodUSM)), goodScoped), invalidPlain,
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			m := Message{Version: 9, Community: []byte("old"), ID: 9, MaxSize: 9, Flags: 9, Model: 9, SecurityParameters: []byte("old"), Data: []byte("old")}
			if err := m.Parse(c.b); err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff(c.want, m); d != "" {
				t.Errorf("(-want +got):\n%s", d)
			}
		})
	}
}

// checkMalformed compares the text of an error, without the common prefix.
func checkMalformed(t *testing.T, err error, want string) {
	t.Helper()
	if !errors.Is(err, ErrMalformed) {
		t.Fatalf("error %v does not wrap ErrMalformed", err)
	}
	if got := strings.TrimPrefix(err.Error(), "wire: malformed message: "); got != want {
		t.Errorf("error %q, want %q", got, want)
	}
}

func TestMessageMalformed(t *testing.T) {
	global := func(parts ...[]byte) []byte {
		return v3Message(tlv(tagSequence, parts...), text(string(goodUSM)), goodScoped)
	}
	id, size, flags, model := integer(77), integer(65507), text("\x04"), integer(3)
	for _, c := range []struct {
		name    string
		b       []byte
		version Version
		want    string
	}{
		{"no octet", nil, -1, "Message: truncated header"},
		{"not a SEQUENCE", text("public"), -1, "Message: unexpected tag"},
		{"an empty SEQUENCE", tlv(tagSequence), -1, "version: truncated header"},
		{"octets behind it", append(tlv(tagSequence, goodVersion, goodCommunity, goodPDU), 0), -1, "Message: trailing octets"},
		{"version is no INTEGER", tlv(tagSequence, text("\x01"), goodCommunity, goodPDU), -1, "version: unexpected tag"},
		{"version of 5 octets", tlv(tagSequence, integer(1<<32), goodCommunity, goodPDU), -1, "version: integer of more than 32 bits"},
		{"version of no octets", tlv(tagSequence, tlv(tagInteger), goodCommunity, goodPDU), -1, "version: empty integer"},
		{"community is an INTEGER", tlv(tagSequence, goodVersion, integer(5), goodPDU), Version2c, "community: unexpected tag"},
		{"community longer than the message", unhex(t, "30 06 020101 04 04 70"), Version2c, "community: longer than the enclosing element"},
		{"no PDU", tlv(tagSequence, goodVersion, goodCommunity), Version2c, "data: not a PDU"},
		{"an OCTET STRING for a PDU", tlv(tagSequence, goodVersion, goodCommunity, text("")), Version2c, "data: not a PDU"},
		{"a primitive element for a PDU", tlv(tagSequence, goodVersion, goodCommunity, tlv(0x80)), Version2c, "data: not a PDU"},
		{"a private element for a PDU", tlv(tagSequence, goodVersion, goodCommunity, tlv(0xe0)), Version2c, "data: not a PDU"},
		{"two PDUs", tlv(tagSequence, goodVersion, goodCommunity, goodPDU, goodPDU), Version2c, "data: trailing octets"},
		{"v1 cut short", tlv(tagSequence, integer(0), goodCommunity), Version1, "data: not a PDU"},
		{"v3 without msgGlobalData", tlv(tagSequence, integer(3)), Version3, "msgGlobalData: truncated header"},
		{"v3 with a community", tlv(tagSequence, integer(3), goodCommunity, goodPDU), Version3, "msgGlobalData: unexpected tag"},
		{"msgID below 0", global(integer(-1), size, flags, model), Version3, "msgID: out of range"},
		{"msgID of 5 octets", global(integer(1<<31), size, flags, model), Version3, "msgID: integer of more than 32 bits"},
		{"msgMaxSize 483", global(id, integer(483), flags, model), Version3, "msgMaxSize: out of range"},
		{"msgMaxSize below 0", global(id, integer(-29), flags, model), Version3, "msgMaxSize: out of range"},
		{"msgFlags of no octet", global(id, size, text(""), model), Version3, "msgFlags: not of one octet"},
		{"msgFlags of two octets", global(id, size, text("\x04\x00"), model), Version3, "msgFlags: not of one octet"},
		{"msgFlags an INTEGER", global(id, size, integer(4), model), Version3, "msgFlags: unexpected tag"},
		{"msgSecurityModel 0", global(id, size, flags, integer(0)), Version3, "msgSecurityModel: out of range"},
		{"msgGlobalData ends early", global(id, size, flags), Version3, "msgSecurityModel: truncated header"},
		{"msgGlobalData has more", global(id, size, flags, model, model), Version3, "msgGlobalData: trailing octets"},
		{"no msgSecurityParameters", tlv(tagSequence, integer(3), goodGlobal), Version3, "msgSecurityParameters: truncated header"},
		{"msgSecurityParameters a SEQUENCE", v3Message(goodGlobal, goodUSM, goodScoped), Version3, "msgSecurityParameters: unexpected tag"},
		{"no msgData", v3Message(goodGlobal, text(""), nil), Version3, "scopedPDU: truncated header"},
		{"encryptedPDU without the flag", v3Message(goodGlobal, text(""), text("secret")), Version3, "scopedPDU: unexpected tag"},
		{"scopedPDU twice", v3Message(goodGlobal, text(""), tlv(0, goodScoped, goodScoped)), Version3, "scopedPDU: trailing octets"},
		{
			"plaintext with the flag of privacy",
			v3Message(tlv(tagSequence, id, size, text("\x03"), model), text(""), goodScoped), Version3, "encryptedPDU: unexpected tag",
		},
		{
			"neither, with the flag of privacy alone",
			v3Message(tlv(tagSequence, id, size, text("\x02"), model), text(""), integer(1)), Version3, "encryptedPDU: unexpected tag",
		},
		{
			"octets behind a scopedPDU, with the flag of privacy alone",
			v3Message(tlv(tagSequence, id, size, text("\x02"), model), text(""), tlv(0, goodScoped, text(""))), Version3, "scopedPDU: trailing octets",
		},
		{
			"octets behind encryptedPDU",
			v3Message(tlv(tagSequence, id, size, text("\x03"), model), text(""), tlv(0, text("secret"), text(""))), Version3, "Message: trailing octets",
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			m := Message{Version: 9}
			checkMalformed(t, m.Parse(c.b), c.want)
			if m.Version != c.version {
				t.Errorf("Version is %d, want %d", m.Version, c.version)
			}
		})
	}
}

// TestVersionUnknown: such a message counts as snmpInBadVersions, whatever follows the version.
func TestVersionUnknown(t *testing.T) {
	for _, v := range []int64{2, 4, -1, 127, 1<<31 - 1, -1 << 31} {
		for _, rest := range [][]byte{nil, tlv(0, goodCommunity, goodPDU), text("what")} {
			var m Message
			err := m.Parse(tlv(tagSequence, integer(v), rest))
			if !errors.Is(err, ErrVersion) || errors.Is(err, ErrMalformed) || m.Version != Version(v) {
				t.Errorf("version %d with %x: Version %d, error %v", v, rest, m.Version, err)
			}
		}
	}
}

func TestSecurityParameters(t *testing.T) {
	digest, salt, engine := strings.Repeat("\x00", 48), "saltsalt", strings.Repeat("e", 32)
	for _, c := range []struct {
		name string
		b    []byte
		want SecurityParameters
	}{
		{
			"discovery: nothing is known yet", tlv(tagSequence, text(""), integer(0), integer(0), text(""), text(""), text("")),
			SecurityParameters{EngineID: []byte{}, UserName: []byte{}, AuthenticationParameters: []byte{}, PrivacyParameters: []byte{}},
		},
		{
			"all at their limits", tlv(tagSequence, text(engine), integer(1<<31-1), integer(1<<31-1), text(engine), text(digest), text(salt)),
			SecurityParameters{[]byte(engine), 1<<31 - 1, 1<<31 - 1, []byte(engine), []byte(digest), []byte(salt)},
		},
		{
			"lengths that are for usm to judge", tlv(tagSequence, text(strings.Repeat("e", 200)), integer(0), integer(0), text("u"), text("\x01"), text("s")),
			SecurityParameters{bytes.Repeat([]byte("e"), 200), 0, 0, []byte("u"), []byte("\x01"), []byte("s")},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := SecurityParameters{Boots: 9, UserName: []byte("old")}
			if err := p.Parse(c.b); err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff(c.want, p); d != "" {
				t.Errorf("(-want +got):\n%s", d)
			}
		})
	}
}

func TestSecurityParametersMalformed(t *testing.T) {
	e, n, s := text("engine"), integer(1), text("")
	for _, c := range []struct {
		name string
		b    []byte
		want string
	}{
		{"nothing", nil, "UsmSecurityParameters: truncated header"},
		{"an OCTET STRING", s, "UsmSecurityParameters: unexpected tag"},
		{"nothing in it", tlv(tagSequence), "msgAuthoritativeEngineID: truncated header"},
		{"boots below 0", tlv(tagSequence, e, integer(-1), n, s, s, s), "msgAuthoritativeEngineBoots: out of range"},
		{"boots 2^31", tlv(tagSequence, e, integer(1<<31), n, s, s, s), "msgAuthoritativeEngineBoots: integer of more than 32 bits"},
		{"time below 0", tlv(tagSequence, e, n, integer(-1), s, s, s), "msgAuthoritativeEngineTime: out of range"},
		{"user name of 33 octets", tlv(tagSequence, e, n, n, text(strings.Repeat("u", 33)), s, s), "msgUserName: longer than 32 octets"},
		{"user name an INTEGER", tlv(tagSequence, e, n, n, n, s, s), "msgUserName: unexpected tag"},
		{"ends early", tlv(tagSequence, e, n, n, s, s), "msgPrivacyParameters: truncated header"},
		{"has more", tlv(tagSequence, e, n, n, s, s, s, s), "UsmSecurityParameters: trailing octets"},
		{"octets behind it", append(bytes.Clone(goodUSM), 5, 0), "UsmSecurityParameters: trailing octets"},
	} {
		t.Run(c.name, func(t *testing.T) {
			var p SecurityParameters
			checkMalformed(t, p.Parse(c.b), c.want)
		})
	}
}

func TestScopedPDU(t *testing.T) {
	want := ScopedPDU{ContextEngineID: []byte("engine"), ContextName: []byte{}, PDU: goodPDU}
	for _, padding := range []int{0, 1, 7, 8} {
		b := append(bytes.Clone(goodScoped), bytes.Repeat([]byte{byte(padding)}, padding)...)
		for _, padded := range []bool{true, false} {
			var s ScopedPDU
			err := s.Parse(b, padded)
			if padding > 0 && !padded {
				checkMalformed(t, err, "scopedPDU: trailing octets")
				continue
			}
			if d := cmp.Diff(want, s); d != "" || err != nil {
				t.Errorf("%d octets of padding: %v (-want +got):\n%s", padding, err, d)
			}
		}
	}
}

func TestScopedPDUMalformed(t *testing.T) {
	for _, c := range []struct {
		name string
		b    []byte
		want string
	}{
		{"nothing", nil, "scopedPDU: truncated header"},
		{"what a wrong key makes of it", unhex(t, "8f 13 5a 77 01 02"), "scopedPDU: unexpected tag"},
		{"a length that a wrong key makes", unhex(t, "30 84 ff ff ff ff 04 00"), "scopedPDU: longer than the enclosing element"},
		{"contextEngineID an INTEGER", tlv(tagSequence, integer(1), text(""), goodPDU), "contextEngineID: unexpected tag"},
		{"no contextName", tlv(tagSequence, text(""), goodPDU), "contextName: unexpected tag"},
		{"no PDU", tlv(tagSequence, text(""), text("")), "data: not a PDU"},
		{"a SEQUENCE for a PDU", tlv(tagSequence, text(""), text(""), tlv(tagSequence)), "data: not a PDU"},
		{"PDU longer than the rest", tlv(tagSequence, text(""), text(""), []byte{0xa0, 5, 2}), "data: longer than the enclosing element"},
		{"two PDUs", tlv(tagSequence, text(""), text(""), goodPDU, goodPDU), "data: trailing octets"},
	} {
		t.Run(c.name, func(t *testing.T) {
			for _, padded := range []bool{true, false} {
				var s ScopedPDU
				checkMalformed(t, s.Parse(c.b, padded), c.want)
			}
		})
	}
}
