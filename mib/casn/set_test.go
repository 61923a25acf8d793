package casn

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"aaasess/internal/radius"
	"aaasess/mib"
	"aaasess/sessions"
	"aaasess/sessions/termination"
)

// askedNAS records which sessions it must end, and does not answer.
type askedNAS struct {
	mu    sync.Mutex
	asked []sessions.ID
}

func (n *askedNAS) Disconnect(_ context.Context, s *termination.Attempt) termination.Outcome {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.asked = append(n.asked, s.ID)
	return termination.Outcome{}
}

// TestSetAsksTheNAS: the NAS gets a request for each session of a SET, at its cleanup and not
// before. That includes a session that was marked by a request which ended before its cleanup.
func TestSetAsksTheNAS(t *testing.T) {
	tests := []struct {
		name string
		end  func(*mib.Set) error
		want []sessions.ID
	}{
		{"committed", func(*mib.Set) error { return nil }, nil},
		{"cleaned up", func(s *mib.Set) error { s.Cleanup(); return nil }, []sessions.ID{1, 2}},
		{"undone", func(s *mib.Set) error { defer s.Cleanup(); return s.Undo() }, nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f := newFixture(t)
				nas := &askedNAS{}
				end := f.runTerminator(t, nas)
				for _, sid := range []string{"a", "b", "c"} {
					f.apply(t, sessions.Event{Type: sessions.Start, AcctSessionID: sid})
				}
				synctest.Wait() // from here on it finds nothing by itself
				if _, err := f.table.Disconnect([]sessions.ID{2}, nil); err != nil {
					t.Fatal(err)
				}
				set, err := f.tree.Test([]mib.Varbind{assign(2, 1), assign(1, 1)})
				if err != nil {
					t.Fatal(err)
				}
				if err := set.Commit(); err != nil {
					t.Fatal(err)
				}
				if err := tt.end(set); err != nil {
					t.Fatal(err)
				}
				synctest.Wait()
				slices.Sort(nas.asked)
				if diff := cmp.Diff(tt.want, nas.asked); diff != "" {
					t.Error(diff)
				}
				end()
			})
		})
	}
}

// TestSetUndoneWhenNothingIsAccepted: if the queue of changes is full, no session may remain
// terminating without being ended.
func TestSetUndoneWhenNothingIsAccepted(t *testing.T) {
	full := errors.New("too many changes wait for the disk")
	tests := []struct {
		name string
		fail func(*testing.T, *fixture, *mib.Set)
	}{
		{"another agent failed", func(t *testing.T, f *fixture, set *mib.Set) {
			if err := set.Commit(); err != nil {
				t.Fatal(err)
			}
			f.journal.Refuse(full)
			if err := set.Undo(); err != nil {
				t.Error(err)
			}
		}},
		{"the disk hangs", func(t *testing.T, f *fixture, set *mib.Set) {
			f.journal.Hold(true)
			failed := make(chan error)
			go func() { failed <- set.Commit() }()
			synctest.Wait()
			f.journal.Refuse(full)
			if se, _ := errors.AsType[*mib.SetError](<-failed); se == nil || se.Status != mib.CommitFailed || !errors.Is(se, errNotDurable) {
				t.Errorf("got %v", se)
			}
			f.journal.Hold(false)
		}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f := newFixture(t)
				f.apply(t, sessions.Event{Type: sessions.Start, AcctSessionID: "a"})
				set, err := f.tree.Test([]mib.Varbind{assign(1, 1)})
				if err != nil {
					t.Fatal(err)
				}
				tt.fail(t, f, set)
				synctest.Wait()
				if v := f.table.View(); v.Get(1).State != sessions.Active || v.Disconnected != 0 {
					t.Errorf("the session is %s, %d disconnected", v.Get(1).State, v.Disconnected)
				}
			})
		})
	}
}

// TestConcurrentSets: two concurrent SETs of one row. The first fails because of a slow disk and is
// undone. The second, which saw the first one's mark, must not succeed without a mark.
func TestConcurrentSets(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t)
		f.apply(t, sessions.Event{Type: sessions.Start, AcctSessionID: "a"})
		f.journal.Hold(true)
		commit := func() chan error {
			done := make(chan error, 1)
			set, err := f.tree.Test([]mib.Varbind{assign(1, 1)})
			if err != nil {
				t.Fatal(err)
			}
			go func() { done <- set.Commit() }()
			synctest.Wait()
			return done
		}
		first := commit()
		time.Sleep(300 * time.Millisecond)
		second := commit()
		time.Sleep(500 * time.Millisecond) // the first gives up at 700 ms
		f.journal.Hold(false)
		err1, err2 := <-first, <-second
		synctest.Wait()
		v := f.table.View()
		if err1 == nil || err2 != nil || v.Get(1).State != sessions.Terminating || v.Disconnected != 1 {
			t.Errorf("first: %v, second: %v, state %s, counted %d", err1, err2, v.Get(1).State, v.Disconnected)
		}
	})
}

// TestSetIsLogged: each session that a SET ends has a log line with requester, address, user and
// NAS. A failed SET has none, and an undone one has a second line.
func TestSetIsLogged(t *testing.T) {
	f := newFixture(t)
	var log bytes.Buffer
	cfg := Config{Disconnect: func() bool { return true }, ClientName: func(netip.Addr) string { return "lab" }, Logger: slog.New(slog.NewTextHandler(&log, nil))}
	var err error
	if f.tree, err = mib.New(New(cfg, f.table, f.term)); err != nil {
		t.Fatal(err)
	}
	for _, sid := range []string{"a", "b"} {
		f.apply(t, sessions.Event{Type: sessions.Start, AcctSessionID: sid, Attrs: radius.Attributes(radius.AppendAttribute(nil, radius.UserName, "user-"+sid))})
	}
	by := mib.Requester{Name: "noc", Address: "192.0.2.9:50000"}
	lines := func() []string {
		text := strings.TrimSpace(log.String())
		log.Reset()
		if text == "" {
			return nil
		}
		var out []string
		for _, line := range strings.Split(text, "\n") {
			_, line, _ = strings.Cut(line, "msg=")
			out = append(out, line)
		}
		return out
	}
	if _, err := f.tree.TestBy(by, []mib.Varbind{assign(9, 1)}); err == nil {
		t.Fatal("a row that is not there was set")
	}
	if got := lines(); got != nil {
		t.Errorf("a SET that failed: %q", got)
	}
	set, err := f.tree.TestBy(by, []mib.Varbind{assign(2, 1), assign(1, 2)})
	if err != nil {
		t.Fatal(err)
	}
	if err := set.Commit(); err != nil {
		t.Fatal(err)
	}
	const who = ` by=noc from=192.0.2.9:50000 session=00000002 user=user-b nas=`
	if got, want := lines(), []string{`"disconnect by SNMP"` + who + testNAS.String() + " client=lab"}; !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
	if err := set.Undo(); err != nil {
		t.Fatal(err)
	}
	if got, want := lines(), []string{`"disconnect by SNMP undone"` + who + testNAS.String() + " client=lab"}; !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
}

// TestSetOfOneRowManyTimes: a SET that names one row again and again marks it once, with one log
// line.
func TestSetOfOneRowManyTimes(t *testing.T) {
	f := newFixture(t)
	var log bytes.Buffer
	cfg := Config{Disconnect: func() bool { return true }, Logger: slog.New(slog.NewTextHandler(&log, nil))}
	var err error
	if f.tree, err = mib.New(New(cfg, f.table, f.term)); err != nil {
		t.Fatal(err)
	}
	for _, sid := range []string{"a", "b"} {
		f.apply(t, sessions.Event{Type: sessions.Start, AcctSessionID: sid})
	}
	vbs := slices.Repeat([]mib.Varbind{assign(2, 1)}, 2400)
	set, err := f.tree.Test(append(vbs, assign(1, 1), assign(2, 1)))
	if err == nil {
		err = set.Commit()
	}
	if err != nil {
		t.Fatal(err)
	}
	set.Cleanup()
	if v := f.table.View(); v.Disconnected != 2 || v.Get(1).State != sessions.Terminating || v.Get(2).State != sessions.Terminating {
		t.Errorf("%d sessions are counted, the states are %s and %s", v.Disconnected, v.Get(1).State, v.Get(2).State)
	}
	if n := strings.Count(log.String(), "disconnect by SNMP"); n != 2 {
		t.Errorf("%d log lines, want 2", n)
	}
	for _, vbs := range [][]mib.Varbind{{assign(1, 2)}, {assign(1, 1), assign(1, 1), assign(1, 2)}} {
		if _, err := f.tree.Test(vbs); err == nil {
			t.Errorf("%v was accepted", vbs)
		}
	}
}

// TestUndoWaitsForTheStore: an undo returns when readers see its effect. If the store hangs it
// fails within the master's second, and the marks disappear when the store is back.
func TestUndoWaitsForTheStore(t *testing.T) {
	tests := []struct {
		name   string
		hangs  time.Duration
		after  time.Duration
		failed bool
	}{
		{"at once", 0, 0, false},
		{"a slow store", 300 * time.Millisecond, 300 * time.Millisecond, false},
		{"a store that hangs", time.Minute, durableWait, true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f := newFixture(t)
				var log bytes.Buffer
				cfg := Config{Disconnect: func() bool { return true }, Logger: slog.New(slog.NewTextHandler(&log, nil))}
				var err error
				if f.tree, err = mib.New(New(cfg, f.table, f.term)); err != nil {
					t.Fatal(err)
				}
				f.apply(t, sessions.Event{Type: sessions.Start, AcctSessionID: "a"})
				set, err := f.tree.Test([]mib.Varbind{assign(1, 1)})
				if err == nil {
					err = set.Commit()
				}
				if err != nil {
					t.Fatal(err)
				}
				if tt.hangs > 0 {
					f.journal.Hold(true)
					time.AfterFunc(tt.hangs, func() { f.journal.Hold(false) })
				}
				begin := time.Now()
				err = set.Undo()
				if d := time.Since(begin); d != tt.after {
					t.Errorf("returned after %s, want %s", d, tt.after)
				}
				se, _ := errors.AsType[*mib.SetError](err)
				if tt.failed != (se != nil && se.Status == mib.UndoFailed && se.Index == 1 && errors.Is(err, errUndoNotDurable)) {
					t.Errorf("error %v", err)
				}
				if v := f.table.View(); !tt.failed && (v.Get(1).State != sessions.Active || v.Disconnected != 0) {
					t.Errorf("undone, and readers see %s, %d disconnected", v.Get(1).State, v.Disconnected)
				}
				want := "disconnect by SNMP undone\""
				if tt.failed {
					want = "level=WARN msg=\"disconnect by SNMP: undo not confirmed\""
				}
				if strings.Count(log.String(), want) != 1 {
					t.Errorf("log:\n%s\nwant one %s", &log, want)
				}
				time.Sleep(tt.hangs)
				synctest.Wait()
				if v := f.table.View(); v.Get(1).State != sessions.Active || v.Disconnected != 0 {
					t.Errorf("in the end the session is %s, %d disconnected", v.Get(1).State, v.Disconnected)
				}
			})
		})
	}
}

// TestFailedCommitTellsOfItsUndo: a commit that fails because of the store says when its marks are
// removed, in time for the UndoSet that follows.
func TestFailedCommitTellsOfItsUndo(t *testing.T) {
	for _, tt := range []struct {
		name  string
		hangs time.Duration
		want  error
	}{{"removed in time", time.Second, nil}, {"removed too late", time.Minute, errUndoNotDurable}} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f := newFixture(t)
				f.apply(t, sessions.Event{Type: sessions.Start, AcctSessionID: "a"})
				set, err := f.tree.Test([]mib.Varbind{assign(1, 1)})
				if err != nil {
					t.Fatal(err)
				}
				f.journal.Hold(true)
				time.AfterFunc(tt.hangs, func() { f.journal.Hold(false) })
				se, _ := errors.AsType[*mib.SetError](set.Commit())
				if se == nil || se.Status != mib.CommitFailed || se.Undoing == nil {
					t.Fatalf("got %+v", se)
				}
				begin := time.Now()
				if err := <-se.Undoing; !errors.Is(err, tt.want) {
					t.Errorf("undo: %v, want %v", err, tt.want)
				}
				if d := time.Since(begin); d > durableWait {
					t.Errorf("told after %s", d)
				}
				time.Sleep(tt.hangs)
			})
		})
	}
}

// TestLateSet: the store saves a mark after the caller has stopped waiting and was told that the SET
// failed. The mark disappears, and the NAS is never asked.
func TestLateSet(t *testing.T) {
	for _, hangs := range []time.Duration{650 * time.Millisecond, 750 * time.Millisecond, time.Minute} {
		t.Run(hangs.String(), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f := newFixture(t)
				nas := &askedNAS{}
				end := f.runTerminator(t, nas)
				f.apply(t, sessions.Event{Type: sessions.Start, AcctSessionID: "a"})
				set, err := f.tree.Test([]mib.Varbind{assign(1, 1)})
				if err != nil {
					t.Fatal(err)
				}
				f.journal.Hold(true)
				time.AfterFunc(hangs, func() { f.journal.Hold(false) })
				if se, _ := errors.AsType[*mib.SetError](set.CommitWithin(600 * time.Millisecond)); se == nil || se.Status != mib.CommitFailed || se.Undoing == nil {
					t.Fatalf("got %+v", se)
				}
				time.Sleep(2 * time.Minute)
				if v := f.table.View(); v.Get(1).State != sessions.Active || v.Disconnected != 0 {
					t.Errorf("in the end the session is %s, %d disconnected", v.Get(1).State, v.Disconnected)
				}
				end()
				if len(nas.asked) > 0 {
					t.Errorf("the NAS was asked to end %v", nas.asked)
				}
			})
		})
	}
}
