package radius

import (
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// printed formats one attribute: "NAME = VALUE", a number with a # in front.
func printed(d *Dictionary, t Type, value string) (lines []string) {
	for p := range d.Print(Attributes(AppendAttribute(nil, t, value))) {
		if p.Number {
			p.Text = "#" + p.Text
		}
		lines = append(lines, p.Name+" = "+p.Text)
	}
	return lines
}

func TestPrint(t *testing.T) {
	const mac = "\x00\x00\x5e\x00\x53\x01"
	custom, err := Standard().With(file(t, "custom", `
ATTRIBUTE Custom-Ether 200 ether
ATTRIBUTE Custom-Signed 201 signed
ATTRIBUTE Custom-Short 202 short
ATTRIBUTE Custom-Byte 203 byte
VALUE Custom-Byte Red 1
`))
	if err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		name  string
		typ   Type
		value string
		want  string
	}{
		{"text", UserName, "frédéric", "User-Name = frédéric"},
		{"text that is not UTF-8", UserName, "fr\xe9d", "User-Name = 0x6672e964"},
		{"octets", Class, "abc", "Class = 0x616263"},
		{"no octets", Class, "", "Class = 0x"},
		{"number", NASPort, "\x00\x00\x01\x02", "NAS-Port = #258"},
		{"number that is none", NASPort, "\x01\x02", "NAS-Port = 0x0102"},
		{"enumerated, FreeRADIUS's name", ServiceType, "\x00\x00\x00\x02", "Service-Type = Framed-User"},
		{"enumerated, zero", LoginService, "\x00\x00\x00\x00", "Login-Service = Telnet"},
		{"enumerated, the last of two names", AcctStatusType, "\x00\x00\x00\x03", "Acct-Status-Type = Interim-Update"},
		{"enumerated, no name", AcctTerminateCause, "\x00\x00\x03\xe8", "Acct-Terminate-Cause = #1000"},
		{"time", EventTimestamp, "\x3b\x9a\xca\x00", "Event-Timestamp = 2001-09-09T01:46:40Z"},
		{"address", FramedIPAddress, "\x0a\x01\x01\x02", "Framed-IP-Address = 10.1.1.2"},
		{"address that is none", FramedIPAddress, "\x0a", "Framed-IP-Address = 0x0a"},
		{"IPv6 address", 168, "\x20\x01\x0d\xb8\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x01", "Framed-IPv6-Address = 2001:db8::1"},
		{"IPv6 prefix", 97, "\x00\x40\x20\x01\x0d\xb8\x00\x00\x00\x00", "Framed-IPv6-Prefix = 2001:db8::/64"},
		{"IPv6 prefix, shortest", 123, "\x00\x00", "Delegated-IPv6-Prefix = ::/0"},
		{"IPv6 prefix that is none", 123, "\x00\x81", "Delegated-IPv6-Prefix = 0x0081"},
		{"IPv4 prefix", 155, "\x00\x18\xc0\x00\x02\x00", "PMIP6-Home-IPv4-HoA = 192.0.2.0/24"},
		{"IPv4 prefix that is none", 155, "\x00\x21\xc0\x00\x02\x00", "PMIP6-Home-IPv4-HoA = 0x0021c0000200"},
		{"interface", 96, "\x00\x01\x02\x03\x04\x05\x06\x07", "Framed-Interface-Id = 0001:0203:0405:0607"},
		{"64 bits", 124, "\x00\x00\x00\x01\x00\x00\x00\x00", "MIP6-Feature-Vector = #4294967296"},
		{"16 bits", 141, "\x01\x00", "PKM-SAID = #256"},
		{"Ethernet address", 200, mac, "Custom-Ether = 00:00:5e:00:53:01"},
		{"negative", 201, "\xff\xff\xff\xff", "Custom-Signed = #-1"},
		{"octet", 203, "\x02", "Custom-Byte = #2"},
		{"octet with a name", 203, "\x01", "Custom-Byte = Red"},
		{"password", 2, "secret", "User-Password = 0x736563726574"},
		{"password of a tunnel", 69, "\x01\x80\x00x", "Tunnel-Password = 0x01800078"},
		{"tunnel without tag", 64, "\x00\x00\x00\x0d", "Tunnel-Type = VLAN"},
		{"tunnel with tag", 64, "\x01\x00\x00\x0d", "Tunnel-Type:1 = VLAN"},
		{"tunnel, no tag as great", 64, "\x20\x00\x00\x0d", "Tunnel-Type = #536870925"},
		{"tunnel, no number", 64, "\x01\x02", "Tunnel-Type = 0x0102"},
		{"text of a tunnel without tag", 81, "100", "Tunnel-Private-Group-Id = 100"},
		{"text of a tunnel with tag", 81, "\x1f100", "Tunnel-Private-Group-Id:31 = 100"},
		{"text of a tunnel with tag 0", 81, "\x00100", "Tunnel-Private-Group-Id = 100"},
		{"94 has a name", 94, "\x00\x01", "Originating-Line-Info = 0x0001"},
		{"126 has a name", 126, "1example.net", "Operator-Name = 1example.net"},
		{"extended types are opaque", 241, "\x01abc", "Attr-241 = 0x01616263"},
		{"not in the dictionary", 250, "\x01", "Attr-250 = 0x01"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := strings.Join(printed(custom, tt.typ, tt.value), "; "); got != tt.want {
				t.Errorf("got %s, want %s", got, tt.want)
			}
		})
	}
}

// valueOf generates a valid text for an attribute, by its kind.
func valueOf(t *rapid.T, def *Definition) string {
	for name := range def.values.numbers {
		if def.values.names[def.values.numbers[name]] == name && rapid.Bool().Draw(t, "by name") {
			return name
		}
	}
	octets := func(n int) string { return string(rapid.SliceOfN(rapid.Byte(), n, n).Draw(t, "octets")) }
	size := map[Kind]int{Integer: 4, Integer64: 8, Byte: 1, Short: 2, Signed: 4, Time: 4, IPv4Address: 4, IPv6Address: 16, InterfaceID: 8, Ethernet: 6}[def.Kind]
	value := ""
	switch {
	case def.Kind == Text:
		return rapid.StringMatching(`[ -~]{1,50}`).Draw(t, "text")
	case size == 4 && def.Tagged:
		value = "\x00" + octets(3)
	case size > 0:
		value = octets(size)
	case def.Kind == IPv4Prefix:
		value = "\x00\x20" + octets(4)
	case def.Kind == IPv6Prefix:
		value = "\x00\x80" + octets(16)
	default:
		value = octets(rapid.IntRange(1, 50).Draw(t, "length"))
	}
	text, _ := def.format(value)
	return text
}

// TestRoundTrip: a text of an attribute is parsed to a value that prints as this text, under the
// same name.
func TestRoundTrip(t *testing.T) {
	d := Standard()
	for _, def := range d.All() {
		if def.Encrypted || d.nameOf(def.ID) != def.Name {
			continue // cannot be configured, or a name that is parsed but not printed
		}
		t.Run(def.Name, func(t *testing.T) {
			for name, n := range def.values.numbers {
				if def.values.names[n] == name {
					checkRoundTrip(t, def.Name, name)
				}
			}
			rapid.Check(t, func(rt *rapid.T) {
				name := def.Name
				if def.Tagged && rapid.Bool().Draw(rt, "tagged") {
					name += ":7"
				}
				checkRoundTrip(rt, name, valueOf(rt, def))
			})
		})
	}
}

func checkRoundTrip(t interface{ Fatalf(string, ...any) }, name, text string) {
	typ, value, err := Standard().Parse(name, text)
	if err != nil {
		t.Fatalf("%s = %s: %v", name, text, err)
	}
	for p := range Standard().Print(Attributes(AppendAttribute(nil, typ, value))) {
		if p.Name != name || p.Text != text {
			t.Fatalf("%s = %s: printed as %s = %s", name, text, p.Name, p.Text)
		}
	}
}

func TestParseErrors(t *testing.T) {
	tests := []struct{ name, attribute, text, want string }{
		{"no such attribute", "Usr-Name", "x", "unknown attribute name"},
		{"the name in other letters", "user-name", "x", "unknown attribute name"},
		{"a tag where none is", "User-Name:1", "x", "unknown attribute name"},
		{"a tag too large", "Tunnel-Type:32", "VLAN", `"32" is not a tag from 0 to 31`},
		{"no text", "User-Name", "", "has 0 octets, must have 1 to 253"},
		{"text too long", "User-Name", strings.Repeat("x", 254), "has 254 octets, must have 1 to 253"},
		{"text of a vendor too long", "Cisco-AVPair", strings.Repeat("x", 248), "has 248 octets, must have 1 to 247"},
		{"no number", "NAS-Port", "x", `"x" is not a number`},
		{"negative", "NAS-Port", "-1", `"-1" is not a number`},
		{"number too large", "NAS-Port", "4294967296", `"4294967296" is too large`},
		{"octet too large", "3GPP-NSAPI", "", "has 0 octets, must have 1 to 247"},
		{"number of a tunnel too large", "Tunnel-Preference", "16777216", `"16777216" is too large`},
		{"no such value", "Service-Type", "Login", `"Login" is neither a number nor the name of a value`},
		{"no address", "NAS-IP-Address", "2001:db8::1", `"2001:db8::1" is not an IPv4 address`},
		{"no IPv6 address", "NAS-IPv6-Address", "192.0.2.1", `"192.0.2.1" is not an IPv6 address`},
		{"an address with a zone", "NAS-IPv6-Address", "fe80::1%eth0", `"fe80::1%eth0" is not an IPv6 address`},
		{"a prefix with bits beyond", "Framed-IPv6-Prefix", "2001:db8::1/64", `"2001:db8::1/64" is not an IPv6 prefix`},
		{"no IPv4 prefix", "PMIP6-Home-IPv4-HoA", "192.0.2.0", `"192.0.2.0" is not an IPv4 prefix`},
		{"no time", "Event-Timestamp", "yesterday", `"yesterday" is not a time such as 2001-09-09T01:46:40Z`},
		{"a time too late", "Event-Timestamp", "2200-01-01T00:00:00Z", `"2200-01-01T00:00:00Z" is not a time such as 2001-09-09T01:46:40Z`},
		{"half an interface", "Framed-Interface-Id", "0:1:2", `"0:1:2" is not an interface id such as 0001:0203:0405:0607`},
		{"no interface", "Framed-Interface-Id", "0:1:2:x", `"0:1:2:x" is not an interface id such as 0001:0203:0405:0607`},
		{"octets without 0x", "Class", "abcd", `"abcd" is not 0x followed by hexadecimal digits`},
		{"half an octet", "Class", "0xabc", `"0xabc" is not 0x followed by hexadecimal digits`},
		{"a password", "User-Password", "x", "its value is encrypted"},
		{"a vendor's key", "MS-MPPE-Send-Key", "0x01", "its value is encrypted"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if _, value, err := Standard().Parse(tt.attribute, tt.text); err == nil || err.Error() != tt.want {
				t.Errorf("%x, error %v, want %s", value, err, tt.want)
			}
		})
	}
}

func TestErrorCauseString(t *testing.T) {
	for cause, want := range map[ErrorCause]string{
		0: "0", 503: "503 (Session-Context-Not-Found)", 201: "201 (Residual-Session-Context-Removed)",
		502: "502 (Request-Not-Routable)", 505: "505 (Other-Proxy-Processing-Error)", 999: "999",
	} {
		if got := cause.String(); got != want {
			t.Errorf("%d: %s, want %s", cause, got, want)
		}
	}
}
