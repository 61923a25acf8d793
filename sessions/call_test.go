package sessions_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"aaasess/internal/radius"
	"aaasess/sessions"
)

// TestCalls: a call is recorded and has a number, but is never a row. Its end says whether it failed:
// S1 "any calls that do not reach user authentication". The cases without a sentence of S1 are ours.
func TestCalls(t *testing.T) {
	call := func(typ sessions.EventType, r report) report { r.typ, r.call = typ, true; return r }
	bare := func(typ sessions.EventType, r report) report { r.typ, r.user = typ, "-"; return r }
	const port = 7
	runScenarios(t, []scenario{
		{"a \"start\" record at each call setup, followed by a corresponding \"stop\" record at the call disconnect", script{
			call(start, report{port: port}), 30 * sec, call(stop, report{port: port, time: 30}),
		}, []string{"Start 1", "Stop 1 failed"}, nil},
		{"All calls that pass user authentication", script{
			call(start, report{sid: "c", port: port}), 20 * sec,
			report{typ: start, port: port},
			60 * sec,
			report{typ: stop, time: 60, octets: 5, port: port},
			sec,
			call(stop, report{sid: "c", time: 81, port: port}),
		}, []string{"Start 1", "Start 2", "Stop 2 5", "Stop 1"}, nil},
		{"the user is still there", script{
			call(start, report{sid: "c", port: port}), report{typ: start, port: port}, call(interim, report{sid: "c", time: 9}),
		}, []string{"Start 1", "Start 2", "Interim-Update 1"}, []sessions.ID{2}},
		{"by NAS-Port-Id", script{
			call(start, report{sid: "c", portID: "Async7"}), report{typ: start, portID: "Async7"}, call(stop, report{sid: "c"}),
		}, []string{"Start 1", "Start 2", "Stop 1"}, []sessions.ID{2}},
		{"by Acct-Multi-Session-Id", script{
			call(start, report{sid: "c", multi: "m", port: 1}), report{typ: start, multi: "m", port: 2}, call(stop, report{sid: "c"}),
		}, []string{"Start 1", "Start 2", "Stop 1"}, []sessions.ID{2}},
		{"a user on another line", script{
			call(start, report{sid: "c", port: port}), report{typ: start, port: 8}, call(stop, report{sid: "c"}),
		}, []string{"Start 1", "Start 2", "Stop 1 failed"}, []sessions.ID{2}},
		{"a user of another NAS", script{
			call(start, report{sid: "c", port: port}), report{typ: start, port: port, id: "nas-2"}, call(stop, report{sid: "c"}),
		}, []string{"Start 1", "Start 2", "Stop 1 failed"}, []sessions.ID{2}},
		{"the NAS has only its address", script{
			call(start, report{sid: "c", port: port, id: "-"}), report{typ: start, port: port, id: "-"}, call(stop, report{sid: "c", id: "-"}),
		}, []string{"Start 1", "Start 2", "Stop 1"}, []sessions.ID{2}},
		{"the NAS has another address", script{
			call(start, report{sid: "c", port: port}), report{typ: start, port: port, from: "192.0.2.9"}, call(stop, report{sid: "c"}),
		}, []string{"Start 1", "Start 2", "Stop 1"}, []sessions.ID{2}},
		{"S0: the call and its user have the same Acct-Session-Id", script{
			call(start, report{}),
			report{typ: start},
			report{typ: interim, time: 5, octets: 1},
			call(interim, report{time: 9}),
			report{typ: stop, time: 60, octets: 2},
			call(stop, report{time: 70}), call(stop, report{time: 70, delay: 5}),
		}, []string{"Start 1", "Start 2", "Interim-Update 2 1", "Interim-Update 1", "Stop 2 2", "Stop 1"}, nil},
		{"the same, and the NAS says nowhere what kind of service its stops are about", script{
			call(start, report{}), report{typ: start, service: 2}, bare(stop, report{time: 60, octets: 2}), bare(stop, report{time: 70}),
		}, []string{"Start 1", "Start 2", "Stop 2 2", "Stop 2"}, nil},
		{"a stop without Service-Type belongs to a live call", script{
			call(start, report{}), bare(interim, report{time: 9}), bare(stop, report{time: 10, stamp: 10}), bare(stop, report{time: 10, stamp: 10, delay: 3}),
		}, []string{"Start 1", "Interim-Update 1", "Stop 1 failed"}, nil},
		{"a start without Service-Type is a user's", script{
			call(start, report{}), bare(start, report{}), bare(stop, report{time: 10}),
		}, []string{"Start 1", "Start 2", "Stop 2"}, nil},
		{"a stop of a user never ends a call", script{
			call(start, report{}), report{typ: stop, service: 2, time: 5},
		}, []string{"Start 1", "Stop 2"}, nil},
		{"a stop of a call never ends a user", script{
			report{typ: start}, call(stop, report{time: 5}),
		}, []string{"Start 1", "Stop 2"}, []sessions.ID{1}},
		{"a device that was admitted by its MAC address, and the NAS's later packets lack NAS-Port-Type", script{
			report{typ: start, service: 10}, call(interim, report{user: "alice", time: 5}), call(stop, report{user: "alice", time: 9}),
		}, []string{"Start 1", "Interim-Update 1", "Stop 1"}, nil},
		{"... and a call with the same Acct-Session-Id", script{
			report{typ: start, service: 10}, call(start, report{}), call(stop, report{time: 9}),
		}, []string{"Start 1", "Start 2", "Stop 2"}, []sessions.ID{1}},
		{"the NAS makes a stop only if a call fails", script{
			call(stop, report{time: 5, port: port}),
		}, []string{"Stop 1 failed"}, nil},
		{"the call's start is late", script{
			report{typ: start, sid: "u", port: port, stamp: 2}, call(start, report{port: port, delay: 4, stamp: 0}), 60 * sec, call(stop, report{time: 62}),
		}, []string{"Start 1", "Start 2", "Stop 2"}, []sessions.ID{1}},
		{"the call's start is late, neither has a time", script{
			report{typ: start, sid: "u", port: port}, 4 * sec, call(start, report{port: port}), 60 * sec, call(stop, report{time: 62}),
		}, []string{"Start 1", "Start 2", "Stop 2"}, []sessions.ID{1}},
		{"the call's start is lost", script{
			report{typ: start, sid: "u", port: port}, 60 * sec, call(stop, report{time: 62, port: port}),
		}, []string{"Start 1", "Stop 2"}, []sessions.ID{1}},
		{"a user whose stop was lost is on the line of the next call", script{
			report{typ: start, sid: "u", port: port}, 60 * sec, call(start, report{port: port}), 9 * sec, call(stop, report{time: 9}),
		}, []string{"Start 1", "Start 2", "Stop 2 failed"}, []sessions.ID{1}},
		{"the user of a call redials at once", script{
			call(start, report{sid: "c", port: port}),
			report{typ: start, port: port},
			sec, call(stop, report{sid: "c"}),
			call(start, report{sid: "d", port: port}), sec, call(stop, report{sid: "d"}),
		}, []string{"Start 1", "Start 2", "Stop 1", "Start 3", "Stop 3 failed"}, []sessions.ID{2}},
		{"the call's stop was lost: the next user is in the next call", script{
			call(start, report{sid: "c", port: port}), 60 * sec, call(start, report{sid: "d", port: port}), 9 * sec,
			report{typ: start, port: port},
			call(stop, report{sid: "d"}), call(stop, report{sid: "c"}),
		}, []string{"Start 1", "Start 2", "Start 3", "Stop 2", "Stop 1 failed"}, []sessions.ID{3}},
		{"\"stop\" records for calls that fail to authenticate", script{
			call(start, report{sid: "c", port: port}), report{typ: stop, port: port, time: 0}, call(stop, report{sid: "c"}),
		}, []string{"Start 1", "Stop 2", "Stop 1 failed"}, nil},
		{"of a user only the stop is known", script{
			call(start, report{sid: "c", port: port}), 20 * sec, report{typ: stop, port: port, time: 15}, call(stop, report{sid: "c"}),
		}, []string{"Start 1", "Stop 2", "Stop 1"}, nil},
		{"... and its user began before the call", script{
			60 * sec, call(start, report{sid: "c", port: port}), 5 * sec, report{typ: stop, port: port, time: 50}, call(stop, report{sid: "c"}),
		}, []string{"Start 1", "Stop 2", "Stop 1 failed"}, nil},
		{"a user whose stop was lost is on the line of the next call, by the NAS's clock", script{
			report{typ: start, sid: "u", port: port, stamp: 0}, 5 * sec, call(start, report{port: port, stamp: 5}), call(stop, report{time: 1, stamp: 6}),
		}, []string{"Start 1", "Start 2", "Stop 2 failed"}, []sessions.ID{1}},
		{"a user on the same line of another NAS with the same NAS-Identifier", script{
			call(start, report{sid: "c", port: port, ip: "10.0.0.1"}), report{typ: start, port: port, ip: "10.0.0.2"}, call(stop, report{sid: "c", ip: "10.0.0.1"}),
		}, []string{"Start 1", "Start 2", "Stop 1 failed"}, []sessions.ID{2}},
		{"two calls on the line, one with an address of the NAS", script{
			call(start, report{sid: "c", port: port, ip: "10.0.0.1"}), 60 * sec, call(start, report{sid: "d", port: port}), sec,
			report{typ: start, port: port, ip: "10.0.0.1"},
			call(stop, report{sid: "c"}), call(stop, report{sid: "d"}),
		}, []string{"Start 1", "Start 2", "Start 3", "Stop 1 failed", "Stop 2"}, []sessions.ID{3}},
		{"the NAS has another NAS-Identifier, and the user's session the call's id", script{
			report{typ: start, user: "-"}, call(interim, report{id: "new", time: 5}), call(stop, report{id: "new", time: 6}),
		}, []string{"Start 1", "Interim-Update 2", "Stop 2 failed"}, []sessions.ID{1}},
		{"the NAS restarts", script{
			call(start, report{sid: "c", port: 1}), call(start, report{sid: "d", port: port}),
			report{typ: start, port: port},
			sec,
			report{typ: on},
			sec,
			call(stop, report{sid: "c", time: 2}),
		}, []string{"Start 1", "Start 2", "Start 3", "Stop 1 cause 11 failed", "Stop 2 cause 11", "Stop 3 cause 11", "Stop 1 failed"}, nil},
		{"an id is used again", script{
			call(start, report{port: port, stamp: 0}),
			report{typ: start, sid: "u", port: port},
			60 * sec, call(start, report{port: port, stamp: 60}),
			9 * sec, call(stop, report{stamp: 69, time: 9}),
		}, []string{"Start 1", "Start 2", "Stop 1 cause 2", "Start 3", "Stop 3 failed"}, []sessions.ID{2}},
		{"an interim after the end", script{
			call(start, report{port: port}), report{typ: start, sid: "u", port: port}, call(stop, report{time: 9}), call(interim, report{time: 20}), call(stop, report{time: 30}),
		}, []string{"Start 1", "Start 2", "Stop 1", "Interim-Update 1", "Stop 1"}, []sessions.ID{2}},
	})
}

// TestCallAfterRestart: a user from before an Accounting-On is in no call that is set up after it, also
// while the sessions of the NAS are still being ended in the background.
func TestCallAfterRestart(t *testing.T) {
	for _, others := range []int{0, 100} {
		w := newWorld(t)
		w.play(script{
			report{typ: start, sid: "u", port: 7},
			func(w *world) { w.beginSessions(others) }, sec,
			report{typ: on},
			3 * sec,
			report{typ: start, call: true, port: 7},
			sec,
			report{typ: stop, call: true, time: 1},
		})
		all := w.accounted()
		if got, want := all[len(all)-1], fmt.Sprintf("Stop %d failed", others+2); got != want {
			t.Errorf("%d other sessions: %q, want %q", others, got, want)
		}
	}
}

// TestCallIsNoRow: nothing that is about rows sees a call.
func TestCallIsNoRow(t *testing.T) {
	w := newWorld(t)
	w.play(script{report{typ: start, call: true}, func(w *world) { w.restart() }, report{typ: interim, call: true, time: 5}})
	v := w.View()
	if v.Len() != 0 || v.Get(1) != nil || v.From(1) != nil {
		t.Errorf("a view has %d rows", v.Len())
	}
	if v.Counters != (sessions.Counters{}) {
		t.Errorf("counters %+v", v.Counters)
	}
	if _, err := w.Disconnect([]sessions.ID{1}, nil); err == nil {
		t.Error("it can be disconnected")
	}
	if n, err := w.MakeInterims([]sessions.DueInterim{{ID: 1}}, nil); n != 0 || err != nil {
		t.Errorf("%d interims, %v", n, err)
	}
	if got := w.Calls(); got != 1 || w.Call(1) == nil || w.Call(2) != nil {
		t.Errorf("%d calls, the first is %v", got, w.Call(1))
	}
	if got := len(w.Routes()); got != 1 {
		t.Errorf("%d routes", got)
	}
}

// TestCallID: S1 "These two sets of accounting records are interlinked by using a unique session ID
// for the call."
func TestCallID(t *testing.T) {
	call := func(typ sessions.EventType, r report) report {
		r.typ, r.call, r.sid, r.port = typ, true, "c", 7
		return r
	}
	user := func(typ sessions.EventType, r report) report { r.typ, r.port = typ, 7; return r }
	const made = "aaasess-00000001-3B3964CC"
	tests := []struct {
		name   string
		script script
		want   []string // the id of each notice
	}{
		{"the NAS sends none", script{
			call(start, report{}), user(start, report{}), user(start, report{sid: "b"}), user(interim, report{time: 5}),
			user(stop, report{time: 9}), call(stop, report{}), user(stop, report{time: 9, octets: 7}),
		}, []string{made, made, made, made, made, made, made}},
		{"the NAS sends one", script{
			call(start, report{multi: "m"}), user(start, report{multi: "m"}), user(stop, report{}), call(stop, report{}),
		}, []string{"m", "m", "m", "m"}},
		{"only the call has one", script{
			call(start, report{multi: "m"}), user(start, report{}), user(stop, report{}), call(stop, report{}),
		}, []string{"m", "m", "m", "m"}},
		{"only the user has one", script{
			call(start, report{}), user(start, report{multi: "m"}), user(stop, report{}), call(stop, report{}),
		}, []string{made, "m", "m", "m"}},
		{"both have another one", script{
			call(start, report{multi: "m"}), user(start, report{multi: "n"}), user(stop, report{}), call(stop, report{}),
		}, []string{"m", "n", "n", "m"}},
		{"the call's start is late", script{
			user(start, report{}), call(start, report{delay: 1}), user(stop, report{}), call(stop, report{}),
		}, []string{"", "aaasess-00000002-3B3964CC", "aaasess-00000002-3B3964CC", "aaasess-00000002-3B3964CC"}},
		{"a login that fails is in the call", script{
			call(start, report{}), user(stop, report{time: 0}), call(stop, report{}),
		}, []string{made, made, made}},
		{"a user of another line", script{
			call(start, report{}), report{typ: start, port: 8}, report{typ: stop, port: 8},
		}, []string{made, "", ""}},
	}
	for _, tt := range tests {
		for _, restarts := range []bool{false, true} {
			t.Run(fmt.Sprint(tt.name, restarts), func(t *testing.T) {
				w := newWorld(t)
				for _, step := range tt.script {
					w.play(script{step})
					if restarts {
						w.restart()
					}
				}
				var got []string
				for _, n := range w.journal.Notices() {
					got = append(got, n.Session.Attrs.Text(radius.AcctMultiSessionID))
				}
				if diff := cmp.Diff(tt.want, got); diff != "" {
					t.Errorf("want (-), got (+):\n%s", diff)
				}
				if err := w.Invariants(); err != nil {
					t.Error(err)
				}
			})
		}
	}
}

// TestCallOfRestartedNAS: a user is in no call that an Accounting-On has ended, even if Run has not
// come to it yet.
func TestCallOfRestartedNAS(t *testing.T) {
	w := newWorld(t)
	for i := range 20 { // more than the Accounting-On ends itself
		w.send(report{typ: start, call: true, sid: fmt.Sprint("c", i), port: i + 1})
	}
	w.play(script{sec, report{typ: on}, sec, report{typ: start, port: 7}, report{typ: stop, call: true, sid: "c6"}})
	if got, want := w.accounted()[20:], []string{"Start 21", "Stop 7 cause 11 failed", "Stop 7 failed"}; !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
}

// TestCallIDIsNew: a number that is used again makes another id.
func TestCallIDIsNew(t *testing.T) {
	ids := map[string]bool{}
	for i := range 3 {
		w := newWorld(t)
		w.sleep(time.Duration(i) * sec)
		w.send(report{typ: start, call: true})
		id := w.journal.Notices()[0].Session.Attrs.Text(radius.AcctMultiSessionID)
		if ids[id] || !strings.HasPrefix(id, "aaasess-00000001-") || !sessions.IsMadeCallID(id) {
			t.Errorf("id %q", id)
		}
		ids[id] = true
	}
}

// TestCallsAndSessions: with calls among them, the sessions of users are what they are without. No
// call is a row, and no two sessions have the same number.
func TestCallsAndSessions(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		with, without := newWorld(t), newWorld(t)
		name := func(s *sessions.Session) string {
			return fmt.Sprint(s.Kind == sessions.Resource, " ", s.NAS.Identifier, " ", s.AcctSessionID(), " ", s.StartTimestamp)
		}
		for range rapid.IntRange(1, 60).Draw(rt, "events") {
			r := report{
				typ:  rapid.SampledFrom([]sessions.EventType{start, start, interim, stop, on}).Draw(rt, "type"),
				sid:  rapid.SampledFrom([]string{"a", "b"}).Draw(rt, "sid"),
				id:   rapid.SampledFrom([]string{"nas-1", "nas-2"}).Draw(rt, "nas"),
				port: rapid.IntRange(0, 2).Draw(rt, "port"), service: 2,
				call:  rapid.Bool().Draw(rt, "call"),
				multi: rapid.SampledFrom([]string{"", "", "m"}).Draw(rt, "multi"),
			}
			if !r.call { // packets of one user have the same id, or none
				r.multi = map[string]string{"a": "", "b": "n"}[r.sid]
			}
			if r.id == "nas-1" {
				r.stamp = int(with.elapsed / sec)
			}
			r.from = map[string]string{"nas-1": "192.0.2.1", "nas-2": "192.0.2.2"}[r.id]
			if r.typ == stop || r.typ == interim {
				r.time = rapid.IntRange(0, 20).Draw(rt, "time")
			}
			with.send(r)
			if !r.call || r.typ == on {
				without.send(r)
			}
			d := time.Duration(rapid.SampledFrom([]int{1, 9, 100}).Draw(rt, "seconds")) * sec
			with.sleep(d)
			without.sleep(d)
			if rapid.IntRange(0, 9).Draw(rt, "restart") == 0 {
				with.restart()
			}
			if err := with.Invariants(); err != nil {
				rt.Fatal(err)
			}
		}
		if with.View().Counters != without.View().Counters {
			rt.Fatalf("counters %+v, without calls %+v", with.View().Counters, without.View().Counters)
		}
		var rows, want, notices, wantNotices []string
		for s := range with.View().All() {
			rows = append(rows, name(s))
		}
		for s := range without.View().All() {
			want = append(want, name(s))
		}
		names := map[sessions.ID]string{}
		for _, n := range with.journal.Notices() {
			is := fmt.Sprint(n.Session.Kind == sessions.Resource, n.Session.NAS.Identifier, n.Session.AcctSessionID())
			if was, known := names[n.Session.ID]; known && was != is {
				rt.Fatalf("%s and %s have number %d", was, is, n.Session.ID)
			}
			if names[n.Session.ID] = is; n.Session.Kind != sessions.Resource {
				notices = append(notices, n.Type.String()+" "+name(n.Session))
			}
		}
		for _, n := range without.journal.Notices() {
			wantNotices = append(wantNotices, n.Type.String()+" "+name(n.Session))
		}
		slices.Sort(notices) // an Accounting-On ends sessions in the order of their numbers
		slices.Sort(wantNotices)
		if diff := cmp.Diff(want, rows) + cmp.Diff(wantNotices, notices); diff != "" {
			rt.Fatalf("without calls (-), with (+):\n%s", diff)
		}
	})
}
