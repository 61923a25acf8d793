//go:build partners

package main

import (
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

// relaySite is the daemon between NASes and a FreeRADIUS, in a network namespace of their own: a
// relay for authentication, and accounting to the same server. NASes and the server have different
// secrets.
type relaySite struct {
	*partner.Namespace
	t      *testing.T
	dir    string
	config string // of the daemon, the text
	fr     *partner.FreeRADIUSProc
	daemon *partner.Program
}

const (
	relayAuth = "127.0.0.1:1812" // where the daemon listens, in the namespace
	relayAcct = "127.0.0.1:1813"
	relaySNMP = "127.0.0.1:1161"
	// siteSecret is the secret of the NASes: hostapd wants one without spaces.
	siteSecret = "testing123"
)

// relaySiteConfig is the configuration of the daemon. %[1]s and %[2]s are the ports of the server, for
// accounting and authentication, %[3]q is its secret. Times that do not matter to NASes are short.
// CLIENT, SERVER, RADIUS and ACCOUNTING are further keys.
const relaySiteConfig = `state: state
control: {socket: ctl.sock}
snmp:
  session-mib-disconnect: true
  responder:
    listen: ["` + relaySNMP + `"]
    allow-insecure-set: true
    groups: [{name: operators, read: all, write: sessions}]
    communities: [{community: operators, group: operators, from: [127.0.0.0/8]}]
radius:
  accounting: {listen: ["` + relayAcct + `"]}
  authentication: {listen: ["` + relayAuth + `"]}
  clients: [{name: nas, address: 127.0.0.0/8, secret: ` + siteSecret + `CLIENT}]
  servers: [{name: freeradius, address: 127.0.0.1, acct-port: %[1]s, auth-port: %[2]s, secret: %[3]qSERVER}]
  groups: [{name: isp, servers: [freeradius]}]
RADIUSauthentication:
  lists: {default: {methods: [group isp]}}
accounting:
  network: {default: {record: start-stop, methods: [group isp]}}
ACCOUNTINGsessions: {disconnect: {retry-min: 1s, timeout: 2s, retransmit: 1}}
store: {min-free: 16MiB}
`

// keys are further keys of relaySiteConfig.
type keys struct {
	client     string // ", key: value"
	server     string // the same
	radius     string // lines, indented by two
	accounting string // the same
}

// startRelay starts the server and the daemon.
func startRelay(t *testing.T, opts partner.FreeRADIUSOptions, k keys) *relaySite {
	t.Helper()
	self, err := filepath.Abs(os.Args[0])
	if err != nil {
		t.Fatal(err)
	}
	s := &relaySite{Namespace: partner.NewNamespace(t), t: t, dir: t.TempDir()}
	opts.In, opts.Secret = s.In(), "upstream secret"
	s.fr = partner.FreeRADIUS(t, opts)
	s.configure(k)
	s.daemon = s.Program("msg=ready", "env", "--chdir="+s.dir, "AAASESSD_UNDER_TEST=1", self, "--config", "aaasess.yaml")
	t.Cleanup(s.daemon.Stop)
	return s
}

// configure writes the configuration.
func (s *relaySite) configure(k keys) {
	s.t.Helper()
	_, acct, _ := net.SplitHostPort(s.fr.Addr)
	_, auth, _ := net.SplitHostPort(s.fr.AuthAddr)
	text := fmt.Sprintf(relaySiteConfig, acct, auth, s.fr.Secret)
	text = strings.NewReplacer("CLIENT", k.client, "SERVER", k.server, "RADIUS", k.radius, "ACCOUNTING", k.accounting).Replace(text)
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
