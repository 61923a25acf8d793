package control

import (
	"net/netip"
	"strings"
	"testing"

	"aaasess/internal/radius"
	"aaasess/sessions"

	"pgregory.net/rapid"
)

func attributes(pairs ...any) radius.Attributes {
	var b []byte
	for i := 0; i < len(pairs); i += 2 {
		b = radius.AppendAttribute(b, pairs[i].(radius.Type), pairs[i+1].(string))
	}
	return radius.Attributes(b)
}

// TestSearch: which texts of a session a search finds.
func TestSearch(t *testing.T) {
	v6 := netip.MustParseAddr("2001:db8::7").As16()
	s := &sessions.Session{
		ID: 0xab12, IPv4: 0x0a00_0102,
		NAS: &sessions.NAS{Addr: netip.MustParseAddr("::ffff:192.0.2.9"), Identifier: "BRAS-1"},
		Attrs: attributes(
			radius.UserName, "J\u00d6RG@Example.net", radius.AcctSessionID, "Sess/77", radius.CallingStationID, "00-11-22-AA-BB-CC", radius.NASPortID, "Gi0/1.100", radius.NASPort, "\x00\x00\x10\xe1",
			radius.FramedIPv6Address, string(v6[:]), radius.CalledStationID, "not searched",
		),
		Admission: &sessions.Admission{Upstream: "up-9", Granted: attributes(radius.DelegatedIPv6Prefix, "\x00\x30\x20\x01\x0d\xb8\x00\x42")},
	}
	srv := &Server{cfg: Config{ClientName: func(addr netip.Addr) string {
		if addr == s.NAS.Addr {
			return "Lab"
		}
		return ""
	}}}
	for _, tt := range []struct {
		name, text string
		want       bool
	}{
		{"user, another case", "example.NET", true},
		{"user, letters that are not ASCII", "j\u00f6rg", true},
		{"user, ASCII letters around others", "rg@", true},
		{"octets that are no UTF-8", "\xd6rg", false},
		{"longer than the field", "jorg@example.net and more", false},
		{"IPv4", "10.0.1.2", true},
		{"IPv4, a part", "0.1.", true},
		{"IPv4, another one", "10.0.1.3", false},
		{"IPv6", "2001:DB8::7", true},
		{"granted prefix", "42::/48", true},
		{"client", "lab", true},
		{"NAS", "bras", true},
		{"NAS address", "192.0.2.9", true},
		{"NAS address, not as it is shown", "::ffff:192.0.2.9", false},
		{"calling station", "-aa-bb", true},
		{"calling station, another notation", "00:11:22:aa:bb:cc", true},
		{"another MAC address", "00:11:22:aa:bb:cd", false},
		{"line", "gi0/1", true},
		{"port", "4321", true},
		{"port, a part", "32", true},
		{"Acct-Session-Id", "sess/7", true},
		{"ID", "0000AB12", true},
		{"ID, a part", "ab1", true},
		{"ID upstream", "UP-9", true},
		{"called station", "not searched", false},
		{"two fields at once", "Gi0/1.1004321", false},
	} {
		if got := srv.newSearcher(tt.text).match(s); got != tt.want {
			t.Errorf("%s: %q: %v", tt.name, tt.text, got)
		}
	}
	s.Admission, s.IPv4 = nil, 0
	if srv.newSearcher("0.0.0.0").match(s) {
		t.Error("a session without an address has 0.0.0.0")
	}
}

// TestSearchAnyCase: a part of a text is found whatever its case, and nothing else is.
func TestSearchAnyCase(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		user := rapid.StringOf(rapid.SampledFrom([]rune("abABzZ09 @-\u00e4\u00c4\u00f1"))).Draw(t, "user")
		text := rapid.StringOfN(rapid.SampledFrom([]rune("abABzZ@\u00e4\u00c4")), 1, 4, -1).Draw(t, "text")
		srv := &Server{cfg: Config{ClientName: func(netip.Addr) string { return "" }}}
		s := &sessions.Session{ID: 0x1111_1111, Attrs: attributes(radius.UserName, user), NAS: &sessions.NAS{}}
		if got, want := srv.newSearcher(text).match(s), strings.Contains(strings.ToLower(user), strings.ToLower(text)); got != want {
			t.Errorf("%q in %q: %v", text, user, got)
		}
	})
}
