//go:build partners

package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/gosnmp/gosnmp"

	"aaasess/cmd/aaasessd/internal/statechange"
	"aaasess/internal/partner"
)

// seenState is what a walk shows of a server. Durations are in hundredths of a second.
type seenState struct {
	at                                           time.Time // in the middle of the walk
	took                                         time.Duration
	dead                                         bool
	current, previous, totalDead, deaths, failed int64
}

// walker walks casStatisticsTable every 100 ms.
type walker struct {
	agent string
	stop  chan struct{}
	ended sync.WaitGroup

	mu   sync.Mutex             // guards the fields below
	seen map[string][]seenState // by index
	errs []error
}

func (r *serversRig) walkStates(agent string) *walker {
	w := &walker{agent: agent, stop: make(chan struct{}), seen: map[string][]seenState{}}
	g := r.gosnmp(agent)
	w.ended.Go(func() {
		tick := time.NewTicker(100 * time.Millisecond)
		defer tick.Stop()
		for {
			w.walk(g)
			select {
			case <-w.stop:
				return
			case <-tick.C:
			}
		}
	})
	return w
}

func (r *serversRig) gosnmp(agent string) *gosnmp.GoSNMP {
	r.t.Helper()
	host, port, _ := strings.Cut(agent, ":")
	g := &gosnmp.GoSNMP{Target: host, Version: gosnmp.Version2c, Community: partner.WriteCommunity, Timeout: limit, MaxRepetitions: 50, MaxOids: gosnmp.MaxOids}
	if _, err := fmt.Sscan(port, &g.Port); err != nil {
		r.t.Fatal(err)
	}
	if err := g.Connect(); err != nil {
		r.t.Fatal(err)
	}
	r.t.Cleanup(func() { _ = g.Close() })
	return g
}

// walk reads the columns of states in one PDU for each row.
func (w *walker) walk(g *gosnmp.GoSNMP) {
	begun := time.Now()
	for _, index := range []string{"1", "2"} {
		column := func(n int) string { return fmt.Sprintf("%s.2.1.1.%d.2.%s", casRoot, n, index) }
		answer, err := g.Get([]string{column(25), column(26), column(27), column(28), column(29), column(24)})
		took := time.Since(begun)
		w.mu.Lock()
		if err != nil {
			w.errs = append(w.errs, err)
		} else {
			n := make([]int64, len(answer.Variables))
			for i, v := range answer.Variables {
				n[i] = gosnmp.ToBigInt(v.Value).Int64()
			}
			w.seen[index] = append(w.seen[index], seenState{begun.Add(took / 2), took, n[0] == 2, n[1], n[2], n[3], n[4], n[5]})
		}
		w.mu.Unlock()
		begun = time.Now()
	}
}

func (w *walker) last(index string) (s seenState) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if all := w.seen[index]; len(all) > 0 {
		s = all[len(all)-1]
	}
	return s
}

// end ends the walks, and checks that what they show is one history of each server.
func (w *walker) end(t *testing.T) {
	t.Helper()
	close(w.stop)
	w.ended.Wait()
	for _, err := range w.errs {
		t.Errorf("%s: %v", w.agent, err)
	}
	for index, all := range w.seen {
		for i := range all {
			if i > 0 {
				follows(t, fmt.Sprintf("%s, server %s, walk %d", w.agent, index, i), all[i-1], all[i])
			}
		}
	}
}

// follows checks that a walk shows what can have become of what the walk before showed.
func follows(t *testing.T, name string, a, b seenState) {
	t.Helper()
	// A view is up to 100 ms old, and a walk takes its time.
	slack := int64((100*time.Millisecond + a.took + b.took) / (10 * time.Millisecond))
	passed := int64(b.at.Sub(a.at) / (10 * time.Millisecond))
	near := func(what string, got, want int64) {
		if got < want-slack-1 || got > want+slack+1 {
			t.Errorf("%s: %s is %d, want about %d: %+v, then %+v", name, what, got, want, a, b)
		}
	}
	switch {
	case b.deaths < a.deaths || b.totalDead < a.totalDead || b.failed < a.failed:
		t.Errorf("%s: a counter goes back: %+v, then %+v", name, a, b)
	case a.dead == b.dead && a.deaths == b.deaths:
		near("casCurrentStateDuration", b.current, a.current+passed)
		if b.previous != a.previous {
			t.Errorf("%s: casPreviousStateDuration changes without a change of the state: %+v, then %+v", name, a, b)
		}
		if a.dead {
			near("casTotalDeadTime", b.totalDead, a.totalDead+passed)
		} else if a.totalDead != b.totalDead {
			t.Errorf("%s: casTotalDeadTime grows while the server is up: %+v, then %+v", name, a, b)
		}
	case b.dead && b.deaths == a.deaths+1:
		near("casPreviousStateDuration", b.previous, a.current+passed-b.current)
		near("casTotalDeadTime", b.totalDead, a.totalDead+b.current)
	case !b.dead && a.dead && b.deaths == a.deaths:
		near("casPreviousStateDuration", b.previous, a.current+passed-b.current)
		near("casTotalDeadTime", b.totalDead, a.totalDead+passed-b.current)
	default: // two changes between two walks
		t.Errorf("%s: %+v, then %+v", name, a, b)
	}
}

// stateChange is casServerStateChange as snmptrapd prints it.
type stateChange struct {
	dead                bool
	previous, totalDead int64
}

// stateChanges returns the notifications that snmptrapd has got, by kind and server: "... radius.1".
func (r *serversRig) stateChanges() map[string][]stateChange {
	r.t.Helper()
	all := map[string][]stateChange{}
	for _, line := range r.trapd.Got() {
		parts := strings.Split(line, "|")
		if len(parts) < 6 || parts[2] != "SNMPv2-MIB::snmpTrapOID.0 = OID: CISCO-AAA-SERVER-MIB::casServerStateChange" {
			continue // coldStart and nsNotifyStart
		}
		var c stateChange
		index := ""
		for i, name := range []string{"casState", "casPreviousStateDuration", "casTotalDeadTime"} {
			rest, ok := strings.CutPrefix(parts[3+i], "CISCO-AAA-SERVER-MIB::"+name+".")
			before, value, ok2 := strings.Cut(rest, " = INTEGER: ")
			if !ok || !ok2 {
				r.t.Fatalf("variable %d of %s", i+3, line)
			}
			index = before
			switch n, err := strconv.ParseInt(value, 10, 32); {
			case name == "casState":
				c.dead = value == "dead(2)"
			case err != nil:
				r.t.Fatalf("variable %d of %s", i+3, line)
			case i == 1:
				c.previous = n
			default:
				c.totalDead = n
			}
		}
		all[parts[0]+" "+index] = append(all[parts[0]+" "+index], c)
	}
	return all
}

// changes returns the changes that the walks show, as their notifications should tell them.
func (w *walker) changes(index string) (all []stateChange) {
	states := w.seen[index]
	for i := 1; i < len(states); i++ {
		if a, b := states[i-1], states[i]; a.dead != b.dead {
			c := stateChange{b.dead, b.previous, b.totalDead}
			if b.dead {
				c.totalDead = a.totalDead // it grows now
			}
			all = append(all, c)
		}
	}
	return all
}

// TestServerStates: FreeRADIUS servers die and return while both agents are walked every 100 ms. States,
// durations, counts and notifications agree with what happened, and with one another.
func TestServerStates(t *testing.T) {
	r := startServers(t, 2, 0, true)
	if out, err := r.tool(r.addr, "snmpget", "casServerStateChangeEnable.0"); err != nil || !strings.Contains(out, "false(2)") {
		t.Fatalf("by default: %s, %v", out, err)
	}
	r.set(r.snmpd.Addr, "casServerStateChangeEnable.0", "i", "true")
	walkers := map[string]*walker{}
	for name, addr := range r.agents() {
		walkers[name] = r.walkStates(addr)
	}
	sessions := 0
	// until accounts sessions until both agents show the state of a server.
	until := func(what, index string, dead bool, deaths int64) {
		t.Helper()
		eventually(t, what, func() bool {
			sessions++
			r.started(sessions)
			for _, w := range walkers {
				if s := w.last(index); s.at.IsZero() || s.dead != dead || s.deaths != deaths {
					return false
				}
			}
			return true
		})
	}
	until("records are accepted", "1", false, 0)
	const rounds = 3
	for n := int64(1); n <= rounds; n++ {
		r.servers[0].Kill()
		until("the first server is dead", "1", true, n)
		r.servers[1].Kill()
		until("the second server is dead", "2", true, n)
		r.servers[1].Start()
		until("the second server is back", "2", false, n)
		r.servers[0].Start()
		until("the first server is back", "1", false, n)
	}
	for _, w := range walkers {
		w.end(t)
	}
	r.trapd.AwaitGot(len(kinds)*2*2*rounds, limit)
	got := map[string][]stateChange{}
	eventually(t, "all notifications have arrived", func() bool {
		got = r.stateChanges()
		for _, kind := range kinds {
			if len(got[kind+" radius.1"]) < 2*rounds || len(got[kind+" radius.2"]) < 2*rounds {
				return false
			}
		}
		return true
	}, &got)
	for _, index := range []string{"1", "2"} {
		for name, w := range walkers {
			want := w.changes(index)
			if len(want) != 2*rounds {
				t.Errorf("server %s: %d changes in the walks of %s, want %d", index, len(want), name, 2*rounds)
			}
			for _, kind := range kinds {
				if diff := cmp.Diff(want, got[kind+" radius."+index], cmp.AllowUnexported(stateChange{})); diff != "" {
					t.Errorf("server %s: %s (-walks of %s +notifications):\n%s", index, kind, name, diff)
				}
			}
		}
	}
	if len(got) != 2*len(kinds) {
		t.Errorf("notifications of other kinds: %v", got)
	}
	var shown struct {
		Sections struct{ StateChanges statechange.Stats }
	}
	out, err := r.aaasess("show", "status", "--json")
	if err := errors.Join(err, json.Unmarshal([]byte(out), &shown)); err != nil {
		t.Fatal(err)
	}
	want := statechange.Stats{Enabled: true, SenderStats: statechange.SenderStats{Told: 4 * rounds, Master: &statechange.MasterStats{Accepted: 4 * rounds}}}
	if diff := cmp.Diff(want, shown.Sections.StateChanges); diff != "" {
		t.Errorf("status (-want +got):\n%s", diff)
	}
}

// TestTACACSServerState: a TACACS+ server dies and returns. Both agents and snmptrapd agree on it.
func TestTACACSServerState(t *testing.T) {
	r := startServers(t, 1, 0, true)
	server := partner.Tacplus(t, partner.TacplusOptions{Key: "shared"})
	host, port, _ := strings.Cut(server.Addr, ":")
	r.write(with(t, r.text(1), "accounting:\n  network", fmt.Sprintf(`tacacs:
  timeout: 300ms
  retransmit: 0
  hold-down: 500ms
  servers: [{name: t0, address: %s, port: %s, key: shared}]
accounting:
  network`, host, port), "methods: [group radius]", "methods: [group tacacs+]"))
	r.reload("configuration loaded")
	r.set(r.addr, "casServerStateChangeEnable.0", "i", "true")
	sessions := 0
	// until accounts sessions until both agents show a state, and returns its values by column.
	until := func(what, state, deaths string) (shown string) {
		t.Helper()
		eventually(t, what, func() bool {
			sessions++
			r.started(sessions)
			for _, agent := range r.agents() {
				out, err := r.tool(agent, "snmpget", "-Oqv", "casState.tacacsplus.1", "casDeadCount.tacacsplus.1", "casPreviousStateDuration.tacacsplus.1", "casTotalDeadTime.tacacsplus.1")
				if err != nil || !strings.HasPrefix(out, state+"\n"+deaths+"\n") {
					return false
				}
				shown = out
			}
			return true
		})
		return shown
	}
	until("records are accepted", "up", "0")
	server.Kill()
	until("the server is dead", "dead", "1")
	server.Start()
	after := strings.Fields(until("the server is back", "up", "1"))
	want := stateChange{previous: mustNumber(t, after[2]), totalDead: mustNumber(t, after[3])}
	got := map[string][]stateChange{}
	eventually(t, "all notifications have arrived", func() bool {
		got = r.stateChanges()
		for _, kind := range kinds {
			if len(got[kind+" tacacsplus.1"]) < 2 {
				return false
			}
		}
		return true
	}, &got)
	for _, kind := range kinds {
		all := got[kind+" tacacsplus.1"]
		if len(all) != 2 || !all[0].dead || all[0].totalDead != 0 || all[1] != want {
			t.Errorf("%s: %+v; want a death, and then %+v", kind, all, want)
		}
	}
	if len(got) != len(kinds) {
		t.Errorf("notifications of others: %v", got)
	}
}

func mustNumber(t *testing.T, text string) int64 {
	t.Helper()
	n, err := strconv.ParseInt(text, 10, 32)
	if err != nil {
		t.Fatal(err)
	}
	return n
}
