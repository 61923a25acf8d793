package sessions_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"aaasess/sessions"
	"aaasess/sessions/sessionstest"
)

const execKind = sessions.Exec

// nest turns nested accounting on or off, as a reload does.
func nest(on bool) func(*world) {
	return func(w *world) {
		w.nested = on
		w.SetNested(on)
	}
}

func overdue(w *world) { w.ReleaseOverdue(w.t.Context()) }

// TestNested: S1 "nesting" and R50.
func TestNested(t *testing.T) {
	login := report{typ: start, kind: execKind, sid: "e", port: 1, portID: "tty1"}
	logout := report{typ: stop, kind: execKind, sid: "e", port: 1, portID: "tty1", time: 90}
	dial := report{typ: start, sid: "n", port: 1, portID: "Async1"}
	hangUp := report{typ: stop, sid: "n", port: 1, time: 60, octets: 9}
	runScenarios(t, []scenario{
		{"off: EXEC-start, NETWORK-start, EXEC-stop, NETWORK-stop", script{
			login, sec, dial, sec, logout, sec, hangUp,
		}, []string{"Start 1", "Start 2", "Stop 1", "Stop 2 9"}, nil},
		{"EXEC-start, NETWORK-start, NETWORK-stop, EXEC-stop", script{
			nest(true), login, sec, dial, sec, logout, sec, hangUp,
		}, []string{"Start 1", "Start 2", "Stop 2 9", "Stop 1"}, nil},
		{"the stops come in this order", script{
			nest(true), login, sec, dial, sec, hangUp, sec, logout,
		}, []string{"Start 1", "Start 2", "Stop 2 9", "Stop 1"}, nil},
		{"the row of the exec session ends at once", script{
			nest(true), login, sec, dial, sec, logout,
		}, []string{"Start 1", "Start 2"}, []sessions.ID{2}},
		{"two network sessions: after the last", script{
			nest(true), login, sec, dial, report{typ: start, sid: "n2", port: 1}, sec, logout, sec, hangUp, sec, report{typ: stop, sid: "n2", time: 70},
		}, []string{"Start 1", "Start 2", "Start 3", "Stop 2 9", "Stop 3", "Stop 1"}, nil},
		{"copies of the stop that waits, and late packets", script{
			nest(true), login, sec, dial, sec, logout, logout,
			report{typ: interim, kind: execKind, sid: "e", time: 5},
			report{typ: stop, kind: execKind, sid: "e", time: 91, octets: 7},
			sec, hangUp,
		}, []string{"Start 1", "Start 2", "Interim-Update 1", "Stop 2 9", "Stop 1", "Stop 1 7"}, nil},
		{"many stops that differ", script{
			nest(true), login, sec, dial, sec, logout, func(w *world) {
				for i := range 6 {
					w.send(report{typ: stop, kind: execKind, sid: "e", time: 91 + i, octets: i})
				}
			}, sec, hangUp,
		}, []string{"Start 1", "Start 2", "Stop 2 9", "Stop 1", "Stop 1 0", "Stop 1 1", "Stop 1 2", "Stop 1 3", "Stop 1 4", "Stop 1 5"}, nil},
		{"a minute is not over", script{
			nest(true), login, sec, dial, sec, logout, 59 * sec, overdue,
		}, []string{"Start 1", "Start 2"}, []sessions.ID{2}},
		{"the network stop does not come for a minute", script{
			nest(true), login, sec, dial, sec, logout, 60 * sec, overdue, sec, hangUp,
		}, []string{"Start 1", "Start 2", "Stop 1", "Stop 2 9"}, nil},
		{"three wait, and the child of the second ends", script{
			nest(true),
			report{typ: start, kind: execKind, sid: "e1", port: 1},
			report{typ: start, sid: "n1", port: 1},
			report{typ: start, kind: execKind, sid: "e2", port: 2},
			report{typ: start, sid: "n2", port: 2},
			report{typ: start, kind: execKind, sid: "e3", port: 3},
			report{typ: start, sid: "n3", port: 3},
			report{typ: stop, kind: execKind, sid: "e1", time: 1},
			sec,
			report{typ: stop, kind: execKind, sid: "e2", time: 2},
			sec,
			report{typ: stop, kind: execKind, sid: "e3", time: 3},
			sec,
			report{typ: stop, sid: "n2", time: 3},
			57 * sec, overdue, sec, overdue, sec, overdue,
		}, []string{"Start 1", "Start 2", "Start 3", "Start 4", "Start 5", "Start 6", "Stop 4", "Stop 3", "Stop 1", "Stop 5"}, []sessions.ID{2, 6}},
		{"an Accounting-On", script{
			nest(true), login, sec, dial, sec, report{typ: on},
		}, []string{"Start 1", "Start 2", "Stop 2 cause 11", "Stop 1 cause 11"}, nil},
		{"an Accounting-On while it waits", script{
			nest(true), login, sec, dial, sec, logout, sec, report{typ: on},
		}, []string{"Start 1", "Start 2", "Stop 2 cause 11", "Stop 1"}, nil},
		{"aaasess clear session", script{
			nest(true), login, sec, dial, sec, func(w *world) { w.clear(1) }, sec, func(w *world) { w.clear(2) },
		}, []string{"Start 1", "Start 2", "Stop 2 cause 6", "Stop 1 cause 6"}, nil},
		{"the next network session of that name", script{
			nest(true), login, sec, report{typ: start, sid: "n", port: 1, connectInfo: "one"}, sec, logout, sec, report{typ: start, sid: "n", port: 1, connectInfo: "two"},
		}, []string{"Start 1", "Start 2", "Stop 2 cause 2", "Stop 1", "Start 3"}, []sessions.ID{3}},
		{"the exec session comes back and ends again", script{
			nest(true), login, sec, dial, sec, logout, sec,
			report{typ: interim, kind: execKind, sid: "e", time: 120},
			sec,
			report{typ: stop, kind: execKind, sid: "e", time: 130},
			sec, hangUp,
		}, []string{"Start 1", "Start 2", "Stop 1", "Interim-Update 1", "Stop 2 9", "Stop 1"}, nil},
		{"the network session comes back", script{
			nest(true), login, sec, dial, sec, hangUp, sec, report{typ: interim, sid: "n", time: 70}, sec, logout, sec, report{typ: stop, sid: "n", time: 80},
		}, []string{"Start 1", "Start 2", "Stop 2 9", "Interim-Update 2", "Stop 2", "Stop 1"}, nil},
		{"a reload turns it off: what has begun stays nested", script{
			nest(true), login, sec, dial, nest(false), report{typ: start, sid: "m", port: 1}, sec, logout, sec, hangUp,
		}, []string{"Start 1", "Start 2", "Start 3", "Stop 2 9", "Stop 1"}, []sessions.ID{3}},
		{"a reload turns it on: the exec session had begun before", script{
			login, nest(true), sec, dial, sec, logout, sec, hangUp,
		}, []string{"Start 1", "Start 2", "Stop 2 9", "Stop 1"}, nil},
	})
}

// TestParent: which exec session is the parent.
func TestParent(t *testing.T) {
	login := func(r report) report { r.typ, r.kind, r.sid = start, execKind, "e"+r.sid; return r }
	tests := []struct {
		name   string
		before script
		dial   report
		want   sessions.ID
	}{
		{"the same NAS-Port", script{login(report{port: 1})}, report{port: 1}, 1},
		{"the same NAS-Port-Id, without NAS-Port", script{login(report{portID: "tty1"})}, report{portID: "tty1"}, 1},
		{"the same NAS-Port, another NAS-Port-Id", script{login(report{port: 1, portID: "tty1"})}, report{port: 1, portID: "Async1"}, 1},
		{"the same NAS-Port-Id, another NAS-Port", script{login(report{port: 1, portID: "tty1"})}, report{port: 2, portID: "tty1"}, 1},
		{"no port", script{login(report{})}, report{}, 0},
		{"only one has a port", script{login(report{port: 1})}, report{portID: "tty1"}, 0},
		{"another port", script{login(report{port: 1})}, report{port: 2}, 0},
		{"a NAS-Port-Id with the octets of a NAS-Port", script{login(report{port: 0x61616161})}, report{portID: "aaaa"}, 0},
		{"another user", script{login(report{port: 1, user: "bob"})}, report{port: 1}, 0},
		{"no user", script{login(report{port: 1, user: "-"})}, report{port: 1, user: "-"}, 0},
		{"another NAS", script{login(report{port: 1, id: "nas-2"})}, report{port: 1}, 0},
		{"the NAS has another address now", script{login(report{port: 1})}, report{port: 1, from: "192.0.2.9"}, 1},
		{"another client", script{login(report{port: 1, from: "198.51.100.1"})}, report{port: 1}, 0},
		{"a network session", script{report{typ: start, sid: "e", port: 1}}, report{port: 1}, 0},
		{"it has ended", script{login(report{port: 1}), sec, report{typ: stop, kind: execKind, sid: "e", time: 1}}, report{port: 1}, 0},
		{"several: the newest", script{
			login(report{sid: "1", port: 1}), sec, login(report{sid: "2", port: 1}), sec, login(report{sid: "3", port: 2}),
		}, report{port: 1}, 2},
		{"it has moved to this port", script{login(report{port: 2}), sec, report{typ: interim, kind: execKind, sid: "e", port: 1, time: 1}}, report{port: 1}, 1},
		{"it has moved from this port", script{login(report{port: 1}), sec, report{typ: interim, kind: execKind, sid: "e", port: 2, time: 1}}, report{port: 1}, 0},
		{"an Accounting-On has ended it, but its stop is not made yet", script{
			login(report{port: 1}), func(w *world) { w.beginSessions(100) }, sec, report{typ: on},
		}, report{port: 1}, 0},
	}
	for _, tt := range tests {
		for _, typ := range []sessions.EventType{start, interim, stop} {
			t.Run(fmt.Sprint(tt.name, ", ", typ), func(t *testing.T) {
				w := newWorld(t)
				nest(true)(w)
				w.play(tt.before)
				w.restart()
				w.sleep(sec)
				r := tt.dial
				r.typ, r.sid = typ, "n"
				w.send(r)
				notices := w.journal.Notices()
				if got := notices[len(notices)-1].Session.Parent(); got != tt.want {
					t.Errorf("the parent is session %d, want %d", got, tt.want)
				}
				if err := w.Invariants(); err != nil {
					t.Error(err)
				}
			})
		}
	}
}

// TestNestedWithoutRecords: a session that is not recorded is neither parent nor child: nothing would
// be in order.
func TestNestedWithoutRecords(t *testing.T) {
	for _, unrecorded := range []sessions.Kind{execKind, sessions.Network} {
		w := newWorld(t)
		w.journal.RouteBy(func(s *sessions.Session) string {
			if s.Kind == unrecorded {
				return ""
			}
			return "somewhere"
		})
		nest(true)(w)
		w.send(report{typ: start, kind: execKind, sid: "e", port: 1})
		w.send(report{typ: start, sid: "n", port: 1})
		if s := w.View().Get(2); s.Parent() != 0 {
			t.Errorf("no records of %s sessions, but its parent is %d", unrecorded, s.Parent())
		}
	}
}

// TestWaitingStopIsWhole: after a restart the stops that waited are as they were. Their method runs as
// long as they wait.
func TestWaitingStopIsWhole(t *testing.T) {
	play := func(nested, restarts bool) []sessions.Notice {
		w := newWorld(t)
		nest(nested)(w)
		w.play(script{
			report{typ: start, kind: execKind, sid: "e", port: 1, class: "gold", ip: "10.0.0.1"},
			sec,
			report{typ: start, sid: "n", port: 1},
			sec,
			report{typ: stop, kind: execKind, sid: "e", port: 1, time: 2, octets: 1 << 33, cause: 1, stamp: 2, ip: "10.0.0.1"},
			sec,
			report{typ: stop, kind: execKind, sid: "e", port: 1, time: 3, stamp: 3, ip: "10.0.0.1"},
			sec,
		})
		if got := w.Routes(); nested && !slices.Equal(got, []string{"route 1", "route 2"}) {
			t.Errorf("routes %q", got)
		}
		if restarts {
			w.restart()
		}
		w.send(report{typ: stop, sid: "n", port: 1, time: 3})
		if got := w.Routes(); len(got) != 0 {
			t.Errorf("then routes %q", got)
		}
		return slices.DeleteFunc(w.journal.Notices(), func(n sessions.Notice) bool { return n.Type != stop || n.Session.ID != 1 })
	}
	want := play(false, false)
	for _, restarts := range []bool{false, true} {
		stops := play(true, restarts)
		if len(stops) != 2 || len(want) != 2 {
			t.Fatalf("%d stops, want %d", len(stops), len(want))
		}
		for i, got := range stops {
			g, s := got.Session, want[i].Session
			same := got.At.Equal(want[i].At) && got.Attrs == want[i].Attrs && got.Cause == want[i].Cause && got.Lasted == want[i].Lasted &&
				got.AfterEnd == want[i].AfterEnd && g.Attrs == s.Attrs && *g.NAS == *s.NAS && g.Usage == s.Usage && g.Counted == s.Counted &&
				g.Kind == s.Kind && g.StartSeen && g.Stopped && g.Started == s.Started && g.Route.String() == s.Route.String()
			if !same {
				t.Errorf("restarts %t: %+v %+v, want %+v %+v", restarts, got, g, want[i], s)
			}
		}
	}
}

// TestNumberOfParent: while a child of an exec session lives, no other session gets the number of that
// exec session, even if it was forgotten.
func TestNumberOfParent(t *testing.T) {
	w := newWorld(t)
	nest(true)(w)
	w.play(script{
		report{typ: start, kind: execKind, sid: "e", port: 1},
		sec,
		report{typ: start, sid: "n", port: 1},
		sec,
		report{typ: stop, kind: execKind, sid: "e", time: 2},
		24 * time.Hour, overdue,
		report{typ: interim, sid: "n", time: 99},
		func(w *world) { w.SetLastID(1<<32 - 1) },
		report{typ: start, kind: execKind, sid: "other", user: "bob"},
	})
	if diff := cmp.Diff([]sessions.ID{2, 3}, w.rows()); diff != "" {
		t.Error(diff)
	}
	if err := w.Invariants(); err != nil {
		t.Error(err)
	}
}

// TestRunReleasesStops: Run records a stop that has waited for a minute, also after a restart, and
// when the journal accepts changes again.
func TestRunReleasesStops(t *testing.T) {
	for name, tt := range map[string]struct {
		meanwhile func(f *fixture, restart func())
		after     time.Duration
	}{
		"a minute":  {func(*fixture, func()) {}, time.Minute},
		"a restart": {func(_ *fixture, restart func()) { time.Sleep(20 * sec); restart() }, time.Minute},
		"the journal refuses it": {func(f *fixture, _ func()) {
			f.journal.Refuse(errors.New("full"))
			time.Sleep(70*sec + sec/2)
			f.journal.Refuse(nil)
		}, 71 * sec},
		"a restart after a minute": {func(f *fixture, restart func()) {
			f.journal.Refuse(errors.New("full"))
			time.Sleep(90 * sec)
			restart()
			f.journal.Refuse(nil)
		}, 91 * sec},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f := &fixture{journal: sessionstest.NewJournal(), now: time.Now()}
				defer f.journal.Close()
				f.journal.RouteBy(func(*sessions.Session) string { return "somewhere" })
				var stopRun func()
				run := func() {
					f.Table = sessions.New(sessions.Config{}, f.journal)
					f.SetNested(true)
					if err := f.Load(f.journal.Load); err != nil {
						t.Fatal(err)
					}
					ctx, cancel := context.WithCancel(t.Context())
					ended := make(chan error)
					go func() { ended <- f.Run(ctx) }()
					stopRun = func() { cancel(); <-ended }
					synctest.Wait() // Run waits
				}
				run()
				for _, r := range []report{{typ: start, kind: execKind, sid: "e", port: 1}, {typ: start, sid: "n", port: 1}, {typ: stop, kind: execKind, sid: "e", time: 1}} {
					sessionstest.Await(t, func(done func(error)) error { return f.Apply(r.event(time.Now()), done) })
				}
				began := time.Now()
				tt.meanwhile(f, func() { stopRun(); run() })
				time.Sleep(time.Until(began.Add(tt.after - time.Millisecond)))
				synctest.Wait()
				want := []string{"Start 1", "Start 2"}
				if diff := cmp.Diff(want, f.journal.Accounted()); diff != "" {
					t.Error("too early:", diff)
				}
				time.Sleep(2 * time.Millisecond)
				synctest.Wait()
				if diff := cmp.Diff(append(want, "Stop 1"), f.journal.Accounted()); diff != "" {
					t.Error(diff)
				}
				stopRun()
			})
		})
	}
}

// TestNestedInBackground: an Accounting-On of a NAS with many sessions ends them in order of their
// numbers, but the stop of a parent still follows that of its child.
func TestNestedInBackground(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &fixture{journal: sessionstest.NewJournal(), now: time.Now()}
		defer f.journal.Close()
		f.journal.RouteBy(func(*sessions.Session) string { return "somewhere" })
		f.Table = sessions.New(sessions.Config{}, f.journal)
		f.SetNested(true)
		send := func(r report) {
			t.Helper()
			sessionstest.Await(t, func(done func(error)) error { return f.Apply(r.event(time.Now()), done) })
		}
		send(report{typ: start, kind: execKind, sid: "e", port: 1})
		for i := range 300 { // several chunks
			send(report{typ: start, sid: fmt.Sprint("other", i), user: "bob"})
		}
		send(report{typ: start, sid: "n", port: 1})
		time.Sleep(sec)
		send(report{typ: on})
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error)
		go func() { ended <- f.Run(ctx) }()
		synctest.Wait()
		all := f.journal.Accounted()
		if len(all) != 604 || all[602] != "Stop 302 cause 11" || all[603] != "Stop 1 cause 11" {
			t.Errorf("%d records, %q ...", len(all), all[max(0, len(all)-3):])
		}
		if err := f.Invariants(); err != nil {
			t.Error(err)
		}
		cancel()
		<-ended
	})
}

// TestRandomNesting: whatever the NAS, operators and restarts do within a minute, the stop of an exec
// session is not recorded before those of its network sessions, and none is lost.
func TestRandomNesting(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		w := newWorld(t)
		nest(true)(w)
		var live, gone []report
		number := 0
		send := func(r report, typ sessions.EventType) {
			r.typ = typ
			if typ != start {
				number++
				r.time = number
			}
			w.send(r)
		}
		pick := func(rt *rapid.T, from []report) int {
			if len(from) == 0 {
				rt.Skip("none")
			}
			return rapid.IntRange(0, len(from)-1).Draw(rt, "session")
		}
		end := func(i int) {
			r := live[i]
			live = slices.Delete(live, i, i+1)
			number++
			r.typ, r.time = stop, number
			w.send(r)
			gone = append(gone, r)
		}
		began := w.elapsed
		rt.Repeat(map[string]func(*rapid.T){
			"start": func(rt *rapid.T) {
				number++
				r := report{
					sid: fmt.Sprint("s", number), kind: rapid.SampledFrom([]sessions.Kind{execKind, sessions.Network}).Draw(rt, "kind"),
					port: rapid.IntRange(1, 2).Draw(rt, "port"), user: rapid.SampledFrom([]string{"alice", "bob"}).Draw(rt, "user"),
				}
				send(r, start)
				live = append(live, r)
			},
			"interim": func(rt *rapid.T) { send(live[pick(rt, live)], interim) },
			"stop":    func(rt *rapid.T) { end(pick(rt, live)) },
			"again":   func(rt *rapid.T) { w.send(gone[pick(rt, gone)]) },
			"after its end": func(rt *rapid.T) {
				send(gone[pick(rt, gone)], rapid.SampledFrom([]sessions.EventType{interim, stop}).Draw(rt, "type"))
			},
			"time": func(*rapid.T) {
				if w.elapsed-began < 50*sec {
					w.sleep(sec)
				}
				overdue(w)
			},
			"the daemon restarts": func(*rapid.T) { w.restart() },
			"clear session": func(rt *rapid.T) {
				if rows := w.rows(); len(rows) > 0 {
					w.clear(rapid.SampledFrom(rows).Draw(rt, "row"))
				}
			},
			"Accounting-On": func(*rapid.T) { w.sleep(sec); w.send(report{typ: on}); live = nil },
			"": func(rt *rapid.T) {
				if err := w.Invariants(); err != nil {
					rt.Fatal(err)
				}
				checkNested(rt, w)
			},
		})
		w.sleep(sec)
		w.send(report{typ: on})
		checkNested(rt, w)
		stopped := map[sessions.ID]bool{}
		attrs := map[string]bool{}
		for _, n := range w.journal.Notices() {
			stopped[n.Session.ID] = stopped[n.Session.ID] || n.Type == stop
			attrs[string(n.Attrs)] = true
		}
		for id, ok := range stopped {
			if !ok {
				rt.Errorf("session %d has no stop: %q", id, w.accounted())
			}
		}
		for _, r := range gone {
			if !attrs[string(r.event(w.wall).Attrs)] {
				rt.Errorf("the stop %+v is in no record: %q", r, w.accounted())
			}
		}
	})
}

// checkNested: no stop of a parent is recorded between the start of a child and the child's stop, unless
// an interim of the parent follows that shows that it was alive. Such a stop is recorded before that
// interim.
func checkNested(rt *rapid.T, w *world) {
	living := map[sessions.ID]map[sessions.ID]bool{} // children by parent
	revived := map[sessions.ID]sessions.Stamp{}
	all := w.journal.Notices()
	for i, n := range all {
		s := n.Session
		if n.Type == stop && s.Revived() < revived[s.ID] {
			rt.Fatalf("a stop of session %d is recorded after the interim that showed that it was alive: %q", s.ID, w.accounted())
		}
		if n.Type == interim && !n.AfterEnd && s.Revived() != 0 {
			revived[s.ID] = s.Revived()
		}
		j := slices.IndexFunc(all[i:], func(later sessions.Notice) bool { return later.Session.ID == s.ID && later.Type != stop })
		comesBack := j > 0 && !all[i+j].AfterEnd && all[i+j].Session.Revived() != 0
		if n.Type == stop && len(living[s.ID]) > 0 && !comesBack {
			rt.Fatalf("the stop of session %d is recorded before those of %v: %q", s.ID, living[s.ID], w.accounted())
		}
		if s.Parent() == 0 {
			continue
		}
		if living[s.Parent()] == nil {
			living[s.Parent()] = map[sessions.ID]bool{}
		}
		switch {
		case n.Type == stop:
			delete(living[s.Parent()], s.ID)
		case !n.AfterEnd:
			living[s.Parent()][s.ID] = true
		}
	}
}
