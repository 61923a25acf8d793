//go:build partners

package main

import (
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"aaasess/internal/partner"
)

const (
	casRoot = ".1.3.6.1.4.1.9.10.56.1"
	mibDir  = "../../mibs"
	// netSnmpMIBs has the modules that come with net-snmp, such as NET-SNMP-EXAMPLES-MIB.
	netSnmpMIBs = "/usr/share/snmp/mibs"
)

// The engine ids of our responder and of snmpd, for the keys of traps.
const (
	ourEngine   = "8000000001020304"
	theirEngine = "8000000001020305"
)

// serversRig is a daemon whose records go to the group of all RADIUS servers. Both of its agents serve the
// tables of servers, and managers may write them.
type serversRig struct {
	*responderProc
	trapd *partner.TrapdProc // nil: notifications go nowhere
}

// startServers starts a daemon with n FreeRADIUS servers in its file, and with more that it does not know
// yet. If traps is set, an snmptrapd receives all kinds of notifications of both agents.
func startServers(t *testing.T, n, more int, traps bool) *serversRig {
	t.Helper()
	d := &daemonProc{t: t, dir: t.TempDir(), log: &lines{}}
	d.config, d.socket = filepath.Join(d.dir, "aaasess.yaml"), filepath.Join(d.dir, "ctl.sock")
	r := &serversRig{responderProc: &responderProc{daemonProc: d, port: partner.FreeUDPPort(t)}}
	r.addr, r.addr6 = fmt.Sprint("127.0.0.1:", r.port), fmt.Sprint("udp6:[::1]:", r.port)
	var sinks []string
	if traps {
		sinks = r.startTrapd()
	}
	d.snmpd = partner.Snmpd(t, partner.SnmpdOptions{Config: sinks})
	for i := range n + more { // each at an address of its own: casAddress is unique
		d.servers = append(d.servers, partner.FreeRADIUS(t, partner.FreeRADIUSOptions{Host: fmt.Sprint("127.0.0.", i+1)}))
	}
	d.acct = fmt.Sprintf("127.0.0.1:%d", partner.FreeUDPPort(t))
	r.write(r.text(n))
	t.Cleanup(func() {
		d.end(syscall.SIGTERM)
		if t.Failed() {
			t.Logf("the daemon's log:\n%s", d.log)
		}
	})
	d.run()
	return r
}

// within makes faults those of a subtest until its end.
func (r *serversRig) within(t *testing.T) {
	outer := r.t
	r.t = t
	t.Cleanup(func() { r.t = outer })
}

// The users of notifications: of us, and of snmpd.
const trapSecrets = "SHA \"authentication\" AES \"privacy of it\""

// startTrapd starts the receiver of notifications. It returns what makes snmpd send them to it.
func (r *serversRig) startTrapd() (sinks []string) {
	r.t.Helper()
	mibs, err := filepath.Abs(mibDir)
	if err != nil {
		r.t.Fatal(err)
	}
	r.trapd = partner.Snmptrapd(r.t, partner.TrapdOptions{MIBs: mibs + ":" + netSnmpMIBs, Config: []string{
		"authCommunity log ours", "authCommunity log theirs",
		"createUser traps " + trapSecrets, "createUser snmpd " + trapSecrets,
		"createUser -e 0x" + ourEngine + " traps " + trapSecrets, "createUser -e 0x" + theirEngine + " snmpd " + trapSecrets,
		"authUser log traps priv", "authUser log snmpd priv",
	}})
	v3 := "-v3 -u snmpd -l authPriv -a SHA -A authentication -x AES -X \"privacy of it\" "
	return []string{
		"trap2sink " + r.trapd.Addr + " theirs", "informsink " + r.trapd.Addr + " theirs",
		"trapsess -e 0x" + theirEngine + " " + v3 + r.trapd.Addr, "trapsess -Ci " + v3 + r.trapd.Addr,
	}
}

// kinds are the notifications of each event that snmptrapd prints: of ours and of snmpd's.
var kinds = []string{
	"TRAP2, SNMP v2c, community ours", "INFORM, SNMP v2c, community ours",
	"TRAP2, SNMP v3, user traps, context ", "INFORM, SNMP v3, user traps, context ",
	"TRAP2, SNMP v2c, community theirs", "INFORM, SNMP v2c, community theirs",
	"TRAP2, SNMP v3, user snmpd, context ", "INFORM, SNMP v3, user snmpd, context ",
}

// text is a configuration with the first n servers.
func (r *serversRig) text(n int) string {
	var servers strings.Builder
	for i, fr := range r.servers[:n] {
		host, port, _ := net.SplitHostPort(fr.Addr)
		fmt.Fprintf(&servers, "    - {name: r%d, address: %s, acct-port: %s}\n", i, host, port)
	}
	notifications := "[]"
	if r.trapd != nil {
		notifications = fmt.Sprintf(`
    - {name: v2c-trap, address: %[1]q, version: v2c, community: ours}
    - {name: v2c-inform, address: %[1]q, version: v2c, community: ours, type: inform}
    - {name: v3-trap, address: %[1]q, version: v3, user: traps}
    - {name: v3-inform, address: %[1]q, version: v3, user: traps, type: inform}`, r.trapd.Addr)
	}
	return fmt.Sprintf(`state: state
control: {socket: %s}
snmp:
  aaa-server-config: true
  agentx: {network: %s, address: %q}
  responder:
    engine-id: %q
    listen: ["%s", "[::1]:%d"]
    system: {name: aaasess.test}
    allow-insecure-set: true
    groups:
      - {name: watchers, read: all}
      - {name: operators, read: all, write: all}
    communities:
      - {community: public, from: [127.0.0.0/8, "::1"], group: watchers}
      - {community: private, from: [127.0.0.0/8, "::1"], group: operators}
    users:
      - {name: noc, group: operators, auth: {protocol: SHA-256, password: password of noc}, priv: {protocol: AES-128, password: privacy of noc}}
      - {name: traps, group: watchers, auth: {protocol: SHA, password: authentication}, priv: {protocol: AES-128, password: privacy of it}}
  notifications: %s
radius:
  secret: testing123
  timeout: 300ms
  retransmit: 0
  hold-down: 500ms
  accounting: {listen: ["%s"]}
  clients:
    - {name: loopback, address: 127.0.0.0/8, secret: %q}
  servers:
%saccounting:
  network: {default: {record: start-stop, methods: [group radius]}}
store: {min-free: 16MiB}
`, r.socket, r.snmpd.AgentXNetwork, r.snmpd.AgentXAddress, ourEngine, r.addr, r.port, notifications, r.acct, nasSecret, servers.String())
}

func (r *serversRig) write(text string) {
	r.t.Helper()
	if err := os.WriteFile(r.config, []byte(text), 0o600); err != nil {
		r.t.Fatal(err)
	}
}

// agents are the addresses of both agents by name.
func (r *serversRig) agents() map[string]string {
	return map[string]string{"snmpd": r.snmpd.Addr, "responder": r.addr}
}

// tool runs a tool of net-snmp with the community private, and with names.
func (r *serversRig) tool(agent, tool string, args ...string) (string, error) {
	r.t.Helper()
	// -Ir: the tool does not check values, the agent does.
	return partner.Try(r.t, limit, tool, append([]string{"-M", mibDir, "-m", "ALL", "-Ir", "-v2c", "-c", partner.WriteCommunity, "-t5", "-r0", agent}, args...)...)
}

// set makes a SET that must succeed.
func (r *serversRig) set(agent string, args ...string) {
	r.t.Helper()
	if out, err := r.tool(agent, "snmpset", args...); err != nil {
		r.t.Fatalf("snmpset %q: %s, %v", args, out, err)
	}
}

// refused makes a SET that must fail with this error-status.
func (r *serversRig) refused(agent, want string, args ...string) {
	r.t.Helper()
	out, err := r.tool(agent, "snmpset", args...)
	if err == nil || !strings.Contains(err.Error(), want) {
		r.t.Errorf("snmpset %q: %s, %v, want %s", args, out, err, want)
	}
}

// started accounts the start of another session.
func (r *serversRig) started(session int) {
	r.t.Helper()
	r.account(record("Start", fmt.Sprint("S", session), "alice"))
}
