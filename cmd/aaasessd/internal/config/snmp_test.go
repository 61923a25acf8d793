package config_test

import (
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"aaasess/cmd/aaasessd/internal/config"
	"aaasess/cmd/internal/strictyaml"
	"aaasess/mib"
)

// managed is a file with a responder and a target, with something else in place of a line.
func managed(line, instead string) string {
	return replaced(`snmp:
  responder:
    engine-id: "80007ed90461616173657373"
    views:
      - {name: mine, include: [1.3.6.1.2], exclude: [1.3.6.1.2.1.4]}
    groups:
      - name: ro
        level: noAuthNoPriv
      - {name: rw, write: mine}
    communities:
      - community: public
        from: [192.0.2.0/24]
        group: ro
      - {community: private, from: [192.0.2.1], group: rw}
    users:
      - name: bob
        group: rw
        auth: {protocol: SHA, password: "pass-word"}
        priv: {protocol: AES-128, password: "word-pass"}
      - {name: eve, group: ro}
  notifications:
    - name: nms
      address: 192.0.2.9
      version: v3
      user: bob
`, line, instead)
}

// implied is the views that are always there.
func implied() []config.View {
	return []config.View{
		{Name: "all", Include: []mib.OID{mib.MustOID("1.3.6.1")}},
		{
			Name: "common", Include: []mib.OID{mib.MustOID("1.3.6.1")},
			Exclude: []mib.OID{mib.MustOID("1.3.6.1.6.3.15"), mib.MustOID("1.3.6.1.6.3.16")},
		},
		{Name: "sessions", Include: []mib.OID{mib.MustOID("1.3.6.1.4.1.9.9.150.1"), mib.MustOID("1.3.6.1.2.1.1")}},
	}
}

func host(t *testing.T) string {
	t.Helper()
	name, err := os.Hostname()
	if err != nil {
		return ""
	}
	return name
}

func TestSNMPDefaults(t *testing.T) {
	c := mustParse(t, `snmp:
  responder:
    groups: [{name: g}]
    communities: [{community: c, from: [10.0.0.0/8], group: g}]
    users: [{name: u, group: g, auth: {protocol: SHA, password: "12345678"}, priv: {protocol: AES-128, password: "12345678"}}]
  notifications:
    - {name: n, address: h.example, version: v2c, community: c}
`, ".")
	want := config.SNMP{
		Responder: &config.Responder{
			Listen:         []netip.AddrPort{netip.MustParseAddrPort("0.0.0.0:161"), netip.MustParseAddrPort("[::]:161")},
			MaxMessageSize: 65507, AuthenticationFailure: true,
			System: config.ResponderSystem{ObjectID: mib.OID{0, 0}, Name: host(t)},
			Limits: config.ResponderLimits{Requests: 50000, ResponseOctets: 64 << 20, Failures: 100},
			Views:  implied(),
			Groups: []config.AccessGroup{{Name: "g", Read: "common", Notify: "all", Level: "authPriv"}},
			Communities: []config.Community{
				{Community: "c", SecurityName: "g", From: []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")}, Group: "g"},
			},
			Users: []config.User{{
				Name: "u", Group: "g",
				Auth: config.USMSecret{Protocol: "SHA", Password: "12345678"},
				Priv: config.USMSecret{Protocol: "AES-128", Password: "12345678"},
			}},
		},
		Notifications: []config.Notification{
			{Name: "n", Address: "h.example:162", Version: "v2c", Community: "c", Timeout: 5 * time.Second, Retries: 3},
		},
	}
	if diff := cmp.Diff(want, c.SNMP, plain); diff != "" {
		t.Errorf("SNMP (-want +got):\n%s", diff)
	}
	if c.SNMP.Responder.EngineID != nil || c.SNMP.Notifications[0].EngineID != nil {
		t.Error("an engine id that is not given is not nil")
	}
}

func TestSNMP(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "c"), []byte("\xffpublic\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	key := strings.Repeat("0f", 32)
	c := mustParse(t, `snmp:
  agentx: {}
  session-mib-disconnect: true
  responder:
    listen: ["[::ffff:127.0.0.1]:0", "127.0.0.1:0", "[::1]:1161"]
    engine-id: "0x80007ED904"
    max-message-size: 484
    allow-insecure-set: true
    legacy: true
    authentication-failure: false
    system: {description: d, object-id: .1.3.6.1.4.1.32473, contact: "", name: "~ ", location: l}
    limits: {requests: 0, response-octets: 0, failures: 0}
    views:
      - {name: a, include: [.1.3.6.1.2, "1", "1.3", "2.999"], exclude: [1.3.6.1.2.1]}
    groups:
      - {name: g, read: a, write: sessions, notify: a, level: noAuthNoPriv}
      - {name: h, read: "", write: ""}
      - {name: i, notify: ""}
    communities:
      - {community: {file: c}, from: ["2001:db8::/32", 10.0.0.1], group: g, name: n}
      - {community: {file: c}, from: ["::/0"], group: g, name: n}
      - {community: other, from: [10.0.0.1], group: g}
    users:
      - {name: "ü 1", group: g}
      - {name: u2, group: g, auth: {protocol: MD5, password: "12345678"}, priv: {protocol: DES, key: "0x00112233445566778899aabbccddeeff"}}
      - {name: u3, group: h, auth: {protocol: SHA-256, key: "`+key+`"}, priv: {protocol: AES-192-C, key: "`+key+`"}}
      - {name: u4, group: h, auth: {protocol: SHA-512, password: "12345678"}, priv: {protocol: AES-256, key: "`+key+`"}}
  notifications:
    - {name: n1, address: "2001:DB8::1", version: v3, user: u3}
    - {name: n2, address: "[fe80::1%eth0]:1162", version: v3, type: inform, user: "ü 1", engine-id: "8000000001", source-address: "fe80::2%eth0", timeout: 10ms, retries: 0}
`, dir)
	octets := strictyaml.Secret(strings.Repeat("\x0f", 32))
	from := func(texts ...string) (prefixes []netip.Prefix) {
		for _, text := range texts {
			prefixes = append(prefixes, netip.MustParsePrefix(text))
		}
		return prefixes
	}
	loopback := netip.MustParseAddrPort("127.0.0.1:0")
	want := config.SNMP{
		AgentX: &config.AgentX{Network: "unix", Address: "/var/agentx/master"}, SessionMIBDisconnect: true,
		Responder: &config.Responder{
			Listen:   []netip.AddrPort{loopback, loopback, netip.MustParseAddrPort("[::1]:1161")},
			EngineID: []byte{0x80, 0, 0x7e, 0xd9, 4}, MaxMessageSize: 484, AllowInsecureSet: true,
			System: config.ResponderSystem{Description: "d", ObjectID: mib.MustOID("1.3.6.1.4.1.32473"), Name: "~ ", Location: "l"},
			Views: append(implied(), config.View{
				Name:    "a",
				Include: []mib.OID{{1, 3, 6, 1, 2}, {1}, {1, 3}, {2, 999}}, Exclude: []mib.OID{{1, 3, 6, 1, 2, 1}},
			}),
			Groups: []config.AccessGroup{
				{Name: "g", Read: "a", Write: "sessions", Notify: "a", Level: "noAuthNoPriv"},
				{Name: "h", Notify: "all", Level: "authPriv"},
				{Name: "i", Read: "common", Level: "authPriv"},
			},
			Communities: []config.Community{
				{Community: "\xffpublic", SecurityName: "n", From: from("2001:db8::/32", "10.0.0.1/32"), Group: "g"},
				{Community: "\xffpublic", SecurityName: "n", From: from("::/0"), Group: "g"},
				{Community: "other", SecurityName: "g", From: from("10.0.0.1/32"), Group: "g"},
			},
			Users: []config.User{
				{Name: "ü 1", Group: "g"},
				{
					Name: "u2", Group: "g", Auth: config.USMSecret{Protocol: "MD5", Password: "12345678"},
					Priv: config.USMSecret{Protocol: "DES", Key: "\x00\x11\x22\x33\x44\x55\x66\x77\x88\x99\xaa\xbb\xcc\xdd\xee\xff"},
				},
				{Name: "u3", Group: "h", Auth: config.USMSecret{Protocol: "SHA-256", Key: octets}, Priv: config.USMSecret{Protocol: "AES-192-C", Key: octets}},
				{Name: "u4", Group: "h", Auth: config.USMSecret{Protocol: "SHA-512", Password: "12345678"}, Priv: config.USMSecret{Protocol: "AES-256", Key: octets}},
			},
		},
		Notifications: []config.Notification{
			{Name: "n1", Address: "[2001:db8::1]:162", Version: "v3", User: "u3", Timeout: 5 * time.Second, Retries: 3},
			{
				Name: "n2", Address: "[fe80::1%eth0]:1162", Version: "v3", Inform: true, User: "ü 1",
				EngineID: []byte{0x80, 0, 0, 0, 1}, SourceAddress: netip.MustParseAddr("fe80::2%eth0"), Timeout: 10 * time.Millisecond,
			},
		},
	}
	if diff := cmp.Diff(want, c.SNMP, plain); diff != "" {
		t.Errorf("SNMP (-want +got):\n%s", diff)
	}
}

func TestTargetAddress(t *testing.T) {
	for text, want := range map[string]string{
		"192.0.2.1":           "192.0.2.1:162",
		"192.0.2.1:65535":     "192.0.2.1:65535",
		"::ffff:192.0.2.1":    "192.0.2.1:162",
		"NMS.example.net":     "nms.example.net:162",
		"nms:1":               "nms:1",
		"2001:db8::1":         "[2001:db8::1]:162",
		"[2001:db8::1]":       "[2001:db8::1]:162",
		"[2001:db8::1]:10162": "[2001:db8::1]:10162",
	} {
		c := mustParse(t, managed("      address: 192.0.2.9", `      address: "`+text+`"`), ".")
		if got := c.SNMP.Notifications[0].Address; got != want {
			t.Errorf("%q becomes %q, want %q", text, got, want)
		}
	}
}

// A source address of a target: of the target's family, of either family if the target is a name.
func TestTargetSource(t *testing.T) {
	for target, source := range map[string]string{
		"192.0.2.9":          "192.0.2.1",
		"::ffff:192.0.2.9":   "192.0.2.1",
		"[2001:db8::9]:1162": "2001:db8::1",
		"fe80::9%eth0":       "fe80::1%eth0",
		"nms.example.net":    "2001:db8::1",
		"nms.example.net:1":  "192.0.2.1",
	} {
		text := strings.Replace(ofTarget("user: bob\n      source-address: \""+source+"\""), "192.0.2.9", `"`+target+`"`, 1)
		if got := mustParse(t, text, ".").SNMP.Notifications[0].SourceAddress; got.String() != source {
			t.Errorf("notifications to %s leave from %v, want %s", target, got, source)
		}
	}
	if got := mustParse(t, ofTarget("user: bob"), ".").SNMP.Notifications[0].SourceAddress; got.IsValid() {
		t.Errorf("notifications leave from %v", got)
	}
}

// Views that have all of snmpTraps, for targets of v3; those of v2c need none.
func TestNotifyView(t *testing.T) {
	for name, text := range map[string]string{
		"all":            withNotify(`include: ["1"]`),
		"snmpTraps":      withNotify("include: [1.3.6.1.6.3.1.1.5], exclude: [1.3.6.1.6.3.1.1]"),
		"its parent":     withNotify(`include: [1.3.6.1.6.3.1.1, "1"], exclude: [1.3.6.1.6]`),
		"without others": withNotify("include: [1.3.6.1], exclude: [1.3.6.1.6.3.1.1.4, 1.3.6.1.6.3.1.1.6, 1.3.6.1.6.3.1.1.50]"),
		"common":         managed(rwLine, "      - {name: rw, notify: common}"),
		"v2c":            strings.Replace(v2c("community: c"), rwLine, `      - {name: rw, notify: ""}`, 1),
	} {
		if _, err := config.Parse("aaasess.yaml", []byte(text), "."); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// An empty engine id is none, as if the key were missing.
func TestEmptyEngineID(t *testing.T) {
	c := mustParse(t, managed(`    engine-id: "80007ed90461616173657373"`, `    engine-id: ""`), ".")
	if got := c.SNMP.Responder.EngineID; got != nil {
		t.Errorf("engine id is %x", got)
	}
}

// hidden is a secret of which no part may show.
const hidden = "Hunter2#7"

// What is not printed of secrets, is not printed of those of SNMP either.
func TestSNMPSecretNotInErrors(t *testing.T) {
	for _, line := range []string{
		"{community: [" + hidden + "], from: [10.0.0.1], group: g}",
		"{community: " + hidden + ", from: [10.0.0.1], group: h}",
		"{community: " + hidden + strings.Repeat("x", 250) + ", from: [10.0.0.1], group: g}",
		"{community: " + hidden + ", from: [10.0.0.1, 10.0.0.1], group: g}",
		"{community: {" + hidden + ": x}, from: [10.0.0.1], group: g}",
	} {
		text := "snmp:\n  responder:\n    groups: [{name: g}]\n    communities:\n      - " + line + "\n"
		wantHidden(t, text)
	}
	for _, auth := range []string{
		`password: "unter2"`, `key: "` + hidden + `"`, `key: "0xunter2"`, `password: "` + hidden + `", key: "` + hidden + `"`,
		"passwort: " + hidden, "password: {" + hidden + "}", "password: [" + hidden + "]",
	} {
		wantHidden(t, "snmp: {responder: {groups: [{name: g}], users: [{name: u, group: g, auth: {protocol: SHA, "+auth+"}}]}}\n")
	}
}

func wantHidden(t *testing.T, text string) {
	t.Helper()
	_, err := config.Parse("aaasess.yaml", []byte(text), ".")
	if err == nil {
		t.Errorf("is taken: %s", text)
	} else if strings.Contains(err.Error(), "unter2") {
		t.Errorf("error tells the secret: %v", err)
	}
}
