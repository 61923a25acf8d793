//go:build partners

package snmp

import (
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"aaasess/agent/snmp/wire"
	"aaasess/mib"
)

// noc is the user of most tests here.
var noc = toolUser{"SHA-256.AES", "SHA-256", "AES"}

// community returns arguments of a tool.
func community(name string) []string { return []string{"-v2c", "-c", name} }

// both runs a tool against the responder and against snmpd, and removes their addresses from the
// output.
func both(t *testing.T, ours, theirs string, tool string, args ...string) (a, b toolOutput) {
	t.Helper()
	run := func(addr string) toolOutput {
		with := append([]string{}, args...)
		for i, arg := range with {
			if arg == "AGENT" {
				with[i] = addr
			}
		}
		s := runTool(t, tool, with...)
		s.Err = strings.ReplaceAll(s.Err, addr, "AGENT")
		return s
	}
	return run(ours), run(theirs)
}

// TestSameAsSnmpd: a tool exits with the same code and prints the same octets, whether it asks the
// responder or an snmpd that has the same module through AgentX. If theirs is set, snmpd deviates
// from the RFC in the comment.
func TestSameAsSnmpd(t *testing.T) {
	tests := []struct {
		name   string
		tool   string
		who    []string
		args   string
		want   string
		theirs string
	}{
		{"walk of all", "snmpwalk", community("readers"), oid(), "1.0 = INTEGER: 7\n", ""},
		{"walk of a part", "snmpbulkwalk", community("limited"), oid(), oid(3, 0) + endOfView, ""},
		{"walk of what is not in the view", "snmpwalk", community("limited"), oid(2), oid(2) + " = No Such Object", ""},
		{"walk of one", "snmpwalk", noc.args(), oid(3, 0), "STRING: \"hello\"", ""},
		{"walk with -Cr1", "snmpbulkwalk", append(community("readers"), "-Cr1"), oid(2), "2.1.3.30 = OID", ""},
		{"walk with -Cr200", "snmpbulkwalk", append(noc.args(), "-Cr200"), oid(2), "2.1.3.30 = OID", ""},
		{"get", "snmpget", community("readers"), oid(1, 0) + " " + oid(2, 1, 2, 30), "Counter64: 32985348833280", ""},
		{"no such instance", "snmpget", community("readers"), oid(1, 1) + " " + oid(1) + " " + oid(2, 1, 1, 99), "2.1.1.99 = No Such Instance", ""},
		{"no such object", "snmpget", community("readers"), oid(9, 0) + " " + oid(), "9.0 = No Such Object", ""},
		{"outside of the view", "snmpget", community("limited"), oid(2, 1, 1, 1), "2.1.1.1 = No Such Object", ""},
		{"get next", "snmpgetnext", community("limited"), oid(1, 0) + " " + oid(3, 0) + " 1.3", oid(3, 0) + endOfView, ""},
		{"end of MIB", "snmpgetnext", noc.args(), "1.3.6.2", endOfView, ""},
		{"bulk", "snmpbulkget", append(community("limited"), "-Cn1", "-Cr3"), oid() + " " + oid(), "3.0 = STRING", ""},
		{"bulk of none", "snmpbulkget", append(community("readers"), "-Cn0", "-Cr0"), oid(), "", ""},
		{"bulk over the end", "snmpbulkget", append(community("readers"), "-Cr3"), oid(2, 1, 3, 29), oid(3, 0) + endOfView, ""},
		// RFC 3416 section 4.2.3: the name is that of the last successor of the ended variable.
		{"bulk, one at its end", "snmpbulkget", append(community("readers"), "-Cn1", "-Cr2"), oid() + " " + oid(2, 1, 3, 29) + " " + oid(3, 0), "3.30 = OID: " + oid(30) + "\n" + oid(3, 0) + endOfView, oid(2, 1, 3, 29) + endOfView},

		{"set", "snmpset", community("writers"), oid(1, 0) + " i 8", "INTEGER: 8", ""},
		{"not in the view", "snmpset", community("limited"), oid(1, 0) + " i 3", "Reason: noAccess\nFailed object: " + oid(1, 0), ""},
		{"not in the view, the second", "snmpset", community("writers"), oid(1, 0) + " i 5 " + oid(2, 1, 1, 1) + " s y", "Reason: noAccess\nFailed object: " + oid(2, 1, 1, 1), ""},
		{"read-only", "snmpset", community("limited"), oid(3, 0) + " s y", "Reason: notWritable", ""},
		{"read-only, the second", "snmpset", community("writers"), oid(1, 0) + " i 5 " + oid(3, 0) + " s y", "Reason: notWritable (That object does not support modification)\nFailed object: " + oid(3, 0), ""},
		{"no such object to set", "snmpset", community("writers"), oid(9, 0) + " i 5", "Reason: notWritable", ""},
		{"wrong type", "snmpset", community("writers"), oid(1, 0) + " s 5", "Reason: wrongType", ""},
		{"wrong value", "snmpset", community("writers"), oid(1, 0) + " i 100", "Reason: wrongValue", ""},
		{"no creation", "snmpset", community("writers"), oid(1, 1) + " i 5", "Reason: noCreation", ""},
		{"commit failed", "snmpset", community("writers"), oid(1, 0) + " i 13", "Reason: commitFailed", ""},
		// RFC 3413 section 3.2 and RFC 3415 section 3.2: no view for the operation is noSuchView.
		{"no view to write to", "snmpset", community("readers"), oid(1, 0) + " i 3", "Reason: authorizationError", "Reason: noAccess"},
		{"no access entry", "snmpget", toolUser{strict.name, "", ""}.args(), oid(1, 0), "Reason: authorizationError", ""},
		{"no access entry, set", "snmpset", toolUser{strict.name, strict.auth, ""}.args(), oid(1, 0) + " i 5", "Reason: authorizationError", ""},
		{"unknown community", "snmpget", community("nobody"), oid(1, 0), "Timeout: No Response from AGENT", ""},
		// Neither answers version 1: snmpd has no group for it here.
		{"version 1", "snmpget", []string{"-v1", "-c", "readers"}, oid(1, 0), "Timeout: No Response from AGENT", ""},

		{"a level below its own", "snmpget", toolUser{noc.name, noc.auth, ""}.args(), oid(1, 0), "INTEGER: 8", ""},
		{"unknown user", "snmpget", toolUser{"nobody", "SHA", "AES"}.args(), oid(1, 0), "Unknown user name", ""},
		{"wrong password", "snmpset", noc.with("not the password", privPassword), oid(1, 0) + " i 5", "Authentication failure", ""},
		// RFC 3414 section 3.2 step 8.
		{"wrong privacy password", "snmpset", noc.with(authPassword, "not the password"), oid(1, 0) + " i 5", "Decryption error", "Timeout: No Response"},
		{"unsupported level", "snmpset", toolUser{"SHA", "SHA", "AES"}.args(), oid(1, 0) + " i 5", "Unsupported security level", ""},
		// RFC 3413 section 3.2: snmpUnknownContexts.
		{"unknown context", "snmpget", append(noc.args(), "-n", "other"), oid(1, 0), "Bad context specified", "Timeout: No Response"},
		// RFC 3412 section 7.2.13: snmpUnknownPDUHandlers.
		{"unknown context engine", "snmpget", append(noc.args(), "-E", "80007ed90501020304050608"), oid(1, 0), "Bad version specified", "INTEGER: 8"},
		{"unknown engine", "snmpget", append(noc.args(), "-e", "80007ed90501020304050608"), oid(1, 0), "Timeout: No Response", ""},

		{"boots too low", "snmpset", append(noc.args(), "-Z", "0,100"), oid(1, 0) + " i 9", "INTEGER: 9", ""},
		// RFC 3414 section 3.2 step 7b: the tool ignores a report whose time is older than the time
		// that it knows.
		{"boots too high", "snmpset", append(noc.args(), "-Z", "1000,1"), oid(1, 0) + " i 5", "Timeout: No Response", ""},
		{"time too high", "snmpset", append(noc.args(), "-Z", "1,100000"), oid(1, 0) + " i 5", "Timeout: No Response", ""},
	}
	f := newRig(t)
	s, n := newTwin(t)
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			args := append(append(append([]string{}, tt.who...), "AGENT"), strings.Fields(tt.args)...)
			if strings.Contains(tt.want+tt.theirs, "Timeout") {
				args = append([]string{"-t1"}, args...)
			}
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
	if f.numbers.now() != 9 {
		t.Errorf("the number is %d, want 9", f.numbers.now())
	}
}

// TestTooBig: tooBig is reported as by snmpd, and a walk reduces its requests until it has
// everything.
func TestTooBig(t *testing.T) {
	f := newRig(t, func(c *Config) { c.MaxMessageSize = MinMessageSize })
	s, n := newTwin(t, fmt.Sprint("[snmp] sendMessageMaxSize ", MinMessageSize))
	n.text = strings.Repeat("x", 150)
	f.numbers.text = n.text
	for name, who := range map[string][]string{"v2c": community("readers"), "v3": noc.args()} {
		who = append(who, "AGENT")
		texts := []string{oid(3, 0), oid(3, 0), oid(3, 0)}
		tests := []struct {
			tool string
			args []string
			want string
		}{
			{"snmpget", texts[:1], "xxx\"\n"},
			{"snmpget", texts, "Reason: (tooBig) Response message would have been too large."},
			{"snmpgetnext", []string{oid(2, 1, 3, 30), oid(2, 1, 3, 30), oid(2, 1, 3, 30)}, ""}, // the tool prints nothing about it
			{"snmpwalk", []string{oid(2)}, "2.1.3.30 = OID"},
			{"snmpbulkwalk", []string{"-Cr50", oid(2)}, "2.1.3.30 = OID"},
		}
		for _, tt := range tests {
			ours, theirs := both(t, f.ipv4(), s.Addr, tt.tool, append(who, tt.args...)...)
			diff := cmp.Diff(theirs, ours)
			if name == "v3" && tt.tool == "snmpbulkwalk" && strings.Contains(theirs.Err, "genError") {
				diff = "" // snmpd does not truncate answers of version 3
			}
			if diff != "" || !strings.Contains(ours.Out+ours.Err, tt.want) {
				t.Errorf("%s %s: %+v, want %q (-snmpd +ours):\n%s", name, tt.tool, ours, tt.want, diff)
			}
		}
	}
}

// TestFullBulk: a GETBULK of v2c has at least as many variables as snmpd's with the same maximum.
func TestFullBulk(t *testing.T) {
	for _, size := range []int{MinMessageSize, 505, 540} {
		f := newRig(t, func(c *Config) { c.MaxMessageSize = size })
		s, _ := newTwin(t, fmt.Sprint("[snmp] sendMessageMaxSize ", size))
		for column := uint32(1); column <= 3; column++ {
			ours, theirs := both(t, f.ipv4(), s.Addr, "snmpbulkget", append(community("readers"), "-Cr30", "AGENT", oid(2, 1, column))...)
			if len(ours.lines()) < len(theirs.lines()) || !strings.HasPrefix(ours.Out, theirs.Out) {
				t.Errorf("%d octets, column %d: %+v, at snmpd %+v", size, column, ours, theirs)
			}
		}
	}
}

// TestSmallestMaximum: an answer is tooBig, here and at snmpd, if and only if it is larger than the
// msgMaxSize of its request.
func TestSmallestMaximum(t *testing.T) {
	f := newRig(t)
	s, n := newTwin(t)
	n.text = strings.Repeat("x", 600)
	f.numbers.text = n.text
	theirEngine, err := hex.DecodeString("80007ed90501020304050607")
	if err != nil {
		t.Fatal(err)
	}
	for name, agent := range map[string]struct {
		addr   string
		engine []byte
	}{"ours": {f.ipv4(), f.cfg.Engine.ID()}, "snmpd": {s.Addr, theirEngine}} {
		get := func(size int) (status int32, octets int) {
			out := send(t, agent.addr, openMessage("none", agent.engine, testText.Append(0), int32(size)))
			var m wire.Message
			var scoped wire.ScopedPDU
			var pdu wire.PDU
			if err := errors.Join(m.Parse(out), scoped.Parse(m.Data, false), pdu.Parse(scoped.PDU)); err != nil {
				t.Fatalf("%s: %x: %v", name, out, err)
			}
			return pdu.ErrorStatus, len(out)
		}
		_, exact := get(MaxMessageSize)
		for size := exact - 40; size <= exact+1; size++ {
			status, octets := get(size)
			if want := map[bool]mib.ErrorStatus{true: mib.NoError, false: tooBig}[size >= exact]; status != int32(want) || octets > size {
				t.Errorf("%s: an answer of %d octets, at most %d are accepted: error-status %d in %d octets", name, exact, size, status, octets)
			}
		}
	}
}

// TestUsersSameAsSnmpd: each user gets the same walk, and the same rejections, from the responder
// and from snmpd.
func TestUsersSameAsSnmpd(t *testing.T) {
	f := newRig(t)
	s, _ := newTwin(t)
	for _, u := range allUsers() {
		t.Run(u.name, func(t *testing.T) {
			check := func(tool string, who []string, args ...string) {
				t.Helper()
				ours, theirs := both(t, f.ipv4(), s.Addr, tool, append(append(who, "AGENT"), args...)...)
				if diff := cmp.Diff(theirs, ours); diff != "" {
					t.Errorf("%s (-snmpd +ours):\n%s", tool, diff)
				}
			}
			check("snmpbulkwalk", u.args(), oid())
			if u.auth != "" {
				check("snmpget", u.with("not the password", privPassword), oid(1, 0))
			}
			if u.priv == "" {
				check("snmpget", toolUser{u.name, "SHA", "AES"}.args(), oid(1, 0))
			}
		})
	}
}

// TestTables runs snmptable, by GETNEXT and by GETBULK, on tables that every agent has, and
// snmpstatus.
func TestTables(t *testing.T) {
	f := newRig(t)
	mibs := []string{"-M", "../../mibs", "-m", "ALL"}
	tests := []struct {
		table string
		rows  int // 0 means at least one
		want  string
	}{
		{"SNMPv2-MIB::sysORTable", 0, "SNMP-MPD-MIB:"},
		{"SNMP-USER-BASED-SM-MIB::usmUserTable", len(allUsers()) + 1, "usmHMAC192SHA256AuthProtocol"},
		{"SNMP-VIEW-BASED-ACM-MIB::vacmAccessTable", len(rules), "scalars"},
		{"SNMP-VIEW-BASED-ACM-MIB::vacmViewTreeFamilyTable", 0, "included"},
	}
	for _, tt := range tests {
		t.Run(tt.table, func(t *testing.T) {
			var tables [][]string
			for _, how := range []string{"-CBi", "-Ci"} {
				got := runTool(t, "snmptable", append(append(mibs, noc.args()...), "-Os", how, f.ipv4(), tt.table)...)
				rows := len(got.lines()) - 3 // a title, an empty line and a header precede them
				if got.Code != 0 || tt.rows > 0 && rows != tt.rows || rows < 1 || !strings.Contains(got.Out, tt.want) {
					t.Errorf("%s: %d rows, want %d\n%+v", how, rows, tt.rows, got)
				}
				tables = append(tables, strings.Fields(got.Out)) // the column widths differ
			}
			if diff := cmp.Diff(tables[0], tables[1]); diff != "" {
				t.Errorf("by GETNEXT and by GETBULK (-next +bulk):\n%s", diff)
			}
		})
	}
	got := runTool(t, "snmpstatus", append(noc.args(), f.ipv6())...)
	if got.Code != 0 || !strings.Contains(got.Out, "=>[a test] Up: 0:00:") {
		t.Errorf("snmpstatus: %+v", got)
	}
}

// TestManyVariables: one request and one answer with as many variables as the command line of a
// tool can hold.
func TestManyVariables(t *testing.T) {
	f := newRig(t)
	args := append(community("writers"), f.ipv6())
	var want strings.Builder
	for row := uint32(1); row <= 30; row++ {
		for column := uint32(1); column <= 3; column++ {
			args = append(args, oid(2, 1, column, row))
		}
		fmt.Fprintf(&want, "%s = STRING: \"a row of the table\"\n%s = Counter64: %d\n%s = OID: %s\n", oid(2, 1, 1, row), oid(2, 1, 2, row), uint64(row)<<40, oid(2, 1, 3, row), oid(row))
	}
	if diff := cmp.Diff(toolOutput{Out: want.String()}, runTool(t, "snmpget", args...)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if in := f.Stats().InGetRequests; in != 1 {
		t.Errorf("%d requests", in)
	}
}
