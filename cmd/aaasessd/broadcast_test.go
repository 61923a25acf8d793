package main

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"aaasess/cmd/internal/api"
)

// listsConfig returns plainConfig with a group of one server for each upstream, and with the text
// of accounting.network.
func listsConfig(t *testing.T, network string, groups map[string]*upstream, keys ...string) string {
	t.Helper()
	servers, made := "  servers:\n", "  groups:\n"
	for name, u := range groups {
		servers += fmt.Sprintf("    - {name: %s, address: 127.0.0.1, port: %s, secret: upstream}\n", name, portOf(u.addrPort()))
		made += fmt.Sprintf("    - {name: %s, servers: [%s], timeout: 100ms, retransmit: 0, hold-down: 0s%s}\n", name, name, strings.Join(keys, ""))
	}
	return with(t, plainConfig, "{default: {record: start-stop, methods: [local]}}", network, "accounting:\n  network", servers+made+"accounting:\n  network")
}

const (
	toA     = "{default: {record: start-stop, methods: [group a]}}"
	toAAndB = "{default: {record: start-stop, broadcast: true, methods: [group a, group b]}}"
)

// TestReloadToBroadcast: a reload turns a list into a broadcast, and back. Live sessions keep the
// routes that they began with. A reload with a fault changes nothing.
func TestReloadToBroadcast(t *testing.T) {
	a, b := listen(t, "127.0.0.1:0"), listen(t, "127.0.0.1:0")
	groups := map[string]*upstream{"a": a, "b": b}
	l := launch(t, listsConfig(t, toA, groups), environment{})
	l.mustAccount(packet(acctStart, "S1", "alice"))
	l.reload(listsConfig(t, "{default: {record: start-stop, broadcast: true, methods: [group a, group b, local, group radius, group c]}}", groups),
		"configuration not loaded")
	l.mustAccount(packet(acctStart, "S2", "bob"))
	l.reload(listsConfig(t, "{default: {record: start-stop, broadcast: true, methods: [group b, local, group a]}}", groups), "configuration loaded")
	l.mustAccount(packet(acctStart, "S3", "carol"), packet(acctStop, "S1", "alice"), packet(acctInterim, "S2", "bob"))
	l.reload(listsConfig(t, toA, groups), "configuration loaded")
	l.mustAccount(packet(acctStart, "S4", "dave"), packet(acctInterim, "S3", "carol"), packet(acctStop, "S3", "carol"), packet(acctStop, "S2", "bob"))

	toAll := []string{storeRecord(acctStart, 3), storeRecord(acctInterim, 3), storeRecord(acctStop, 3)}
	onlyA := []string{
		storeRecord(acctStart, 1), storeRecord(acctStop, 1), storeRecord(acctStart, 2), storeRecord(acctInterim, 2), storeRecord(acctStop, 2), storeRecord(acctStart, 4),
	}
	for _, tt := range []struct {
		name string
		at   *upstream
		want []string
	}{{"a", a, append(onlyA, toAll...)}, {"b", b, toAll}} {
		var got []string
		eventually(t, "the records arrive at "+tt.name, func() bool {
			got = tt.at.kinds()
			return slices.Equal(got, slices.Sorted(slices.Values(tt.want)))
		}, &got)
	}
	l.eventuallyRecords("records.jsonl", "Start 00000003", "Interim-Update 00000003", "Stop 00000003")
}

// TestRemovedBranch: a reload removes a group of a broadcast. It gets the records of the sessions
// that name it, also those that wait while it is silent, and ends then.
func TestRemovedBranch(t *testing.T) {
	a, b := listen(t, "127.0.0.1:0"), listen(t, "127.0.0.1:0")
	var atA, atB journal
	a.observe(atA.add)
	b.observe(atB.add)
	l := launch(t, listsConfig(t, toAAndB, map[string]*upstream{"a": a, "b": b}), environment{})
	after := listsConfig(t, toA, map[string]*upstream{"a": a})
	all := []string{storeRecord(acctStart, 1), storeRecord(acctInterim, 1), storeRecord(acctStop, 1)}

	l.mustAccount(packet(acctStart, "S1", "alice"))
	atB.await(t, all[0])
	b.setSilent(true)
	l.reload(after, "configuration loaded")
	l.mustAccount(packet(acctStart, "S2", "bob"), packet(acctInterim, "S1", "alice"), packet(acctStop, "S1", "alice"))
	atA.await(t, append(all, storeRecord(acctStart, 2))...) // the silent branch delays nothing
	asked := b.asked.Load()
	eventually(t, "the removed group is asked", func() bool { return b.asked.Load() > asked })
	for range 2 { // each reload checks what was removed
		l.reload(after, "configuration loaded")
	}
	if q := l.queue("group/b"); l.isRemoved(`"group b"`) || q.Configured || q.Lost || q.Records == 0 {
		t.Errorf("it is removed too early: %+v", q)
	}
	b.setSilent(false)
	atB.await(t, all[0], all[2]) // the interim may be superseded
	atB.inOrder(t, all[0], all[2])
	eventually(t, "it is removed", func() bool { return l.isRemoved(`"group b"`) })
	if slices.Contains(b.kinds(), storeRecord(acctStart, 2)) {
		t.Error("a new session went to the removed group")
	}
	if strings.Contains(l.log.String(), "records wait for a method") {
		t.Error("the log reports orphans")
	}
}

// TestRestartWithoutBranch: a group of a broadcast is gone after a restart. Its records, and those
// that live sessions add, wait for it, and the other group gets none of them. They can be rerouted:
// by a list that is a broadcast each of them goes to one method.
func TestRestartWithoutBranch(t *testing.T) {
	a, b, c := listen(t, "127.0.0.1:0"), listen(t, "127.0.0.1:0"), listen(t, "127.0.0.1:0")
	var atA, atC journal
	a.observe(atA.add)
	c.observe(atC.add)
	b.setSilent(true)
	all := []string{storeRecord(acctStart, 1), storeRecord(acctInterim, 1), storeRecord(acctStop, 1)}
	l := launch(t, listsConfig(t, toAAndB, map[string]*upstream{"a": a, "b": b}), environment{})
	l.mustAccount(packet(acctStart, "S1", "alice"))
	atA.await(t, all[0])

	l.restart(listsConfig(t, "{default: {record: start-stop, broadcast: true, methods: [group c, group a]}}", map[string]*upstream{"a": a, "c": c}))
	l.mustAccount(packet(acctInterim, "S1", "alice"))
	atA.await(t, all[1])
	var q api.Queue
	eventually(t, "its queue is lost", func() bool { q = l.queue("group/b"); return q.Lost && q.Records == 2 }, &q)
	if n := len(c.kinds()); n > 0 {
		t.Errorf("group c received %d records of a session that does not name it", n)
	}
	if n, err := l.client().Reroute(t.Context(), api.RerouteRequest{Queue: "group/b", List: "network/default"}); n != 2 || err != nil {
		t.Errorf("%d records are rerouted, %v", n, err)
	}
	l.mustAccount(packet(acctStop, "S1", "alice"))
	atC.await(t, all...)
	atC.inOrder(t, all...)
	atA.await(t, all...)
	atA.inOrder(t, all...)
	eventually(t, "the queue is empty", func() bool { q = l.queue("group/b"); return q.Records == 0 }, &q)
	// Since the restart. The server has a record before its answer is counted.
	eventually(t, "group a has accepted its own interim and stop", func() bool { q = l.queue("group/a"); return q.Delivered >= 2 }, &q)
	if q.Delivered != 2 {
		t.Errorf("group a accepted %d records, want its own interim and stop", q.Delivered)
	}
}

// TestSetAsideBranch: one group of a broadcast never answers a record. It is set aside for this
// group only, and its replay goes to this group only.
func TestSetAsideBranch(t *testing.T) {
	a, b := listen(t, "127.0.0.1:0"), listen(t, "127.0.0.1:0")
	var atA journal
	a.observe(atA.add)
	start, stop := storeRecord(acctStart, 1), storeRecord(acctStop, 1)
	b.ignore(start)
	l := launch(t, listsConfig(t, toAAndB, map[string]*upstream{"a": a, "b": b}, ", backoff: {max-delay: 1s, retry: 2}"), environment{})
	l.mustAccount(packet(acctStart, "S1", "alice"), packet(acctStop, "S1", "alice"))
	atA.await(t, start, stop)
	end := l.sendOthers()
	list := l.awaitSetAside()
	end()
	if r := list.Records[0]; len(list.Records) != 1 || r.From != "group/b" || r.Session != "00000001" || r.Type != "Start" {
		t.Errorf("set aside are %+v", list.Records)
	}
	eventually(t, "the stop of its session arrives", func() bool { return slices.Contains(b.kinds(), stop) })
	b.ignore("")
	var q api.Queue
	eventually(t, "the others have arrived", func() bool { q = l.queue("group/a"); return q.Records == 0 }, &q)
	if n, err := l.client().Replay(t.Context(), api.RecordsRequest{All: true}); err != nil || n != 1 {
		t.Errorf("replayed %d: %v", n, err)
	}
	eventually(t, "it arrives at its group", func() bool { return slices.Contains(b.kinds(), start) })
	if again := l.queue("group/a"); again.Delivered != q.Delivered {
		t.Errorf("the other group accepted %d more records", again.Delivered-q.Delivered)
	}
}
