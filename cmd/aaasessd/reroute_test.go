package main

import (
	"errors"
	"slices"
	"testing"

	"aaasess/cmd/aaasessd/internal/acctcontrol"
	"aaasess/cmd/internal/api"
	"aaasess/cmd/internal/control"
)

// queue returns the status of a queue, or the zero value if the spool does not show it.
func (l *inProcess) queue(name string) api.Queue {
	l.t.Helper()
	status, err := l.client().Spool(l.t.Context())
	if err != nil {
		l.t.Fatal(err)
	}
	for _, q := range status.Queues {
		if q.Queue == name {
			return q
		}
	}
	return api.Queue{}
}

// restart ends the daemon and starts it with another configuration.
func (l *inProcess) restart(text string) {
	l.t.Helper()
	if err := l.stop(); err != nil {
		l.t.Fatal(err)
	}
	l.configure(text)
	l.start(environment{})
}

// inOrder checks that events were recorded in this order.
func (j *journal) inOrder(t *testing.T, want ...string) {
	t.Helper()
	firsts := j.firsts()
	if !slices.IsSortedFunc(want, func(a, b string) int { return firsts[a] - firsts[b] }) {
		t.Errorf("%q arrived in another order: %q", want, j.events)
	}
}

// TestReroute: a group is replaced while the daemon does not run. Its records, and those that live
// sessions add, go by another list until the group is back.
func TestReroute(t *testing.T) {
	old, fresh := listen(t, "127.0.0.1:0"), listen(t, "127.0.0.1:0")
	var toOld, toFresh journal
	old.observe(toOld.add)
	fresh.observe(toFresh.add)
	old.setSilent(true)
	before, after := relayConfig(t, "old", old), relayConfig(t, "new", fresh)
	l := launch(t, before, environment{})
	l.mustAccount(packet(acctStart, "S1", "alice"), packet(acctStart, "S2", "bob"))
	gone := api.RerouteRequest{Queue: "group/old", List: "network/default"}
	for _, tt := range []struct {
		queue, list string
		want        error
	}{
		{"group/old", "network/default", control.ErrConfigured},
		{"group/old", "exec/default", control.ErrNoList},
		{"group/none", "network/default", control.ErrNoQueue},
	} {
		if _, err := acctcontrol.New(acctcontrol.Config{Methods: l.d.methods}).Reroute(tt.queue, tt.list); !errors.Is(err, tt.want) {
			t.Errorf("%s by %s: %v, want %v", tt.queue, tt.list, err, tt.want)
		}
	}

	l.restart(after)
	var q api.Queue
	isLost := func() bool { q = l.queue("group/old"); return q.Lost }
	eventually(t, "the records are lost", isLost, &q)
	if q.Records != 2 || q.Configured || q.Rerouted != "" {
		t.Errorf("%+v", q)
	}
	if n, err := l.client().Reroute(t.Context(), gone); n != 2 || err != nil {
		t.Errorf("%d records are rerouted, %v", n, err)
	}
	toFresh.await(t, storeRecord(acctStart, 1), storeRecord(acctStart, 2))
	l.mustAccount(packet(acctInterim, "S1", "alice"))
	toFresh.await(t, storeRecord(acctInterim, 1))
	if _, err := l.client().Reroute(t.Context(), gone); err != nil { // with an empty queue
		t.Error(err)
	}

	l.restart(after)
	l.mustAccount(packet(acctStop, "S1", "alice"))
	toFresh.await(t, storeRecord(acctStop, 1))
	toFresh.inOrder(t, storeRecord(acctStart, 1), storeRecord(acctInterim, 1), storeRecord(acctStop, 1))
	if n := len(toOld.firsts()); n > 0 {
		t.Errorf("%d records came to the old server", n)
	}

	old.setSilent(false)
	l.reload(before, "configuration loaded")
	l.mustAccount(packet(acctInterim, "S2", "bob"))
	toOld.await(t, storeRecord(acctInterim, 2))
	l.restart(after)
	l.mustAccount(packet(acctStop, "S2", "bob"))
	eventually(t, "the stop is lost", isLost, &q)
	if q.Records != 1 || q.Rerouted != "" {
		t.Errorf("the list is not forgotten: %+v", q)
	}
	if _, came := toFresh.firsts()[storeRecord(acctStop, 2)]; came {
		t.Error("a record goes by a list that is no longer in effect")
	}
}
