package sessions_test

import (
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"aaasess/internal/radius"
	"aaasess/sessions"
	"aaasess/sessions/sessionstest"
)

var nas1 = sessions.NAS{Addr: netip.MustParseAddr("192.0.2.1"), Identifier: "nas-1"}

// fixture is a table over a journal in memory.
type fixture struct {
	*sessions.Table
	journal *sessionstest.Journal
	now     time.Time
}

func newFixture(t testing.TB, cfg sessions.Config) *fixture {
	f := &fixture{journal: sessionstest.NewJournal(), now: time.Date(2001, 6, 27, 4, 45, 0, 0, time.UTC)}
	t.Cleanup(f.journal.Close)
	cfg.Now = func() time.Time { return f.now }
	f.Table = sessions.New(cfg, f.journal)
	return f
}

// restart returns a new table loaded from what is durable.
func (f *fixture) restart(t testing.TB) *sessions.Table {
	t.Helper()
	again := sessionstest.NewJournal()
	t.Cleanup(again.Close)
	table := sessions.New(sessions.Config{Now: func() time.Time { return f.now }}, again)
	if err := table.Load(f.journal.Load); err != nil {
		t.Fatal(err)
	}
	return table
}

// send applies an event that happened this many seconds after f.now, and waits until it could be
// answered.
func (f *fixture) send(t testing.TB, typ sessions.EventType, sid string, after int, more ...func(*sessions.Event)) {
	t.Helper()
	ev := sessions.Event{
		Type: typ, NAS: nas1, AcctSessionID: sid, Kind: sessions.Network, At: f.now.Add(time.Duration(after) * time.Second),
		Attrs: radius.Attributes(radius.AppendAttribute(radius.AppendAttribute(nil, radius.UserName, "user-"+sid), radius.AcctSessionID, sid)),
	}
	for _, m := range more {
		m(&ev)
	}
	sessionstest.Await(t, func(done func(error)) error { return f.Apply(ev, done) })
}

// accountingOn sends an Accounting-On of a NAS.
func (f *fixture) accountingOn(t testing.TB, nas sessions.NAS) {
	t.Helper()
	sessionstest.Await(t, func(done func(error)) error {
		return f.Apply(sessions.Event{Type: sessions.On, NAS: nas, At: f.now}, done)
	})
}

// waitForCommits waits until everything committed so far is durable.
func (f *fixture) waitForCommits(t testing.TB) {
	t.Helper()
	sessionstest.Await(t, func(done func(error)) error { f.journal.Commit(sessions.Change{}, done); return nil })
}

func ids(v *sessions.View) []sessions.ID {
	var out []sessions.ID
	for s := range v.All() {
		out = append(out, s.ID)
	}
	return out
}

func TestSessionLife(t *testing.T) {
	f := newFixture(t, sessions.Config{})
	f.send(t, sessions.Start, "a", 0)
	f.send(t, sessions.Start, "a", 0)
	f.send(t, sessions.Start, "b", 1)
	f.send(t, sessions.Interim, "a", 60)
	if got := ids(f.View()); !slices.Equal(got, []sessions.ID{1, 2}) {
		t.Fatalf("rows %v", got)
	}
	if s := f.View().Get(1); s.User() != "user-a" || s.ID.String() != "00000001" {
		t.Errorf("session %+v", s)
	}
	f.send(t, sessions.Stop, "a", 70)
	f.send(t, sessions.Stop, "a", 73)
	f.send(t, sessions.Interim, "a", 60)
	f.send(t, sessions.Stop, "never-started", 80)
	f.send(t, sessions.Interim, "not-started", 90)
	want := []string{"Start 1", "Start 2", "Interim-Update 1", "Stop 1", "Stop 3", "Interim-Update 4"}
	if diff := cmp.Diff(want, f.journal.Accounted()); diff != "" {
		t.Error(diff)
	}
	v := f.View()
	if got := ids(v); !slices.Equal(got, []sessions.ID{2, 4}) || v.Len() != 2 {
		t.Errorf("rows %v, length %d", got, v.Len())
	}
	if v.Counters != (sessions.Counters{HighWater: 2, Total: 4}) {
		t.Errorf("counters %+v", v.Counters)
	}
}

// TestLatestPuts: the counters, which every change sets, are a put with Latest, and no other key is.
func TestLatestPuts(t *testing.T) {
	f := newFixture(t, sessions.Config{})
	f.send(t, start, "a", 0)
	f.send(t, interim, "a", 1)
	f.send(t, stop, "a", 2)
	f.accountingOn(t, nas1)
	if got := f.journal.Latest(); !slices.Equal(got, []string{"c"}) {
		t.Errorf("keys %q", got)
	}
}

func TestNameReused(t *testing.T) {
	f := newFixture(t, sessions.Config{})
	f.send(t, sessions.Start, "a", 0)
	other := func(ev *sessions.Event) {
		ev.Attrs = radius.Attributes(radius.AppendAttribute(radius.AppendAttribute(nil, radius.UserName, "other"), radius.AcctSessionID, "a"))
	}
	f.send(t, sessions.Start, "a", 100, other)
	f.now = f.now.Add(time.Hour)
	f.send(t, sessions.Start, "a", 0)
	if diff := cmp.Diff([]string{"Start 1", "Start 2", "Stop 1 cause 2", "Start 3"}, f.journal.Accounted()); diff != "" {
		t.Error(diff)
	}
	f.send(t, sessions.Stop, "a", 200, other)
	if diff := cmp.Diff([]sessions.ID{3}, ids(f.View())); diff != "" {
		t.Error(diff)
	}
}

func TestSameNameAtTwoNASes(t *testing.T) {
	f := newFixture(t, sessions.Config{})
	f.send(t, sessions.Start, "a", 0)
	f.send(t, sessions.Start, "a", 0, func(ev *sessions.Event) { ev.NAS.Identifier = "nas-2" })
	if n := f.View().Len(); n != 2 {
		t.Errorf("%d rows, want 2", n)
	}
}

func TestInvalidEvents(t *testing.T) {
	f := newFixture(t, sessions.Config{})
	for _, ev := range []sessions.Event{
		{Type: sessions.Start, Kind: sessions.Network},
		{Type: 9, AcctSessionID: "x", Kind: sessions.Network},
		{Type: sessions.Start, AcctSessionID: "x"},
		{Type: sessions.Stop, AcctSessionID: "x", Kind: sessions.Command},
		{Type: sessions.Interim, AcctSessionID: "x", Kind: sessions.VRRS},
		{Type: sessions.Other, AcctSessionID: "x"},
	} {
		if err := f.Apply(ev, nil); !errors.Is(err, sessions.ErrEvent) {
			t.Errorf("%+v: %v", ev, err)
		}
	}
}

// TestJournalRefuses: a refused event changes nothing.
func TestJournalRefuses(t *testing.T) {
	f := newFixture(t, sessions.Config{})
	f.send(t, sessions.Start, "a", 0)
	full := errors.New("disk is full")
	f.journal.Refuse(full)
	ev := sessions.Event{Type: sessions.Start, NAS: nas1, AcctSessionID: "b", Kind: sessions.Network, Attrs: radius.Attributes(radius.AppendAttribute(nil, radius.AcctSessionID, "b"))}
	calls := map[string]func() error{
		"Apply":      func() error { return f.Apply(ev, nil) },
		"End":        func() error { return f.End(1, 6, f.now, nil) },
		"On":         func() error { return f.Apply(sessions.Event{Type: sessions.On, NAS: nas1, At: f.now}, nil) },
		"Disconnect": func() error { _, err := f.Disconnect([]sessions.ID{1}, nil); return err },
	}
	for name, call := range calls {
		if err := call(); !errors.Is(err, full) {
			t.Errorf("%s: %v", name, err)
		}
	}
	f.journal.Refuse(nil)
	f.send(t, sessions.Start, "c", 1)
	if diff := cmp.Diff([]string{"Start 1", "Start 2"}, f.journal.Accounted()); diff != "" {
		t.Error(diff)
	}
}

// TestDuplicateWaits: the answer to a copy waits until the original is durable.
func TestDuplicateWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t, sessions.Config{})
		f.journal.Hold(true)
		ev := sessions.Event{
			Type: sessions.Start, NAS: nas1, AcctSessionID: "a", Kind: sessions.Network, At: f.now,
			Attrs: radius.Attributes(radius.AppendAttribute(nil, radius.AcctSessionID, "a")),
		}
		var answered []string
		for _, name := range []string{"first", "copy"} {
			if err := f.Apply(ev, func(error) { answered = append(answered, name) }); err != nil {
				t.Fatal(err)
			}
		}
		synctest.Wait()
		if len(answered) != 0 || f.View().Len() != 0 {
			t.Errorf("answered %v and %d rows before it is durable", answered, f.View().Len())
		}
		f.journal.Hold(false)
		synctest.Wait()
		if diff := cmp.Diff([]string{"first", "copy"}, answered); diff != "" {
			t.Error(diff)
		}
		if len(f.journal.Accounted()) != 1 || f.View().Len() != 1 {
			t.Errorf("records %v, %d rows", f.journal.Accounted(), f.View().Len())
		}
	})
}

func TestRestart(t *testing.T) {
	f := newFixture(t, sessions.Config{})
	for i := range 10 {
		f.send(t, sessions.Start, fmt.Sprint(i), i)
	}
	f.send(t, sessions.Stop, "9", 100)
	if _, err := f.Disconnect([]sessions.ID{4}, nil); err != nil {
		t.Fatal(err)
	}
	f.send(t, sessions.Interim, "4", 50)
	before := f.View()
	again := f.restart(t)
	after := again.View()
	if diff := cmp.Diff(ids(before), ids(after)); diff != "" {
		t.Error(diff)
	}
	if before.Counters != after.Counters || before.Len() != after.Len() {
		t.Errorf("counters %+v became %+v", before.Counters, after.Counters)
	}
	if s := after.Get(4); s.State != sessions.Terminating {
		t.Errorf("session 4 is %s", s.State)
	}
	for s := range before.All() {
		if diff := cmp.Diff(s, after.Get(s.ID), cmp.Comparer(func(a, b netip.Addr) bool { return a == b }), cmpopts.IgnoreUnexported(sessions.Session{})); diff != "" {
			t.Error(diff)
		}
	}
	// The restarted table recognises late packets, and uses no id twice.
	g := &fixture{Table: again, now: f.now}
	g.send(t, sessions.Stop, "9", 100)
	g.send(t, sessions.Stop, "4", 120)
	g.send(t, sessions.Start, "new", 130)
	if got := again.View(); got.Get(11) == nil || got.Get(5) != nil || got.Get(10) != nil || got.Total != 11 {
		t.Errorf("rows %v, total %d", ids(got), got.Total)
	}
}

func TestLoadDamagedState(t *testing.T) {
	f := newFixture(t, sessions.Config{})
	err := f.Load(func(fn func(k, v []byte) error) error { return fn([]byte("s\x00\x00\x00\x01"), []byte{1, 2}) })
	if !errors.Is(err, sessions.ErrState) {
		t.Errorf("got %v", err)
	}
	if err := f.Load(func(fn func(k, v []byte) error) error { return fn([]byte("someone else's"), []byte{1, 2}) }); err != nil {
		t.Errorf("a key of another owner: %v", err)
	}
}
