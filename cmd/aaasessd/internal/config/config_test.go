package config_test

import (
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net/netip"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"aaasess/accounting"
	"aaasess/accounting/local"
	"aaasess/accounting/policy"
	acctradius "aaasess/accounting/radius"
	"aaasess/agent/agentx"
	"aaasess/agent/snmp"
	"aaasess/agent/snmp/snmpmib"
	"aaasess/agent/snmp/vacm"
	"aaasess/agent/snmp/wire"
	"aaasess/cmd/aaasessd/internal/conditions"
	"aaasess/cmd/aaasessd/internal/config"
	"aaasess/cmd/aaasessd/internal/web"
	"aaasess/cmd/internal/strictyaml"
	"aaasess/internal/radius"
	"aaasess/internal/radius/client"
	"aaasess/internal/retry"
	"aaasess/internal/servers"
	tacclient "aaasess/internal/tacacs/client"
	"aaasess/mib"
	"aaasess/sessions"
	"aaasess/sessions/admission"
	naslocal "aaasess/sessions/local"
	nasradius "aaasess/sessions/radius"
	"aaasess/sessions/radius/dae"
	"aaasess/sessions/silence"
	"aaasess/sessions/termination"
	"aaasess/store"
)

// plain compares netip values, and treats an empty list like a missing one. A dictionary equals
// only itself. Tests compare a vacm.Policy by policyText.
var plain = cmp.Options{
	cmpopts.EquateComparable(netip.Addr{}, netip.Prefix{}, netip.AddrPort{}), cmpopts.EquateEmpty(),
	cmpopts.IgnoreUnexported(config.Config{}), cmpopts.IgnoreTypes(&vacm.Policy{}),
	cmp.Comparer(func(a, b *radius.Dictionary) bool { return a == b }),
	cmp.Comparer(func(a, b *local.Spec) bool { return reflect.DeepEqual(a, b) }), // Spec.Equal does not accept nil
}

// minimal is a file that changes no default.
const minimal = "log: {}\n"

func mustParse(t *testing.T, text, dir string) *config.Config {
	t.Helper()
	c, err := config.Parse("aaasess.yaml", []byte(text), dir)
	if err != nil {
		t.Fatalf("Parse: %v", err)
	}
	return c
}

// newServer is what a new server has by default.
var newServer = config.NewServer{
	RADIUS: client.Member{Identity: client.Identity{Port: 1813, AuthPort: 1812}, Schedule: retry.Schedule{Timeout: 5 * time.Second, Retransmit: 3}},
	TACACS: tacclient.Member{Identity: tacclient.Identity{Port: 49}, Schedule: retry.Schedule{Timeout: 5 * time.Second}, SingleConnection: true, Connections: 4},
}

// nas returns a client with defaults.
func nas(name, prefix string, secret radius.Secret) nasradius.Client {
	return nasradius.Client{Name: name, Prefix: netip.MustParsePrefix(prefix), Secret: secret, Kind: sessions.Network, DisconnectProfile: dae.ProfileGeneric, Dictionary: radius.Standard()}
}

// disconnector returns the default configuration of the disconnector, with clients.
func disconnector(clients ...nasradius.Client) dae.Config {
	return dae.Config{Clients: clients, Timeout: 3 * time.Second, Retransmissions: 2}
}

func TestDefault(t *testing.T) {
	methods := policy.Methods{Record: accounting.StartStop, Methods: []accounting.MethodName{"local"}}
	clients := []nasradius.Client{nas("loopback", "127.0.0.0/8", "testing123"), nas("loopback-v6", "::1/128", "testing123")}
	for i := range clients {
		clients[i].DisconnectPort = 3799
	}
	want := &config.Config{
		State:   "var/state",
		Log:     config.Log{Level: slog.LevelInfo, Format: "text"},
		Control: config.Control{Socket: "var/aaasess.sock"},
		SNMP: config.SNMP{EnterpriseNumber: 32473, SessionMIBDisconnect: true, AAAServerConfig: true, Responder: &config.Responder{
			Config: snmp.Config{
				Listen:         []netip.AddrPort{netip.MustParseAddrPort("127.0.0.1:1161")},
				MaxMessageSize: 65507,
				System:         snmpmib.System{ObjectID: mib.OID{0, 0}, Name: host(t), AuthenTraps: true},
				Limits:         snmp.Limits{Requests: 50000, ResponseOctets: 64 << 20, TotalResponseOctets: 256 << 20, Failures: 100},
			},
		}},
		Listener:      nasradius.Config{Addresses: []netip.AddrPort{netip.MustParseAddrPort("127.0.0.1:1813")}, Clients: clients},
		Disconnector:  disconnector(clients...),
		NASIdentifier: host(t),
		Dictionary:    radius.Standard(),
		Authentication: &config.Authentication{
			Listener: nasradius.Config{Addresses: []netip.AddrPort{netip.MustParseAddrPort("127.0.0.1:1812")}, Clients: clients},
			Lists:    map[string][]string{"default": nil},
		},
		Admissions: admission.Config{StartWait: 2 * time.Minute},
		Policy: policy.Policy{Lists: []policy.List{
			{Type: policy.Network, Name: "default", Methods: methods},
			{Type: policy.Exec, Name: "default", Methods: methods},
			{Type: policy.Connection, Name: "default", Methods: methods},
		}, Update: policy.Update{Minimum: time.Minute}},
		HTTP:        &web.Config{Listen: []netip.AddrPort{netip.MustParseAddrPort("127.0.0.1:9161")}},
		LocalSocket: &naslocal.Config{Socket: "var/local.sock", NASIdentifier: config.Default().NASIdentifier},
		Local:       &local.Spec{File: "var/accounting.jsonl"},
		Sessions:    sessions.Config{Remember: time.Hour},
		Stale:       config.Stale{Limits: silence.Limits{Intervals: 3}},
		Terminator:  termination.Config{StopWait: 30 * time.Second, RetryMin: 2 * time.Second, RetryMax: 5 * time.Minute},
		Store:       store.Config{MinFree: 64 << 20},
		Thresholds:  conditions.Limits{Age: time.Hour, BlockedAfter: time.Minute},
		NewServer:   newServer,
	}
	got := config.Default()
	if diff := cmp.Diff(want, got, plain); diff != "" {
		t.Errorf("Default (-want +got):\n%s", diff)
	}
	wantPolicy := append(implied,
		"public v2c noAuthNoPriv common - all", "private v2c noAuthNoPriv common all all",
		"public usm authPriv common - all", "private usm authPriv common all all",
		"public v2c public", "private v2c private", "public from [127.0.0.0/8]", "private from [127.0.0.0/8]",
	)
	if diff := cmp.Diff(sorted(wantPolicy), policyText(got.SNMP.Responder.Policy)); diff != "" {
		t.Errorf("policy (-want +got):\n%s", diff)
	}
	for _, community := range []string{"public", "private"} {
		name, _, allowed := got.SNMP.Responder.Policy.Community(wire.ModelV2c, []byte(community), netip.MustParseAddr("127.0.0.1"))
		if !allowed || name != community {
			t.Errorf("community %s is %q, allowed: %t", community, name, allowed)
		}
	}
}

func TestDefaultsOfMissingKeys(t *testing.T) {
	got := mustParse(t, minimal, ".")
	want := config.Default()
	want.SNMP = config.SNMP{EnterpriseNumber: 32473}
	want.Listener = nasradius.Config{Addresses: []netip.AddrPort{netip.MustParseAddrPort("0.0.0.0:1813"), netip.MustParseAddrPort("[::]:1813")}}
	want.Disconnector.Clients = nil
	want.Policy.Lists, want.Local, want.LocalSocket, want.HTTP = nil, nil, nil, nil
	want.Authentication, want.Admissions = nil, admission.Config{}
	want.Store.MinFree = 256 << 20
	if diff := cmp.Diff(want, got, plain); diff != "" {
		t.Errorf("defaults (-want +got):\n%s", diff)
	}
}

// server returns a member with the default schedule.
func server(name, host string, port uint16, secret radius.Secret) client.Member {
	return client.Member{
		Identity: client.Identity{Name: name, Host: host, Port: port, AuthPort: 1812, Secret: secret},
		Schedule: retry.Schedule{Timeout: 5 * time.Second, Retransmit: 3},
	}
}

func TestParse(t *testing.T) {
	c := mustParse(t, `
log: {level: debug, format: json}
control: {group: noc}
snmp: {agentx: {network: tcp}}
radius:
  nas-identifier: session agent 1
  accounting: {listen: ["[::ffff:127.0.0.1]:0", "127.0.0.1:0"]}
  clients:
    - {name: a, address: 192.0.2.0/24, secret: s1, disconnect: {address: "2001:db8::7", port: 1700, secret: s9, source-address: "2001:db8::8", attributes: [Acct-Session-Id, NAS-Port]}}
    - {name: b, address: "2001:db8::1", secret: s2, kind: exec}
  servers:
    - {name: r1, address: 10.0.0.1, secret: s3}
    - {name: r2, address: 10.0.0.1, port: 11813, secret: s3}   # R43: another server
    - {name: r3, address: Radius.Example.net, secret: s4}
  groups:
    - {name: isp, servers: [r3, r1], timeout: 500ms, retransmit: 0, hold-down: 0s, window: 1}
accounting:
  exec: {default: {record: stop-only, methods: [group isp, group radius, local]}}
  network: {default: {record: none}}
sessions: {remember: 10m, max: 500000, disconnect: {retry-min: 1s, retry-max: 1s, retransmit: 0}}
store: {min-free: 2GiB, max-size: 64MiB}
thresholds: {spool-records: 5, spool-age: 2h, blocked-after: 1s}
`, "/etc/aaasess")
	r1, r2, r3 := server("r1", "10.0.0.1", 1813, "s3"), server("r2", "10.0.0.1", 11813, "s3"), server("r3", "radius.example.net", 1813, "s4")
	ispR1, ispR3 := r1, r3
	ispR1.Schedule = retry.Schedule{Timeout: 500 * time.Millisecond}
	ispR3.Schedule = ispR1.Schedule
	a := nas("a", "192.0.2.0/24", "s1")
	a.DisconnectAddr, a.DisconnectPort, a.DisconnectSecret = netip.MustParseAddr("2001:db8::7"), 1700, "s9"
	a.DisconnectSource, a.DisconnectAttributes = netip.MustParseAddr("2001:db8::8"), []string{"Acct-Session-Id", "NAS-Port"}
	b := nas("b", "2001:db8::1/128", "s2")
	b.Kind = sessions.Exec
	clients := []nasradius.Client{a, b}
	loopback := netip.MustParseAddrPort("127.0.0.1:0")
	want := &config.Config{
		State:         "/etc/aaasess/var/state",
		Log:           config.Log{Level: slog.LevelDebug, Format: "json"},
		Control:       config.Control{Socket: "/etc/aaasess/var/aaasess.sock", Group: "noc"},
		SNMP:          config.SNMP{EnterpriseNumber: 32473, AgentX: &agentx.Config{Network: "tcp", Address: "127.0.0.1:705"}},
		Listener:      nasradius.Config{Addresses: []netip.AddrPort{loopback, loopback}, Clients: clients},
		Disconnector:  dae.Config{Clients: clients, Timeout: 3 * time.Second, Retransmissions: -1},
		NASIdentifier: "session agent 1",
		Dictionary:    radius.Standard(),
		Groups: []acctradius.Spec{
			{Group: "isp", Servers: []client.Member{ispR3, ispR1}, Window: 1},
			{Group: "radius", Servers: []client.Member{r1, r2, r3}, HoldDown: 30 * time.Second, Window: 1024},
		},
		Servers: []servers.Identity{
			{Protocol: servers.RADIUS, Name: "r1", Host: "10.0.0.1", AuthPort: 1812, AcctPort: 1813, Listed: true},
			{Protocol: servers.RADIUS, Name: "r2", Host: "10.0.0.1", AuthPort: 1812, AcctPort: 11813},
			{Protocol: servers.RADIUS, Name: "r3", Host: "radius.example.net", AuthPort: 1812, AcctPort: 1813, Listed: true},
		},
		NewServer: newServer,
		Policy: policy.Policy{Lists: []policy.List{
			{Type: policy.Network, Name: "default"},
			{Type: policy.Exec, Name: "default", Methods: policy.Methods{Record: accounting.StopOnly, Methods: []accounting.MethodName{"group isp", "group radius", "local"}}},
		}, Update: policy.Update{Minimum: time.Minute}},
		Local:      &local.Spec{File: "/etc/aaasess/var/accounting.jsonl"},
		Sessions:   sessions.Config{Remember: 10 * time.Minute, Max: 500000},
		Stale:      config.Stale{Limits: silence.Limits{Intervals: 3}},
		Terminator: termination.Config{StopWait: 30 * time.Second, RetryMin: time.Second, RetryMax: time.Second},
		Store:      store.Config{MinFree: 2 << 30, MaxSize: 64 << 20},
		Thresholds: conditions.Limits{Records: 5, Age: 2 * time.Hour, BlockedAfter: time.Second},
	}
	if diff := cmp.Diff(want, c, plain); diff != "" {
		t.Errorf("Parse (-want +got):\n%s", diff)
	}
}

func TestFileNames(t *testing.T) {
	text := "state: /srv/state\ncontrol: {socket: run/x}\nsnmp: {agentx: {address: master}}\n" +
		"accounting: {local: {file: ../a.jsonl}, exec: {default: {record: stop-only, methods: [local]}}}\n"
	c := mustParse(t, text, "/etc/aaasess")
	got := []string{c.State, string(c.Control.Socket), c.SNMP.AgentX.Address, c.Local.File}
	want := []string{"/srv/state", "/etc/aaasess/run/x", "/etc/aaasess/master", "/etc/a.jsonl"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("file names (-want +got):\n%s", diff)
	}
}

func TestLoad(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "a.yaml")
	if err := os.WriteFile(file, []byte("state: s\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	c, err := config.Load(file)
	if err != nil {
		t.Fatal(err)
	}
	if want := filepath.Join(dir, "s"); c.State != want {
		t.Errorf("State = %q, want %q", c.State, want)
	}

	if err := os.WriteFile(file, []byte("\nstat: s\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	_, err = config.Load(file)
	var fault *strictyaml.Error
	if !errors.As(err, &fault) || fault.File != file || fault.Line != 2 || fault.Column != 1 {
		t.Errorf("Load with a fault: %v", err)
	}

	missing := filepath.Join(dir, "none.yaml")
	if _, err = config.Load(missing); !errors.Is(err, fs.ErrNotExist) || !strings.HasPrefix(err.Error(), "config: ") || !strings.Contains(err.Error(), missing) {
		t.Errorf("Load of no file: %v", err)
	}
}

// A Config does not print its secrets.
func TestSecretsDoNotPrint(t *testing.T) {
	c := mustParse(t, `
radius:
  clients: [{name: a, address: 10.0.0.1, secret: `+hidden+`, disconnect: {secret: `+hidden+`}}]
  servers: [{name: a, address: 10.0.0.1, secret: `+hidden+`}]
  groups: [{name: a, servers: [a]}]
tacacs:
  servers: [{name: a, address: 10.0.0.1, key: `+hidden+`}]
  groups: [{name: b, servers: [a]}]
snmp:
  responder:
    groups: [{name: a}]
    communities: [{community: `+hidden+`, from: [10.0.0.1], group: a}]
    users: [{name: a, group: a, auth: {protocol: SHA, password: `+hidden+`}, priv: {protocol: AES-128, password: `+hidden+`}}]
  notifications: [{name: a, address: h, version: v2c, community: `+hidden+`}]
`, ".")
	var out []string
	for _, verb := range []string{"%v", "%+v", "%#v"} {
		out = append(out, fmt.Sprintf(verb, c), fmt.Sprintf(verb, c.SNMP.Responder), fmt.Sprintf(verb, c.SNMP))
	}
	for _, verb := range []string{"%s", "%x", "%q"} {
		out = append(out, fmt.Sprintf(verb, c.Listener.Clients), fmt.Sprintf(verb, c.Disconnector.Clients), fmt.Sprintf(verb, c.Groups), fmt.Sprintf(verb, c.TACACSGroups),
			fmt.Sprintf(verb, c.SNMP.Responder.Users), fmt.Sprintf(verb, c.SNMP.Responder))
	}
	hex := fmt.Sprintf("%x", string(hidden))
	for _, text := range out {
		if strings.Contains(text, hidden) || strings.Contains(strings.ToLower(text), hex) {
			t.Errorf("has a secret: %.300s", text)
		}
	}
}
