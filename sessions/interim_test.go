package sessions_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"aaasess/sessions"
	"aaasess/sessions/sessionstest"
)

// interim makes an interim of session 1 that needs a minute of silence. It returns its notice, nil
// if there is none.
func (w *world) interim() *sessions.Notice {
	w.t.Helper()
	before, n := len(w.journal.Notices()), 0
	sessionstest.Await(w.t, func(done func(error)) (err error) {
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
				w.sleep(time.Minute)
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
	if s := w.View().Get(1); w.Clock().Sub(s.LastEvent) != 2*time.Minute || s.Told() != w.Clock() {
		t.Errorf("%+v", s)
	}
}

// TestStopAfterInterims: a stop that we make is not older than our interims and tells no shorter
// time, however the session ends, and also after a restart. What is known of the NAS does not change.
func TestStopAfterInterims(t *testing.T) {
	told := 10 * time.Minute
	clear1 := func(w *world) { w.clear(1) }
	tests := []struct {
		name string
		end  script
		want time.Duration
	}{
		{"aaasess clear session", script{clear1}, told},
		{"an Accounting-On", script{report{typ: on}}, told},
		{"an Accounting-Off with a delay", script{report{typ: off, delay: 30}}, told},
		{"an Accounting-On of many sessions, and a late packet of one", script{
			func(w *world) { w.beginSessions(100) }, time.Second, report{typ: on}, report{typ: interim, time: 1, delay: 700},
		}, told},
		{"another session of its name", script{report{typ: start, connectInfo: "another"}}, told},
		{"an end at an earlier moment", script{
			func(w *world) { w.disconnect(1); w.ack(1) },
			func(w *world) {
				sessionstest.Await(t, func(done func(error)) error { return w.End(1, 6, w.wall.Add(-time.Hour), done) })
			},
		}, told},
		{"an end at a later moment", script{func(w *world) { w.disconnect(1); w.endAsAdmin(1) }}, told + 5*time.Minute},
		{"a second start after the interim", script{report{typ: start, addr: "10.0.0.1", stamp: 0}, clear1}, told + 5*time.Minute},
		{"it came back, and ends again", script{clear1, report{typ: interim, time: 61, delay: 700}, clear1}, told},
	}
	for _, tt := range tests {
		for _, restarts := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s, restarts %t", tt.name, restarts), func(t *testing.T) {
				w := newWorld(t)
				again := func() {
					if restarts {
						w.restart()
					}
				}
				w.send(report{typ: start, stamp: 0})
				w.sleep(told)
				at := w.wall
				if w.interim() == nil {
					t.Fatal("no interim")
				}
				again()
				w.sleep(5 * time.Minute)
				for _, step := range tt.end {
					w.play(script{step})
					again()
				}
				var last sessions.Notice
				for _, n := range w.journal.Notices() {
					if n.Session.ID == 1 && n.Type == stop {
						last = n
					}
				}
				if last.Lasted != tt.want || !last.At.Equal(at.Add(tt.want-told)) {
					t.Errorf("the stop is at %v and tells %v, want %v", last.At, last.Lasted, tt.want)
				}
			})
		}
	}
}

// TestNewSessionWithinInterims: whether a late packet belongs to an ended session is decided by what
// the NAS has sent, not by how far our interims have told.
func TestNewSessionWithinInterims(t *testing.T) {
	interims := func(w *world) { w.interim() }
	runScenarios(t, []scenario{
		{"a start that was lost, of the next session of that name", script{
			report{typ: start}, 10 * time.Minute, interims, 5 * time.Minute, report{typ: on, delay: 420}, report{typ: start, delay: 400},
		}, []string{"Start 1", "Interim-Update 1", "Stop 1 cause 11", "Start 2"}, []sessions.ID{2}},
		{"a late interim from before the end does not bring it back", script{
			report{typ: start}, 10 * time.Minute, interims, 5 * time.Minute, report{typ: on}, report{typ: interim, delay: 600},
		}, []string{"Start 1", "Interim-Update 1", "Stop 1 cause 11", "Interim-Update 1"}, nil},
	})
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
