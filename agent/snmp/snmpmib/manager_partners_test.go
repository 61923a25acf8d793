//go:build partners

package snmpmib_test

import (
	"context"
	"errors"
	"net/netip"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"aaasess/agent/snmp"
	"aaasess/agent/snmp/snmpmib"
	"aaasess/agent/snmp/usm"
	"aaasess/agent/snmp/vacm"
	"aaasess/agent/snmp/wire"
	"aaasess/internal/partner"
	"aaasess/mib"
)

const password = "a test's password"

// serve runs a responder with only its own objects: the community public may read and the user bob
// may set everything. It returns the address and the Config of the objects.
func serve(t *testing.T) (address string, cfg snmpmib.Config) {
	t.Helper()
	engine, err := usm.OpenEngine(filepath.Join(t.TempDir(), "engine"), []byte{0x80, 0x00, 0x7e, 0xd9, 0x05, 0xab, 0xcd}, time.Now)
	if err != nil {
		t.Fatal(err)
	}
	secret := usm.Secret{Password: password}
	users, err := usm.NewUsers(engine.ID(), []usm.User{{Name: "bob", Auth: usm.HMACSHA256, Priv: usm.AES128, AuthSecret: secret, PrivSecret: secret}}, nil)
	if err != nil {
		t.Fatal(err)
	}
	all, err := vacm.NewView("all", []vacm.Family{{Subtree: mib.MustOID("1.3")}})
	if err != nil {
		t.Fatal(err)
	}
	policy, err := vacm.New([]*vacm.View{all},
		[]vacm.AccessEntry{
			{Group: "readers", Model: wire.ModelV2c, Level: wire.NoAuthNoPriv, Read: all},
			{Group: "ops", Model: wire.ModelUSM, Level: wire.AuthPriv, Read: all, Write: all},
		},
		[]vacm.Member{{Model: wire.ModelV2c, SecurityName: "everybody", Group: "readers"}, {Model: wire.ModelUSM, SecurityName: "bob", Group: "ops"}},
		[]vacm.Community{{Name: "public", SecurityName: "everybody", From: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}}})
	if err != nil {
		t.Fatal(err)
	}
	system := snmpmib.System{Descr: "a test", ObjectID: mib.MustOID("1.3.6.1.2.1.1"), Name: "test"}
	cfg = snmpmib.Config{
		System: func() *snmpmib.System { return &system },
		Engine: engine, USM: usm.New(engine, users), Policy: func() *vacm.Policy { return policy }, MaxMessageSize: snmp.MaxMessageSize,
	}
	r, err := snmp.New(snmp.Config{
		Listen: []netip.AddrPort{netip.MustParseAddrPort("127.0.0.1:0")}, Engine: engine, USM: cfg.USM, System: system,
	}, policy)
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- r.Run(ctx) }()
	t.Cleanup(func() {
		stop()
		if err := <-ended; err != nil && !errors.Is(err, context.Canceled) {
			t.Error(err)
		}
	})
	return r.Addrs()[0].String(), cfg
}

// texts are our modules, as on a manager that has nothing else.
var texts = []string{"-M", "../../../mibs", "-m", "ALL"}

// TestWalkByName: with only our modules net-snmp's snmpwalk has a name for every object.
func TestWalkByName(t *testing.T) {
	address, cfg := serve(t)
	tree, err := mib.New(snmpmib.Parts(cfg)...)
	if err != nil {
		t.Fatal(err)
	}
	var want []string
	for _, d := range tree.Defs() {
		want = append(want, d.Name)
	}
	out := partner.Run(t, 20*time.Second, "snmpwalk", append(texts, "-v2c", "-c", "public", address, ".1.3")...)
	var got []string
	for line := range strings.Lines(out) {
		line = strings.TrimSpace(line)
		if strings.Contains(line, "No more variables") {
			continue
		}
		name, value, _ := strings.Cut(line, " = ")
		module, name, _ := strings.Cut(name, "::")
		name, _, _ = strings.Cut(name, ".")
		value = strings.ReplaceAll(value, "SNMPv2-SMI::zeroDotZero", "0.0")
		if module == "SNMPv2-SMI" || strings.Contains(value, "SNMPv2-SMI::") || strings.Contains(value, "Wrong Type") {
			t.Errorf("not named by the modules, or not of their type: %s", line)
		}
		if len(got) == 0 || got[len(got)-1] != name {
			got = append(got, name)
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("objects (-) and names in the walk (+):\n%s", diff)
	}
}

// TestSerialByManager: snmpset with each possible result of a SET of snmpSetSerialNo.
func TestSerialByManager(t *testing.T) {
	address, _ := serve(t)
	// Without -Ir the manager itself rejects values that the module does not allow.
	bob := append(texts, "-Ir", "-Oqv", "-v3", "-l", "authPriv", "-u", "bob", "-a", "SHA-256", "-A", password, "-x", "AES", "-X", password, address)
	read := func() string {
		return strings.TrimSpace(partner.Run(t, 20*time.Second, "snmpget", slices.Concat(bob, []string{"snmpSetSerialNo.0"})...))
	}
	first := read()
	for _, tt := range []struct {
		name, fails string
		args        []string
	}{
		{"the number", "", []string{"snmpSetSerialNo.0", "i", first}},
		{"the number again", "inconsistentValue", []string{"snmpSetSerialNo.0", "i", first}},
		{"another instance", "noCreation", []string{"snmpSetSerialNo.1", "i", first}},
		{"another object", "notWritable", []string{"sysContact.0", "s", "x"}},
		{"a row", "notWritable", []string{`vacmGroupName.3."bob"`, "s", "x"}},
		{"another type", "wrongType", []string{"snmpSetSerialNo.0", "u", first}},
	} {
		before := read()
		_, err := partner.Try(t, 20*time.Second, "snmpset", slices.Concat(bob, tt.args)...)
		switch {
		case tt.fails == "":
			if err != nil || read() == before {
				t.Errorf("%s: %v, %s then %s", tt.name, err, before, read())
			}
		case err == nil || !strings.Contains(err.Error(), tt.fails) || read() != before:
			t.Errorf("%s: %v, want %s; %s then %s", tt.name, err, tt.fails, before, read())
		}
	}
}

// TestSameAsSnmpd: the responder serves every object of these groups that snmpd serves, with the
// same type. (snmpd also has a lock for the targets of notifications, which our tree does not
// have.)
func TestSameAsSnmpd(t *testing.T) {
	_, cfg := serve(t)
	tree, err := mib.New(snmpmib.Parts(cfg)...)
	if err != nil {
		t.Fatal(err)
	}
	types := map[mib.Type]string{
		mib.Integer32: "INTEGER", mib.OctetString: "STRING", mib.ObjectIdentifier: "OID", mib.Counter32: "Counter32", mib.TimeTicks: "Timeticks",
	}
	want := map[string]string{".1.3.6.1.6.3.12.1.1": "INTEGER"}
	for _, d := range tree.Defs() {
		want[d.OID.String()] = types[d.Type]
	}
	p := partner.Snmpd(t, partner.SnmpdOptions{Config: []string{
		`createUser bob SHA-256 "` + password + `" AES`, "rwuser bob", "sysServices 72", "dontLogTCPWrappersConnects yes",
	}})
	got := map[string]string{}
	for _, root := range tree.Roots() {
		for _, line := range p.Walk(t, root.String()) {
			name, value, _ := strings.Cut(line, " = ")
			typ, _, _ := strings.Cut(value, ":")
			switch {
			case value == `""` || typ == "Hex-STRING":
				typ = "STRING"
			case value == "" || strings.HasPrefix(value, "No more variables"):
				continue // another line of a string of several lines, or the end
			}
			for oid := range want {
				if strings.HasPrefix(name, oid+".") {
					name = oid
				}
			}
			got[name] = typ
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("we (-) and snmpd (+):\n%s", diff)
	}
}
