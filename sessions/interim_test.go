package sessions_test

import (
	"errors"
	"testing"
	"time"

	"aaasess/sessions"
)

// interim makes an interim of session 1 that needs a minute of silence. It returns its notice, nil
// if there is none.
func (w *world) interim() *sessions.Notice {
	w.t.Helper()
	before, n := len(w.journal.Notices()), 0
	await(w.t, func(done func(error)) (err error) {
		n, err = w.MakeInterims([]sessions.DueInterim{{ID: 1 << 20}, {ID: 1, Quiet: time.Minute}}, done)
		return err
	})
	added := w.journal.Notices()[before:]
	if len(added) != n || n > 1 {
		w.t.Fatalf("%d records, %d notices", n, len(added))
	}
	if n == 0 {
		return nil
	}
	return &added[0]
}

// TestMakeInterims: which sessions get interims of ours.
func TestMakeInterims(t *testing.T) {
	tests := []struct {
		name   string
		events func(w *world)
		want   bool
	}{
		{"a start", func(w *world) { w.send(report{typ: start}) }, true},
		{"a start, and its copy", func(w *world) { w.send(report{typ: start}); w.send(report{typ: start}) }, true},
		{"a second start with the address", func(w *world) { w.send(report{typ: start}); w.send(report{typ: start, addr: "10.0.0.1"}) }, true},
		{"an interim of the NAS", func(w *world) { w.send(report{typ: start}); w.send(report{typ: interim, time: 1}) }, false},
		{"an interim of the NAS without a time", func(w *world) { w.send(report{typ: start}); w.send(report{typ: interim, octets: 1}) }, false},
		{"only an interim of the NAS", func(w *world) { w.send(report{typ: interim, time: 1}) }, false},
		{"a stop", func(w *world) { w.send(report{typ: start}); w.send(report{typ: stop, time: 1}) }, false},
		{"it is being ended", func(w *world) { w.send(report{typ: start}); w.disconnect(1) }, false},
		{"it came back", func(w *world) {
			w.send(report{typ: start})
			w.send(report{typ: stop, time: 1})
			w.send(report{typ: interim, time: 2})
		}, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			w := newWorld(t)
			tt.events(w)
			if n := w.interim(); n != nil {
				t.Errorf("an interim within a minute: %+v", n)
			}
			w.sleep(time.Minute)
			for _, when := range []string{"", "after a restart "} {
				n := w.interim()
				if (n != nil) != tt.want {
					t.Errorf("%s%+v", when, n)
				}
				if n != nil && (n.Type != interim || n.Attrs != "" || n.Session != w.View().Get(1) || n.Cause != 0) {
					t.Errorf("%s%+v", when, n)
				}
				w.restart()
			}
			if err := w.Invariants(); err != nil {
				t.Error(err)
			}
		})
	}
}

// The duration in an interim comes from the table's clock: a step of the host's clock does not
// change it. The record has the host's date.
func TestInterimDuration(t *testing.T) {
	w := newWorld(t)
	w.send(report{typ: start})
	w.sleep(time.Minute)
	w.step(-time.Hour)
	w.restart()
	w.sleep(time.Minute)
	if n := w.interim(); n == nil || n.Lasted != 2*time.Minute || !n.At.Equal(w.wall) {
		t.Errorf("%+v", n)
	}
	if s := w.View().Get(1); w.Clock().Sub(s.LastEvent) != 2*time.Minute {
		t.Error("the session has changed")
	}
}

// A session that an Accounting-On has ended gets none, even if its stop is not made yet.
func TestNoInterimBeforeStop(t *testing.T) {
	w := newWorld(t)
	w.beginSessions(100)
	w.sleep(time.Minute)
	if w.interim() == nil {
		t.Fatal("no interim")
	}
	w.send(report{typ: on})
	if n := w.interim(); n != nil || w.View().Len() != 100 {
		t.Errorf("%+v, %d rows", n, w.View().Len())
	}
}

// While the journal accepts nothing, no interims are made.
func TestNoInterimWhenRefused(t *testing.T) {
	w := newWorld(t)
	w.send(report{typ: start})
	w.sleep(time.Minute)
	full := errors.New("full")
	w.journal.Refuse(full)
	if n, err := w.MakeInterims([]sessions.DueInterim{{ID: 1}}, nil); n != 0 || !errors.Is(err, full) {
		t.Errorf("%d, %v", n, err)
	}
	w.journal.Refuse(nil)
	if w.interim() == nil {
		t.Error("none afterwards")
	}
}
