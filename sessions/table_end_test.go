package sessions_test

import (
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"aaasess/sessions"
	"aaasess/sessions/sessionstest"
)

func TestCloseNAS(t *testing.T) {
	f := newFixture(t, sessions.Config{})
	go f.Run(t.Context())
	other := func(ev *sessions.Event) { ev.NAS.Identifier = "nas-2" }
	const n = 3000 // several chunks
	for i := range n {
		f.send(t, sessions.Start, fmt.Sprint(i), 0)
	}
	f.send(t, sessions.Start, "elsewhere", 0, other)
	f.send(t, sessions.Start, "as it restarted", 10)
	f.send(t, sessions.Start, "later", 20)
	f.now = f.now.Add(10 * time.Second)
	f.accountingOn(t, nas1)
	for f.View().Len() > 3 {
		f.waitForCommits(t)
	}
	f.waitForCommits(t) // the view may be ahead of the journal
	if diff := cmp.Diff([]sessions.ID{n + 1, n + 2, n + 3}, ids(f.View())); diff != "" {
		t.Error(diff)
	}
	stops := f.journal.Accounted()[n+3:]
	if len(stops) != n || stops[0] != "Stop 1 cause 11" || stops[n-1] != fmt.Sprintf("Stop %d cause 11", n) {
		t.Errorf("%d stops, %q ...", len(stops), stops[:min(3, len(stops))])
	}
	f.accountingOn(t, sessions.NAS{Identifier: "unknown"})
}

func TestDisconnect(t *testing.T) {
	f := newFixture(t, sessions.Config{})
	for _, sid := range []string{"a", "b", "c"} {
		f.send(t, sessions.Start, sid, 0)
	}
	disconnect := func(ids ...sessions.ID) ([]sessions.ID, error) {
		t.Helper()
		ch := make(chan error, 1)
		marked, err := f.Disconnect(ids, func(err error) { ch <- err })
		if err == nil {
			err = <-ch
		}
		return marked, err
	}
	if _, err := disconnect(1, 9, 2); err == nil || err.(*sessions.NotLiveError).Index != 1 {
		t.Errorf("with an id that is not live: %v", err)
	}
	if got := f.View(); got.Disconnected != 0 || got.Get(1).State != sessions.Active {
		t.Error("a refused disconnect marked a session")
	}
	marked, err := disconnect(1, 2, 1)
	if err != nil || !slices.Equal(marked, []sessions.ID{1, 2}) {
		t.Fatalf("marked %v, %v", marked, err)
	}
	if marked, err = disconnect(2, 3); err != nil || !slices.Equal(marked, []sessions.ID{3}) {
		t.Fatalf("marked %v, %v", marked, err)
	}
	if got := f.View(); got.Disconnected != 3 || got.Get(2).State != sessions.Terminating {
		t.Errorf("counted %d, state %s", got.Disconnected, got.Get(2).State)
	}
	sessionstest.Await(t, func(done func(error)) error { f.Undo(marked, done); return nil })
	if got := f.View(); got.Disconnected != 2 || got.Get(3).State != sessions.Active {
		t.Errorf("after undo: counted %d, state %s", got.Disconnected, got.Get(3).State)
	}
	// Our own stop has the cause Admin-Reset, and so has the NAS's stop after an ACK.
	sessionstest.Await(t, func(done func(error)) error { f.Acked(1, done); return nil })
	f.send(t, sessions.Stop, "a", 5)
	sessionstest.Await(t, func(done func(error)) error { return f.End(2, sessions.CauseAdminReset, f.now, done) })
	sessionstest.Await(t, func(done func(error)) error { return f.End(2, sessions.CauseAdminReset, f.now, done) })
	if diff := cmp.Diff([]string{"Stop 1 cause 6", "Stop 2 cause 6"}, f.journal.Accounted()[3:]); diff != "" {
		t.Error(diff)
	}
}

// TestEndPatience: the note of an ACK waits for another change. So does the stop of a session that is
// being ended, while one is marked after the other; stops at other times, and of other sessions, do not.
func TestEndPatience(t *testing.T) {
	j := &patienceJournal{Journal: sessionstest.NewJournal()}
	defer j.Close()
	f := &fixture{journal: j.Journal, now: time.Date(2001, 6, 27, 4, 45, 0, 0, time.UTC)}
	f.Table = sessions.New(sessions.Config{Now: func() time.Time { return f.now }}, j)
	for _, sid := range []string{"a", "b", "c", "d"} {
		f.send(t, sessions.Start, sid, 0)
	}
	mark := func(id sessions.ID) {
		sessionstest.Await(t, func(done func(error)) error { _, err := f.Disconnect([]sessions.ID{id}, done); return err })
	}
	stop := func(sid string) { f.send(t, sessions.Stop, sid, 0) }
	for _, tt := range []struct {
		name  string
		after time.Duration
		do    func()
		want  bool
	}{
		{"a mark", 0, func() { mark(1) }, false},
		{"an ACK", time.Second, func() { sessionstest.Await(t, func(done func(error)) error { f.Acked(1, done); return nil }) }, true},
		{"the stop after that", 0, func() { stop("a") }, false},
		{"the next mark", 0, func() { mark(2) }, false},
		{"another one", 5 * time.Millisecond, func() { mark(3) }, false},
		{"a stop between marks", 9 * time.Millisecond, func() { stop("b") }, true},
		{"a stop of another session", 0, func() { stop("d") }, false},
		{"a mark of a session that has one", time.Millisecond, func() { mark(3) }, false},
		{"a stop after all marks", 0, func() { stop("c") }, false},
	} {
		f.now = f.now.Add(tt.after)
		j.patient = nil
		tt.do()
		if !slices.Equal(j.patient, []bool{tt.want}) {
			t.Errorf("%s: patient %v, want %v", tt.name, j.patient, tt.want)
		}
	}
}

// TestUndo: Undo removes a mark once, whatever has become of the session, also if the journal
// accepts nothing.
// TestClear: sessions end with the time and the counters of their last packets. If one is not live,
// none ends.
func TestClear(t *testing.T) {
	f := newFixture(t, sessions.Config{})
	for _, sid := range []string{"a", "b", "c"} {
		f.send(t, sessions.Start, sid, 0)
	}
	f.send(t, sessions.Interim, "a", 60)
	f.now = f.now.Add(time.Hour)
	if err := f.Clear([]sessions.ID{1, 9}, nil); err == nil || err.(*sessions.NotLiveError).Index != 1 || f.View().Len() != 3 {
		t.Errorf("with an id that is not live: %v", err)
	}
	sessionstest.Await(t, func(done func(error)) error { return f.Clear([]sessions.ID{1, 2, 1}, done) })
	if got := f.View(); got.Len() != 1 || got.Disconnected != 0 {
		t.Errorf("%d sessions, %d disconnected", got.Len(), got.Disconnected)
	}
	if diff := cmp.Diff([]string{"Stop 1 cause 6", "Stop 2 cause 6"}, f.journal.Accounted()[4:]); diff != "" {
		t.Error(diff)
	}
	for _, n := range f.journal.Notices()[4:] {
		if want := map[sessions.ID]time.Duration{1: time.Minute, 2: 0}[n.Session.ID]; n.Lasted != want {
			t.Errorf("session %s lasted %v, want %v", n.Session.ID, n.Lasted, want)
		}
	}
}

func TestUndo(t *testing.T) {
	f := newFixture(t, sessions.Config{})
	for _, sid := range []string{"a", "b", "c"} {
		f.send(t, sessions.Start, sid, 0)
	}
	var marked []sessions.ID
	sessionstest.Await(t, func(done func(error)) (err error) {
		marked, err = f.Disconnect([]sessions.ID{1, 2, 3}, done)
		return err
	})
	f.send(t, sessions.Stop, "c", 1)
	f.journal.Refuse(errors.New("too many changes wait for the disk"))
	for range 2 {
		sessionstest.Await(t, func(done func(error)) error { f.Undo(marked, done); return nil })
		v := f.View()
		if v.Get(1).State != sessions.Active || v.Get(2).State != sessions.Active || v.Get(3) != nil || v.Disconnected != 1 {
			t.Errorf("states %s %s, session 3 %v, counted %d", v.Get(1).State, v.Get(2).State, v.Get(3), v.Disconnected)
		}
	}
	if s := f.restart(t).View().Get(1); s.State != sessions.Active {
		t.Errorf("after a restart session 1 is %s", s.State)
	}
}

// TestUndoTwice: a mark of two Disconnects is removed with the second Undo. It stays if a
// terminator has the session.
func TestUndoTwice(t *testing.T) {
	for _, kept := range []bool{false, true} {
		f := newFixture(t, sessions.Config{})
		f.send(t, sessions.Start, "a", 0)
		for range 2 {
			sessionstest.Await(t, func(done func(error)) error { _, err := f.Disconnect([]sessions.ID{1}, done); return err })
		}
		undo := func() sessions.State {
			sessionstest.Await(t, func(done func(error)) error { f.Undo([]sessions.ID{1}, done); return nil })
			return f.View().Get(1).State
		}
		if kept {
			f.MakeFinal([]sessions.ID{1})
		}
		want := map[bool]sessions.State{false: sessions.Active, true: sessions.Terminating}[kept]
		if first, second := undo(), undo(); first != sessions.Terminating || second != want {
			t.Errorf("kept %t: %s, then %s", kept, first, second)
		}
	}
}

// TestTerminatingEndsWithAdminReset: the cause is Admin-Reset if we make the stop or the NAS has
// sent an ACK, but not if the user leaves before the NAS answers.
func TestTerminatingEndsWithAdminReset(t *testing.T) {
	restarts := func(_ *testing.T, f *fixture) {
		f.now = f.now.Add(time.Hour)
		f.accountingOn(t, nas1)
	}
	tests := []struct {
		name string
		end  func(*testing.T, *fixture)
		want []string
	}{
		{"its stop, after an ACK", func(t *testing.T, f *fixture) {
			sessionstest.Await(t, func(done func(error)) error { f.Acked(1, done); return nil })
			f.send(t, sessions.Stop, "a", 9)
		}, []string{"Stop 1 cause 6"}},
		{"its stop, without an answer", func(t *testing.T, f *fixture) { f.send(t, sessions.Stop, "a", 9) }, []string{"Stop 1"}},
		{"another session of its name", func(t *testing.T, f *fixture) {
			f.now = f.now.Add(time.Hour)
			f.send(t, sessions.Start, "a", 0)
		}, []string{"Stop 1 cause 6", "Start 2"}},
		{"its NAS restarts", restarts, []string{"Stop 1 cause 6"}},
		{"our stop", func(t *testing.T, f *fixture) {
			sessionstest.Await(t, func(done func(error)) error { return f.End(1, sessions.CauseLostCarrier, f.now, done) })
		}, []string{"Stop 1 cause 6"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			f := newFixture(t, sessions.Config{})
			f.send(t, sessions.Start, "a", 0)
			sessionstest.Await(t, func(done func(error)) error { _, err := f.Disconnect([]sessions.ID{1}, done); return err })
			tt.end(t, f)
			if diff := cmp.Diff(tt.want, f.journal.Accounted()[1:]); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// TestAckedIgnored: an ACK that is late, or for a session that nobody ends, changes nothing.
func TestAckedIgnored(t *testing.T) {
	f := newFixture(t, sessions.Config{})
	f.send(t, sessions.Start, "a", 0)
	for _, id := range []sessions.ID{1, 2} {
		sessionstest.Await(t, func(done func(error)) error { f.Acked(id, done); return nil })
	}
	if f.View().Get(1).Acked() != 0 {
		t.Error("an active session is acked")
	}
	f.send(t, sessions.Stop, "a", 9)
	if diff := cmp.Diff([]string{"Start 1", "Stop 1"}, f.journal.Accounted()); diff != "" {
		t.Error(diff)
	}
}

// TestEndTime: our stop has the time that End was given.
func TestEndTime(t *testing.T) {
	f := newFixture(t, sessions.Config{})
	f.send(t, sessions.Start, "a", 0)
	at := f.now.Add(7 * time.Second)
	sessionstest.Await(t, func(done func(error)) error { return f.End(1, sessions.CauseAdminReset, at, done) })
	notices := f.journal.Notices()
	if got := notices[len(notices)-1].At; !got.Equal(at) {
		t.Errorf("the stop carries %v, want %v", got, at)
	}
}
