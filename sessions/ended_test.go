package sessions_test

import (
	"encoding/binary"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"aaasess/sessions"
)

// TestEndedForgotten: ended sessions are forgotten after a time, or earlier if there are too many.
// Their keys are removed.
func TestEndedForgotten(t *testing.T) {
	f := newFixture(t, sessions.Config{Remember: time.Minute, RememberMax: 3})
	keys := func() (n int) {
		_ = f.journal.Load(func(k, _ []byte) error {
			if k[0] == 's' {
				n++
			}
			return nil
		})
		return n
	}
	for i := range 5 {
		f.send(t, sessions.Start, fmt.Sprint(i), 0)
		f.send(t, sessions.Stop, fmt.Sprint(i), 0)
	}
	if n := keys(); n != 3 {
		t.Errorf("%d sessions remembered, want 3", n)
	}
	f.now = f.now.Add(2 * time.Minute)
	f.send(t, sessions.Start, "x", 0)
	if n := keys(); n != 1 {
		t.Errorf("%d keys after a minute, want 1, of the live session", n)
	}
}

// TestNameEndsTwice: if two sessions had the same name, the time to remember it starts again with
// the second end.
func TestNameEndsTwice(t *testing.T) {
	f := newFixture(t, sessions.Config{Remember: time.Minute})
	began := f.now
	round := func(after time.Duration) {
		f.now = began.Add(after)
		f.send(t, sessions.Start, "a", 0)
		f.send(t, sessions.Stop, "a", 1)
	}
	round(0)
	round(50 * time.Second)
	f.now = began.Add(70 * time.Second)
	f.send(t, sessions.Start, "b", 0) // the first session is forgotten with this change
	f.send(t, sessions.Stop, "a", 0)
	if diff := cmp.Diff([]string{"Start 1", "Stop 1", "Start 2", "Stop 2", "Start 3"}, f.journal.Accounted()); diff != "" {
		t.Error(diff)
	}
}

const largest = 1<<32 - 1

// loadWithLastID returns a table loaded from a fixture's durable state, with another last id.
func loadWithLastID(t *testing.T, f *fixture, last uint64, cfg sessions.Config) *fixture {
	t.Helper()
	g := &fixture{journal: f.journal, now: f.now}
	cfg.Now = func() time.Time { return g.now }
	g.Table = sessions.New(cfg, f.journal)
	err := g.Load(func(fn func(k, v []byte) error) error {
		return f.journal.Load(func(k, v []byte) error {
			if string(k) == "c" {
				v = append(binary.AppendUvarint([]byte{1}, last), 1, 1, 0)
			}
			return fn(k, v)
		})
	})
	if err != nil {
		t.Fatal(err)
	}
	return g
}

// TestIDsWrap: after the largest id the search for a free one continues at 1.
func TestIDsWrap(t *testing.T) {
	f := newFixture(t, sessions.Config{})
	f.send(t, sessions.Start, "one", 0)
	g := loadWithLastID(t, f, largest, sessions.Config{})
	g.send(t, sessions.Start, "two", 0)
	if diff := cmp.Diff([]sessions.ID{1, 2}, ids(g.View())); diff != "" {
		t.Error(diff)
	}
}

// TestLargestID: walks through the rows stop after the largest id.
func TestLargestID(t *testing.T) {
	f := newFixture(t, sessions.Config{})
	f.send(t, sessions.Start, "one", 0)
	g := loadWithLastID(t, f, largest-1, sessions.Config{})
	g.send(t, sessions.Start, "elsewhere", 0, func(ev *sessions.Event) { ev.NAS.Identifier = "nas-2" })
	if diff := cmp.Diff([]sessions.ID{1, largest}, ids(g.View())); diff != "" {
		t.Error(diff)
	}
	g.now = g.now.Add(time.Second)
	g.accountingOn(t, nas1)
	if diff := cmp.Diff([]sessions.ID{largest}, ids(g.View())); diff != "" {
		t.Error(diff)
	}
}

// TestIDOfEndedNotReused: the id of an ended session is free when the session is forgotten.
func TestIDOfEndedNotReused(t *testing.T) {
	f := newFixture(t, sessions.Config{})
	f.send(t, sessions.Start, "old", 0)
	f.send(t, sessions.Stop, "old", 1)
	g := loadWithLastID(t, f, largest, sessions.Config{Remember: time.Minute})
	g.send(t, sessions.Start, "new", 2)
	g.now = g.now.Add(2 * time.Minute)
	g.send(t, sessions.Interim, "new", 0) // the old session is forgotten with this change
	again := loadWithLastID(t, g, largest, sessions.Config{})
	again.send(t, sessions.Start, "other", 0)
	if diff := cmp.Diff([]string{"Start 1", "Stop 1", "Start 2", "Interim-Update 2", "Start 1"}, again.journal.Accounted()); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]sessions.ID{1, 2}, ids(again.View())); diff != "" {
		t.Error(diff)
	}
}
