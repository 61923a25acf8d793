package radius

import (
	"slices"
	"strings"
	"testing"
)

// The packets of Cisco's guides: SSG sends the name, the user and the type of a connection to a
// service; ISG adds the parent.
func TestService(t *testing.T) {
	const cisco = "\x00\x00\x00\x09"
	vsa := func(vendor string, subs ...string) string {
		for _, s := range subs {
			vendor += s[:1] + string([]byte{byte(len(s) + 1)}) + s[1:]
		}
		return string(AppendAttribute(nil, VendorSpecific, vendor))
	}
	user := string(AppendAttribute(nil, UserName, "alice"))
	tests := []struct {
		name         string
		attrs        string
		want, parent string
	}{
		{"SSG", user + vsa(cisco, "\xfbNisp-name.com") + vsa(cisco, "\xfbUusername") + vsa(cisco, "\xfbTP"), "isp-name.com", ""},
		{"ISG", user + vsa(cisco, "\x01parent-session-id=00000012") + vsa(cisco, "\xfbNINTERNET"), "INTERNET", "00000012"},
		{"both in one attribute", vsa(cisco, "\xfbTP", "\xfbNINTERNET", "\x01parent-session-id=12"), "INTERNET", "12"},
		{"the first of two counts", vsa(cisco, "\xfbNa") + vsa(cisco, "\xfbNb", "\x01parent-session-id=1", "\x01parent-session-id=2"), "a", "1"},
		{"a session of a subscriber", user + vsa(cisco, "\x01connect-progress=LAN Ses Up"), "", ""},
		{"no attributes", "", "", ""},
		{"without a name", vsa(cisco, "\xfbUusername") + vsa(cisco, "\xfbQU;256000;D;256000"), "", ""},
		{"an empty name", vsa(cisco, "\xfbN"), "", ""},
		{"an empty value", vsa(cisco, "\xfb"), "", ""},
		{"a parent alone", vsa(cisco, "\x01parent-session-id=00000012"), "", ""},
		{"Cisco-Account-Info", vsa(cisco, "\xfaNINTERNET"), "", ""},
		{"another vendor", vsa("\x00\x00\x12\x34", "\xfbNINTERNET"), "", ""},
		{"a type of the IETF", string(AppendAttribute(nil, 251, "NINTERNET")), "", ""},
		{"cut off", string(AppendAttribute(nil, VendorSpecific, cisco+"\xfb\x20NINTERNET")), "", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			a := Attributes(tt.attrs)
			if !a.Valid() {
				t.Fatal("no attributes")
			}
			if got, parent := a.Service(); got != tt.want || parent != tt.parent {
				t.Errorf("%q of %q, want %q of %q", got, parent, tt.want, tt.parent)
			}
			if n := testing.AllocsPerRun(10, func() { a.Service() }); n != 0 {
				t.Errorf("%v allocations", n)
			}
		})
	}
}

func TestIdentifiesService(t *testing.T) {
	const cisco = "\x00\x00\x00\x09"
	tests := []struct {
		name, value string
		want        bool
	}{
		{"name", cisco + "\xfb\x04Na", true},
		{"user", cisco + "\xfb\x04Ua", true},
		{"type", cisco + "\xfb\x04TP", true},
		{"parent", cisco + "\x01\x15parent-session-id=1", true},
		{"name after another", cisco + "\x01\x05x=y\xfb\x04Na", true},
		{"bandwidth", cisco + "\xfb\x04QU", false},
		{"no value", cisco + "\xfb\x03N", false},
		{"another pair", cisco + "\x01\x05x=y", false},
		{"another attribute", cisco + "\xfa\x04Na", false},
		{"another vendor", "\x00\x00\x12\x34\xfb\x04Na", false},
		{"cut off", cisco + "\xfb\x05Na", false},
		{"nothing", "", false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := IdentifiesService(tt.value); got != tt.want {
				t.Errorf("%t", got)
			}
		})
	}
}

// FuzzService: whatever a packet has, the name and the parent are parts of it.
func FuzzService(f *testing.F) {
	f.Add("\x1a\x0b\x00\x00\x00\x09\xfb\x05Nab")
	f.Add("\x1a\x1b\x00\x00\x00\x09\x01\x15parent-session-id=1\x1a\x0a\x00\x00\x00\x09\xfb\x04Na")
	f.Add("\x1a\x06\x00\x00\x00\x09\x1a\x05\x00\x00\x00")
	f.Fuzz(func(t *testing.T, text string) {
		a := Attributes(text)
		name, parent := a.Service()
		if name == "" && parent != "" {
			t.Errorf("the parent %q of no service", parent)
		}
		def, _, err := Standard().Lookup("Cisco-Service-Info")
		if err != nil {
			t.Fatal(err)
		}
		var want string
		for v := range def.Values(a) {
			if len(v) > 7 && v[6] == 'N' {
				want = v[7:]
				break
			}
		}
		if name != want {
			t.Errorf("%q, want %q", name, want)
		}
		identified := false
		for typ, value := range a.All() {
			identified = identified || typ == VendorSpecific && IdentifiesService(value)
		}
		if name != "" && !identified {
			t.Errorf("no attribute identifies %q", name)
		}
	})
}

func TestVRRS(t *testing.T) {
	const cisco = "\x00\x00\x00\x09"
	for _, tt := range []struct {
		name, value string
		want        string
	}{
		{"a group", cisco + "\x01\x0cvrrs=pool1", "vrrs=pool1"},
		{"capital letters", cisco + "\x01\x11VRRS-name=pool1", "VRRS-name=pool1"},
		{"behind another", cisco + "\x01\x04ab\x01\x06vrrs", "vrrs"},
		{"another pair", cisco + "\x01\x0cvrrp=pool1", ""},
		{"too short", cisco + "\x01\x05vrr", ""},
		{"another attribute", cisco + "\x02\x0cvrrs=pool1", ""},
		{"another vendor", "\x00\x00\x12\x34\x01\x0cvrrs=pool1", ""},
		{"cut off", cisco + "\x01\x20vrrs", ""},
	} {
		a := Attributes(AppendAttribute(AppendAttribute(nil, UserName, "vrrs"), VendorSpecific, tt.value))
		if got := a.VRRS(); got != tt.want {
			t.Errorf("%s: %q", tt.name, got)
		}
	}
}

func TestAVPairs(t *testing.T) {
	b := AppendAttribute(nil, UserName, "alice")
	b = AppendAVPair(b, "priv-lvl", "15")
	b = AppendAttribute(b, VendorSpecific, "\x00\x00\x00\x09\x01\x06none\xfb\x05a=b\x01\x05c==")
	b = AppendAttribute(b, VendorSpecific, "\x00\x00\x00\x0a\x01\x05x=y")
	b = AppendAVPair(b, "cmd", strings.Repeat("x", MaxAVPair-len("cmd=")))
	var got []string
	for name, value := range Attributes(b).AVPairs() {
		got = append(got, name+" "+value)
	}
	want := []string{"priv-lvl 15", "c =", "cmd " + strings.Repeat("x", MaxAVPair-len("cmd="))}
	if !Attributes(b).Valid() || !slices.Equal(got, want) {
		t.Errorf("got %q", got)
	}
	for range Attributes(b).AVPairs() {
		break
	}
}
