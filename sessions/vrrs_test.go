package sessions_test

import (
	"errors"
	"testing"
	"time"

	"aaasess/internal/radius"
	"aaasess/sessions"
	"aaasess/sessions/sessionstest"
)

// vrrs is a report about a group of routers.
func vrrs(typ sessions.EventType, r report) report {
	r.typ, r.kind, r.user, r.station, r.group = typ, sessions.VRRS, "-", "-", "vrrs-name=pool1"
	return r
}

// TestVRRS: a group of routers is recorded and has a number, but is never a row, and what is reported
// of users and calls with its name is not about it.
func TestVRRS(t *testing.T) {
	call := func(typ sessions.EventType, r report) report { r.typ, r.call = typ, true; return r }
	runScenarios(t, []scenario{
		{"master, then backup", script{
			vrrs(start, report{stamp: 0}), 30 * sec, vrrs(stop, report{stamp: 30}),
		}, []string{"Start 1", "Stop 1"}, nil},
		{"each is reported twice", script{
			vrrs(start, report{stamp: 0}), sec, vrrs(start, report{stamp: 0}), 30 * sec, vrrs(stop, report{stamp: 31}), vrrs(stop, report{stamp: 31}),
		}, []string{"Start 1", "Stop 1"}, nil},
		{"master again, and nothing says that it is a copy", script{
			vrrs(start, report{stamp: 0}), sec, vrrs(start, report{class: "x"}), sec, vrrs(stop, report{}),
		}, []string{"Start 1", "Start 1", "Stop 1"}, nil},
		{"backup was not reported", script{
			vrrs(start, report{stamp: 0}), 60 * sec, vrrs(start, report{stamp: 60}),
		}, []string{"Start 1", "Stop 1 cause 2", "Start 2"}, nil},
		{"two groups", script{
			vrrs(start, report{sid: "a"}), vrrs(start, report{sid: "b"}), 30 * sec, vrrs(stop, report{sid: "a"}),
		}, []string{"Start 1", "Start 2", "Stop 1"}, nil},
		{"a user and a call of the same name", script{
			vrrs(start, report{}), call(start, report{port: 7}),
			report{typ: start, port: 8},
			sec,
			report{typ: stop, port: 8, time: 1, octets: 2},
			call(stop, report{time: 1}), sec, vrrs(stop, report{}),
		}, []string{"Start 1", "Start 2", "Start 3", "Stop 3 2", "Stop 2", "Stop 1"}, nil},
		{"a stop of the group ends no user and no call", script{
			report{typ: start, port: 8}, call(start, report{port: 7}), sec, vrrs(stop, report{port: 7}),
		}, []string{"Start 1", "Start 2", "Stop 3"}, []sessions.ID{1}},
		{"a group on the line of a call is not in it", script{
			call(start, report{sid: "c", port: 7}), vrrs(start, report{port: 7}), sec, call(stop, report{sid: "c"}),
		}, []string{"Start 1", "Start 2", "Stop 1 failed"}, nil},
		{"the router restarts", script{
			vrrs(start, report{}), report{typ: start}, 30 * sec, report{typ: on},
		}, []string{"Start 1", "Start 2", "Stop 1 cause 11", "Stop 2 cause 11"}, nil},
	})
}

// TestVRRSCounts: a group counts in no counter, and nothing ends it but its NAS.
func TestVRRSCounts(t *testing.T) {
	w := newWorld(t)
	w.send(vrrs(start, report{}))
	w.restart()
	if v := w.View(); v.Len() != 0 || v.Total != 0 || v.HighWater != 0 || w.Groups() != 1 {
		t.Errorf("%d rows, %d in all, %d groups", v.Len(), v.Total, w.Groups())
	}
	if s := w.Live(1); s == nil || s.Kind != sessions.VRRS || s.Kind.String() != "vrrs" {
		t.Errorf("live: %+v", s)
	}
	if _, err := w.Disconnect([]sessions.ID{1}, nil); err == nil {
		t.Error("it was marked")
	}
	if err := w.Apply(vrrs(interim, report{}).event(w.wall), nil); !errors.Is(err, sessions.ErrEvent) {
		t.Errorf("an interim: %v", err)
	}
	nameless := vrrs(start, report{})
	nameless.group = ""
	if err := w.Apply(nameless.event(w.wall), nil); !errors.Is(err, sessions.ErrEvent) {
		t.Errorf("a group without a name: %v", err)
	}
}

// TestVRRSOfRouters: an Accounting-On about a group of routers begins a session of the group and ends
// none; the Accounting-Off ends it, whatever Acct-Session-Ids they have. A later On of a restart ends
// all.
func TestVRRSOfRouters(t *testing.T) {
	w := newWorld(t)
	w.beginSessions(2)
	w.sleep(sec)
	send := func(typ sessions.EventType, sid, group string) {
		t.Helper()
		ev := report{typ: typ}.event(w.wall)
		b := radius.AppendAttribute(nil, radius.AcctSessionID, sid)
		ev.Attrs += radius.Attributes(radius.AppendAVPair(b, "vrrs", group))
		sessionstest.Await(t, func(done func(error)) error { return w.Apply(ev, done) })
	}
	want := func(rows, groups, records int) {
		t.Helper()
		if r, g, n := len(w.rows()), w.Groups(), len(w.accounted()); r != rows || g != groups || n != records {
			t.Errorf("%d rows, %d groups, %d records, want %d, %d, %d", r, g, n, rows, groups, records)
		}
	}
	want(2, 0, 2)
	send(on, "00000007", "pool1")
	want(2, 1, 3)
	send(on, "00000008", "pool2")
	want(2, 2, 4)
	w.sleep(2 * time.Minute)
	send(off, "00000009", "pool1")
	want(2, 1, 5)
	w.sleep(sec)
	w.send(report{typ: on})
	want(0, 0, 8)
}
