package config_test

import (
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"aaasess/agent/agentx"
	"aaasess/agent/snmp"
	"aaasess/agent/snmp/notify"
	"aaasess/agent/snmp/snmpmib"
	"aaasess/agent/snmp/usm"
	"aaasess/agent/snmp/vacm"
	"aaasess/agent/snmp/wire"
	"aaasess/cmd/aaasessd/internal/config"
	"aaasess/mib"
	"aaasess/mib/aaasess"
)

// managed returns a file with a responder and a target, with one line replaced.
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
	secret := usm.Secret{Password: "12345678"}
	want := config.SNMP{EnterpriseNumber: 32473, Responder: &config.Responder{
		Config: snmp.Config{
			Listen:         []netip.AddrPort{netip.MustParseAddrPort("0.0.0.0:161"), netip.MustParseAddrPort("[::]:161")},
			MaxMessageSize: 65507,
			System:         snmpmib.System{ObjectID: mib.OID{0, 0}, Name: host(t), AuthenTraps: true},
			Limits:         snmp.Limits{Requests: 50000, ResponseOctets: 64 << 20, TotalResponseOctets: 256 << 20, Failures: 100},
		},
		Users: []usm.User{{Name: "u", Auth: usm.HMACSHA, AuthSecret: secret, Priv: usm.AES128, PrivSecret: secret}},
		Targets: []notify.Target{
			{Name: "n", Address: "h.example:162", Version: wire.Version2c, Community: "c", Timeout: 5 * time.Second, Retries: 3},
		},
	}}
	if diff := cmp.Diff(want, c.SNMP, plain); diff != "" {
		t.Errorf("SNMP (-want +got):\n%s", diff)
	}
	wantPolicy := append(implied, "g v2c noAuthNoPriv common - all", "g usm authPriv common - all", "g v2c g", "u usm g", "g from [10.0.0.0/8]")
	if diff := cmp.Diff(sorted(wantPolicy), policyText(c.SNMP.Responder.Policy)); diff != "" {
		t.Errorf("policy (-want +got):\n%s", diff)
	}
	if c.SNMP.Responder.EngineID != nil || c.SNMP.Responder.Targets[0].EngineID != nil {
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
  enterprise-number: 2147483647
  session-mib-disconnect: true
  responder:
    listen: ["[::ffff:127.0.0.1]:0", "127.0.0.1:0", "[::1]:1161"]
    engine-id: "0x80007ED904"
    max-message-size: 484
    allow-insecure-set: true
    legacy: true
    authentication-failure: false
    system: {description: d, object-id: .1.3.6.1.4.1.32473, contact: "", name: "~ ", location: l}
    limits: {requests: 0, response-octets: 0, total-response-octets: 0, failures: 0}
    views:
      - {name: a, include: [.1.3.6.1.2, "1", "1.3", "2.999"], exclude: [1.3.6.1.2.1]}
    groups:
      - {name: g, read: a, write: sessions, notify: a, level: noAuthNoPriv}
      - {name: h, read: "", write: ""}
      - {name: i, notify: ""}
    communities:
      - {community: {file: c}, from: ["2001:db8::/32", 10.0.0.1], group: g, name: n}
      - {community: {file: c}, from: ["::/0"], group: g, name: n}
      - {community: other, from: [10.0.0.1], group: g, versions: [v2c, v1]}
      - {community: old, from: [10.0.0.1], group: h, versions: [v1]}
    users:
      - {name: "ü 1", group: g}
      - {name: u2, group: g, auth: {protocol: MD5, password: "12345678"}, priv: {protocol: DES, key: "0x00112233445566778899aabbccddeeff"}}
      - {name: u3, group: h, auth: {protocol: SHA-256, key: "`+key+`"}, priv: {protocol: AES-192-C, key: "`+key+`"}}
      - {name: u4, group: h, auth: {protocol: SHA-512, password: "12345678"}, priv: {protocol: AES-256, key: "`+key+`"}}
  notifications:
    - {name: n1, address: "2001:DB8::1", version: v3, user: u3}
    - {name: n2, address: "[fe80::1%eth0]:1162", version: v3, type: inform, user: "ü 1", engine-id: "8000000001", source-address: "fe80::2%eth0", timeout: 10ms, retries: 0}
`, dir)
	octets := usm.Secret{LocalizedKey: []byte(strings.Repeat("\x0f", 32))}
	password := usm.Secret{Password: "12345678"}
	loopback := netip.MustParseAddrPort("127.0.0.1:0")
	u1 := usm.User{Name: "ü 1"}
	u2 := usm.User{Name: "u2", Auth: usm.HMACMD5, AuthSecret: password, Priv: usm.DES, PrivSecret: usm.Secret{
		LocalizedKey: []byte("\x00\x11\x22\x33\x44\x55\x66\x77\x88\x99\xaa\xbb\xcc\xdd\xee\xff"),
	}}
	u3 := usm.User{Name: "u3", Auth: usm.HMACSHA256, AuthSecret: octets, Priv: usm.AES192C, PrivSecret: octets}
	u4 := usm.User{Name: "u4", Auth: usm.HMACSHA512, AuthSecret: password, Priv: usm.AES256, PrivSecret: octets}
	want := config.SNMP{
		AgentX: &agentx.Config{Network: "unix", Address: "/var/agentx/master"}, EnterpriseNumber: aaasess.MaxEnterprise, SessionMIBDisconnect: true,
		Responder: &config.Responder{
			Config: snmp.Config{
				Listen:         []netip.AddrPort{loopback, loopback, netip.MustParseAddrPort("[::1]:1161")},
				MaxMessageSize: 484,
				System: snmpmib.System{
					Descr: "d", ObjectID: mib.MustOID("1.3.6.1.4.1.32473"), Name: "~ ", Location: "l",
					Fixed: []string{"sysContact", "sysName", "sysLocation", "snmpEnableAuthenTraps"},
				},
			},
			EngineID: []byte{0x80, 0, 0x7e, 0xd9, 4},
			Users:    []usm.User{u1, u2, u3, u4},
			Targets: []notify.Target{
				{Name: "n1", Address: "[2001:db8::1]:162", Version: wire.Version3, User: u3, Timeout: 5 * time.Second, Retries: 3},
				{
					Name: "n2", Address: "[fe80::1%eth0]:1162", Version: wire.Version3, Inform: true, User: u1,
					EngineID: []byte{0x80, 0, 0, 0, 1}, SourceAddress: netip.MustParseAddr("fe80::2%eth0"), Timeout: 10 * time.Millisecond,
				},
			},
		},
	}
	for i, want := range []string{"all", "a"} {
		target := &c.SNMP.Responder.Targets[i]
		if view, ok := target.View.(*vacm.View); !ok || view.Name() != want {
			t.Errorf("the notify view of %s is %v, want %s", target.Name, target.View, want)
		}
		target.View = nil
	}
	if diff := cmp.Diff(want, c.SNMP, plain); diff != "" {
		t.Errorf("SNMP (-want +got):\n%s", diff)
	}
	wantPolicy := append(implied,
		"a +1 +1.3 +2.999 +1.3.6.1.2 -1.3.6.1.2.1",
		"g v1 noAuthNoPriv a sessions a", "g v2c noAuthNoPriv a sessions a", "g usm noAuthNoPriv a - a", "g usm authNoPriv a sessions a", "g usm authPriv a sessions a",
		"h v1 noAuthNoPriv - - all", "h v2c noAuthNoPriv - - all", "h usm authPriv - - all", "i v2c noAuthNoPriv common - -", "i usm authPriv common - -",
		"n v2c g", "g v2c g", "g v1 g", "h v1 h", "ü 1 usm g", "u2 usm g", "u3 usm h", "u4 usm h",
		"n from [2001:db8::/32 10.0.0.1/32]", "n from [::/0]", "g from [10.0.0.1/32]", "h from [10.0.0.1/32]",
	)
	policy := c.SNMP.Responder.Policy
	if diff := cmp.Diff(sorted(wantPolicy), policyText(policy)); diff != "" {
		t.Errorf("policy (-want +got):\n%s", diff)
	}
	for community, want := range map[string]string{"\xffpublic": "n", "other": "g"} {
		if name, _, allowed := policy.Community(wire.ModelV2c, []byte(community), netip.MustParseAddr("10.0.0.1")); !allowed || name != want {
			t.Errorf("community %q is %q, allowed: %t", community, name, allowed)
		}
	}
	for community, want := range map[string]string{"\xffpublic": "", "other": "g", "old": "h"} {
		if name, _, allowed := policy.Community(wire.ModelV1, []byte(community), netip.MustParseAddr("10.0.0.1")); allowed != (want != "") || name != want {
			t.Errorf("community %q in SNMPv1 is %q, allowed: %t", community, name, allowed)
		}
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
		if got := c.SNMP.Responder.Targets[0].Address; got != want {
			t.Errorf("%q becomes %q, want %q", text, got, want)
		}
	}
}

// The source address of a target has the family of the target. It may have either family if the
// target is a host name.
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
		if got := mustParse(t, text, ".").SNMP.Responder.Targets[0].SourceAddress; got.String() != source {
			t.Errorf("notifications to %s leave from %v, want %s", target, got, source)
		}
	}
	if got := mustParse(t, ofTarget("user: bob"), ".").SNMP.Responder.Targets[0].SourceAddress; got.IsValid() {
		t.Errorf("notifications leave from %v", got)
	}
}

// A target of v3 needs a view that has all of snmpTraps. A target of v2c needs none.
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

// An empty engine id is the same as a missing key.
func TestEmptyEngineID(t *testing.T) {
	c := mustParse(t, managed(`    engine-id: "80007ed90461616173657373"`, `    engine-id: ""`), ".")
	if got := c.SNMP.Responder.EngineID; got != nil {
		t.Errorf("engine id is %x", got)
	}
}

// hidden is a secret. No part of it may appear in any output.
const hidden = "Hunter2#7"

// No output contains a secret of SNMP.
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
		t.Errorf("is accepted: %s", text)
	} else if strings.Contains(err.Error(), "unter2") {
		t.Errorf("the error has the secret: %v", err)
	}
}
