//go:build partners

package snmpmib_test

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"aaasess/agent/snmp"
	"aaasess/agent/snmp/notify"
	"aaasess/agent/snmp/snmpmib"
	"aaasess/agent/snmp/usm"
	"aaasess/agent/snmp/vacm"
	"aaasess/agent/snmp/wire"
	"aaasess/internal/freeport"
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
	targets := []notify.Target{
		{Name: "nms", Address: "192.0.2.9:162", Version: wire.Version2c, Community: "traps"},
		{Name: "noc", Address: "[2001:db8::9]:162", Version: wire.Version3, Inform: true, User: usm.User{Name: "bob", Auth: usm.HMACSHA256, Priv: usm.AES128}},
	}
	cfg = snmpmib.Config{
		System: func() *snmpmib.System { return &system },
		Engine: engine, USM: usm.New(engine, users), Policy: func() *vacm.Policy { return policy }, Targets: func() *[]notify.Target { return &targets }, MaxMessageSize: snmp.MaxMessageSize,
	}
	r, err := snmp.New(snmp.Config{
		Listen: []netip.AddrPort{netip.MustParseAddrPort("127.0.0.1:0")}, Engine: engine, USM: cfg.USM, System: system, Targets: targets,
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

// asBob are the arguments of a tool for the user bob at authPriv.
var asBob = []string{"-v3", "-l", "authPriv", "-u", "bob", "-a", "SHA-256", "-A", password, "-x", "AES", "-X", password}

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
	out := partner.Run(t, 20*time.Second, "snmpwalk", slices.Concat(texts, asBob, []string{address, ".1.3"})...)
	var got []string
	for line := range strings.Lines(out) {
		line = strings.TrimSpace(line)
		if strings.Contains(line, "No more variables") || !strings.Contains(line, " = ") { // the end, or the rest of octets
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

// administration is what a manager sees by name of communities and targets. snmpwalk breaks the line
// after 16 octets.
const administration = `
SNMP-TARGET-MIB::snmpTargetAddrTDomain.'everybody/1' = SNMPv2-TM::snmpUDPDomain
SNMP-TARGET-MIB::snmpTargetAddrTDomain.'noc' = TRANSPORT-ADDRESS-MIB::transportDomainUdpIpv6
SNMP-TARGET-MIB::snmpTargetAddrTAddress.'everybody/1' = 7F 00 00 00 00 00
SNMP-TARGET-MIB::snmpTargetAddrTAddress.'nms' = C0 00 02 09 00 A2
SNMP-TARGET-MIB::snmpTargetAddrTAddress.'noc' = 20 01 0D B8 00 00 00 00 00 00 00 00 00 00 00 09
SNMP-TARGET-MIB::snmpTargetAddrTagList.'everybody/1' = from/everybody
SNMP-TARGET-MIB::snmpTargetAddrTagList.'nms' = trap notify/nms
SNMP-TARGET-MIB::snmpTargetAddrTagList.'noc' = inform
SNMP-TARGET-MIB::snmpTargetParamsSecurityLevel.'everybody' = noAuthNoPriv
SNMP-TARGET-MIB::snmpTargetParamsSecurityLevel.'nms' = noAuthNoPriv
SNMP-TARGET-MIB::snmpTargetParamsSecurityLevel.'noc' = authPriv
SNMP-NOTIFICATION-MIB::snmpNotifyType.'inform' = inform
SNMP-NOTIFICATION-MIB::snmpNotifyType.'trap' = trap
SNMP-COMMUNITY-MIB::snmpCommunitySecurityName.'everybody' = everybody
SNMP-COMMUNITY-MIB::snmpCommunitySecurityName.'notify/nms' = notify/nms
SNMP-COMMUNITY-MIB::snmpCommunityTransportTag.'everybody' = from/everybody
SNMP-COMMUNITY-MIB::snmpCommunityTransportTag.'notify/nms' = notify/nms
SNMP-COMMUNITY-MIB::snmpTargetAddrTMask.'everybody/1' = FF 00 00 00 00 00
`

// TestAdministrationByName: snmpwalk reads where notifications go, and which communities there are. It
// gets the communities themselves at authPriv only.
func TestAdministrationByName(t *testing.T) {
	address, _ := serve(t)
	walk := func(object string, as ...string) []string {
		out := partner.Run(t, 20*time.Second, "snmpwalk", slices.Concat(texts, as, []string{"-Oq", address, object})...)
		return slices.Collect(strings.Lines(out))
	}
	v2c := []string{"-v2c", "-c", "public"}
	for as, args := range map[string][]string{"authPriv": asBob, "v2c": v2c} {
		for line := range strings.Lines(strings.TrimSpace(administration)) {
			name, want, _ := strings.Cut(strings.TrimSpace(line), " = ")
			object, _, _ := strings.Cut(name, ".")
			var got []string
			for _, l := range walk(object, args...) {
				if rest, ok := strings.CutPrefix(l, name+" "); ok {
					got = append(got, strings.Trim(strings.TrimSpace(rest), `" `))
				}
			}
			if diff := cmp.Diff([]string{want}, got); diff != "" {
				t.Errorf("%s, %s: want (-), got (+):\n%s", as, name, diff)
			}
		}
	}
	want := []string{"SNMP-COMMUNITY-MIB::snmpCommunityName.'everybody' \"public\"\n", "SNMP-COMMUNITY-MIB::snmpCommunityName.'notify/nms' \"traps\"\n"}
	if diff := cmp.Diff(want, walk("SNMP-COMMUNITY-MIB::snmpCommunityName", asBob...)); diff != "" {
		t.Errorf("authPriv: want (-), got (+):\n%s", diff)
	}
	if got := strings.Join(walk("SNMP-COMMUNITY-MIB::snmpCommunityTable", v2c...), ""); strings.Contains(got, "snmpCommunityName") || strings.Contains(got, "traps") {
		t.Errorf("v2c: %s", got)
	}
}

// TestSerialByManager: snmpset with each possible result of a SET of snmpSetSerialNo.
func TestSerialByManager(t *testing.T) {
	address, _ := serve(t)
	// Without -Ir the manager itself rejects values that the module does not allow.
	bob := slices.Concat(texts, []string{"-Ir", "-Oqv"}, asBob, []string{address})
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
// same type. snmpd has no SNMP-COMMUNITY-MIB.
func TestSameAsSnmpd(t *testing.T) {
	_, cfg := serve(t)
	tree, err := mib.New(snmpmib.Parts(cfg)...)
	if err != nil {
		t.Fatal(err)
	}
	types := map[mib.Type]string{
		mib.Integer32: "INTEGER", mib.OctetString: "STRING", mib.ObjectIdentifier: "OID", mib.Counter32: "Counter32", mib.TimeTicks: "Timeticks",
	}
	want := map[string]string{}
	for _, d := range tree.Defs() {
		if !d.OID.HasPrefix(mib.MustOID("1.3.6.1.6.3.18")) {
			want[d.OID.String()] = types[d.Type]
		}
	}
	port, err := freeport.UDP()
	if err != nil {
		t.Fatal(err)
	}
	p := partner.Snmpd(t, partner.SnmpdOptions{Config: []string{
		`createUser bob SHA-256 "` + password + `" AES`, "rwuser bob", "sysServices 72", "dontLogTCPWrappersConnects yes",
		fmt.Sprint("trap2sink 127.0.0.1:", port), // for the rows of its SNMP-TARGET-MIB
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
