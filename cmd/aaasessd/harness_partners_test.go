//go:build partners

package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"aaasess/internal/partner"
)

const (
	casnRoot   = ".1.3.6.1.4.1.9.9.150.1"
	casnUserID = casnRoot + ".1.3.1.2."
	casnDiscon = casnRoot + ".1.3.1.5."
)

// daemonProc is a daemon in its own process, connected to real partners.
type daemonProc struct {
	t       *testing.T
	dir     string
	config  string
	acct    string // host:port of the accounting listener
	socket  string
	cmd     *exec.Cmd
	log     *lines
	snmpd   *partner.SnmpdProc
	servers []*partner.FreeRADIUSProc
	disk    string // as in setup
}

// setup describes the differences from the default: one snmpd, one FreeRADIUS, NASes on loopback.
type setup struct {
	servers        int    // number of FreeRADIUS servers in the only group; 0 means 1
	disconnectPort int    // port at which NASes receive Disconnect-Requests
	minFree        string // store.min-free
	disconnect     string // session-mib-disconnect, "true" if empty
	tcp            bool   // AgentX over TCP
	record         string // the lists' record type, "start-stop" if empty
	update         string // keys of accounting.update
	delayStart     string // delay-start of the network list, without one if empty
	changes        string // host:port for Disconnect-Requests and CoA-Requests of the servers, none if empty
	vrrs           bool   // whether groups of routers are recorded
	more           string // further sections of the configuration
	disk           string // size of a disk of its own for the state, as mount(8) wants it; "" is none
}

func start(t *testing.T, s setup) *daemonProc {
	t.Helper()
	d := &daemonProc{t: t, dir: t.TempDir(), log: &lines{}, disk: s.disk}
	d.config = filepath.Join(d.dir, "aaasess.yaml")
	d.socket = filepath.Join(d.dir, "ctl.sock")
	network := "unix"
	if s.tcp {
		network = "tcp"
	}
	d.snmpd = partner.Snmpd(t, partner.SnmpdOptions{AgentXNetwork: network})
	for range max(1, s.servers) {
		d.servers = append(d.servers, partner.FreeRADIUS(t, partner.FreeRADIUSOptions{}))
	}
	d.acct = fmt.Sprintf("127.0.0.1:%d", partner.FreeUDPPort(t))
	d.configure(s)
	t.Cleanup(func() {
		d.end(syscall.SIGTERM)
		if t.Failed() {
			t.Logf("the daemon's log:\n%s", d.log)
		}
	})
	d.run()
	return d
}

// configure writes the configuration.
func (d *daemonProc) configure(s setup) {
	d.t.Helper()
	var servers, names []string
	for i, fr := range d.servers {
		host, port, _ := net.SplitHostPort(fr.Addr)
		names = append(names, fmt.Sprint("r", i))
		servers = append(servers, fmt.Sprintf("    - {name: r%d, address: %s, port: %s, secret: %q}", i, host, port, fr.Secret))
	}
	if s.disconnectPort == 0 {
		s.disconnectPort = 3799
	}
	if s.minFree == "" {
		s.minFree = "16MiB"
	}
	if s.disconnect == "" {
		s.disconnect = "true"
	}
	if s.record == "" {
		s.record = "start-stop"
	}
	list := "{default: {record: " + s.record + ", methods: [group isp]}}"
	network := list
	if s.delayStart != "" {
		network = strings.Replace(list, "methods:", "delay-start: "+s.delayStart+", methods:", 1)
	}
	changes := ""
	if s.changes != "" {
		changes = fmt.Sprintf("  dynamic-authorization: {listen: [%q], servers: [{server: r0}]}\n", s.changes)
	}
	text := fmt.Sprintf(`state: state
control: {socket: %s}
snmp:
  agentx: {network: %s, address: %q}
  session-mib-disconnect: %s
radius:
  accounting: {listen: ["%s"]}
%[14]s  clients:
    - {name: loopback, address: 127.0.0.0/8, secret: %[6]q, disconnect: {port: %[7]d}}
  servers:
%[8]s
  groups:
    - {name: isp, servers: [%[9]s], timeout: 1s, retransmit: 1}
accounting:
  network: %[13]s
  exec: %[10]s
  connection: %[10]s
  update: {%[12]s}
sessions:
  disconnect: {stop-wait: 2s, retry-min: 1s, timeout: 500ms, retransmit: 1}
store: {min-free: %[11]s}
`, d.socket, d.snmpd.AgentXNetwork, d.snmpd.AgentXAddress, s.disconnect, d.acct, nasSecret, s.disconnectPort,
		strings.Join(servers, "\n"), strings.Join(names, ", "), list, s.minFree, s.update, network, changes)
	if s.vrrs {
		text = strings.Replace(text, "accounting:\n  network", "accounting:\n  vrrs: "+list+"\n  network", 1)
	}
	if err := os.WriteFile(d.config, []byte(text+s.more), 0o600); err != nil {
		d.t.Fatal(err)
	}
}

// run starts the process and waits until it serves.
func (d *daemonProc) run() {
	d.t.Helper()
	argv := []string{os.Args[0], "--config", d.config}
	if d.disk != "" {
		argv = append(d.mounted(), argv...)
	}
	d.cmd = exec.Command(argv[0], argv[1:]...)
	d.cmd.Env = append(os.Environ(), "AAASESSD_UNDER_TEST=1")
	d.cmd.Dir = d.dir
	d.cmd.Stdout, d.cmd.Stderr = d.log, d.log
	before := strings.Count(d.log.String(), "msg=ready")
	if err := d.cmd.Start(); err != nil {
		d.t.Fatal(err)
	}
	eventually(d.t, "the daemon is ready", func() bool { return strings.Count(d.log.String(), "msg=ready") > before })
	eventually(d.t, "snmpd serves the module", func() bool { return d.served() })
}

// mounted returns a command that runs another one with a small disk, in memory, in place of the
// state folder. Only that command sees the disk, which ends with it; see inside.
func (d *daemonProc) mounted() []string {
	d.t.Helper()
	state := filepath.Join(d.dir, "state")
	if err := os.MkdirAll(state, 0o700); err != nil {
		d.t.Fatal(err)
	}
	argv := []string{"unshare", "--mount"}
	if os.Geteuid() != 0 {
		argv = append(argv, "--map-root-user")
	}
	return append(argv, "sh", "-c", `mount -t tmpfs -o size="$0" tmpfs "$1" && shift && exec "$@"`, d.disk, state)
}

// inside returns our path to a file that the daemon sees.
func (d *daemonProc) inside(path string) string {
	return filepath.Join(fmt.Sprintf("/proc/%d/root", d.cmd.Process.Pid), path)
}

func (d *daemonProc) served() bool {
	out, err := partner.Try(d.t, limit, "snmpget", "-v2c", "-c", "public", "-t1", "-r0", "-On", d.snmpd.Addr, casnRoot+".1.1.0")
	return err == nil && strings.Contains(out, "Gauge32")
}

// end ends the process if it runs.
func (d *daemonProc) end(sig syscall.Signal) {
	if d.cmd == nil {
		return
	}
	_ = d.cmd.Process.Signal(sig)
	gone := make(chan error, 1)
	go func() { gone <- d.cmd.Wait() }()
	select {
	case err := <-gone:
		if err != nil && sig == syscall.SIGTERM {
			d.t.Errorf("the daemon ended with %v", err)
		}
	case <-time.After(limit):
		d.t.Errorf("the daemon did not end after %s", sig)
		_ = d.cmd.Process.Kill()
		<-gone
	}
	d.cmd = nil
}

func (d *daemonProc) reload(logged string) {
	d.t.Helper()
	before := strings.Count(d.log.String(), logged)
	if err := d.cmd.Process.Signal(syscall.SIGHUP); err != nil {
		d.t.Fatal(err)
	}
	eventually(d.t, "the log says "+logged, func() bool { return strings.Count(d.log.String(), logged) > before })
}

// account sends Accounting-Requests with radclient, one per list of attributes, and checks that all
// are answered.
func (d *daemonProc) account(records ...string) {
	d.t.Helper()
	if out, err := d.radclient(nasSecret, "-r5", "-t2", records...); err != nil {
		d.t.Fatalf("radclient: %v\n%s", err, out)
	}
}

func (d *daemonProc) radclient(secret, retries, timeout string, records ...string) (string, error) {
	d.t.Helper()
	file := filepath.Join(d.t.TempDir(), "requests")
	if err := os.WriteFile(file, []byte(strings.Join(records, "\n\n")+"\n"), 0o600); err != nil {
		d.t.Fatal(err)
	}
	cmd := exec.Command("radclient", "-x", "-f", file, "-p", "64", retries, timeout, d.acct, "acct", secret)
	b, err := cmd.CombinedOutput()
	out := string(b)
	if err == nil && strings.Count(out, "Received Accounting-Response") < len(records) {
		err = fmt.Errorf("%d of %d answered", strings.Count(out, "Received Accounting-Response"), len(records))
	}
	return out, err
}

func record(status, sid, user string, more ...string) string {
	return strings.Join(append([]string{
		"Acct-Status-Type = " + status, fmt.Sprintf("Acct-Session-Id = %q", sid), fmt.Sprintf("User-Name = %q", user),
		"NAS-IP-Address = 127.0.0.1",
	}, more...), "\n")
}

// snmp runs a tool of net-snmp against the snmpd.
func (d *daemonProc) snmp(tool, community string, args ...string) (string, error) {
	d.t.Helper()
	return partner.Try(d.t, limit, tool, append([]string{"-v2c", "-c", community, "-t5", "-r1", "-On", d.snmpd.Addr}, args...)...)
}

// walk returns the rows of a walk, as "oid = type: value".
func (d *daemonProc) walk() []string {
	d.t.Helper()
	out, err := d.snmp("snmpwalk", "public", casnRoot)
	if err != nil {
		d.t.Fatal(err)
	}
	return slices.DeleteFunc(strings.Split(strings.TrimSpace(out), "\n"), func(s string) bool { return s == "" })
}

// scalar reads a number of the module.
func (d *daemonProc) scalar(sub string) uint64 {
	d.t.Helper()
	out, err := d.snmp("snmpget", "public", casnRoot+sub)
	if err != nil {
		d.t.Fatal(err)
	}
	_, value, _ := strings.Cut(strings.TrimSpace(out), "32: ")
	n, err := strconv.ParseUint(value, 10, 32)
	if err != nil {
		d.t.Fatalf("%s: %v", out, err)
	}
	return n
}

// statuses returns type, session id and cause of the records that FreeRADIUS has received, in
// order.
func statuses(fr *partner.FreeRADIUSProc) []string {
	var out []string
	for _, r := range fr.Detail() {
		s := r.Get("Acct-Status-Type") + " " + r.Get("Acct-Session-Id")
		if c := r.Get("Acct-Terminate-Cause"); c != "" {
			s += " " + c
		}
		out = append(out, s)
	}
	return out
}

// aaasess runs the command line tool of this tree.
func (d *daemonProc) aaasess(args ...string) (string, error) {
	d.t.Helper()
	return partner.Try(d.t, limit, cli(d.t), append([]string{"--socket", d.socket}, args...)...)
}

// sessionsJSON returns the sessions of "aaasess show sessions --json".
func (d *daemonProc) sessionsJSON() []map[string]any {
	d.t.Helper()
	out, err := d.aaasess("show", "sessions", "--json")
	if err != nil {
		d.t.Fatal(err)
	}
	var answer struct{ Sessions []map[string]any }
	if err := json.Unmarshal([]byte(out), &answer); err != nil {
		d.t.Fatalf("%v in %s", err, out)
	}
	return answer.Sessions
}

// runOnce runs the daemon until it ends by itself.
func runOnce(t *testing.T, args ...string) (out string, code int) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), limit)
	defer cancel()
	cmd := exec.CommandContext(ctx, os.Args[0], args...)
	cmd.Env = append(os.Environ(), "AAASESSD_UNDER_TEST=1")
	cmd.Dir = t.TempDir()
	b, _ := cmd.CombinedOutput()
	return string(b), cmd.ProcessState.ExitCode()
}
