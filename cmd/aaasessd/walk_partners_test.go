//go:build partners

package main

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/gosnmp/gosnmp"

	"aaasess/internal/partner"
	"aaasess/sessions/radius/radiustest"
)

// TestMainJob tests the main function from end to end, over both kinds of AgentX connection:
// sessions in, MIB out, disconnect, stop record.
func TestMainJob(t *testing.T) {
	for _, tcp := range []bool{false, true} {
		t.Run(map[bool]string{false: "unix", true: "tcp"}[tcp], func(t *testing.T) { mainJob(t, tcp) })
	}
}

func mainJob(t *testing.T, tcp bool) {
	nas := radiustest.Listen(t, "127.0.0.1:0", nasSecret, radiustest.ACK)
	d := start(t, setup{disconnectPort: int(nas.AddrPort().Port()), tcp: tcp})
	d.account(record("Start", "S1", "alice", "Framed-IP-Address = 10.1.1.2", "NAS-Port = 20001"))
	d.account(record("Start", "S2", "bob", "Service-Type = NAS-Prompt-User"))
	want := []string{
		".1.1.0 = Gauge32: 2", ".1.2.0 = Gauge32: 2",
		`.1.3.1.2.1 = STRING: "alice"`, `.1.3.1.2.2 = STRING: "bob"`,
		".1.3.1.3.1 = IpAddress: 10.1.1.2", ".1.3.1.3.2 = IpAddress: 0.0.0.0",
		".1.3.1.4.1 = Gauge32: N", ".1.3.1.4.2 = Gauge32: N",
		".1.3.1.5.1 = INTEGER: 2", ".1.3.1.5.2 = INTEGER: 2",
		".1.3.1.6.1 = Gauge32: 0", ".1.3.1.6.2 = Gauge32: 0",
		".1.3.1.7.1 = OID: .0.0", ".1.3.1.7.2 = OID: .0.0",
		".1.3.1.8.1 = INTEGER: 0", ".1.3.1.8.2 = INTEGER: 0",
		".2.1.0 = Counter32: 2", ".2.2.0 = Counter32: 0",
	}
	got := d.walk()
	for i, line := range got {
		got[i] = strings.TrimPrefix(line, casnRoot)
		if strings.HasPrefix(got[i], ".1.3.1.4.") { // idle: a second or two
			got[i] = got[i][:strings.LastIndex(got[i], " ")+1] + "N"
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	compareTools(t, d)

	if out, err := d.snmp("snmpset", "private", casnDiscon+"1", "i", "1"); err != nil || !strings.Contains(out, "INTEGER: 1") {
		t.Fatalf("snmpset: %s %v", out, err)
	}
	asked := nas.Next()
	if !strings.Contains(string(asked.Data), "S1") || !strings.Contains(string(asked.Data), "alice") {
		t.Errorf("the Disconnect-Request names neither the NAS's session nor the user: %x", asked.Data)
	}
	if n := d.scalar(".2.2.0"); n != 1 {
		t.Errorf("casnDisconnectedSessions is %d", n)
	}
	d.account(record("Stop", "S1", "alice", "Acct-Terminate-Cause = User-Request", "Acct-Session-Time = 9"))
	eventually(t, "the stop record arrives", func() bool { return slices.Contains(statuses(d.servers[0]), "Stop 00000001 Admin-Reset") })
	if diff := cmp.Diff([]string{"Start 00000001", "Start 00000002", "Stop 00000001 Admin-Reset"}, statuses(d.servers[0])); diff != "" {
		t.Error(diff)
	}
	if out, err := d.snmp("snmpget", "public", casnUserID+"1"); err != nil || !strings.Contains(out, "No Such Instance") {
		t.Errorf("the row is still there: %s %v", out, err)
	}
	if d.scalar(".1.1.0") != 1 || d.scalar(".1.2.0") != 2 || d.scalar(".2.1.0") != 2 {
		t.Errorf("scalars: %q", d.walk())
	}
}

// compareTools reads the module with each client that operators use. All must return the same.
func compareTools(t *testing.T, d *daemonProc) {
	t.Helper()
	idle := func(s string) bool { return strings.HasPrefix(s, casnRoot+".1.3.1.4.") }
	want := slices.DeleteFunc(d.walk(), idle)
	out, err := d.snmp("snmpbulkwalk", "public", "-Cr50", casnRoot)
	if err != nil {
		t.Fatal(err)
	}
	bulk := slices.DeleteFunc(strings.Split(strings.TrimSpace(out), "\n"), idle)
	if diff := cmp.Diff(want, bulk); diff != "" {
		t.Error("snmpbulkwalk:", diff)
	}
	host, port, _ := strings.Cut(d.snmpd.Addr, ":")
	n, _ := strconv.Atoi(port)
	g := &gosnmp.GoSNMP{Target: host, Port: uint16(n), Community: "public", Version: gosnmp.Version2c, Timeout: 5 * time.Second, MaxRepetitions: 14}
	if err := g.Connect(); err != nil {
		t.Fatal(err)
	}
	defer g.Conn.Close()
	pdus, err := g.BulkWalkAll(casnRoot)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, p := range pdus {
		if !idle(p.Name) {
			names = append(names, p.Name)
		}
	}
	for i, line := range want {
		want[i], _, _ = strings.Cut(line, " ")
	}
	if diff := cmp.Diff(want, names); diff != "" {
		t.Error("gosnmp:", diff)
	}
}

// TestSetErrors: snmpset shows each error of R4.
func TestSetErrors(t *testing.T) {
	nas := radiustest.Listen(t, "127.0.0.1:0", nasSecret, radiustest.Silence)
	d := start(t, setup{disconnectPort: int(nas.AddrPort().Port())})
	d.account(record("Start", "S1", "alice"), record("Start", "S2", "bob"))
	set := func(args ...string) string {
		t.Helper()
		out, err := d.snmp("snmpset", "private", args...)
		if err != nil {
			return err.Error()
		}
		return out
	}
	tests := []struct {
		name string
		args []string
		want string
	}{
		{"no such row", []string{casnDiscon + "9", "i", "1"}, "noCreation"},
		{"value 3", []string{casnDiscon + "1", "i", "3"}, "wrongValue"},
		{"wrong type", []string{casnDiscon + "1", "u", "1"}, "wrongType"},
		{"read-only", []string{casnUserID + "1", "s", "x"}, "notWritable"},
		{"all or nothing", []string{casnDiscon + "1", "i", "1", casnDiscon + "9", "i", "1"}, "noCreation"},
		{"nothing was done", []string{casnDiscon + "1", "i", "2"}, "INTEGER: 2"},
		{"two rows", []string{casnDiscon + "1", "i", "1", casnDiscon + "2", "i", "1"}, "INTEGER: 1"},
		{"no way back", []string{casnDiscon + "1", "i", "2"}, "inconsistentValue"},
		{"again", []string{casnDiscon + "1", "i", "1"}, "INTEGER: 1"},
	}
	for _, tt := range tests {
		if got := set(tt.args...); !strings.Contains(got, tt.want) {
			t.Errorf("%s: %s, want %s", tt.name, got, tt.want)
		}
	}
	if n := d.scalar(".2.2.0"); n != 2 {
		t.Errorf("casnDisconnectedSessions is %d, want 2", n)
	}
	d.configure(setup{disconnect: "false"})
	d.reload("configuration loaded")
	if got := set(casnDiscon+"2", "i", "1"); !strings.Contains(got, "notWritable") {
		t.Errorf("with session-mib-disconnect off: %s", got)
	}
}

// TestMasterReturns: snmpd is killed during a walk and started again. It serves us again within 2
// s, and nothing is left open.
func TestMasterReturns(t *testing.T) {
	d := start(t, setup{})
	var starts []string
	for i := range 500 {
		starts = append(starts, record("Start", fmt.Sprint("S", i), fmt.Sprint("user", i)))
	}
	d.account(starts...)
	files := func() int {
		entries, err := os.ReadDir(fmt.Sprintf("/proc/%d/fd", d.cmd.Process.Pid))
		if err != nil {
			t.Fatal(err)
		}
		return len(entries)
	}
	before := files()
	for range 3 {
		walked := make(chan struct{})
		go func() {
			defer close(walked)
			_, _ = partner.Try(t, limit, "snmpbulkwalk", "-v2c", "-c", "public", "-t1", "-r0", "-On", d.snmpd.Addr, casnRoot)
		}()
		<-time.After(30 * time.Millisecond)
		d.snmpd.Kill()
		<-walked
		d.snmpd.Start()
		began := time.Now()
		eventually(t, "snmpd serves the module again", d.served)
		if took := time.Since(began); took > 2*time.Second {
			t.Errorf("served again after %v", took)
		}
		if n := len(d.walk()); n != 500*7+4 {
			t.Errorf("%d cells", n)
		}
	}
	if after := files(); after != before {
		t.Errorf("%d files open, %d before", after, before)
	}
}

// withoutSNMPSession is a Perl module that makes "use SNMP_Session" fail, even where that is
// installed (libsnmp-session-perl).
const withoutSNMPSession = `package WithoutSNMPSession; $INC{"SNMP_Session.pm"} = undef; 1;`

// checkrad queries an agent with FreeRADIUS's own script, as its session check does (R8). It
// returns the answer: 1 for a live session, 0 for none. SNMP_Session is not available to the script
// here, so it runs snmpget; for the other way see checkradV1.
func checkrad(t *testing.T, agent, user, sid string) string {
	t.Helper()
	return checkradIn(t, nil, agent, user, sid)
}

// checkradIn is checkrad where a command runs it, such as [partner.Namespace.In].
func checkradIn(t *testing.T, in []string, agent, user, sid string) string {
	t.Helper()
	return checkradWith(t, in, "WithoutSNMPSession", withoutSNMPSession, agent, user, sid)
}

// checkradWith runs checkrad in a command, with a Perl module of this name and source. The script
// uses names of OIDs; our MIB modules define them.
func checkradWith(t *testing.T, in []string, module, source, agent, user, sid string) string {
	t.Helper()
	lib := t.TempDir()
	if err := os.WriteFile(filepath.Join(lib, module+".pm"), []byte(source), 0o600); err != nil {
		t.Fatal(err)
	}
	const script = `export PERL5LIB="$3" PERL5OPT="-M$4" MIBDIRS=../../mibs MIBS=ALL
checkrad cisco "$0" 20001 "$1" "$2"; echo "answer $?" >&2; exit 1`
	argv := append(in[:len(in):len(in)], "sh", "-c", script, agent, user, sid, lib, module)
	_, err := partner.Try(t, limit, argv[0], argv[1:]...)
	return strings.TrimSpace(err.Error()[strings.LastIndex(err.Error(), "answer ")+len("answer "):])
}

// TestCheckrad queries snmpd.
func TestCheckrad(t *testing.T) {
	d := start(t, setup{})
	d.account(record("Start", "S1", "alice", "NAS-Port = 20001"))
	checkrad := func(user, sid string) string {
		t.Helper()
		return checkrad(t, d.snmpd.Addr, user, sid)
	}
	if got := checkrad("alice", "00000001"); got != "1" {
		t.Errorf("a live session: %s, want 1", got)
	}
	if got := checkrad("bob", "00000001"); got != "0" {
		t.Errorf("another user's: %s, want 0", got)
	}
	d.account(record("Stop", "S1", "alice"))
	if got := checkrad("alice", "00000001"); got != "0" {
		t.Errorf("after its stop: %s, want 0", got)
	}
}

// TestRadiator follows the rule by which Radiator queries a Cisco NAS (R8): the trailing hex digits
// of Acct-Session-Id, in either case, are the index, and the quoted value in the answer is the
// user.
func TestRadiator(t *testing.T) {
	d := start(t, setup{})
	for i := range 11 {
		d.account(record("Start", fmt.Sprint("S", i), fmt.Sprint("User", i)))
	}
	online := func(user, acctSessionID string) bool {
		t.Helper()
		hex := acctSessionID[strings.LastIndexFunc(acctSessionID, func(r rune) bool { return !strings.ContainsRune("0123456789abcdefABCDEF", r) })+1:]
		id, err := strconv.ParseUint(hex, 16, 32)
		if err != nil {
			t.Fatal(err)
		}
		out, err := d.snmp("snmpget", "public", casnUserID+strconv.FormatUint(id, 10))
		if err != nil {
			t.Fatal(err)
		}
		_, quoted, _ := strings.Cut(out, `"`)
		value, _, _ := strings.Cut(quoted, `"`)
		return strings.EqualFold(value, user)
	}
	tests := []struct {
		user, id string
		want     bool
	}{
		{"User10", "0000000B", true},
		{"user10", "0000000b", true},
		{"User10", "/0000000B", true},
		{"User9", "0000000B", false},
		{"User10", "0000000C", false},
	}
	for _, tt := range tests {
		if got := online(tt.user, tt.id); got != tt.want {
			t.Errorf("%s at %s: %v", tt.user, tt.id, got)
		}
	}
}
