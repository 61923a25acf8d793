package config_test

import (
	"errors"
	"io/fs"
	"log/slog"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"aaasess/cmd/aaasessd/internal/config"
	"aaasess/cmd/internal/strictyaml"
	"aaasess/internal/radius"
	"aaasess/mib"
)

// plain compares values of netip, and takes an empty list for a missing one. A dictionary is only equal to itself.
var plain = cmp.Options{
	cmpopts.EquateComparable(netip.Addr{}, netip.Prefix{}, netip.AddrPort{}), cmpopts.EquateEmpty(),
	cmpopts.IgnoreUnexported(config.Config{}),
	cmp.Comparer(func(a, b *radius.Dictionary) bool { return a == b }),
}

// minimal is a file that changes nothing.
const minimal = "log: {}\n"

func mustParse(t *testing.T, text, dir string) *config.Config {
	t.Helper()
	c, err := config.Parse("aaasess.yaml", []byte(text), dir)
	if err != nil {
		t.Fatalf("Parse: %v", err)
	}
	return c
}

// hostname is the default of radius.nas-identifier.
func hostname(t *testing.T) string {
	t.Helper()
	name, err := os.Hostname()
	if err != nil || name == "" {
		return "aaasess"
	}
	return name
}

func TestDefault(t *testing.T) {
	local, loopback := []string{"local"}, []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}
	want := &config.Config{
		State:   "var/state",
		Log:     config.Log{Level: slog.LevelInfo, Format: "text"},
		Control: config.Control{Socket: "var/aaasess.sock"},
		SNMP: config.SNMP{SessionMIBDisconnect: true, Responder: &config.Responder{
			Listen:         []netip.AddrPort{netip.MustParseAddrPort("127.0.0.1:1161")},
			MaxMessageSize: 65507, AllowInsecureSet: true, AuthenticationFailure: true,
			System: config.ResponderSystem{ObjectID: mib.OID{0, 0}, Name: host(t)},
			Limits: config.ResponderLimits{Requests: 50000, ResponseOctets: 64 << 20, Failures: 100},
			Views:  implied(),
			Groups: []config.AccessGroup{
				{Name: "public", Read: "common", Notify: "all", Level: "authPriv"},
				{Name: "private", Read: "common", Write: "all", Notify: "all", Level: "authPriv"},
			},
			Communities: []config.Community{
				{Community: "public", SecurityName: "public", From: loopback, Group: "public"},
				{Community: "private", SecurityName: "private", From: loopback, Group: "private"},
			},
		}},
		RADIUS: config.RADIUS{
			NASIdentifier: hostname(t), Dictionary: radius.Standard(),
			Accounting: config.RADIUSAccounting{Listen: []netip.AddrPort{netip.MustParseAddrPort("127.0.0.1:1813")}},
			Clients: []config.Client{
				{Name: "loopback", Prefix: netip.MustParsePrefix("127.0.0.0/8"), Secret: "testing123", Disconnect: config.ClientDisconnect{Port: 3799}},
				{Name: "loopback-v6", Prefix: netip.MustParsePrefix("::1/128"), Secret: "testing123", Disconnect: config.ClientDisconnect{Port: 3799}},
			},
		},
		Accounting: config.Accounting{
			Lists: []config.List{
				{Type: "network", Name: "default", Record: "start-stop", Methods: local},
				{Type: "exec", Name: "default", Record: "start-stop", Methods: local},
				{Type: "connection", Name: "default", Record: "start-stop", Methods: local},
			},
			Local: config.Local{File: "var/accounting.jsonl"},
		},
		Sessions: config.Sessions{Remember: time.Hour, Disconnect: config.Disconnect{
			StopWait: 30 * time.Second, RetryMin: 2 * time.Second, RetryMax: 5 * time.Minute, Timeout: 3 * time.Second, Retransmit: 2,
		}},
		Store: config.Store{MinFree: 64 << 20},
	}
	if diff := cmp.Diff(want, config.Default(), plain); diff != "" {
		t.Errorf("Default (-want +got):\n%s", diff)
	}
}

func TestDefaultsOfMissingKeys(t *testing.T) {
	got := mustParse(t, minimal, ".")
	want := config.Default()
	want.SNMP = config.SNMP{}
	want.RADIUS = config.RADIUS{NASIdentifier: hostname(t), Dictionary: radius.Standard(), Accounting: config.RADIUSAccounting{Listen: []netip.AddrPort{
		netip.MustParseAddrPort("0.0.0.0:1813"), netip.MustParseAddrPort("[::]:1813"),
	}}}
	want.Accounting.Lists = nil
	want.Store.MinFree = 256 << 20
	if diff := cmp.Diff(want, got, plain); diff != "" {
		t.Errorf("defaults (-want +got):\n%s", diff)
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
    - {name: b, address: "2001:db8::1", secret: s2}
  servers:
    - {name: r1, address: 10.0.0.1, secret: s3}
    - {name: r2, address: 10.0.0.1, port: 11813, secret: s3}   # R43: another server
    - {name: r3, address: Radius.Example.net, secret: s4}
  groups:
    - {name: isp, servers: [r3, r1], timeout: 500ms, retransmit: 0, hold-down: 0s, window: 1}
accounting:
  exec: {default: {record: stop-only, methods: [group isp, group radius, local]}}
  network: {default: {record: none}}
sessions: {remember: 10m, disconnect: {retry-min: 1s, retry-max: 1s}}
store: {min-free: 2GiB, max-size: 64MiB}
`, "/etc/aaasess")
	r1 := config.Server{Name: "r1", Host: "10.0.0.1", Port: 1813, Secret: "s3", Timeout: 5 * time.Second, Retransmit: 3}
	r2 := config.Server{Name: "r2", Host: "10.0.0.1", Port: 11813, Secret: "s3", Timeout: 5 * time.Second, Retransmit: 3}
	r3 := config.Server{Name: "r3", Host: "radius.example.net", Port: 1813, Secret: "s4", Timeout: 5 * time.Second, Retransmit: 3}
	ispR1, ispR3 := r1, r3
	ispR1.Timeout, ispR1.Retransmit = 500*time.Millisecond, 0
	ispR3.Timeout, ispR3.Retransmit = 500*time.Millisecond, 0
	loopback := netip.MustParseAddrPort("127.0.0.1:0")
	want := &config.Config{
		State:   "/etc/aaasess/var/state",
		Log:     config.Log{Level: slog.LevelDebug, Format: "json"},
		Control: config.Control{Socket: "/etc/aaasess/var/aaasess.sock", Group: "noc"},
		SNMP:    config.SNMP{AgentX: &config.AgentX{Network: "tcp", Address: "127.0.0.1:705"}},
		RADIUS: config.RADIUS{
			NASIdentifier: "session agent 1", Dictionary: radius.Standard(),
			Accounting: config.RADIUSAccounting{Listen: []netip.AddrPort{loopback, loopback}},
			Clients: []config.Client{
				{
					Name: "a", Prefix: netip.MustParsePrefix("192.0.2.0/24"), Secret: "s1",
					Disconnect: config.ClientDisconnect{
						Address: netip.MustParseAddr("2001:db8::7"), Port: 1700, Secret: "s9", SourceAddress: netip.MustParseAddr("2001:db8::8"),
						Attributes: []string{"Acct-Session-Id", "NAS-Port"},
					},
				},
				{Name: "b", Prefix: netip.MustParsePrefix("2001:db8::1/128"), Secret: "s2", Disconnect: config.ClientDisconnect{Port: 3799}},
			},
			Servers: []config.Server{r1, r2, r3},
			Groups: []config.Group{
				{Name: "isp", Servers: []config.Server{ispR3, ispR1}, AccessAlgorithm: "direct", Window: 1},
				{
					Name: "radius", Servers: []config.Server{r1, r2, r3},
					AccessAlgorithm: "direct", HoldDown: 30 * time.Second, Window: 1024,
				},
			},
		},
		Accounting: config.Accounting{
			Lists: []config.List{
				{Type: "network", Name: "default", Record: "none"},
				{Type: "exec", Name: "default", Record: "stop-only", Methods: []string{"group isp", "group radius", "local"}},
			},
			Local: config.Local{File: "/etc/aaasess/var/accounting.jsonl"},
		},
		Sessions: config.Sessions{Remember: 10 * time.Minute, Disconnect: config.Disconnect{
			StopWait: 30 * time.Second, RetryMin: time.Second, RetryMax: time.Second, Timeout: 3 * time.Second, Retransmit: 2,
		}},
		Store: config.Store{MinFree: 2 << 30, MaxSize: 64 << 20},
	}
	if diff := cmp.Diff(want, c, plain); diff != "" {
		t.Errorf("Parse (-want +got):\n%s", diff)
	}
}

func TestFileNames(t *testing.T) {
	text := "state: /srv/state\ncontrol: {socket: run/x}\nsnmp: {agentx: {address: master}}\naccounting: {local: {file: ../a.jsonl}}\n"
	c := mustParse(t, text, "/etc/aaasess")
	got := []string{c.State, c.Control.Socket, c.SNMP.AgentX.Address, c.Accounting.Local.File}
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
