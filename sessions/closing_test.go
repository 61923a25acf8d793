package sessions_test

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"aaasess/sessions"
	"aaasess/sessions/sessionstest"
)

// beginSessions begins sessions 1 to n of the default NAS.
func (w *world) beginSessions(n int) {
	for i := range n {
		w.send(report{typ: start, sid: fmt.Sprint("s", i+1), user: fmt.Sprint("u", i+1), octets: 7})
	}
}

// runUntilLeft runs the table until only the given rows are left.
func (w *world) runUntilLeft(left ...sessions.ID) {
	w.t.Helper()
	ctx, cancel := context.WithCancel(w.t.Context())
	ended := make(chan error)
	go func() { ended <- w.Run(ctx) }()
	for deadline := time.Now().Add(20 * time.Second); !slices.Equal(w.rows(), left) && time.Now().Before(deadline); {
		sessionstest.Await(w.t, func(done func(error)) error { w.journal.Commit(sessions.Change{}, done); return nil })
	}
	cancel()
	if err := <-ended; err != nil {
		w.t.Error(err)
	}
	// The view may be ahead of the journal.
	sessionstest.Await(w.t, func(done func(error)) error { w.journal.Commit(sessions.Change{}, done); return nil })
	if diff := cmp.Diff(left, w.rows()); diff != "" {
		w.t.Errorf("rows: %s", diff)
	}
	if err := w.Invariants(); err != nil {
		w.t.Error(err)
	}
}

// TestLargeClosing: an Accounting-On of a NAS with many sessions is answered at once. Events of
// these sessions that arrive before they have ended find them ended. A restart continues. Sessions
// that began later stay. Each ended session has one stop of ours.
func TestLargeClosing(t *testing.T) {
	const n = 300 // several chunks
	w := newWorld(t)
	w.beginSessions(n)
	w.sleep(sec)
	w.send(report{typ: on}) // Run is not running, so this only makes a mark
	if got := len(w.rows()); got != n {
		t.Fatalf("%d rows, want %d as long as nobody has ended them", got, n)
	}
	w.sleep(sec)
	before := len(w.accounted())
	w.play(script{
		report{typ: stop, sid: "s1", user: "u1", octets: 9, time: 5},
		report{typ: interim, sid: "s2", user: "u2", octets: 9, time: 5},
		report{typ: start, sid: "s3", user: "u3", octets: 1},
		report{typ: start, sid: "new"},
	})
	if diff := cmp.Diff([]string{
		"Stop 1 ours 7 cause 11", "Stop 1 9", "Stop 2 ours 7 cause 11", "Interim-Update 2 9",
		"Stop 3 ours 7 cause 11", fmt.Sprint("Start ", n+1, " 1"), fmt.Sprint("Start ", n+2),
	}, w.accounted()[before:]); diff != "" {
		t.Error(diff)
	}
	w.restart()
	w.sleep(sec)
	w.send(report{typ: on, delay: 1}) // the same again: it extends the first
	w.runUntilLeft(2, n+1, n+2)
	stops := map[sessions.ID]int{}
	for _, n := range w.journal.Notices() {
		if n.Type == stop && n.Attrs == "" {
			stops[n.Session.ID]++
		}
	}
	for id := range sessions.ID(n) {
		if stops[id+1] != 1 {
			t.Errorf("session %d has %d stops of ours", id+1, stops[id+1])
		}
	}
	w.restart()
	w.runUntilLeft(2, n+1, n+2) // nothing is left to do
}

// TestClosingTwoOfOneName: a closing ends two sessions with the same name.
func TestClosingTwoOfOneName(t *testing.T) {
	w := newWorld(t)
	w.send(report{typ: start, user: "alice", station: "A"})
	w.send(report{typ: start, user: "bob", station: "B"})
	w.beginSessions(30)
	w.sleep(sec)
	w.send(report{typ: on})
	w.sleep(sec)
	w.send(report{typ: stop, user: "alice", station: "A", time: 1})
	if diff := cmp.Diff("Stop 1", w.accounted()[len(w.accounted())-1]); diff != "" {
		t.Error(diff)
	}
	w.runUntilLeft()
}

// TestOneAcctSessionIDForAll: if a NAS gives all its sessions the same Acct-Session-Id, only a few
// of them are remembered.
func TestOneAcctSessionIDForAll(t *testing.T) {
	w := newWorld(t)
	for i := range 100 {
		w.play(script{report{typ: start, stamp: i * 10}, 5 * sec, report{typ: stop, stamp: i*10 + 5, time: 5}, 5 * sec})
	}
	if n := w.Remembered(); n != 16 {
		t.Errorf("%d sessions are remembered", n)
	}
	w.restart()
	if n := w.Remembered(); n != 16 {
		t.Errorf("%d sessions are remembered after a restart", n)
	}
	w.send(report{typ: stop, stamp: 995, time: 5})
	if n := len(w.accounted()); n != 200 {
		t.Errorf("%d records", n)
	}
}
