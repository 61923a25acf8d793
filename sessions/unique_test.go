package sessions_test

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"aaasess/internal/radius"
	"aaasess/sessions"
)

// TestUnique: a start ends the sessions of its NAS and kind that have the same value of a unique
// attribute.
func TestUnique(t *testing.T) {
	const other = "02-00-00-00-00-02"
	port, addr, station := []radius.Type{radius.NASPort}, []radius.Type{radius.FramedIPAddress}, []radius.Type{radius.CallingStationID}
	ended := []string{"Start 1", "Stop 1 cause 2", "Start 2"}
	both := []string{"Start 1", "Start 2"}
	for _, tc := range []struct {
		name   string
		unique []radius.Type
		sent   []report
		want   []string
	}{
		{"nothing is unique", nil, []report{{sid: "a", port: 1}, {sid: "b", port: 1}}, both},
		{"the port", port, []report{{sid: "a", port: 1}, {sid: "b", port: 1, user: "bob", station: other}}, ended},
		{"another port", port, []report{{sid: "a", port: 1}, {sid: "b", port: 2}}, both},
		{"no port", port, []report{{sid: "a"}, {sid: "b"}}, both},
		{"the address", addr, []report{{sid: "a", addr: "10.0.0.1"}, {sid: "b", addr: "10.0.0.1"}}, ended},
		{"a provisional address", addr, []report{{sid: "a", addr: "255.255.255.254"}, {sid: "b", addr: "255.255.255.254"}}, both},
		{"no address yet", addr, []report{{sid: "a", addr: "0.0.0.0"}, {sid: "b", addr: "0.0.0.0"}}, both},
		{"the station", station, []report{{sid: "a"}, {sid: "b", user: "bob"}}, ended},
		{"another station", station, []report{{sid: "a"}, {sid: "b", station: other}}, both},
		{"another NAS", station, []report{{sid: "a"}, {sid: "b", id: "nas-2"}}, both},
		{"another kind", station, []report{{sid: "a"}, {sid: "b", kind: sessions.Exec}}, both},
		{"a call", station, []report{{sid: "a"}, {sid: "b", call: true}}, both},
		{"the NAS has moved", station, []report{{sid: "a"}, {sid: "b", from: "192.0.2.9"}}, ended},
		{"another client", station, []report{{sid: "a"}, {sid: "b", from: "198.51.100.1"}}, both},
		{"an interim ends nothing", station, []report{{sid: "a"}, {typ: interim, sid: "b", octets: mb}}, []string{"Start 1", "Interim-Update 2 1000000"}},
		{"a start that is late", station, []report{{sid: "a"}, {sid: "b", delay: 100}}, both},
		{"a start that was overtaken", station, []report{{sid: "a", stamp: 1_000_010}, {sid: "b", stamp: 1_000_000}}, both},
		{"a start in the same second", station, []report{{sid: "a", stamp: 1_000_010}, {sid: "b", stamp: 1_000_010}}, ended},
		{"the NAS's clock has begun anew", station, []report{{sid: "a", stamp: 1_000_010}, {sid: "b", stamp: 10}}, ended},
		{"another NAS without a name", station, []report{{sid: "a", id: "-"}, {sid: "b", id: "-", from: "192.0.2.9"}}, both},
		{"its own second start", station, []report{{sid: "a"}, {sid: "a", addr: "10.0.0.1"}}, []string{"Start 1", "Interim-Update 1"}},
		{"several values of one session", append(port, addr...), []report{{sid: "a", port: 1, addr: "10.0.0.1"}, {sid: "b", port: 1, addr: "10.0.0.1"}}, ended},
		{
			"two sessions", append(port, addr...),
			[]report{{sid: "a", port: 1}, {sid: "b", addr: "10.0.0.1"}, {sid: "c", port: 1, addr: "10.0.0.1"}},
			[]string{"Start 1", "Start 2", "Stop 1 cause 2", "Stop 2 cause 2", "Start 3"},
		},
		{"a reused id", station, []report{{sid: "a", stamp: 1}, {sid: "a", stamp: 100}}, ended},
		{
			"its address came later", addr,
			[]report{{sid: "a"}, {typ: interim, sid: "a", addr: "10.0.0.1", octets: mb}, {sid: "b", addr: "10.0.0.1"}},
			[]string{"Start 1", "Interim-Update 1 1000000", "Stop 1 ours 1000000 cause 2", "Start 2"},
		},
		{
			"its address has changed", addr,
			[]report{{sid: "a", addr: "10.0.0.1"}, {typ: interim, sid: "a", addr: "10.0.0.2", octets: mb}, {sid: "b", addr: "10.0.0.1"}},
			[]string{"Start 1", "Interim-Update 1 1000000", "Start 2"},
		},
		{
			"it was alive", station,
			[]report{{sid: "a"}, {sid: "b"}, {typ: interim, sid: "a", octets: mb}},
			[]string{"Start 1", "Stop 1 cause 2", "Start 2", "Interim-Update 1 1000000"},
		},
	} {
		t.Run(tc.name, func(t *testing.T) {
			for name, prepare := range map[string]func(*world){
				"set at the start":           func(w *world) { w.SetUnique(tc.unique) },
				"set when there are rows":    nil,
				"loaded when there are rows": nil,
			} {
				w := newWorld(t)
				w.unique = tc.unique
				if prepare != nil {
					prepare(w)
				}
				for i, r := range tc.sent {
					if r.typ == 0 {
						r.typ = start
					}
					if i == len(tc.sent)-1 || tc.name == "it was alive" {
						w.SetUnique(tc.unique)
						if name == "loaded when there are rows" {
							w.restart()
						}
					}
					w.sleep(sec)
					w.send(r)
				}
				if diff := cmp.Diff(tc.want, w.accounted()); diff != "" {
					t.Errorf("%s (-want +got):\n%s", name, diff)
				}
				if err := w.Invariants(); err != nil {
					t.Errorf("%s: %v", name, err)
				}
			}
		})
	}
}

// TestUniqueAtMax: a start that ends a session is not refused because the table is full.
func TestUniqueAtMax(t *testing.T) {
	w := newWorld(t)
	w.cfg.Max, w.unique = 1, []radius.Type{radius.CallingStationID}
	w.restart()
	w.send(report{typ: start, sid: "a"})
	w.sleep(sec)
	w.send(report{typ: start, sid: "b"})
	if diff := cmp.Diff([]string{"Start 1", "Stop 1 cause 2", "Start 2"}, w.accounted()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// TestSuperseded: the table reports each session that ends because of a unique value, with its
// attribute and the number of the new session; not one whose Acct-Session-Id the new one has.
func TestSuperseded(t *testing.T) {
	port, station := radius.NASPort, radius.CallingStationID
	for _, tc := range []struct {
		name string
		sent []report
		want []string
	}{
		{"none", []report{{sid: "a", port: 1}, {sid: "b", station: "02"}}, nil},
		{"the port", []report{{sid: "a", port: 1}, {sid: "b", port: 1, station: "02"}}, []string{"1 by 2: 5"}},
		{"both", []report{{sid: "a", port: 1}, {sid: "b", port: 1}}, []string{"1 by 2: 5"}},
		{"one each", []report{{sid: "a", port: 1, station: "02"}, {sid: "b"}, {sid: "c", port: 1}}, []string{"1 by 3: 5", "2 by 3: 31"}},
		{"a reused id", []report{{sid: "a", stamp: 1}, {sid: "a", stamp: 100}}, nil},
		{"a reused id and the port of another", []report{{sid: "a", stamp: 1}, {sid: "b", port: 1, station: "02"}, {sid: "a", stamp: 100, port: 1}}, []string{"2 by 3: 5"}},
		{"an interim", []report{{sid: "a"}, {typ: interim, sid: "b"}}, nil},
		{"a program on this host gives a name to another user", []report{{sid: "a", from: "::%vpn"}, {sid: "a", from: "::%vpn", user: "bob", station: "02"}}, []string{"1 by 2: 44"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			w := newWorld(t)
			var got []string
			w.cfg.Superseded = func(s sessions.Supersession) {
				if w.Row(s.Session.ID) != nil || w.Row(s.By) == nil {
					t.Errorf("%d lives, or %d does not", s.Session.ID, s.By)
				}
				got = append(got, fmt.Sprintf("%d by %d: %d", s.Session.ID, s.By, s.Attribute))
			}
			w.unique = []radius.Type{port, station}
			w.restart()
			for _, r := range tc.sent {
				if r.typ == 0 {
					r.typ = start
				}
				w.sleep(sec)
				w.send(r)
			}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}
