//go:build partners

package main

import (
	"encoding/json"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"aaasess/internal/partner"
)

// wired is hostapd with one wired port and a supplicant, a FreeRADIUS server for both, and the
// daemon. All are in the network namespace of the daemon.
type wired struct {
	*netns
	dir     string
	log     lines // of the daemon
	fr      *partner.FreeRADIUSProc
	hostapd *neighbour
}

// neighbour is a program in the namespace.
type neighbour struct {
	cmd   *exec.Cmd
	log   *lines
	ended chan struct{}
}

const (
	hostapdID    = "hostapd-wired-1"
	wiredTrunk   = "vh0" // of hostapd
	wiredStation = "vs0" // of the supplicant
)

// wiredConfig is the configuration of the daemon. %[1]d is the port of FreeRADIUS. Times that do
// not matter to hostapd are short.
const wiredConfig = `state: state
control: {socket: ctl.sock}
snmp:
  session-mib-disconnect: true
  responder:
    listen: ["127.0.0.1:1161"]
    allow-insecure-set: true
    groups: [{name: operators, read: all, write: sessions}]
    communities: [{community: operators, group: operators, from: [127.0.0.0/8]}]
radius:
  accounting: {listen: ["127.0.0.1:1813"]}
  clients: [{name: hostapd, address: 127.0.0.1, secret: testing123}]
  servers: [{name: freeradius, address: 127.0.0.1, port: %[1]d, secret: testing123}]
  groups: [{name: isp, servers: [freeradius]}]
accounting:
  network: {default: {record: start-stop, methods: [group isp]}}
sessions: {disconnect: {retry-min: 1s, timeout: 2s, retransmit: 1}}
store: {min-free: 16MiB}
`

// hostapdConfig is the configuration of hostapd. %[1]s is its interface, %[2]s and %[3]s are the
// ports for authentication and accounting.
const hostapdConfig = `interface=%[1]s
driver=wired
logger_stdout=-1
logger_stdout_level=0
ieee8021x=1
eapol_version=2
eap_reauth_period=0
use_pae_group_addr=0
own_ip_addr=127.0.0.1
nas_identifier=` + hostapdID + `
auth_server_addr=127.0.0.1
auth_server_port=%[2]s
auth_server_shared_secret=testing123
acct_server_addr=127.0.0.1
acct_server_port=%[3]s
acct_server_shared_secret=testing123
radius_das_port=3799
radius_das_client=127.0.0.1 testing123
radius_das_require_event_timestamp=1
radius_das_require_message_authenticator=1
`

const supplicantConfig = `ap_scan=0
network={
	key_mgmt=IEEE8021X
	eap=MD5
	identity=%q
	password="secret"
	eapol_flags=0
}
`

func startWired(t *testing.T) *wired {
	t.Helper()
	self, err := filepath.Abs(os.Args[0])
	if err != nil {
		t.Fatal(err)
	}
	w := &wired{dir: t.TempDir()}
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("the daemon's log:\n%s", &w.log)
		}
	})
	port := partner.FreeUDPPort(t)
	if err := os.WriteFile(filepath.Join(w.dir, "aaasess.yaml"), fmt.Appendf(nil, wiredConfig, port), 0o600); err != nil {
		t.Fatal(err)
	}
	w.netns = inNamespace(t, w.dir, &w.log, self, "--config", "aaasess.yaml")
	eventually(t, "the daemon is ready", func() bool { return w.said("msg=ready") })
	w.run(w.dir, "ip", "link", "add", wiredTrunk, "type", "veth", "peer", "name", wiredStation)
	w.run(w.dir, "ip", "link", "set", wiredTrunk, "up")
	w.run(w.dir, "ip", "link", "set", wiredStation, "up")
	w.fr = partner.FreeRADIUS(t, partner.FreeRADIUSOptions{Port: port, In: w.in(), Users: "DEFAULT Cleartext-Password := \"secret\"\n"})
	w.startHostapd("1813")
	return w
}

// said reports whether the daemon's log has a line with all these texts.
func (w *wired) said(words ...string) bool {
	for line := range strings.Lines(w.log.String()) {
		if !slices.ContainsFunc(words, func(s string) bool { return !strings.Contains(line, s) }) {
			return true
		}
	}
	return false
}

// begin starts a program in the namespace, with a configuration file as its last argument, and
// waits until it reports that it is ready.
func (w *wired) begin(ready, config string, argv ...string) *neighbour {
	w.t.Helper()
	file := filepath.Join(w.t.TempDir(), "conf")
	if err := os.WriteFile(file, []byte(config), 0o600); err != nil {
		w.t.Fatal(err)
	}
	argv = w.in(append(argv, file)...)
	p := &neighbour{cmd: exec.Command(argv[0], argv[1:]...), log: &lines{}, ended: make(chan struct{})}
	p.cmd.Stdout, p.cmd.Stderr = p.log, p.log
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := p.cmd.Start(); err != nil {
		w.t.Fatal(err)
	}
	go func() {
		defer close(p.ended)
		_ = p.cmd.Wait() // our signal has ended it
	}()
	w.t.Cleanup(func() {
		p.end(syscall.SIGTERM)
		if w.t.Failed() {
			w.t.Logf("%v said:\n%s", argv, p.log)
		}
	})
	eventually(w.t, fmt.Sprintf("%v says %s", argv, ready), func() bool { return strings.Contains(p.log.String(), ready) })
	return p
}

// end ends a program if it runs.
func (p *neighbour) end(sig syscall.Signal) {
	_ = p.cmd.Process.Signal(sig)
	select {
	case <-p.ended:
	case <-time.After(limit):
		_ = p.cmd.Process.Kill()
		<-p.ended
	}
}

// startHostapd starts hostapd, which sends its accounting to a port.
func (w *wired) startHostapd(acct string) {
	w.t.Helper()
	_, auth, err := net.SplitHostPort(w.fr.AuthAddr)
	if err != nil {
		w.t.Fatal(err)
	}
	w.hostapd = w.begin("AP-ENABLED", fmt.Sprintf(hostapdConfig, wiredTrunk, auth, acct), "hostapd", "-t")
}

// connect starts a supplicant, and waits until its session is in the table.
func (w *wired) connect(user string) *neighbour {
	w.t.Helper()
	p := w.begin("EAP-SUCCESS", fmt.Sprintf(supplicantConfig, user), "wpa_supplicant", "-D", "wired", "-i", wiredStation, "-t", "-c")
	eventually(w.t, "the session of "+user+" is there", func() bool { return w.number(user) != "" })
	return p
}

// number returns the number of a user's session, or "" if there is none.
func (w *wired) number(user string) string {
	w.t.Helper()
	var answer struct {
		Sessions []struct {
			Number int
			User   string
		}
	}
	out := w.run(w.dir, cli(w.t), "--socket", "ctl.sock", "show", "sessions", "--json")
	if err := json.Unmarshal([]byte(out), &answer); err != nil {
		w.t.Fatalf("%v in %s", err, out)
	}
	for _, s := range answer.Sessions {
		if s.User == user {
			return fmt.Sprint(s.Number)
		}
	}
	return ""
}

// stops returns the causes of a user's stops that have arrived at FreeRADIUS.
func (w *wired) stops(user string) (causes []string) {
	for _, r := range w.fr.Detail() {
		if r.Get("User-Name") == user && r.Get("Acct-Status-Type") == "Stop" {
			causes = append(causes, r.Get("Acct-Terminate-Cause"))
		}
	}
	return causes
}

// ends waits until a user's session has ended and its stop is at the server.
func (w *wired) ends(user string) {
	w.t.Helper()
	var got []string
	eventually(w.t, "the stop of "+user+" is at the server", func() bool {
		got = w.stops(user)
		return slices.Equal(got, []string{"Admin-Reset"})
	}, &got)
	if n := w.number(user); n != "" {
		w.t.Errorf("the session of %s, %s, is still there", user, n)
	}
}

// wantLadder checks that the log has all steps of a disconnect: the NAS does not know the session
// of the first request, rejects the request with all known attributes, and answers the one with the
// fewest.
func (w *wired) wantLadder(user string) {
	w.t.Helper()
	const again = "disconnect: sending another request with other attributes"
	for _, words := range [][]string{
		{again, "user=" + user, "503"},
		{again, "user=" + user, "401"},
		{"disconnect: NAS does not have the session", "user=" + user},
	} {
		if !w.said(words...) {
			w.t.Errorf("the log has no line with %q", words)
		}
	}
}

// TestHostapd ends sessions of a real hostapd with a real supplicant.
func TestHostapd(t *testing.T) {
	w := startWired(t)

	// A session that hostapd has.
	supplicant := w.connect("alice")
	w.run(w.dir, "snmpset", "-v2c", "-c", "operators", "-t5", "-r1", "127.0.0.1:1161", casnDiscon+w.number("alice"), "i", "1")
	w.ends("alice")
	// hostapd sends the stop first: the session may have ended before the ACK arrives.
	if !w.said("disconnect: NAS sent an ACK", "user=alice") && !w.said("disconnect: session ended during the attempt", "user=alice", "outcome=ACK") {
		t.Error("hostapd did not agree")
	}
	supplicant.end(syscall.SIGTERM)

	// A session that hostapd has lost: hostapd was killed, and its Accounting-On went elsewhere.
	w.connect("bob")
	w.hostapd.end(syscall.SIGKILL)
	w.startHostapd("1")
	w.run(w.dir, cli(t), "--socket", "ctl.sock", "disconnect", "--user", "bob")
	w.ends("bob")
	w.wantLadder("bob")

	// A session that hostapd never had, with attributes that hostapd rejects.
	w.account("Acct-Status-Type = Start", "Acct-Session-Id = 0123456789ABCDEF", "User-Name = carol", "NAS-IP-Address = 127.0.0.1",
		"NAS-Identifier = "+hostapdID, "Calling-Station-Id = 02-00-00-00-00-01", "Framed-IP-Address = 192.0.2.7", "NAS-Port = 7")
	w.run(w.dir, cli(t), "--socket", "ctl.sock", "disconnect", "--user", "carol")
	w.ends("carol")
	w.wantLadder("carol")
}

// account sends an Accounting-Request with these attributes as hostapd would.
func (w *wired) account(attrs ...string) {
	w.t.Helper()
	file := filepath.Join(w.t.TempDir(), "request")
	if err := os.WriteFile(file, []byte(strings.Join(attrs, "\n")+"\n"), 0o600); err != nil {
		w.t.Fatal(err)
	}
	w.run(w.dir, "radclient", "-f", file, "-r", "2", "-t", "3", "127.0.0.1:1813", "acct", "testing123")
}
