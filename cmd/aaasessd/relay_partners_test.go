//go:build partners

package main

import (
	"cmp"
	"encoding/json"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"aaasess/internal/partner"
)

// relaySite is the daemon between NASes and FreeRADIUS, in a network namespace of their own: a relay
// for authentication, and accounting to the same servers. NASes and servers have different secrets.
type relaySite struct {
	*partner.Namespace
	t      *testing.T
	dir    string
	fr     *partner.FreeRADIUSProc // the first server
	all    []*partner.FreeRADIUSProc
	daemon *partner.Program
}

const (
	relayAuth = "127.0.0.1:1812" // where the daemon listens, in the namespace
	relayAcct = "127.0.0.1:1813"
	relaySNMP = "127.0.0.1:1161"
	// siteSecret is the secret of the NASes: hostapd wants one without spaces.
	siteSecret = "testing123"
)

// relaySiteConfig is the configuration of the daemon. Times that do not matter to NASes are short.
// SERVERS and NAMES are of the servers. The other words in capitals are further keys.
const relaySiteConfig = `state: state
control: {socket: ctl.sock}
snmp:
  session-mib-disconnect: true
SNMP  responder:
    listen: ["` + relaySNMP + `"]
    allow-insecure-set: true
    groups: [{name: operators, read: all, write: sessions}, {name: watchers, read: all}]
    communities: [{community: operators, group: operators, from: [127.0.0.0/8]}, {community: public, group: watchers, from: [127.0.0.0/8]}]
radius:
  accounting: {listen: ["` + relayAcct + `"]}
  authentication: {listen: ["` + relayAuth + `"]}
  clients: [{name: nas, address: 127.0.0.0/8, secret: ` + siteSecret + `CLIENT}]
  servers: [SERVERS]
  groups: [{name: isp, servers: [NAMES]GROUP}]
RADIUSauthentication:
  lists: {default: {methods: [group LOGINS]}}
accounting:
  network: {default: {record: start-stop, methods: [group isp]}}
ACCOUNTINGsessions: {disconnect: {retry-min: 1s, timeout: 2s, retransmit: 1}}
store: {min-free: 16MiB}
`

// keys are further keys of relaySiteConfig.
type keys struct {
	client     string // ", key: value"
	server     string // the same, of all servers
	group      string // the same
	logins     string // the group for logins, "isp" if empty
	radius     string // lines, indented by two
	accounting string // the same
	snmp       string // the same
}

// startRelay starts servers and the daemon.
func startRelay(t *testing.T, servers int, opts partner.FreeRADIUSOptions, k keys) *relaySite {
	t.Helper()
	self, err := filepath.Abs(os.Args[0])
	if err != nil {
		t.Fatal(err)
	}
	s := &relaySite{Namespace: partner.NewNamespace(t), t: t, dir: t.TempDir()}
	opts.In, opts.Secret = s.In(), "upstream secret"
	for range servers {
		s.all = append(s.all, partner.FreeRADIUS(t, opts))
	}
	s.fr = s.all[0]
	s.configure(k)
	s.daemon = s.Program("msg=ready", "env", "--chdir="+s.dir, "AAASESSD_UNDER_TEST=1", self, "--config", "aaasess.yaml")
	t.Cleanup(s.daemon.Stop)
	return s
}

// configure writes the configuration.
func (s *relaySite) configure(k keys) {
	s.t.Helper()
	var servers, names []string
	for i, fr := range s.all {
		_, acct, _ := net.SplitHostPort(fr.Addr)
		_, auth, _ := net.SplitHostPort(fr.AuthAddr)
		names = append(names, fmt.Sprint("freeradius", i+1))
		servers = append(servers, fmt.Sprintf("{name: %s, address: 127.0.0.1, acct-port: %s, auth-port: %s, secret: %q%s}", names[i], acct, auth, fr.Secret, k.server))
	}
	text := strings.NewReplacer("SERVERS", strings.Join(servers, ", "), "NAMES", strings.Join(names, ", "),
		"CLIENT", k.client, "GROUP", k.group, "LOGINS", cmp.Or(k.logins, "isp"), "RADIUS", k.radius, "SNMP", k.snmp, "ACCOUNTING", k.accounting).Replace(relaySiteConfig)
	if err := os.WriteFile(filepath.Join(s.dir, "aaasess.yaml"), []byte(text), 0o600); err != nil {
		s.t.Fatal(err)
	}
}

// reload loads the configuration with other keys.
func (s *relaySite) reload(k keys) {
	s.t.Helper()
	const loaded = `msg="configuration loaded"`
	before := s.daemon.Said(loaded)
	s.configure(k)
	if err := syscall.Kill(s.daemon.Pid(), syscall.SIGHUP); err != nil {
		s.t.Fatal(err)
	}
	eventually(s.t, "the configuration is loaded", func() bool { return s.daemon.Said(loaded) > before })
}

// aaasess runs the command line tool of this tree.
func (s *relaySite) aaasess(args ...string) string {
	s.t.Helper()
	return s.Run(append([]string{cli(s.t), "--socket", filepath.Join(s.dir, "ctl.sock")}, args...)...)
}

// number returns the number of a user's session, or "" if there is none.
func (s *relaySite) number(user string) string {
	s.t.Helper()
	var answer struct {
		Sessions []struct {
			Number int
			User   string
		}
	}
	out := s.aaasess("show", "sessions", "--json")
	if err := json.Unmarshal([]byte(out), &answer); err != nil {
		s.t.Fatalf("%v in %s", err, out)
	}
	for _, session := range answer.Sessions {
		if session.User == user {
			return fmt.Sprint(session.Number)
		}
	}
	return ""
}

// snmp runs a tool of net-snmp against the responder.
func (s *relaySite) snmp(tool string, args ...string) string {
	s.t.Helper()
	return s.Run(append([]string{tool, "-v2c", "-c", "operators", "-On", "-t5", "-r1", relaySNMP}, args...)...)
}

// records returns the records of a type that the server has of a user, without those of what the
// daemon sends twice.
func (s *relaySite) records(status, user string) (records []partner.DetailRecord) {
	s.t.Helper()
	for _, r := range s.fr.Detail() {
		if r.Get("Acct-Status-Type") == status && r.Get("User-Name") == user {
			records = append(records, r)
		}
	}
	return records
}

// await waits until the server has a record of a type of a user, and returns the first.
func (s *relaySite) await(status, user string) partner.DetailRecord {
	s.t.Helper()
	var got []partner.DetailRecord
	eventually(s.t, "the "+status+" of "+user+" is at the server", func() bool {
		got = s.records(status, user)
		return len(got) > 0
	})
	return got[0]
}

// wantValues checks all values of attributes of a record, in order.
func wantValues(t *testing.T, r partner.DetailRecord, want map[string][]string) {
	t.Helper()
	for name, values := range want {
		if got := r.All(name); !slices.Equal(got, values) {
			t.Errorf("%s %q, want %q, in %v", name, got, values, r)
		}
	}
}

// wantSigned checks that the Access-Requests at the server are signed in front, as the ones that we
// make must be.
func (s *relaySite) wantSigned() {
	s.t.Helper()
	logins := s.fr.Logins()
	if len(logins) == 0 {
		s.t.Error("no Access-Request is at the server")
	}
	for _, r := range logins {
		// FreeRADIUS writes Packet-Type before the attributes.
		if len(r) < 2 || r[1].Name != "Message-Authenticator" {
			s.t.Errorf("the first attribute is not Message-Authenticator: %v", r)
		}
	}
}
