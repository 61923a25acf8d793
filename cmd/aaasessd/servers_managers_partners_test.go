//go:build partners

package main

import (
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/gosnmp/gosnmp"

	"aaasess/internal/partner"
)

// rowOf returns the variables for snmpset that create a row for a FreeRADIUS server, without its status.
func rowOf(index int, fr *partner.FreeRADIUSProc) []string {
	host, port, _ := net.SplitHostPort(fr.Addr)
	return []string{
		fmt.Sprint("casAddress.radius.", index), "a", host, fmt.Sprint("casAuthenPort.radius.", index), "i", "0",
		fmt.Sprint("casAcctPort.radius.", index), "i", port, fmt.Sprint("casKey.radius.", index), "s", fr.Secret,
	}
}

func statusOf(index int, status string) []string {
	return []string{fmt.Sprint("casConfigRowStatus.radius.", index), "i", status}
}

// configRows returns the rows of casConfigTable by an agent: "radius.7 127.0.0.2 2 active", with the
// address, the priority and the status. Through both agents they must be the same.
func (r *serversRig) configRows() string {
	r.t.Helper()
	rows := map[string]string{}
	for name, agent := range r.agents() {
		out, err := r.tool(agent, "snmpwalk", "casConfigTable")
		if err != nil {
			r.t.Fatal(err)
		}
		values, order := map[string]string{}, []string{}
		for line := range strings.Lines(out) {
			oid, value, _ := strings.Cut(strings.TrimSpace(strings.TrimPrefix(line, "CISCO-AAA-SERVER-MIB::")), " = ")
			_, value, _ = strings.Cut(value, ": ")
			value, _, _ = strings.Cut(value, "(")
			values[oid] = value
			if index, ok := strings.CutPrefix(oid, "casConfigRowStatus."); ok {
				order = append(order, index)
			}
		}
		for i, index := range order {
			order[i] = strings.Join([]string{index, values["casAddress."+index], values["casPriority."+index], values["casConfigRowStatus."+index]}, " ")
		}
		rows[name] = strings.Join(order, ", ")
	}
	if rows["snmpd"] != rows["responder"] {
		r.t.Errorf("through snmpd %q, by the responder %q", rows["snmpd"], rows["responder"])
	}
	return rows["responder"]
}

func (r *serversRig) wantRows(when, want string) {
	r.t.Helper()
	if got := r.configRows(); got != want {
		r.t.Errorf("%s: rows %q, want %q", when, got, want)
	}
}

// goesTo accounts a session, and checks that only one server gets its record.
func (r *serversRig) goesTo(when string, session, server int) {
	r.t.Helper()
	before := make([]int, len(r.servers))
	for i, fr := range r.servers {
		before[i] = fr.Received()
	}
	before[server]++
	r.started(session)
	got := make([]int, len(before))
	eventually(r.t, when+": the record arrives", func() bool {
		for i, fr := range r.servers {
			got[i] = fr.Received()
		}
		return cmp.Equal(before, got)
	}, &got)
}

// unchanged returns a function that checks that the configuration file is as it is now.
func (r *serversRig) unchanged() func() {
	r.t.Helper()
	before, err := os.ReadFile(r.config)
	if err != nil {
		r.t.Fatal(err)
	}
	return func() {
		r.t.Helper()
		if now, err := os.ReadFile(r.config); err != nil || string(now) != string(before) {
			r.t.Errorf("the configuration file has changed: %v\n%s", err, now)
		}
	}
}

// TestServersByManagers: managers create and destroy servers with snmpset. Created ones get records, and
// destroyed ones do not, over reloads, restarts and a kill. The file stays as it is.
func TestServersByManagers(t *testing.T) {
	for _, name := range []string{"snmpd", "responder"} {
		t.Run(name, func(t *testing.T) {
			r := startServers(t, 1, 2, false)
			agent := r.agents()[name]
			checkFile := r.unchanged()
			r.wantRows("at first", "radius.1 127.0.0.1 1 active")
			r.goesTo("at first", 1, 0)
			r.set(agent, append(statusOf(7, "createAndGo"), rowOf(7, r.servers[1])...)...)
			r.wantRows("created", "radius.1 127.0.0.1 1 active, radius.7 127.0.0.2 2 active")
			r.goesTo("the first is up", 2, 0)
			r.set(agent, statusOf(1, "destroy")...)
			r.wantRows("the file's is destroyed", "radius.7 127.0.0.2 1 active")
			r.goesTo("the file's is destroyed", 3, 1)
			r.refused(agent, "inconsistentValue", statusOf(7, "destroy")...) // the group would be empty
			r.reload("configuration loaded")
			r.wantRows("after a reload", "radius.7 127.0.0.2 1 active")
			r.goesTo("after a reload", 4, 1)
			r.end(syscall.SIGTERM)
			r.run()
			r.wantRows("after a restart", "radius.7 127.0.0.2 1 active")
			r.goesTo("after a restart", 5, 1)

			r.set(agent, statusOf(9, "createAndWait")...)
			r.wantRows("begun", "radius.7 127.0.0.2 1 active, radius.9   notReady")
			r.set(agent, rowOf(9, r.servers[2])...)
			r.wantRows("complete", "radius.7 127.0.0.2 1 active, radius.9 127.0.0.3  notInService")
			r.goesTo("a row that is not active", 6, 1)
			r.set(agent, statusOf(9, "active")...)
			r.set(agent, statusOf(7, "destroy")...)
			r.wantRows("another one", "radius.9 127.0.0.3 1 active")
			r.goesTo("another one", 7, 2)
			r.end(syscall.SIGKILL)
			r.run()
			r.wantRows("after a kill", "radius.9 127.0.0.3 1 active")
			r.goesTo("after a kill", 8, 2)
			if out, err := r.aaasess("show", "server-group", "radius"); err != nil || !strings.Contains(out, "snmp-radius-9") {
				t.Errorf("show server-group: %s, %v", out, err)
			}
			checkFile()
		})
	}
}

// TestBadRows: each wrong SET gets its error, and changes nothing: neither a row, nor the file, nor what is
// kept.
func TestBadRows(t *testing.T) {
	r := startServers(t, 1, 0, false)
	checkFile := r.unchanged()
	overlaid := func() string {
		b, err := os.ReadFile(filepath.Join(r.dir, "state", overlayFile))
		if err != nil && !os.IsNotExist(err) {
			t.Fatal(err)
		}
		return string(b)
	}
	kept := overlaid()
	const want = "radius.1 127.0.0.1 1 active"
	row := func(args string) []string { return strings.Fields(args) }
	for name, agent := range r.agents() {
		t.Run(name, func(t *testing.T) {
			r.within(t)
			for what, tt := range map[string]struct {
				set   []string
				error string
			}{
				"a half of its columns":   {row("casConfigRowStatus.radius.7 i createAndGo casAcctPort.radius.7 i 1813"), "inconsistentValue"},
				"a column without a row":  {row("casAcctPort.radius.7 i 1813"), "inconsistentName"},
				"active without a row":    {row("casConfigRowStatus.radius.7 i active"), "inconsistentValue"},
				"0.0.0.0":                 {row("casConfigRowStatus.radius.7 i createAndGo casAddress.radius.7 a 0.0.0.0"), "wrongValue"},
				"a multicast address":     {row("casConfigRowStatus.radius.7 i createAndGo casAddress.radius.7 a 239.1.2.3"), "wrongValue"},
				"an address of text":      {row("casConfigRowStatus.radius.7 i createAndGo .1.3.6.1.4.1.9.10.56.1.1.2.1.3.2.7 s 127.0.0.7"), "wrongType"},
				"an address twice":        {row("casConfigRowStatus.radius.7 i createAndGo casAddress.radius.7 a 127.0.0.1"), "inconsistentValue"},
				"two rows, one address":   {row("casConfigRowStatus.radius.7 i createAndGo casAddress.radius.7 a 127.0.0.7 casConfigRowStatus.radius.8 i createAndGo casAddress.radius.8 a 127.0.0.7"), "inconsistentValue"},
				"a port twice":            {row("casConfigRowStatus.radius.7 i createAndGo casAddress.radius.7 a 127.0.0.7 casAuthenPort.radius.7 i 1813 casAcctPort.radius.7 i 1813"), "inconsistentValue"},
				"a port above 65535":      {row("casConfigRowStatus.radius.7 i createAndGo casAddress.radius.7 a 127.0.0.7 casAcctPort.radius.7 i 65536"), "wrongValue"},
				"a key of 300 octets":     {row("casConfigRowStatus.radius.7 i createAndGo casAddress.radius.7 a 127.0.0.7 casKey.radius.7 s " + strings.Repeat("k", 300)), "wrongLength"},
				"a status that is none":   {row("casConfigRowStatus.radius.7 i 9 casAddress.radius.7 a 127.0.0.7"), "wrongValue"},
				"notReady":                {row("casConfigRowStatus.radius.7 i notReady casAddress.radius.7 a 127.0.0.7"), "wrongValue"},
				"a key of an active row":  {row("casKey.radius.1 s other"), "inconsistentValue"},
				"an active row again":     {row("casConfigRowStatus.radius.1 i createAndGo casAddress.radius.1 a 127.0.0.7"), "inconsistentValue"},
				"out of service":          {row("casConfigRowStatus.radius.1 i notInService"), "inconsistentValue"},
				"the last server":         {row("casConfigRowStatus.radius.1 i destroy"), "inconsistentValue"},
				"the priority":            {row("casPriority.radius.1 u 2"), "notWritable"},
				"a statistic":             {row("casState.radius.1 i up"), "notWritable"},
				"another protocol":        {row("casConfigRowStatus.kerberos.7 i createAndGo casAddress.kerberos.7 a 127.0.0.7"), "noCreation"},
				"no secret of tacacs":     {row("casConfigRowStatus.tacacsplus.7 i createAndGo casAddress.tacacsplus.7 a 127.0.0.7 casAuthenPort.tacacsplus.7 i 49"), "inconsistentValue"},
				"good and bad in one PDU": {row("casServerStateChangeEnable.0 i true casConfigRowStatus.radius.7 i createAndGo casAddress.radius.7 a 127.0.0.7 casConfigRowStatus.radius.8 i createAndGo"), "inconsistentValue"},
			} {
				t.Run(what, func(t *testing.T) {
					r.within(t)
					r.refused(agent, tt.error, tt.set...)
					r.wantRows("then", want)
				})
			}
			if got := r.create(r.gosnmp(agent), 1000); got.Error != gosnmp.ResourceUnavailable {
				t.Errorf("a thousand rows: %v at %d", got.Error, got.ErrorIndex)
			}
			r.wantRows("after a thousand rows", want)
		})
	}
	if out, err := r.tool(r.addr, "snmpget", "casServerStateChangeEnable.0"); err != nil || !strings.Contains(out, "false(2)") {
		t.Errorf("casServerStateChangeEnable: %s, %v", out, err)
	}
	if got := overlaid(); got != kept {
		t.Errorf("what is kept has changed: %q, before %q", got, kept)
	}
	checkFile()
	r.goesTo("in the end", 1, 0)
}

// create makes n rows in one SET, from index 100 on.
func (r *serversRig) create(g *gosnmp.GoSNMP, n int) *gosnmp.SnmpPacket {
	r.t.Helper()
	g.MaxOids = 2 * n
	var vbs []gosnmp.SnmpPDU
	for i := range n {
		vbs = append(vbs,
			gosnmp.SnmpPDU{Name: fmt.Sprintf("%s.1.2.1.8.2.%d", casRoot, 100+i), Type: gosnmp.Integer, Value: 4},
			gosnmp.SnmpPDU{Name: fmt.Sprintf("%s.1.2.1.3.2.%d", casRoot, 100+i), Type: gosnmp.IPAddress, Value: fmt.Sprintf("127.1.%d.%d", i/250, 1+i%250)})
	}
	answer, err := g.Set(vbs)
	if err != nil {
		r.t.Fatal(err)
	}
	return answer
}

// TestTwoManagers: two managers at once. By snmpSetSerialNo the second notices that it was not the first;
// without, exactly one of them makes a row.
func TestTwoManagers(t *testing.T) {
	r := startServers(t, 1, 0, false)
	serial := func(agent string) string {
		t.Helper()
		out, err := r.tool(agent, "snmpget", "-Oqv", "snmpSetSerialNo.0")
		if err != nil {
			t.Fatal(err)
		}
		return strings.TrimSpace(out)
	}
	create := func(serial string, index int) []string {
		return append([]string{"snmpSetSerialNo.0", "i", serial}, append(statusOf(index, "createAndGo"),
			fmt.Sprint("casAddress.radius.", index), "a", fmt.Sprint("127.0.0.", index))...)
	}
	both := serial(r.addr)
	r.set(r.addr, create(both, 7)...)
	r.refused(r.addr, "inconsistentValue", create(both, 8)...)
	r.wantRows("one was first", "radius.1 127.0.0.1 1 active, radius.7 127.0.0.7 2 active")
	r.set(r.addr, create(serial(r.addr), 8)...)
	r.wantRows("both", "radius.1 127.0.0.1 1 active, radius.7 127.0.0.7 2 active, radius.8 127.0.0.8 3 active")
	r.set(r.addr, append(statusOf(7, "destroy"), statusOf(8, "destroy")...)...)
	// snmpd 5.9.3 cannot set its own snmpSetSerialNo on a host of 64 bits. Then it sets nothing else.
	r.refused(r.snmpd.Addr, "wrongLength", create(serial(r.snmpd.Addr), 7)...)
	r.wantRows("refused by snmpd", "radius.1 127.0.0.1 1 active")
	managers := []*gosnmp.GoSNMP{r.gosnmp(r.addr), r.gosnmp(r.addr), r.gosnmp(r.snmpd.Addr)}
	for round := range 10 {
		errs := make([]gosnmp.SNMPError, len(managers))
		var all sync.WaitGroup
		for i, g := range managers {
			all.Go(func() {
				answer, err := g.Set([]gosnmp.SnmpPDU{
					{Name: casRoot + ".1.2.1.8.2.50", Type: gosnmp.Integer, Value: 4},
					{Name: casRoot + ".1.2.1.3.2.50", Type: gosnmp.IPAddress, Value: fmt.Sprint("127.0.0.", 50+i)},
				})
				if err != nil {
					t.Error(err)
					return
				}
				errs[i] = answer.Error
			})
		}
		all.Wait()
		made := 0
		winner := ""
		for i, e := range errs {
			switch e {
			case gosnmp.NoError:
				made++
				winner = fmt.Sprint("127.0.0.", 50+i)
			case gosnmp.InconsistentValue, gosnmp.CommitFailed:
			default:
				t.Errorf("round %d: manager %d gets %v", round, i, e)
			}
		}
		if made != 1 {
			t.Errorf("round %d: %d managers have made the row: %v", round, made, errs)
		}
		r.wantRows("a race", "radius.1 127.0.0.1 1 active, radius.50 "+winner+" 2 active")
		r.set(r.addr, statusOf(50, "destroy")...)
	}
	r.goesTo("in the end", 1, 0)
}

// TestManyRows: one SET fills the group of all servers, and another one empties it. One server more is
// refused, and all of them are there after a restart.
func TestManyRows(t *testing.T) {
	r := startServers(t, 1, 0, false)
	count := func() int { return strings.Count(r.configRows(), " active") }
	for name, agent := range r.agents() {
		t.Run(name, func(t *testing.T) {
			r.within(t)
			g := r.gosnmp(agent)
			if got := r.create(g, 64); got.Error != gosnmp.ResourceUnavailable {
				t.Errorf("64 rows beside that of the file: %v at %d", got.Error, got.ErrorIndex)
			}
			if n := count(); n != 1 {
				t.Errorf("%d rows, want 1", n)
			}
			if got := r.create(g, 63); got.Error != gosnmp.NoError {
				t.Fatalf("63 rows: %v at %d", got.Error, got.ErrorIndex)
			}
			r.refused(agent, "resourceUnavailable", append(statusOf(7, "createAndGo"), "casAddress.radius.7", "a", "127.0.0.7")...)
			r.end(syscall.SIGTERM)
			r.run()
			if n := count(); n != 64 {
				t.Errorf("%d rows after a restart, want 64", n)
			}
			var vbs []gosnmp.SnmpPDU
			for i := range 63 {
				vbs = append(vbs, gosnmp.SnmpPDU{Name: fmt.Sprintf("%s.1.2.1.8.2.%d", casRoot, 100+i), Type: gosnmp.Integer, Value: 6})
			}
			if answer, err := r.gosnmp(agent).Set(vbs); err != nil || answer.Error != gosnmp.NoError {
				t.Fatalf("destroyed: %+v, %v", answer, err)
			}
			r.wantRows("in the end", "radius.1 127.0.0.1 1 active")
			if out, err := r.aaasess("show", "server-group"); err != nil || strings.Contains(out, "snmp-radius") {
				t.Errorf("show server-group: %s, %v", out, err)
			}
		})
	}
	r.goesTo("in the end", 1, 0)
}
