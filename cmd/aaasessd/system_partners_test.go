//go:build partners

package main

import (
	"slices"
	"testing"

	"aaasess/cmd/internal/api"
)

// announced returns the Accounting-Ons and -Offs that a group's servers have received, in order.
// Retransmissions count once.
func (r receivers) announced(group string) (out []string) {
	var last string
	for _, a := range merged(r[group]) {
		kind, id := a.Record.Get("Acct-Status-Type"), a.Record.Get("Acct-Session-Id")
		if (kind == "Accounting-On" || kind == "Accounting-Off") && kind+id != last && a.Record.Get("NAS-Identifier") == "relay-1" {
			out, last = append(out, kind), kind+id
		}
	}
	return out
}

// systemInOrder is the configuration of the tests: the groups A and B, tried in this order.
const systemInOrder = `  network: {default: {record: start-stop, methods: [group A, group B]}}
  system: {default: {record: start-stop, methods: [group A, group B]}}
`

// told waits until a group has received these Accounting-Ons and -Offs.
func (r receivers) told(t *testing.T, group string, want ...string) {
	t.Helper()
	var got []string
	eventually(t, "group "+group+" is told", func() bool { got = r.announced(group); return slices.Equal(got, want) }, &got)
}

// TestSystemFirstMethodKilled: the only server of the first method of the system list is killed. The
// second method gets the Accounting-On, and with it the records that had to wait. Then the server is
// back: it gets records, no second Accounting-On, and at the end the Accounting-Off.
func TestSystemFirstMethodKilled(t *testing.T) {
	r := startReceivers(t, map[string]int{"A": 1, "B": 1})
	r["A"][0].Kill()
	l := launch(t, r.config(t, systemInOrder), environment{})
	t.Cleanup(r.kill) // runs before launch checks what the daemon has left running
	l.mustAccount(packet(acctStart, "S1", "S1"))
	r.told(t, "B", "Accounting-On")
	eventually(t, "B gets the start", func() bool { return r.recordsOf("S1") == "B: Start" })
	if first := merged(r["B"])[0].Record.Get("Acct-Status-Type"); first != "Accounting-On" {
		t.Errorf("the first record is %s", first)
	}
	if g := l.group("A").AcctOnOff; g.State != api.StateOn || g.Server != "B1" || g.Blocked {
		t.Errorf("the state is %+v", g)
	}
	r["A"][0].Start()
	eventually(t, "A answers again", func() bool { return l.queue("group/A").DownSince.IsZero() })
	l.mustAccount(packet(acctStop, "S1", "S1"))
	awaitDelivered(t, l.client())
	if err := l.stop(); err != nil {
		t.Fatal(err)
	}
	r.told(t, "A", "Accounting-Off")
	r.told(t, "B", "Accounting-On")
}

// TestSystemNoMethodAnswers: no server is there at the start. A start waits. The second method is back
// first: it gets the Accounting-On, the start, and at the end the Accounting-Off.
func TestSystemNoMethodAnswers(t *testing.T) {
	r := startReceivers(t, map[string]int{"A": 1, "B": 1})
	r.kill()
	l := launch(t, r.config(t, systemInOrder), environment{})
	t.Cleanup(r.kill)
	l.mustAccount(packet(acctStart, "S1", "S1"))
	eventually(t, "a round is unanswered", func() bool { return l.queue("group/B").Hold == api.HoldAway })
	if n := l.queue("group/A").Records; n != 1 {
		t.Errorf("%d records wait", n)
	}
	r["B"][0].Start()
	if _, err := l.client().Perform(t.Context(), api.PerformRequest{Group: "A", Action: api.AcctOn}); err != nil { // not in a minute
		t.Fatal(err)
	}
	r.told(t, "B", "Accounting-On")
	eventually(t, "B gets the start", func() bool { return r.recordsOf("S1") == "B: Start" })
	if err := l.stop(); err != nil {
		t.Fatal(err)
	}
	r.told(t, "B", "Accounting-On", "Accounting-Off")
	r.told(t, "A")
}

// TestHostConfigAtServers: a reload adds a server to a group that has two, then removes the first.
// FreeRADIUS answers an Accounting-On and an Accounting-Off that only these two servers get.
func TestHostConfigAtServers(t *testing.T) {
	r := startReceivers(t, map[string]int{"A": 3})
	text := r.config(t, `  network: {default: {record: start-stop, methods: [group A]}}
  system: {host-config: true, default: {record: start-stop, methods: [group A]}}
`)
	group := func(servers string) string { return with(t, text, "servers: [A1, A2, A3]", "servers: ["+servers+"]") }
	l := launch(t, group("A1, A2"), environment{})
	t.Cleanup(r.kill)
	told := func(server int, want ...string) {
		t.Helper()
		receivers{"A": r["A"][server-1 : server]}.told(t, "A", want...)
	}
	told(1, "Accounting-On")
	l.reload(text, "configuration loaded")
	told(3, "Accounting-On")
	l.reload(group("A2, A3"), "configuration loaded")
	told(1, "Accounting-On", "Accounting-Off")
	if err := l.stop(); err != nil {
		t.Fatal(err)
	}
	told(2, "Accounting-Off")
	told(1, "Accounting-On", "Accounting-Off")
	told(3, "Accounting-On")
}
