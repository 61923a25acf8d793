//go:build partners

package snmp

import (
	"fmt"
	"net"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/gosnmp/gosnmp"

	"aaasess/agent/snmp/vacm"
	"aaasess/agent/snmp/wire"
	"aaasess/internal/partner"
	"aaasess/mib"
)

// v1 returns arguments of a tool that uses SNMPv1.
func v1(community string) []string { return []string{"-v1", "-c", community} }

// newV1Rig returns the rig and its twin, with communities that are accepted in SNMPv1 too.
func newV1Rig(t *testing.T, change ...func(*Config)) (*fixture, *partner.SnmpdProc, *numbers) {
	t.Helper()
	f := newRig(t, change...)
	f.SetPolicy(rulesPolicy(t, wire.ModelV1))
	var conf []string
	for _, r := range rules {
		if r.model == wire.ModelV2c {
			write := r.write
			if write == "" {
				write = "none"
			}
			conf = append(conf, fmt.Sprintf("group %[1]s v1 %[1]s", r.group),
				fmt.Sprintf("access %s \"\" v1 noauth exact %s %s none", r.group, r.read, write))
		}
	}
	if f.cfg.MaxMessageSize != MaxMessageSize {
		conf = append(conf, fmt.Sprint("[snmp] sendMessageMaxSize ", f.cfg.MaxMessageSize))
	}
	s, n := newTwin(t, conf...)
	return f, s, n
}

// TestSameAsSnmpdV1: net-snmp's tools exit with the same code and print the same octets in SNMPv1,
// whether they ask the responder or snmpd. If theirs is set, snmpd does what the comment says.
func TestSameAsSnmpdV1(t *testing.T) {
	const noName = "Reason: (noSuchName) There is no such variable name in this MIB."
	tests := []struct {
		name   string
		tool   string
		who    []string
		args   string
		want   string
		theirs string
	}{
		{"get", "snmpget", v1("readers"), oid(1, 0) + " " + oid(3, 0), "STRING: \"hello\"", ""},
		{"get an OID", "snmpget", v1("readers"), oid(2, 1, 3, 30), "OID: " + oid(30), ""},
		{"no such instance", "snmpget", append(v1("readers"), "-Cf"), oid(1, 1), noName + "\nFailed object: " + oid(1, 1), ""},
		{"no such object", "snmpget", append(v1("readers"), "-Cf"), oid(1, 0) + " " + oid(9, 0), noName + "\nFailed object: " + oid(9, 0), ""},
		{"no such object, and again without it", "snmpget", v1("readers"), oid(9, 0) + " " + oid(1, 0), oid(1, 0) + " = INTEGER: 7", ""},
		{"outside of the view", "snmpget", v1("limited"), oid(2, 1, 1, 1), noName, ""},
		{"a Counter64", "snmpget", v1("readers"), oid(2, 1, 2, 30), noName, ""},
		// snmpd names the last one.
		{"several that do not exist", "snmpget", append(v1("readers"), "-Cf"), oid(1, 1) + " " + oid(1, 0) + " " + oid(9, 0), "Failed object: " + oid(1, 1), "Failed object: " + oid(9, 0)},
		{"get next", "snmpgetnext", v1("limited"), oid(1, 0) + " 1.3", oid(1, 0) + " = INTEGER: 7", ""},
		{"get next in a table", "snmpgetnext", v1("readers"), oid(2, 1, 1) + " " + oid(2, 1, 3, 29), oid(2, 1, 3, 30) + " = OID", ""},
		{"the end of the view", "snmpgetnext", v1("limited"), oid(3, 0), noName, ""},
		{"the end of the tree", "snmpgetnext", v1("readers"), "1.3.6.2", noName, ""},
		{"get next before a Counter64", "snmpgetnext", v1("readers"), oid(2, 1, 1, 30), oid(2, 1, 3, 1) + " = OID", ""},
		{"get next of a Counter64", "snmpgetnext", v1("readers"), oid(2, 1, 2, 7) + " " + oid(2, 1, 2), oid(2, 1, 3, 1) + " = OID", ""},
		{"walk of all", "snmpwalk", v1("readers"), oid(), oid(3, 0) + " = STRING: \"hello\"\nEnd of MIB", ""},
		{"walk of Counter64", "snmpwalk", v1("readers"), oid(2, 1, 2), "", ""},
		{"walk of a part", "snmpwalk", v1("limited"), oid(), oid(3, 0) + " = STRING: \"hello\"\nEnd of MIB", ""},
		{"walk of a column", "snmpwalk", v1("readers"), oid(2, 1, 3), oid(2, 1, 3, 30) + " = OID", ""},
		{"walk of one", "snmpwalk", v1("readers"), oid(3, 0), "STRING: \"hello\"", ""},
		{"walk of what is not in the view", "snmpwalk", v1("limited"), oid(2), "", ""},
		{"unknown community", "snmpget", append(v1("nobody"), "-t1"), oid(1, 0), "Timeout: No Response from AGENT", ""},

		{"set", "snmpset", v1("writers"), oid(1, 0) + " i 8", "INTEGER: 8", ""},
		{"not in the view", "snmpset", v1("limited"), oid(1, 0) + " i 3", noName + "\nFailed object: " + oid(1, 0), ""},
		{"not in the view, the second", "snmpset", v1("writers"), oid(1, 0) + " i 5 " + oid(2, 1, 1, 1) + " s y", noName + "\nFailed object: " + oid(2, 1, 1, 1), ""},
		{"read-only", "snmpset", v1("limited"), oid(3, 0) + " s y", noName, ""},
		{"read-only, the second", "snmpset", v1("writers"), oid(1, 0) + " i 5 " + oid(3, 0) + " s y", "Failed object: " + oid(3, 0), ""},
		{"no such object to set", "snmpset", v1("writers"), oid(9, 0) + " i 5", noName, ""},
		{"wrong type", "snmpset", v1("writers"), oid(1, 0) + " s 5", "Reason: (badValue)", ""},
		{"wrong value", "snmpset", v1("writers"), oid(1, 0) + " i 100", "Reason: (badValue)", ""},
		{"no creation", "snmpset", v1("writers"), oid(1, 1) + " i 5", noName, ""},
		{"commit failed", "snmpset", v1("writers"), oid(1, 0) + " i 13", "Reason: (genError)", ""},
		{"no view to write to", "snmpset", v1("readers"), oid(1, 0) + " i 3", noName + "\nFailed object: " + oid(1, 0), ""},
	}
	f, s, n := newV1Rig(t)
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			args := append(append(append([]string{}, tt.who...), "AGENT"), strings.Fields(tt.args)...)
			ours, theirs := both(t, f.ipv4(), s.Addr, tt.tool, args...)
			if !strings.Contains(ours.Out+ours.Err, tt.want) {
				t.Errorf("%s said %+v, want %q", tt.tool, ours, tt.want)
			}
			if tt.theirs == "" {
				if diff := cmp.Diff(theirs, ours); diff != "" {
					t.Errorf("(-snmpd +ours):\n%s", diff)
				}
			} else if !strings.Contains(theirs.Out+theirs.Err, tt.theirs) {
				t.Errorf("at snmpd it said %+v, not %q", theirs, tt.theirs)
			}
			if f.numbers.now() != n.now() {
				t.Errorf("the number is %d, that of snmpd %d", f.numbers.now(), n.now())
			}
		})
	}
	if f.numbers.now() != 8 {
		t.Errorf("the number is %d, want 8", f.numbers.now())
	}
}

// TestOctetsSameAsSnmpdV1: the answers of the responder and of snmpd are the same octets.
func TestOctetsSameAsSnmpdV1(t *testing.T) {
	get, next, set := gosnmp.GetRequest, gosnmp.GetNextRequest, gosnmp.SetRequest
	number := func(n int) gosnmp.SnmpPDU {
		return gosnmp.SnmpPDU{Name: oid(1, 0), Type: gosnmp.Integer, Value: n}
	}
	at := func(sub ...uint32) mib.OID { return testRoot.Append(sub...) }
	text := strings.Repeat("x", 150)
	tests := []struct {
		name      string
		community string
		kind      gosnmp.PDUType
		vars      []gosnmp.SnmpPDU
	}{
		{"get", "readers", get, names(at(1, 0), at(2, 1, 1, 7), at(2, 1, 3, 7))},
		{"get nothing", "readers", get, nil},
		{"no such instance", "readers", get, names(at(1, 0), at(1, 1), at(1, 0))},
		{"no such object", "readers", get, names(at(9, 0))},
		{"an object", "readers", get, names(at(1))},
		{"outside of the view", "limited", get, names(at(1, 0), at(2, 1, 1, 1))},
		{"a Counter64", "readers", get, names(at(1, 0), at(2, 1, 2, 7))},
		{"a get with values", "readers", get, []gosnmp.SnmpPDU{number(5), {Name: oid(9, 0), Type: gosnmp.OctetString, Value: "abc"}}},
		{"a get with values of Counter64", "readers", get, withCounter64(at(1, 0), at(2, 1, 1, 7))},
		{"the same, and one does not exist", "readers", get, withCounter64(at(1, 0), at(9, 0))},
		{"next with values of Counter64", "readers", next, withCounter64(at(), at(2, 1, 1, 30))},
		{"next", "readers", next, names(at(), at(1, 0), at(2, 1, 1, 7), at(2, 1, 1, 7, 8), at(2, 1, 3, 29))},
		{"next over what the view has not", "limited", next, names(at(1, 0), at(2, 1, 1, 4), at(2, 7))},
		{"next over Counter64", "readers", next, names(at(2, 1, 1, 30), at(2, 1, 2), at(2, 1, 2, 7))},
		{"next of the last", "limited", next, names(at(1, 0), at(3, 0))},
		{"next behind everything", "readers", next, names(mib.MustOID("2.5"))},
		{"too big", "readers", get, names(at(3, 0), at(3, 0), at(3, 0), at(3, 0))},
		{"next, too big", "readers", next, names(at(3), at(3), at(3), at(3))},
		{"too big, and one does not exist", "readers", get, names(at(3, 0), at(3, 0), at(3, 0), at(3, 0), at(9, 0))},
		{"set", "writers", set, []gosnmp.SnmpPDU{number(8), number(9)}},
		{"set nothing", "writers", set, nil},
		{"set outside of the view", "writers", set, []gosnmp.SnmpPDU{number(5), {Name: oid(2, 1, 1, 1), Type: gosnmp.OctetString, Value: "y"}}},
		{"set what is read-only", "writers", set, []gosnmp.SnmpPDU{number(5), {Name: oid(3, 0), Type: gosnmp.OctetString, Value: "y"}}},
		{"set what does not exist", "writers", set, []gosnmp.SnmpPDU{{Name: oid(9, 0), Type: gosnmp.Integer, Value: 5}}},
		{"set another type", "writers", set, []gosnmp.SnmpPDU{{Name: oid(1, 0), Type: gosnmp.OctetString, Value: "5"}}},
		{"set another value", "writers", set, []gosnmp.SnmpPDU{number(5), number(100)}},
		{"set another instance", "writers", set, []gosnmp.SnmpPDU{{Name: oid(1, 1), Type: gosnmp.Integer, Value: 5}}},
		{"set, and the commit fails", "writers", set, []gosnmp.SnmpPDU{number(13)}},
		{"set without a view to write to", "readers", set, []gosnmp.SnmpPDU{number(5)}},
	}
	f, s, n := newV1Rig(t, func(c *Config) { c.MaxMessageSize = MinMessageSize })
	f.numbers.text, n.text = text, text
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			in := marshal(t, requestV1(t, tt.community, tt.kind, tt.vars...))
			ours, theirs := sendTo(t, f.ipv4(), in), sendTo(t, s.Addr, in)
			if !slices.Equal(ours, theirs) {
				t.Errorf("%s\nrequest %x\nours    %x\nsnmpd's %x", show(decode(t, ours)), in, ours, theirs)
			}
			if f.numbers.now() != n.now() {
				t.Errorf("the number is %d, that of snmpd %d", f.numbers.now(), n.now())
			}
		})
	}
}

// sendTo sends a message to an agent and returns the answer.
func sendTo(t *testing.T, agent string, message []byte) []byte {
	t.Helper()
	conn, err := net.Dial("udp", agent)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if _, err := conn.Write(message); err != nil {
		t.Fatal(err)
	}
	if err := conn.SetReadDeadline(time.Now().Add(5 * time.Second)); err != nil {
		t.Fatal(err)
	}
	b := make([]byte, 65536)
	n, err := conn.Read(b)
	if err != nil {
		t.Fatalf("%s: %v", agent, err)
	}
	return b[:n]
}

// TestWalkToolsV1: snmpwalk shows the module without its Counter64, over IPv4 and IPv6; snmptable
// and snmpstatus work.
func TestWalkToolsV1(t *testing.T) {
	f := newRig(t)
	f.SetPolicy(rulesPolicy(t, wire.ModelV1))
	want := slices.DeleteFunc(f.moduleLines(), func(line string) bool { return strings.Contains(line, "Counter64") })
	for _, addr := range []string{f.ipv4(), f.ipv6()} {
		got := runTool(t, "snmpwalk", append(v1("readers"), addr, oid())...)
		if diff := cmp.Diff(append(slices.Clone(want), "End of MIB"), got.lines()); diff != "" {
			t.Errorf("%s (-want +got):\n%s", addr, diff)
		}
	}
	f.SetPolicy(testPolicy(t, bothVersions...))
	mibs := []string{"-M", "../../mibs", "-m", "ALL"}
	for table, in := range map[string]string{"SNMPv2-MIB::sysORTable": "SNMP-MPD-MIB:", "SNMP-VIEW-BASED-ACM-MIB::vacmSecurityToGroupTable": "readers"} {
		got := runTool(t, "snmptable", append(append(mibs, v1("everything")...), "-Os", "-Ci", f.ipv4(), table)...)
		if got.Code != 0 || len(got.lines()) < 4 || !strings.Contains(got.Out, in) {
			t.Errorf("%s: %+v", table, got)
		}
	}
	const groupName, accessStatus = ".1.3.6.1.6.3.16.1.2.1.3", ".1.3.6.1.6.3.16.1.4.1.9" // vacmGroupName, vacmAccessStatus
	readers := ".7.114.101.97.100.101.114.115"
	rows := runTool(t, "snmpget", append(v1("everything"), f.ipv4(), groupName+".1"+readers, accessStatus+readers+".0.1.1")...)
	if want := groupName + ".1" + readers + " = STRING: \"readers\"\n" + accessStatus + readers + ".0.1.1 = INTEGER: 1\n"; rows.Out != want {
		t.Errorf("the rows of SNMPv1 are %+v, want %s", rows, want)
	}
	if got := runTool(t, "snmpstatus", append(v1("everything"), f.ipv4())...); got.Code != 0 || !strings.Contains(got.Out, "=>[a test] Up: 0:00:") {
		t.Errorf("snmpstatus: %+v", got)
	}
	if got := runTool(t, "snmpbulkwalk", append(v1("readers"), f.ipv4(), oid())...); got.Code == 0 {
		t.Errorf("snmpbulkwalk, which SNMPv1 does not have: %+v", got)
	}
}

// TestLibraryV1: gosnmp gets, walks and sets in SNMPv1.
func TestLibraryV1(t *testing.T) {
	f := newRig(t)
	f.SetPolicy(rulesPolicy(t, wire.ModelV1))
	g := f.client(func(g *gosnmp.GoSNMP) { g.Version, g.Community = gosnmp.Version1, "writers" })
	var want, got []string
	for _, line := range f.moduleLines() {
		if name, value, _ := strings.Cut(line, " = "); !strings.HasPrefix(value, "Counter64") {
			want = append(want, name)
		}
	}
	err := g.Walk(oid(), func(v gosnmp.SnmpPDU) error { got = append(got, v.Name); return nil })
	if diff := cmp.Diff(want, got); err != nil || diff != "" {
		t.Errorf("walk: %v (-want +got):\n%s", err, diff)
	}
	for _, tt := range []struct {
		value int
		want  string
	}{{42, "1.0=42"}, {100, "BadValue 1 1.0=100"}} {
		answer, err := g.Set([]gosnmp.SnmpPDU{{Name: oid(1, 0), Type: gosnmp.Integer, Value: tt.value}})
		if err != nil || show(answer) != tt.want {
			t.Errorf("set: %s, %v, want %s", show(answer), err, tt.want)
		}
	}
	if answer, err := g.Get([]string{oid(1, 0), oid(9, 0)}); err != nil || show(answer) != "NoSuchName 2 1.0=Null, 9.0=Null" {
		t.Errorf("get: %s, %v", show(answer), err)
	}
	if f.numbers.now() != 42 {
		t.Errorf("the number is %d", f.numbers.now())
	}
}

// TestNetSNMPTestsV1 has the commands of net-snmp's own tests of SNMPv1 (fulltests T001, T017, T018,
// T130 and T140), and what they look for.
func TestNetSNMPTestsV1(t *testing.T) {
	const sysDescr, sysUpTime = ".1.3.6.1.2.1.1.1", ".1.3.6.1.2.1.1.3"
	only := func(name, oid string) *vacm.View {
		v, err := vacm.NewView(name, []vacm.Family{{Subtree: mib.MustOID(oid)}})
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
	views := []*vacm.View{only("first", sysDescr), only("second", sysUpTime)}
	var access []vacm.AccessEntry
	var members []vacm.Member
	var communities []vacm.Community
	for i, c := range []struct {
		name  string
		model wire.SecurityModel
	}{{"testcommunity1", wire.ModelV1}, {"testcommunity2", wire.ModelV1}, {"testcommunity2c", wire.ModelV2c}} {
		access = append(access, vacm.AccessEntry{Group: c.name, Model: c.model, Level: wire.NoAuthNoPriv, Read: views[min(i, 1)]})
		members = append(members, vacm.Member{Model: c.model, SecurityName: c.name, Group: c.name})
		communities = append(communities, vacm.Community{Name: c.name, SecurityName: c.name, Models: []wire.SecurityModel{c.model}})
	}
	policy, err := vacm.New(views, access, members, communities)
	if err != nil {
		t.Fatal(err)
	}
	f := newRig(t)
	f.SetPolicy(policy)
	const noName = "Reason: (noSuchName) There is no such variable name in this MIB."
	for _, tt := range []struct{ test, tool, version, community, oid, want string }{
		{"T001", "snmpget", "1", "testcommunity2", sysUpTime + ".0", sysUpTime + ".0 = Timeticks:"},
		{"T001", "snmpgetnext", "1", "testcommunity2", sysUpTime, sysUpTime + ".0 = Timeticks:"},
		{"T001", "snmpget", "1", "testcommunity2", sysUpTime + ".1", "Error in packet"},
		{"T001", "snmpget", "1", "notavalidcommunity", sysUpTime + ".0", "Timeout"},
		{"T017", "snmpget", "2c", "testcommunity2", sysUpTime + ".0", "Timeout"},
		{"T018", "snmpget", "1", "testcommunity2c", sysUpTime + ".0", "Timeout"},
		{"T130", "snmpget", "1", "testcommunity1", sysDescr + ".0", sysDescr + ".0 = STRING:"},
		{"T140", "snmpget", "1", "testcommunity1", sysUpTime + ".0", noName},
		{"T140", "snmpget", "1", "testcommunity2", sysDescr + ".0", noName},
	} {
		got := runTool(t, tt.tool, "-t1", "-c", tt.community, "-v", tt.version, f.ipv4(), tt.oid)
		if !strings.Contains(got.Out+got.Err, tt.want) {
			t.Errorf("%s: %s -v %s -c %s %s: %+v, want %s", tt.test, tt.tool, tt.version, tt.community, tt.oid, got, tt.want)
		}
	}
}
