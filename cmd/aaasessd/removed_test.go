package main

import (
	"log/slog"
	"slices"
	"strings"
	"testing"

	"aaasess/accounting"
	"aaasess/cmd/internal/control"
	"aaasess/internal/radius"
	"aaasess/store"
)

// isRemoved reports whether the log tells that a method is removed.
func (l *inProcess) isRemoved(method string) bool {
	return strings.Contains(l.log.String(), `msg="accounting method removed" method=`+method)
}

// TestIsNamed: which sessions and records keep a group that was removed, g.
func TestIsNamed(t *testing.T) {
	st, err := store.Open("state", store.Config{Disk: store.NewDisk(), MinFree: -1, Ballast: -1})
	if err != nil {
		t.Fatal(err)
	}
	m := newMethods(st, nil, nil, radius.Standard, slog.New(slog.DiscardHandler))
	g, r := accounting.Group("g"), &removal{}
	add := func(queue string) {
		st.Commit(store.Change{Appends: []store.Append{{Queue: queue, Data: []byte("x")}}}, func(error) {})
	}
	settle := func(queue string, seq uint64) { st.Discard([]store.Ack{{Queue: queue, Seq: seq}}) }
	for _, tt := range []struct {
		name   string
		before func()
		live   bool
		want   bool
	}{
		{"a session names it", func() {}, true, true},
		{"none does any more, and its last record is not durable yet", func() { add("group/z") }, false, true},
		{"that waits", func() {}, false, true},
		{"that is gone, others came since", func() { add("group/z"); settle("group/z", 1) }, false, false},
		{"a record is replayed", func() { add("group/g"); m.flush() }, false, true},
		{"that is gone", func() { settle("group/g", 1) }, false, false},
		{"what is set aside does not count", func() { add(accounting.RefusedQueue); m.flush() }, false, false},
		{"it is named again", func() {}, true, true},
		{"and left a record", func() { add("group/z") }, false, true},
	} {
		tt.before()
		if got := m.isNamed(g, r, tt.live); got != tt.want {
			t.Errorf("%s: %v, want %v", tt.name, got, tt.want)
		}
	}
	if err := st.Close(); err != nil {
		t.Error(err)
	}
}

// TestRemovedWithLiveSessions: a group that a reload removes goes on as long as a live session names it.
func TestRemovedWithLiveSessions(t *testing.T) {
	old, fresh := listen(t, "127.0.0.1:0"), listen(t, "127.0.0.1:0")
	var toOld journal
	old.tellTo(toOld.tell)
	after := relayConfig(t, "new", fresh)
	l := launch(t, relayConfig(t, "old", old), outside{})
	l.mustAccount(packet(acctStart, "S1", "alice"))
	toOld.await(t, storeRecord(acctStart, 1))
	l.reload(after, "configuration loaded")
	l.mustAccount(packet(acctStart, "S2", "bob"))
	eventually(t, "a new session goes to the new group", func() bool { return slices.Equal(fresh.kinds(), []string{storeRecord(acctStart, 2)}) })
	l.mustAccount(packet(acctInterim, "S1", "alice"))
	toOld.await(t, storeRecord(acctInterim, 1))
	for range 2 { // each looks after what was removed
		l.reload(after, "configuration loaded")
	}
	if l.isRemoved(`"group old"`) {
		t.Error("removed too early")
	}
	if q := l.queue("group/old"); q.Configured || q.Lost || q.Delivered != 2 {
		t.Errorf("%+v", q)
	}

	old.setSilent(true) // now the record alone keeps it
	l.mustAccount(packet(acctStop, "S1", "alice"))
	asked := old.asked.Load()
	eventually(t, "it is asked once more", func() bool { return old.asked.Load() > asked })
	for range 2 {
		l.reload(after, "configuration loaded")
	}
	if l.isRemoved(`"group old"`) {
		t.Error("removed before its last record was answered")
	}
	old.setSilent(false)
	toOld.await(t, storeRecord(acctStop, 1))
	toOld.inOrder(t, storeRecord(acctStart, 1), storeRecord(acctInterim, 1), storeRecord(acctStop, 1))
	eventually(t, "it is removed", func() bool { return l.isRemoved(`"group old"`) })
	if q := l.queue("group/old"); q != (control.Queue{}) {
		t.Errorf("it is shown: %+v", q)
	}
	if strings.Contains(l.log.String(), "records wait for a method") {
		t.Error("the log tells of orphans")
	}
}

// TestRemovedByRestart: what stands in the queue of a group that is gone goes to the next of its list, and so does what
// live sessions add.
func TestRemovedByRestart(t *testing.T) {
	z, g := listen(t, "127.0.0.1:0"), listen(t, "127.0.0.1:0")
	var toG journal
	g.tellTo(toG.tell)
	z.setSilent(true)
	g.setSilent(true)
	l := launch(t, storeText(t, "127.0.0.1:0", "[group z, group g]", "", z.addrPort(), g.addrPort()), outside{})
	l.mustAccount(packet(acctStart, "S1", "alice"), packet(acctInterim, "S1", "alice"))
	g.setSilent(false)
	l.restart(relayConfig(t, "g", g))
	toG.await(t, storeRecord(acctStart, 1), storeRecord(acctInterim, 1))
	l.mustAccount(packet(acctStop, "S1", "alice"))
	toG.await(t, storeRecord(acctStop, 1))
	toG.inOrder(t, storeRecord(acctStart, 1), storeRecord(acctInterim, 1), storeRecord(acctStop, 1))
	eventually(t, "all are counted", func() bool { return l.d.methods.delivery.Queue("group/z").Elsewhere == 3 })
	if len(z.kinds()) > 0 || strings.Contains(l.log.String(), "records wait for a method") {
		t.Errorf("the removed group got %q", z.kinds())
	}
}
