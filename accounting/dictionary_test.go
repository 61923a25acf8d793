package accounting

import (
	"testing"

	"aaasess/internal/radius"
)

func TestAppendValue(t *testing.T) {
	tests := []struct {
		name   string
		typ    radius.Type
		value  string
		want   string
		number bool
	}{
		{"text", radius.UserName, "frédéric", "frédéric", false},
		{"text that is not UTF-8", radius.UserName, "fr\xe9d", "0x6672e964", false},
		{"octets", radius.Class, "abc", "0x616263", false},
		{"no octets", radius.Class, "", "0x", false},
		{"number", radius.NASPort, "\x00\x00\x01\x02", "258", true},
		{"number that is none", radius.NASPort, "\x01\x02", "0x0102", false},
		{"enumerated", radius.AcctTerminateCause, "\x00\x00\x00\x06", "Admin-Reset", false},
		{"enumerated, zero", radius.LoginService, "\x00\x00\x00\x00", "Telnet", false},
		{"enumerated, no name", radius.AcctTerminateCause, "\x00\x00\x03\xe8", "1000", true},
		{"time", radius.EventTimestamp, "\x3b\x9a\xca\x00", "2001-09-09T01:46:40Z", false},
		{"address", radius.FramedIPAddress, "\x0a\x01\x01\x02", "10.1.1.2", false},
		{"address that is none", radius.FramedIPAddress, "\x0a", "0x0a", false},
		{"IPv6 address", 168, "\x20\x01\x0d\xb8\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x01", "2001:db8::1", false},
		{"IPv6 prefix", 97, "\x00\x40\x20\x01\x0d\xb8\x00\x00\x00\x00", "2001:db8::/64", false},
		{"IPv6 prefix, shortest", 123, "\x00\x00", "::/0", false},
		{"IPv6 prefix that is none", 123, "\x00\x81", "0x0081", false},
		{"interface", 96, "\x00\x01\x02\x03\x04\x05\x06\x07", "0001:0203:0405:0607", false},
		{"not in the dictionary", 250, "\x01", "0x01", false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, number := AppendValue([]byte(">"), tt.typ, tt.value)
			if string(got) != ">"+tt.want || number != tt.number {
				t.Errorf("got %q, number %t; want %q, %t", got, number, tt.want, tt.number)
			}
		})
	}
}

func TestAttributeName(t *testing.T) {
	for typ, want := range map[radius.Type]string{1: "User-Name", 89: "Chargeable-User-Identity", 250: "Attr-250", 0: "Attr-0"} {
		if got := AttributeName(typ); got != want {
			t.Errorf("%d: got %q, want %q", typ, got, want)
		}
	}
	seen := map[string]int{}
	for i := range 256 {
		name := AttributeName(radius.Type(i))
		if j, ok := seen[name]; ok {
			t.Errorf("%d and %d are both %s", i, j, name)
		}
		seen[name] = i
	}
}
