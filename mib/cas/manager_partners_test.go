//go:build partners

package cas

import (
	"context"
	"net/netip"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"aaasess/agent/agentx"
	"aaasess/agent/snmp"
	"aaasess/agent/snmp/snmpmib"
	"aaasess/agent/snmp/usm"
	"aaasess/agent/snmp/vacm"
	"aaasess/agent/snmp/wire"
	"aaasess/internal/partner"
	"aaasess/internal/servers"
	"aaasess/mib"
)

// runUntilEnd runs a task until the end of the test.
func runUntilEnd(t *testing.T, run func(context.Context) error) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
}

// behindSnmpd serves the tree through snmpd, and returns its address.
func behindSnmpd(t *testing.T, tree *mib.Tree) string {
	t.Helper()
	s := partner.Snmpd(t, partner.SnmpdOptions{})
	sub := agentx.New(agentx.Config{Network: s.AgentXNetwork, Address: s.AgentXAddress}, tree)
	runUntilEnd(t, sub.Run)
	select {
	case <-sub.Ready():
	case <-time.After(5 * time.Second):
		t.Fatalf("not registered: %v", sub.Stats().LastError)
	}
	return s.Addr
}

// byResponder serves the module by our responder, and returns its address.
func byResponder(t *testing.T, part mib.Part) string {
	t.Helper()
	all, err := vacm.NewView("all", []vacm.Family{{Subtree: mib.MustOID("1.3.6.1")}})
	if err != nil {
		t.Fatal(err)
	}
	policy, err := vacm.New([]*vacm.View{all},
		[]vacm.AccessEntry{{Group: "writers", Model: wire.ModelV2c, Level: wire.NoAuthNoPriv, Read: all, Write: all}},
		[]vacm.Member{{Model: wire.ModelV2c, SecurityName: "writers", Group: "writers"}},
		[]vacm.Community{{Name: partner.WriteCommunity, SecurityName: "writers", From: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}}})
	if err != nil {
		t.Fatal(err)
	}
	engine, err := usm.OpenEngine(filepath.Join(t.TempDir(), "engine"), nil, time.Now)
	if err != nil {
		t.Fatal(err)
	}
	users, err := usm.NewUsers(engine.ID(), nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	r, err := snmp.New(snmp.Config{Listen: []netip.AddrPort{netip.AddrPortFrom(netip.MustParseAddr("127.0.0.1"), 0)}, Engine: engine, USM: usm.New(engine, users), System: snmpmib.System{Name: "test"}}, policy, part)
	if err != nil {
		t.Fatal(err)
	}
	runUntilEnd(t, r.Run)
	return r.Addrs()[0].String()
}

// TestPartnerManager creates and destroys servers with snmpset, by name, through snmpd and by our responder.
func TestPartnerManager(t *testing.T) {
	agents := map[string]func(*testing.T, *daemon) string{
		"snmpd":     func(t *testing.T, d *daemon) string { return behindSnmpd(t, d.tree) },
		"responder": func(t *testing.T, d *daemon) string { return byResponder(t, d.part) },
	}
	steps := []struct {
		name, set string
		want      string // of snmpset's output
		table     string // rows of casConfigTable then: index, address, ports, priority, status
	}{
		{"a half of a row", "casConfigRowStatus.radius.7 i createAndGo", "Reason: inconsistentValue", ""},
		{"an address that is none", "casConfigRowStatus.radius.7 i createAndGo casAddress.radius.7 a 224.0.0.5", "Reason: wrongValue", ""},
		{"a port twice", "casConfigRowStatus.radius.7 i createAndGo casAddress.radius.7 a 192.0.2.7 casAcctPort.radius.7 i 1645", "Reason: inconsistentValue", ""},
		{"a long key", "casConfigRowStatus.radius.7 i createAndGo casAddress.radius.7 a 192.0.2.7 casKey.radius.7 s " + strings.Repeat("k", 300), "Reason: wrongLength", ""},
		{"a whole row", "casConfigRowStatus.radius.7 i createAndGo casAddress.radius.7 a 192.0.2.7 casKey.radius.7 s secret", "INTEGER: createAndGo(4)", "radius.7 192.0.2.7 1645 1646 2 active"},
		{"the index again", "casConfigRowStatus.radius.7 i createAndGo casAddress.radius.7 a 192.0.2.8", "Reason: inconsistentValue", "radius.7 192.0.2.7 1645 1646 2 active"},
		{"the address again", "casConfigRowStatus.radius.8 i createAndGo casAddress.radius.8 a 192.0.2.7", "Reason: inconsistentValue", "radius.7 192.0.2.7 1645 1646 2 active"},
		{"an active row", "casKey.radius.7 s other", "Reason: inconsistentValue", "radius.7 192.0.2.7 1645 1646 2 active"},
		{"the priority", "casPriority.radius.7 u 1", "Reason: notWritable", "radius.7 192.0.2.7 1645 1646 2 active"},
		{"another protocol", "casConfigRowStatus.ldap.7 i createAndWait", "Reason: noCreation", "radius.7 192.0.2.7 1645 1646 2 active"},
		{"a listed server", "casConfigRowStatus.radius.1 i destroy", "Reason: inconsistentValue", "radius.7 192.0.2.7 1645 1646 2 active"},
		{"destroyed", "casConfigRowStatus.radius.7 i destroy", "INTEGER: destroy(6)", ""},
		{"step by step", "casConfigRowStatus.tacacsplus.9 i createAndWait", "INTEGER: createAndWait(5)", "tacacsplus.9 - - 1646 - notReady"},
		{"its address", "casAddress.tacacsplus.9 a 192.0.2.9", "IpAddress: 192.0.2.9", "tacacsplus.9 192.0.2.9 - 1646 - notReady"},
		{"active too early", "casConfigRowStatus.tacacsplus.9 i active", "Reason: inconsistentValue", "tacacsplus.9 192.0.2.9 - 1646 - notReady"},
		{"its port", "casAuthenPort.tacacsplus.9 i 49", "INTEGER: 49", "tacacsplus.9 192.0.2.9 49 1646 - notInService"},
		{"active", "casConfigRowStatus.tacacsplus.9 i active", "INTEGER: active(1)", "tacacsplus.9 192.0.2.9 49 1646 1 active"},
		{"all at once", "casConfigRowStatus.tacacsplus.9 i destroy casServerStateChangeEnable.0 i true casConfigRowStatus.radius.7 i createAndGo casAddress.radius.7 a 192.0.2.9", "INTEGER: true(1)", "radius.7 192.0.2.9 1645 1646 2 active"},
	}
	for name, serve := range agents {
		t.Run(name, func(t *testing.T) {
			listed := entryOf(servers.RADIUS, 1, "192.0.2.1")
			listed.Listed = true
			d := newDaemon(t, listed)
			addr := serve(t, d)
			run := func(tool string, args ...string) string {
				// -Ir: the tool does not check values, the agent does.
				args = append([]string{"-M", "../../mibs", "-m", "CISCO-AAA-SERVER-MIB", "-Ir", "-v2c", "-c", partner.WriteCommunity, "-t", "3", "-r", "0", addr}, args...)
				out, err := partner.Try(t, 10*time.Second, tool, args...)
				if err != nil {
					return err.Error()
				}
				return out
			}
			for _, s := range steps {
				t.Run(s.name, func(t *testing.T) {
					if out := run("snmpset", strings.Fields(s.set)...); !strings.Contains(out, s.want) {
						t.Errorf("snmpset said %q, want %q", out, s.want)
					}
					if got := tableOf(run("snmpwalk", "casConfigTable")); got != s.table {
						t.Errorf("the table is %q, want %q", got, s.table)
					}
				})
			}
			// A title, an empty line, the names and two rows.
			if out := run("snmptable", "casStatisticsTable"); strings.Count(out, "\n") != 5 {
				t.Errorf("snmptable says %q", out)
			}
		})
	}
}

// tableOf returns the rows of casConfigTable in the output of snmpwalk, without that of the server of the
// file.
func tableOf(walk string) string {
	values, order := map[string]string{}, []string{}
	for line := range strings.Lines(walk) {
		name, value, _ := strings.Cut(strings.TrimSpace(strings.TrimPrefix(line, "CISCO-AAA-SERVER-MIB::")), " = ")
		column, index, _ := strings.Cut(name, ".")
		if index == "radius.1" {
			continue
		}
		_, value, _ = strings.Cut(value, ": ")
		value, _, _ = strings.Cut(value, "(")
		values[column+" "+index] = value
		if column == rowStatusName {
			order = append(order, index)
		}
	}
	for i, index := range order {
		row := index
		for _, column := range []string{addressName, authPortName, acctPortName, "casPriority", rowStatusName} {
			value, ok := values[column+" "+index]
			if !ok {
				value = "-"
			}
			row += " " + value
		}
		order[i] = row
	}
	return strings.Join(order, ", ")
}
