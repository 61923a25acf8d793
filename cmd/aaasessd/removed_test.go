package main

import (
	"slices"
	"strings"
	"testing"

	"aaasess/cmd/internal/api"
)

// isRemoved reports whether the log says that a method was removed.
func (l *inProcess) isRemoved(method string) bool {
	return strings.Contains(l.log.String(), `msg="accounting method removed" method=`+method)
}

// TestRemovedWithLiveSessions: a group that a reload removes continues as long as a live session
// names it.
func TestRemovedWithLiveSessions(t *testing.T) {
	old, fresh := listen(t, "127.0.0.1:0"), listen(t, "127.0.0.1:0")
	var toOld journal
	old.observe(toOld.add)
	after := relayConfig(t, "new", fresh)
	l := launch(t, relayConfig(t, "old", old), environment{})
	l.mustAccount(packet(acctStart, "S1", "alice"))
	toOld.await(t, storeRecord(acctStart, 1))
	l.reload(after, "configuration loaded")
	l.mustAccount(packet(acctStart, "S2", "bob"))
	eventually(t, "a new session goes to the new group", func() bool { return slices.Equal(fresh.kinds(), []string{storeRecord(acctStart, 2)}) })
	l.mustAccount(packet(acctInterim, "S1", "alice"))
	toOld.await(t, storeRecord(acctInterim, 1))
	for range 2 { // each reload checks what was removed
		l.reload(after, "configuration loaded")
	}
	if l.isRemoved(`"group old"`) {
		t.Error("removed too early")
	}
	var q api.Queue
	eventually(t, "both answers are counted", func() bool { q = l.queue("group/old"); return q.Delivered >= 2 }, &q)
	if q.Configured || q.Lost || q.Delivered != 2 {
		t.Errorf("%+v", q)
	}

	old.setSilent(true) // now only the record keeps it
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
	if q := l.queue("group/old"); q != (api.Queue{}) {
		t.Errorf("it is shown: %+v", q)
	}
	if strings.Contains(l.log.String(), "records wait for a method") {
		t.Error("the log reports orphans")
	}
}

// TestRemovedByRestart: the records in the queue of a group that is gone go to the next method of
// their list, and so do those that live sessions add.
func TestRemovedByRestart(t *testing.T) {
	z, g := listen(t, "127.0.0.1:0"), listen(t, "127.0.0.1:0")
	var toG journal
	g.observe(toG.add)
	z.setSilent(true)
	g.setSilent(true)
	l := launch(t, storeText(t, "127.0.0.1:0", "[group z, group g]", "", z.addrPort(), g.addrPort()), environment{})
	l.mustAccount(packet(acctStart, "S1", "alice"), packet(acctInterim, "S1", "alice"))
	g.setSilent(false)
	l.restart(relayConfig(t, "g", g))
	toG.await(t, storeRecord(acctStart, 1), storeRecord(acctInterim, 1))
	l.mustAccount(packet(acctStop, "S1", "alice"))
	toG.await(t, storeRecord(acctStop, 1))
	toG.inOrder(t, storeRecord(acctStart, 1), storeRecord(acctInterim, 1), storeRecord(acctStop, 1))
	eventually(t, "all are delivered", func() bool { return l.queue("group/z") == (api.Queue{}) })
	if len(z.kinds()) > 0 || strings.Contains(l.log.String(), "records wait for a method") {
		t.Errorf("the removed group got %q", z.kinds())
	}
}
