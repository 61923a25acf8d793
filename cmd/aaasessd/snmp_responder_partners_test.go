//go:build partners

package main

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/gosnmp/gosnmp"

	"aaasess/internal/partner"
	"aaasess/sessions/radius/radiustest"
)

// responderProc is a daemon that serves its table through snmpd and by its own responder.
type responderProc struct {
	*daemonProc
	setup setup
	addr  string // host:port of the responder, over IPv4
	addr6 string // over IPv6, in the notation of net-snmp's tools
	port  int
}

// usual is the usual configuration of the responder, after listen.
const usual = `    system: {name: aaasess.test}
    groups:
      - {name: watchers}
      - {name: operators, write: sessions}
    communities:
      - {community: public, from: [127.0.0.0/8, "::1"], group: watchers}
    users:
      - name: noc
        group: operators
        auth: {protocol: SHA-256, password: password of noc}
        priv: {protocol: AES-128, password: privacy of noc}
`

// nocArgs are the arguments for net-snmp's tools to be the user noc of usual.
func nocArgs() []string {
	return []string{"-v3", "-u", "noc", "-l", "authPriv", "-a", "SHA-256", "-A", "password of noc", "-x", "AES", "-X", "privacy of noc"}
}

func startResponder(t *testing.T, s setup) *responderProc {
	t.Helper()
	d := &daemonProc{t: t, dir: t.TempDir(), log: &lines{}}
	d.config, d.socket = filepath.Join(d.dir, "aaasess.yaml"), filepath.Join(d.dir, "ctl.sock")
	d.snmpd = partner.Snmpd(t, partner.SnmpdOptions{})
	d.servers = []*partner.FreeRADIUSProc{partner.FreeRADIUS(t, partner.FreeRADIUSOptions{})}
	d.acct = fmt.Sprintf("127.0.0.1:%d", partner.FreeUDPPort(t))
	r := &responderProc{daemonProc: d, setup: s, port: partner.FreeUDPPort(t)}
	r.addr, r.addr6 = fmt.Sprint("127.0.0.1:", r.port), fmt.Sprint("udp6:[::1]:", r.port)
	r.configure(usual)
	t.Cleanup(func() {
		d.end(syscall.SIGTERM)
		if t.Failed() {
			t.Logf("the daemon's log:\n%s", d.log)
		}
	})
	d.run()
	return r
}

// configure writes the configuration of the harness with a responder.
func (r *responderProc) configure(responder string) {
	r.t.Helper()
	r.daemonProc.configure(r.setup)
	text, err := os.ReadFile(r.config)
	if err != nil {
		r.t.Fatal(err)
	}
	responder = fmt.Sprintf("  responder:\n    listen: [\"%[1]s\", \"[::1]:%[2]d\"]\n%[3]s", r.addr, r.port, responder)
	whole := with(r.t, string(text), "  session-mib-disconnect:", responder+"  session-mib-disconnect:")
	if err := os.WriteFile(r.config, []byte(whole), 0o600); err != nil {
		r.t.Fatal(err)
	}
}

// ask runs a tool of net-snmp against the responder.
func (r *responderProc) ask(tool string, who []string, args ...string) (string, error) {
	r.t.Helper()
	args = append(append(append([]string{"-t5", "-r1", "-On"}, who...), r.addr), args...)
	return partner.Try(r.t, limit, tool, args...)
}

// TestCheckradResponder: FreeRADIUS's session check queries the responder (R8).
func TestCheckradResponder(t *testing.T) {
	r := startResponder(t, setup{})
	r.account(record("Start", "S1", "alice", "NAS-Port = 20001"))
	for _, tt := range []struct{ user, id, want string }{{"alice", "00000001", "1"}, {"bob", "00000001", "0"}, {"alice", "00000002", "0"}} {
		if got := checkrad(t, r.addr, tt.user, tt.id); got != tt.want {
			t.Errorf("%s at %s: %s, want %s", tt.user, tt.id, got, tt.want)
		}
	}
}

// TestSecureDisconnect: a SET of casnDisconnect by a user at authPriv ends the session, and the
// stop record arrives. No other user may do that.
func TestSecureDisconnect(t *testing.T) {
	nas := radiustest.Listen(t, "127.0.0.1:0", nasSecret, radiustest.ACK)
	r := startResponder(t, setup{disconnectPort: int(nas.AddrPort().Port())})
	r.account(record("Start", "S1", "alice"), record("Start", "S2", "bob"))
	wrong := func(flag, value string) []string {
		args := nocArgs()
		args[slices.Index(args, flag)+1] = value
		return args
	}
	withoutPrivacy := wrong("-l", "authNoPriv")
	for name, tt := range map[string]struct {
		who  []string
		want string
	}{
		"a community":              {[]string{"-v2c", "-c", "public"}, "authorizationError"},
		"without privacy":          {withoutPrivacy[:slices.Index(withoutPrivacy, "-x")], "authorizationError"},
		"without anything":         {wrong("-l", "noAuthNoPriv"), "authorizationError"},
		"a wrong password":         {wrong("-A", "not the password"), "Authentication failure"},
		"a wrong privacy password": {wrong("-X", "not the password"), "Decryption error"},
		"a wrong user":             {wrong("-u", "nobody"), "Unknown user name"},
	} {
		if out, err := r.ask("snmpset", tt.who, casnDiscon+"1", "i", "1"); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: %s, %v, want %s", name, out, err, tt.want)
		}
	}
	if out, err := r.ask("snmpget", nocArgs(), casnDiscon+"1", casnRoot+".2.2.0"); err != nil || !strings.Contains(out, "INTEGER: 2") || !strings.Contains(out, "Counter32: 0") {
		t.Errorf("after SETs that were refused: %s, %v", out, err)
	}
	if out, err := r.ask("snmpset", nocArgs(), casnDiscon+"1", "i", "1"); err != nil || !strings.Contains(out, "INTEGER: 1") {
		t.Fatalf("%s, %v", out, err)
	}
	if asked := nas.Next(); !strings.Contains(string(asked.Data), "alice") {
		t.Errorf("the Disconnect-Request does not name the user: %x", asked.Data)
	}
	r.account(record("Stop", "S1", "alice", "Acct-Terminate-Cause = User-Request"))
	eventually(t, "the stop record arrives", func() bool { return slices.Contains(statuses(r.servers[0]), "Stop 00000001 Admin-Reset") })
	out, err := r.ask("snmpget", nocArgs(), casnUserID+"1", casnUserID+"2", casnRoot+".2.2.0")
	if err != nil || !strings.Contains(out, casnUserID+"1 = No Such Instance") || !strings.Contains(out, "bob") || !strings.Contains(out, "Counter32: 1") {
		t.Errorf("after the stop: %s, %v", out, err)
	}
	if st, err := r.aaasess("show", "status", "--json"); err != nil || !strings.Contains(st, `"usmStatsWrongDigests"`) {
		t.Errorf("show status: %s, %v", st, err)
	}
}

// manage runs a manager that sends requests until it is canceled, and returns its failures.
func (r *responderProc) manage(change func(*gosnmp.GoSNMP)) (end func() (asked int, err error)) {
	r.t.Helper()
	g := &gosnmp.GoSNMP{Target: "127.0.0.1", Port: uint16(r.port), Version: gosnmp.Version2c, Community: "public", Timeout: limit, Retries: 0}
	if change != nil {
		change(g)
	}
	if err := g.Connect(); err != nil {
		r.t.Fatal(err)
	}
	type result struct {
		asked int
		err   error
	}
	stop, done := make(chan struct{}), make(chan result, 1)
	go func() {
		defer g.Conn.Close()
		for n := 0; ; n++ {
			select {
			case <-stop:
				done <- result{n, nil}
				return
			default:
			}
			answer, err := g.Get([]string{casnRoot + ".1.1.0"})
			if err == nil && (answer.Error != gosnmp.NoError || answer.Variables[0].Value != uint(1)) {
				err = fmt.Errorf("answered %v, %v", answer.Error, answer.Variables)
			}
			if err != nil {
				done <- result{n, err}
				return
			}
		}
	}()
	return func() (int, error) {
		close(stop)
		last := <-done
		return last.asked, last.err
	}
}

func asNOC(g *gosnmp.GoSNMP) {
	g.Version, g.SecurityModel, g.MsgFlags = gosnmp.Version3, gosnmp.UserSecurityModel, gosnmp.AuthPriv
	g.SecurityParameters = &gosnmp.UsmSecurityParameters{
		UserName: "noc", AuthenticationProtocol: gosnmp.SHA256, AuthenticationPassphrase: "password of noc",
		PrivacyProtocol: gosnmp.AES, PrivacyPassphrase: "privacy of noc",
	}
}

// TestReloadResponder: SIGHUP loads other users, communities and views. Unchanged users lose no
// request meanwhile. A file with an error changes nothing.
func TestReloadResponder(t *testing.T) {
	r := startResponder(t, setup{})
	r.account(record("Start", "S1", "alice"))
	guest := func(password string) []string {
		return []string{"-v3", "-u", "guest", "-l", "authNoPriv", "-a", "SHA-512", "-A", password, "-t1", "-r0"}
	}
	community := func(name string) []string { return []string{"-v2c", "-c", name, "-t1", "-r0"} }
	states := []struct {
		add  string // added to usual; the community comes before the users
		with map[string][]string
	}{
		{"", map[string][]string{"Unknown user name": guest("first password"), "Timeout": community("second")}},
		{"      - {name: guest, group: guests, auth: {protocol: SHA-512, password: first password}}\n", map[string][]string{"Gauge32: 1": guest("first password"), "Timeout": community("second")}},
		{"      - {name: guest, group: guests, auth: {protocol: SHA-512, password: second password}}\n", map[string][]string{"Gauge32: 1": guest("second password"), "Authentication failure": guest("first password")}},
	}
	ends := map[string]func() (int, error){"v2c": r.manage(nil), "v3": r.manage(asNOC)}
	for _, i := range []int{1, 2, 0, 1, 2} {
		s := states[i]
		r.configure(with(t, usual, "    communities:\n", "      - {name: guests, level: authNoPriv}\n    communities:\n") + s.add)
		r.reload("configuration loaded")
		for want, who := range s.with {
			out, err := r.ask("snmpget", who, casnRoot+".1.1.0")
			if !strings.Contains(fmt.Sprint(out, err), want) {
				t.Errorf("state %d: %s, %v, want %s", i, out, err, want)
			}
		}
	}
	r.configure(with(t, usual, "    communities:\n", "    communities:\n      - {community: second, from: [127.0.0.0/8], group: operators}\n"))
	r.reload("configuration loaded")
	if out, err := r.ask("snmpget", community("second"), casnRoot+".1.1.0"); !strings.Contains(out, "Gauge32: 1") {
		t.Errorf("a community that was added: %s, %v", out, err)
	}
	r.configure(with(t, usual, "password: password of noc", "password: short"))
	r.reload("level=ERROR")
	for name, end := range ends {
		if n, err := end(); err != nil || n < 10 {
			t.Errorf("%s: after %d requests: %v", name, n, err)
		}
	}
	if out, err := r.ask("snmpget", community("second"), casnRoot+".1.1.0"); !strings.Contains(out, "Gauge32: 1") {
		t.Errorf("after a file with an error: %s, %v", out, err)
	}
}

// TestBoots: the engine keeps its id, and its boots rise however the daemon ends. A manager
// continues without a new discovery of the engine.
func TestBoots(t *testing.T) {
	r := startResponder(t, setup{})
	r.account(record("Start", "S1", "alice"))
	g := &gosnmp.GoSNMP{Target: "127.0.0.1", Port: uint16(r.port), Timeout: limit}
	asNOC(g)
	if err := g.Connect(); err != nil {
		t.Fatal(err)
	}
	defer g.Conn.Close()
	var id string
	for i, sig := range []syscall.Signal{syscall.SIGTERM, syscall.SIGKILL, syscall.SIGTERM} {
		if i > 0 {
			r.run()
		}
		answer, err := g.Get([]string{".1.3.6.1.6.3.10.2.1.1.0", ".1.3.6.1.6.3.10.2.1.2.0", casnRoot + ".1.1.0"})
		if err != nil {
			t.Fatal(err)
		}
		if got := string(answer.Variables[0].Value.([]byte)); i > 0 && got != id {
			t.Errorf("the engine is %x, it was %x", got, id)
		} else {
			id = got
		}
		if answer.Variables[1].Value != i+1 || answer.Variables[2].Value != uint(1) {
			t.Errorf("life %d: boots and sessions are %v", i+1, answer.Variables[1:])
		}
		out, err := r.ask("snmpget", append(nocArgs(), "-Z", strconv.Itoa(i)+",1"), ".1.3.6.1.6.3.10.2.1.2.0")
		if want := fmt.Sprint("INTEGER: ", i+1); err != nil || !strings.Contains(out, want) {
			t.Errorf("snmpget of before: %s, %v, want %s", out, err, want)
		}
		r.end(sig)
	}
	r.run()
}
