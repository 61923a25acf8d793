package sessions_test

import (
	"testing"

	"aaasess/sessions"
)

// TestLinkCurrent: before a session with an interface ends without a report, or is told again, the
// counters of the interface are read.
func TestLinkCurrent(t *testing.T) {
	for name, do := range map[string]func(f *fixture, done func(error)) error{
		"cleared": func(f *fixture, done func(error)) error { return f.Clear([]sessions.ID{1}, done) },
		"ended":   func(f *fixture, done func(error)) error { return f.End(1, sessions.CauseLostCarrier, f.now, done) },
		"stale": func(f *fixture, done func(error)) error {
			_, err := f.EndStale([]sessions.StaleSession{{ID: 1, Heard: f.View().Get(1).Silence.Heard}}, done)
			return err
		},
		"resync": func(f *fixture, done func(error)) error {
			return f.Resync(&sessions.Resync{
				Method: "local", From: 1, Before: f.Clock() + 1, Rows: 1, Notices: 1,
				Type:  func(*sessions.Session) sessions.EventType { return sessions.Interim },
				State: func(sessions.ID) sessions.Put { return sessions.Put{Key: []byte("resync")} },
			}, done)
		},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFixture(t, sessions.Config{})
			f.send(t, sessions.Start, "a", 0, onLink(7, sessions.Traffic{100, 200, 1, 2}))
			f.SetRefresher(func() { refresh(f.Table, sample(7, 1100, 700)) })
			done := make(chan error, 1)
			if err := do(f, func(err error) { done <- err }); err != nil {
				t.Fatal(err)
			}
			if err := <-done; err != nil {
				t.Fatal(err)
			}
			notices := f.journal.Notices()
			if len(notices) != 2 {
				t.Fatalf("%d notices", len(notices))
			}
			wantUsed(t, "in the notice", notices[1].Session, 1000, 500)
			check(t, f.Table)
		})
	}
}
