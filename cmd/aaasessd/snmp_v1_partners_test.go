//go:build partners

package main

import (
	"errors"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"aaasess/internal/partner"
	"aaasess/sessions/radius/radiustest"
)

// startV1Responder starts a responder whose communities accept SNMPv1 from a reload on: public may
// read, and private may write what the view sessions has.
func startV1Responder(t *testing.T, s setup) *responderProc {
	t.Helper()
	r := startResponder(t, s)
	text := with(t, usual, "group: watchers}", "group: watchers, versions: [v1, v2c]}\n      - {community: private, from: [127.0.0.0/8], group: operators, versions: [v1]}")
	r.configure("    allow-insecure-set: true\n" + text)
	r.reload("configuration loaded")
	return r
}

// Objects of the snmp group.
const (
	inBadCommunityNames = ".1.3.6.1.2.1.11.4.0"
	outNoSuchNames      = ".1.3.6.1.2.1.11.21.0"
)

// counter reads an object of the snmp group.
func (r *responderProc) counter(oid string) int {
	r.t.Helper()
	out, err := r.ask("snmpget", append(nocArgs(), "-Oqv"), oid)
	n, err2 := strconv.Atoi(strings.TrimSpace(out))
	if err := errors.Join(err, err2); err != nil {
		r.t.Fatal(err)
	}
	return n
}

// sessionPort is a Perl module after which SNMP_Session asks the port that the host is written with.
// checkrad always asks port 161.
const sessionPort = `package SessionPort;
use SNMP_Session;
my $open = \&SNMP_Session::open;
no warnings 'redefine';
*SNMP_Session::open = sub {
	my ($class, $agent, $community) = @_;
	my ($host, $port) = split /:/, $agent;
	return $open->($class, $host, $community, $port);
};
1;
`

// checkradV1 runs FreeRADIUS's session check as it is where libsnmp-session-perl is installed: it
// gets the user's name in SNMPv1. It returns 1 for a live session, 0 for none.
func checkradV1(t *testing.T, agent, user, sid string) string {
	t.Helper()
	return checkradWith(t, nil, "SessionPort", sessionPort, agent, user, sid)
}

// TestCheckradV1: checkrad with SNMP_Session finds a second login (R18).
func TestCheckradV1(t *testing.T) {
	r := startV1Responder(t, setup{})
	r.account(record("Start", "S1", "alice", "NAS-Port = 20001"))
	for _, tt := range []struct{ user, id, want string }{{"alice", "00000001", "1"}, {"bob", "00000001", "0"}, {"alice", "00000002", "0"}} {
		if got := checkradV1(t, r.addr, tt.user, tt.id); got != tt.want {
			t.Errorf("%s at %s: %s, want %s", tt.user, tt.id, got, tt.want)
		}
	}
	if n := r.counter(outNoSuchNames); n == 0 {
		t.Error("no noSuchName: checkrad did not speak SNMPv1")
	}
	r.account(record("Stop", "S1", "alice"))
	if got := checkradV1(t, r.addr, "alice", "00000001"); got != "0" {
		t.Errorf("after its stop: %s, want 0", got)
	}
}

// perl runs a script with SNMP_util, which speaks SNMPv1. Its first argument is community@host:port.
func perl(t *testing.T, script string, args ...string) string {
	t.Helper()
	out, err := partner.Try(t, limit, "perl", append([]string{"-MSNMP_util", "-e", script}, args...)...)
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return strings.TrimSpace(out)
}

// TestSNMPUtil: scripts with SNMP_util walk the table, read several scalars at once, and end a
// session.
func TestSNMPUtil(t *testing.T) {
	nas := radiustest.Listen(t, "127.0.0.1:0", nasSecret, radiustest.ACK)
	r := startV1Responder(t, setup{disconnectPort: int(nas.AddrPort().Port())})
	r.account(record("Start", "S1", "alice"), record("Start", "S2", "bob"))
	name := func(oid string) string { return strings.TrimPrefix(oid, ".") }
	got := perl(t, `print map { "$_\n" } snmpwalk($ARGV[0], $ARGV[1])`, "public@"+r.addr, name(strings.TrimSuffix(casnUserID, ".")))
	if want := "1:alice\n2:bob"; got != want {
		t.Errorf("walk: %q, want %q", got, want)
	}
	got = perl(t, `print join " ", snmpget($ARGV[0], $ARGV[1], $ARGV[2])`, "public@"+r.addr, name(casnRoot+".1.1.0"), name(casnRoot+".2.1.0"))
	if want := "2 2"; got != want {
		t.Errorf("get: %q, want %q", got, want)
	}
	got = perl(t, `print join " ", snmpset($ARGV[0], $ARGV[1], "integer", 1)`, "private@"+r.addr, name(casnDiscon+"1"))
	if want := "1"; got != want {
		t.Errorf("set: %q, want %q", got, want)
	}
	if asked := nas.Next(); !strings.Contains(string(asked.Data), "alice") {
		t.Errorf("the Disconnect-Request does not name the user: %x", asked.Data)
	}
}

// TestV1SameAsSnmpd: net-snmp's tools show in SNMPv1 what they show through snmpd. A community that
// does not list a version gets no answer.
func TestV1SameAsSnmpd(t *testing.T) {
	r := startV1Responder(t, setup{})
	r.account(record("Start", "S1", "alice", "Framed-IP-Address = 10.1.1.2"), record("Start", "S2", "bob"))
	run := func(agent, tool string, args ...string) []string {
		t.Helper()
		out, err := partner.Try(t, limit, tool, append([]string{"-v1", "-c", "public", "-On", agent}, args...)...)
		if err != nil {
			t.Fatal(err)
		}
		return slices.DeleteFunc(strings.Split(strings.TrimSpace(out), "\n"), func(l string) bool { return strings.HasPrefix(l, casnRoot+".1.3.1.4.") })
	}
	for _, tt := range [][]string{
		{"snmpwalk", casnRoot},
		{"snmpget", casnUserID + "1", casnDiscon + "2", casnRoot + ".2.1.0"},
		{"snmpgetnext", casnRoot, casnUserID + "1"},
	} {
		if diff := cmp.Diff(run(r.snmpd.Addr, tt[0], tt[1:]...), run(r.addr, tt[0], tt[1:]...)); diff != "" {
			t.Errorf("%s (-snmpd +responder):\n%s", tt[0], diff)
		}
	}
	for _, who := range [][]string{{"-v1", "-c", "private"}, {"-v2c", "-c", "public"}} {
		if out, err := r.ask("snmpget", who, casnUserID+"1"); err != nil || !strings.Contains(out, "alice") {
			t.Errorf("%v: %s, %v", who, out, err)
		}
	}
	before := r.counter(inBadCommunityNames)
	if out, err := r.ask("snmpget", []string{"-v2c", "-c", "private", "-t1", "-r0"}, casnUserID+"1"); err == nil || !strings.Contains(err.Error(), "Timeout") {
		t.Errorf("a community without v2c: %s, %v", out, err)
	}
	if n := r.counter(inBadCommunityNames); n != before+1 {
		t.Errorf("snmpInBadCommunityNames is %d, it was %d", n, before)
	}
}
