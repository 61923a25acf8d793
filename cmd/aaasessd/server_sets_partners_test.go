//go:build partners

package main

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"testing"

	"github.com/gosnmp/gosnmp"

	"aaasess/agent/agentx"
	"aaasess/internal/partner"
	"aaasess/mib"
)

// refusing is a module whose one object can never be SET: its commit fails.
type refusing struct{}

func (refusing) Writable(mib.Def) bool                     { return true }
func (refusing) Test([]mib.Assignment) (mib.Change, error) { return refusing{}, nil }
func (refusing) Commit() error                             { return errors.New("no") }
func (refusing) Undo() error                               { return nil }
func (refusing) Cleanup()                                  {}

// serveRefusing registers a subagent with an object that refuses its commit, and returns its name.
func serveRefusing(t *testing.T, s *partner.SnmpdProc) string {
	t.Helper()
	root := mib.MustOID("1.3.6.1.4.1.32473.99")
	tree, err := mib.New(&mib.Module[int]{
		Name: "test", Root: root, Pin: func() int { return 0 }, Writer: refusing{},
		Objects: []mib.Object[int]{mib.Scalar[int]{
			Def: mib.Def{Name: "refusing", OID: root.Append(1), Type: mib.Integer32, Access: mib.ReadWrite},
			Get: func(_ int, v *mib.Value) { v.SetInteger32(1) },
		}},
	})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	sub := agentx.New(agentx.Config{Network: s.AgentXNetwork, Address: s.AgentXAddress}, tree)
	go func() { ended <- sub.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	return root.Append(1, 0).String()
}

// TestPartnerServersUndone: a SET of servers through snmpd fails in another subagent. snmpd has the servers
// restored: each in its place, also rows in the making, in use and in the file.
func TestPartnerServersUndone(t *testing.T) {
	s := partner.Snmpd(t, partner.SnmpdOptions{})
	master := fmt.Sprintf("  agentx: {network: %s, address: %q}\n  responder:", s.AgentXNetwork, s.AgentXAddress)
	l := launch(t, with(t, writableConfig(t, 0, listen(t, "127.0.0.1:0")), "  responder:", master), environment{})
	other := gosnmp.SnmpPDU{Name: serveRefusing(t, s), Type: gosnmp.Integer, Value: 1}
	g := operator(t, netip.MustParseAddrPort(s.Addr).Port())
	eventually(t, "both subagents are registered", func() bool {
		answer, err := g.Get([]string{casCell(casConfigRowStatus, 1), other.Name})
		return err == nil && answer.Variables[0].Value == rowActive && answer.Variables[1].Value == 1
	})
	set := func(want gosnmp.SNMPError, vbs ...gosnmp.SnmpPDU) {
		t.Helper()
		if answer, err := g.Set(vbs); err != nil || answer.Error != want {
			t.Errorf("%+v, %v, want %v", answer, err, want)
		}
	}
	status := func(index uint32, value int) gosnmp.SnmpPDU {
		return gosnmp.SnmpPDU{Name: casCell(casConfigRowStatus, index), Type: gosnmp.Integer, Value: value}
	}
	const createAndWait = 5
	set(gosnmp.NoError, append(createRow(5), createRow(6)...)...)
	set(gosnmp.NoError, createRow(7)[0], status(7, createAndWait))
	for name, vbs := range map[string][]gosnmp.SnmpPDU{
		"create":   createRow(8),
		"destroy":  {status(5, rowDestroy), status(1, rowDestroy)},
		"activate": {status(7, rowActive)},
		"all":      {status(5, rowDestroy), createRow(8)[0], status(8, rowCreateAndGo), status(7, rowDestroy)},
	} {
		set(gosnmp.CommitFailed, append([]gosnmp.SnmpPDU{other}, vbs...)...)
		set(gosnmp.CommitFailed, append(vbs, other)...)
		l.checkServers("r0", "snmp-radius-5", "snmp-radius-6")
		if answer, err := g.Get([]string{casCell(casConfigRowStatus, 7)}); err != nil || answer.Variables[0].Value != 2 {
			t.Errorf("%s: the row in the making is %v, %v", name, answer.Variables, err)
		}
	}
}
