package main

import (
	"encoding/json"
	"fmt"
	"net"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/gosnmp/gosnmp"

	"aaasess/agent/agentx"
	"aaasess/agent/agentx/agentxtest"
	"aaasess/cmd/aaasessd/internal/statechange"
	"aaasess/mib"
)

// masterAgent is a master agent on a unix socket.
type masterAgent struct {
	socket   string
	sessions chan *agentxtest.Master
	notified chan []mib.Varbind
}

func newMasterAgent(t *testing.T) *masterAgent {
	t.Helper()
	a := &masterAgent{sessions: make(chan *agentxtest.Master, 10), notified: make(chan []mib.Varbind, 100)}
	a.socket = agentxtest.Listen(t, "unix", func(conn net.Conn, id uint32) {
		a.sessions <- agentxtest.NewMaster(conn, id, func(h agentx.Header, p agentx.Payload) *agentx.Response {
			if n, ok := p.(*agentx.Notify); ok {
				a.notified <- slices.Clone(n.Varbinds)
			}
			return agentxtest.Agree(h, p)
		})
	})
	return a
}

// statesConfig has an accounting server, a master agent, and a target of informs.
func statesConfig(t *testing.T, u *upstream, a *masterAgent, informs int) string {
	t.Helper()
	text := with(t, relayConfig(t, "isp", u), "hold-down: 0s", "hold-down: 100ms", "snmp: {session-mib-disconnect: true}", fmt.Sprintf(`snmp:
  agentx: {network: unix, address: %q}
  responder:
    listen: ["127.0.0.1:0"]
    groups: [{name: watchers, read: all}]
    communities: [{community: public, from: [127.0.0.0/8], group: watchers}]
  notifications: [{name: here, address: "127.0.0.1:%d", version: v2c, community: traps, type: inform}]`, a.socket, informs))
	return text
}

const serverStateChangeOID = ".1.3.6.1.4.1.9.10.56.2.0.1"

// TestServerStateChange: the death and the return of a server are told once each, to our target and to the
// master agent, if a manager has enabled that. This outlives a restart.
func TestServerStateChange(t *testing.T) {
	u, master := listen(t, "127.0.0.1:0"), newMasterAgent(t)
	port, informs := acknowledger(t, true)
	l := launch(t, statesConfig(t, u, master, port), environment{})
	<-master.sessions
	dieAndReturn := func(session string) {
		t.Helper()
		u.setSilent(true)
		l.mustAccount(packet(acctStart, session, "alice"))
		eventually(t, "the server is dead", func() bool { return l.viewOf("r0").State.Dead })
		u.setSilent(false)
		eventually(t, "the server is back", func() bool { return !l.viewOf("r0").State.Dead })
	}
	// told returns the states in the next n notifications of the server.
	told := func(n int) (states []int) {
		t.Helper()
		for len(states) < n {
			own := <-informs
			if own.Variables[1].Value != serverStateChangeOID {
				continue // coldStart
			}
			state, ok := own.Variables[2].Value.(int)
			if !ok || own.Variables[2].Name != ".1.3.6.1.4.1.9.10.56.1.2.1.1.25.2.1" {
				t.Fatalf("our notification has %v", own.Variables)
			}
			states = append(states, state)
			passed := <-master.notified
			if passed[0].Value.OID.String() != serverStateChangeOID || passed[1].Value.Int32() != int32(state) {
				t.Fatalf("the master agent gets %v, our target state %d", passed, state)
			}
		}
		return states
	}
	dieAndReturn("S1")
	if err := l.d.setStateChangeEnabled(true); err != nil {
		t.Fatal(err)
	}
	dieAndReturn("S2")
	if got := told(2); !slices.Equal(got, []int{2, 1}) {
		t.Errorf("states %d, want dead(2), up(1)", got)
	}
	want := statechange.Stats{Enabled: true, Disabled: 2, SenderStats: statechange.SenderStats{Told: 2, Master: &statechange.MasterStats{Accepted: 2}}}
	var got statechange.Stats
	eventually(t, "the status counts them", func() bool {
		status, err := l.client().Status(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		got = statechange.Stats{}
		if err := json.Unmarshal(status.Sections["stateChanges"], &got); err != nil {
			t.Fatal(err)
		}
		return cmp.Equal(want, got)
	}, &got)
	if err := l.stop(); err != nil {
		t.Fatal(err)
	}
	l.start(environment{})
	<-master.sessions
	dieAndReturn("S3")
	if got := told(2); !slices.Equal(got, []int{2, 1}) {
		t.Errorf("after a restart: states %d, want dead(2), up(1)", got)
	}
	if len(informs) > 0 || len(master.notified) > 0 {
		t.Errorf("more is told: %d, %d", len(informs), len(master.notified))
	}
}

// TestSameModules: the responder and the master agent serve the same variables of the same modules.
func TestSameModules(t *testing.T) {
	u, a := listen(t, "127.0.0.1:0"), newMasterAgent(t)
	port, _ := acknowledger(t, true)
	l := launch(t, statesConfig(t, u, a, port), environment{})
	l.mustAccount(packet(acctStart, "S1", "alice"))
	master := <-a.sessions
	eventually(t, "the subagent is connected", func() bool { return l.d.subagent.Stats().Connected })
	var modules []string
	eventually(t, "the master agent lists the modules", func() bool {
		modules = nil
		for _, m := range master.Modules() {
			name, _, _ := strings.Cut(m.Descr, ":")
			modules = append(modules, name)
		}
		return len(modules) == 5
	}, &modules)
	slices.Sort(modules)
	if want := []string{"AAASESS-MIB", "CISCO-AAA-SERVER-MIB", "CISCO-AAA-SESSION-MIB", "RADIUS-ACC-CLIENT-MIB", "RADIUS-DYNAUTH-CLIENT-MIB"}; !slices.Equal(modules, want) {
		t.Errorf("modules %q, want %q", modules, want)
	}
	manager := l.manager(func(g *gosnmp.GoSNMP) { g.MaxRepetitions = 50 })
	for _, root := range master.Roots() {
		byMaster, err := master.Walk(root)
		if err != nil {
			t.Fatal(err)
		}
		own, err := manager.BulkWalkAll(root.String())
		if err != nil {
			t.Fatal(err)
		}
		var names, ownNames []string
		for _, vb := range byMaster {
			names = append(names, vb.Name.String())
		}
		for _, v := range own {
			ownNames = append(ownNames, v.Name)
		}
		if diff := cmp.Diff(names, ownNames); diff != "" || len(names) == 0 {
			t.Errorf("%s: %d variables (-by the master +by the responder):\n%s", root, len(names), diff)
		}
	}
}
