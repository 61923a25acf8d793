package sessions

import (
	"errors"
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"aaasess/internal/radius"
)

// eventOf returns an event of a session with its own user and Acct-Session-Id.
func eventOf(sid string, typ EventType, when int) Event {
	ev := event(typ, when)
	ev.AcctSessionID, ev.Attrs = sid, attrs(radius.UserName, "user of "+sid, radius.AcctSessionID, sid)
	return withTimestamp(ev, uint32(1e9+when))
}

// routesOf returns the routes of all sessions that a table knows, by Acct-Session-Id.
func routesOf(t *Table) map[string]string {
	routes := map[string]string{}
	for s := ceiling(t.rows.root, 1); s != nil; s = ceiling(t.rows.root, s.ID+1) {
		routes[s.AcctSessionID()] = s.Route.String()
	}
	for id := range t.remembered.byID {
		s := t.remembered.get(id)
		routes[s.AcctSessionID()] = s.Route.String()
	}
	return routes
}

// TestRouteStays: a session keeps the route of its first packet, whatever happens to it and to the
// policy.
func TestRouteStays(t *testing.T) {
	tests := []struct {
		name string
		then func(t *testing.T, tb *Table)
	}{
		{"nothing", func(*testing.T, *Table) {}},
		{"interim", func(t *testing.T, tb *Table) { apply(t, tb, eventOf("s", Interim, 60)) }},
		{"another NAS address", func(t *testing.T, tb *Table) {
			ev := eventOf("s", Interim, 60)
			ev.NAS.IPv4 = ev.NAS.Addr
			apply(t, tb, ev)
		}},
		{"disconnect", func(t *testing.T, tb *Table) {
			if _, err := tb.Disconnect([]ID{1}, nil); err != nil {
				t.Fatal(err)
			}
			tb.Acked(1, nil)
		}},
		{"stop", func(t *testing.T, tb *Table) { apply(t, tb, eventOf("s", Stop, 60)) }},
		{"a late interim", func(t *testing.T, tb *Table) {
			apply(t, tb, withUsage(eventOf("s", Stop, 60), 10, 60))
			apply(t, tb, withUsage(eventOf("s", Interim, 30), 5, 30))
		}},
		{"our stop, and the NAS's", func(t *testing.T, tb *Table) {
			if err := tb.End(1, CauseLostCarrier, at(50), nil); err != nil {
				t.Fatal(err)
			}
			apply(t, tb, eventOf("s", Stop, 60))
		}},
		{"the session comes back", func(t *testing.T, tb *Table) {
			if err := tb.End(1, CauseLostCarrier, at(50), nil); err != nil {
				t.Fatal(err)
			}
			apply(t, tb, withUsage(eventOf("s", Interim, 60), 100, 60))
			if tb.rows.get(1) == nil {
				t.Fatal("the session did not come back")
			}
		}},
		{"Accounting-On", func(t *testing.T, tb *Table) { apply(t, tb, Event{Type: On, NAS: testNAS, At: at(60)}) }},
	}
	for _, first := range []EventType{Start, Interim, Stop} {
		for _, route := range []string{"east", ""} {
			for _, tt := range tests {
				t.Run(fmt.Sprintf("%s %q, %s", first, route, tt.name), func(t *testing.T) {
					d := newSlowDisk()
					now := at(0)
					cfg := Config{Now: func() time.Time { return now }}
					tb := New(cfg, d)
					d.route = func(s *Session) string {
						if s.ID != 1 || s.Kind != Network || s.User() != "user of s" || s.NAS == nil || s.Route != nil {
							t.Errorf("asked for %+v", s)
						}
						return route
					}
					apply(t, tb, eventOf("s", first, 0))
					d.route = func(*Session) string { t.Error("asked again"); return "west" }
					if now = at(61); first != Stop {
						tt.then(t, tb)
					}
					for range 2 {
						if got := routesOf(tb); len(got) != 1 || got["s"] != route {
							t.Errorf("routes %q", got)
						}
						d.writeAll()
						var err error
						if tb, err = d.powerCut(cfg); err != nil {
							t.Fatal(err)
						}
					}
				})
			}
		}
	}
}

// TestRouteOfReplacement: a session that replaces another has a route of its own.
func TestRouteOfReplacement(t *testing.T) {
	d := newSlowDisk()
	d.route = func(s *Session) string { return "of " + s.ID.String() }
	tb := New(Config{}, d)
	apply(t, tb, eventOf("s", Start, 0))
	apply(t, tb, eventOf("s", Start, 1000))
	if one, two := tb.remembered.get(1), tb.rows.get(2); one.Route.String() != "of 00000001" || two.Route.String() != "of 00000002" {
		t.Errorf("%s and %s", one.Route, two.Route)
	}
	if got := tb.Routes(); !slices.Equal(got, []string{"of 00000002"}) {
		t.Errorf("rows have %q", got)
	}
}

// TestRouteOfOther: a record of another type goes where the records of its session go, even if that
// has ended.
func TestRouteOfOther(t *testing.T) {
	d := newSlowDisk()
	tb := New(Config{}, d)
	var notices []Notice
	d.refuses = func(c Change) bool { notices = append(notices, c.Notices...); return false }
	d.route = func(s *Session) string { return "of " + s.AcctSessionID() + " " + s.NAS.Addr.String() }
	from := func(ev Event, last string) Event {
		ev.NAS.Addr = netip.MustParseAddr("192.0.2." + last)
		ev.SameClient = func(netip.Addr) bool { return true }
		return ev
	}
	for _, ev := range []Event{
		eventOf("live", Start, 0), eventOf("over", Stop, 0), eventOf("live", Other, 0), eventOf("over", Other, 0), eventOf("none", Other, 0),
		from(eventOf("twice", Stop, 0), "8"), from(eventOf("twice", Start, 1000), "9"), from(eventOf("twice", Stop, 1001), "9"),
		from(eventOf("twice", Other, 2000), "8"), from(eventOf("twice", Other, 2000), "9"),
	} {
		apply(t, tb, ev)
	}
	var got []string
	for _, n := range notices {
		got = append(got, fmt.Sprintf("%s %d %s", n.Type, n.Session.ID, n.Session.Route))
	}
	if diff := cmp.Diff([]string{
		"Start 1 of live 192.0.2.1", "Stop 2 of over 192.0.2.1", "Other 1 of live 192.0.2.1", "Other 0 of over 192.0.2.1", "Other 0 ",
		"Stop 3 of twice 192.0.2.8", "Start 4 of twice 192.0.2.9", "Stop 4 of twice 192.0.2.9",
		"Other 0 of twice 192.0.2.8", "Other 0 of twice 192.0.2.9",
	}, got); diff != "" {
		t.Error(diff)
	}
}

// TestRoutesAreStored: no stored session has a route without a text, whatever the disk refuses or
// loses. No session ever gets another route.
func TestRoutesAreStored(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		d := newSlowDisk()
		cfg := Config{Remember: 24 * time.Hour}
		tb, mind, begun := New(cfg, d), "a", 0
		d.route = func(*Session) string { return mind }
		routes, names := map[string]string{}, []string(nil)
		check := func() {
			for sid, route := range routesOf(tb) {
				if routes[sid] != route {
					rt.Fatalf("session %s has route %q, had %q", sid, route, routes[sid])
				}
			}
			if err := tb.Invariants(); err != nil {
				rt.Fatal(err)
			}
		}
		any := func(rt *rapid.T) string {
			if len(names) == 0 {
				rt.Skip("no session")
			}
			return rapid.SampledFrom(names).Draw(rt, "session")
		}
		apply := func(sid string, typ EventType, when int) {
			if err := tb.Apply(withUsage(eventOf(sid, typ, when), uint64(when), uint32(when)), nil); err != nil {
				rt.Fatal(err)
			}
		}
		rt.Repeat(map[string]func(*rapid.T){
			"begin": func(rt *rapid.T) {
				begun++
				sid := fmt.Sprint(begun)
				routes[sid], names = mind, append(names, sid)
				apply(sid, rapid.SampledFrom([]EventType{Start, Interim, Stop}).Draw(rt, "type"), 0)
			},
			"interim": func(rt *rapid.T) { apply(any(rt), Interim, rapid.IntRange(1, 99).Draw(rt, "when")) },
			"stop":    func(rt *rapid.T) { apply(any(rt), Stop, rapid.IntRange(1, 99).Draw(rt, "when")) },
			"reload":  func(rt *rapid.T) { mind = rapid.SampledFrom([]string{"", "a", "b", "c"}).Draw(rt, "mind") },
			"the disk refuses": func(rt *rapid.T) {
				refused := rapid.IntRange(1, 3).Draw(rt, "changes")
				d.refuses = func(Change) bool { refused--; return refused >= 0 }
			},
			"the disk writes": func(rt *rapid.T) { d.write(rapid.IntRange(0, len(d.queue)).Draw(rt, "changes")) },
			"power cut": func(*rapid.T) {
				var err error
				if tb, err = d.powerCut(cfg); err != nil {
					rt.Fatal(err)
				}
				known := routesOf(tb)
				names = slices.Sorted(maps.Keys(known))
			},
			"": func(*rapid.T) { check() },
		})
	})
}

// TestRouteIsWrittenUntilDurable: the text of a route is written until it is durable, and then no
// more.
func TestRouteIsWrittenUntilDurable(t *testing.T) {
	d := newSlowDisk()
	d.route = func(*Session) string { return "a" }
	tb := New(Config{}, d)
	begun, had := 0, ""
	begin := func() {
		begun++
		had = ""
		d.refuses = func(c Change) bool {
			for _, p := range c.State {
				if p.Key[0] == 'r' {
					had += string(p.Value)
				}
			}
			return begun == 1
		}
		apply(t, tb, eventOf(fmt.Sprint(begun), Start, 0))
	}
	for _, step := range []struct {
		when string
		do   func()
		want string
	}{
		{"the first", func() {}, "\x01a"},
		{"queued", func() {}, "\x01a"},
		{"refused", func() { d.write(1) }, "\x01a"},
		{"durable", func() { d.write(1) }, ""},
	} {
		step.do()
		if begin(); had != step.want {
			t.Errorf("%s: written %q, want %q", step.when, had, step.want)
		}
	}
}

// TestUnusedRoutes: a route that no session has is removed with the first change after a restart.
// Its number can be used again.
func TestUnusedRoutes(t *testing.T) {
	d := newSlowDisk()
	now := at(0)
	cfg := Config{Now: func() time.Time { return now }, Remember: time.Minute}
	tb := New(cfg, d)
	d.route = func(s *Session) string { return "of " + s.AcctSessionID() }
	apply(t, tb, eventOf("a", Stop, 0))
	apply(t, tb, eventOf("b", Start, 0))
	stored := func() (texts []string) {
		d.writeAll()
		for _, k := range slices.Sorted(maps.Keys(d.state)) {
			if strings.HasPrefix(k, "r") {
				texts = append(texts, fmt.Sprintf("%x %s", k[1:], d.state[k][1:]))
			}
		}
		return texts
	}
	if diff := cmp.Diff([]string{"00000001 of a", "00000002 of b"}, stored()); diff != "" {
		t.Error(diff)
	}
	now = at(100)
	apply(t, tb, eventOf("c", Start, 100)) // forgets a
	for i, want := range [][]string{
		{"00000002 of b", "00000003 of c", "00000004 of 0"},
		{"00000002 of b", "00000003 of c", "00000004 of 0", "00000005 of 1"},
	} {
		d.writeAll()
		var err error
		if tb, err = d.powerCut(cfg); err != nil {
			t.Fatal(err)
		}
		apply(t, tb, eventOf(fmt.Sprint(i), Start, 100))
		if diff := cmp.Diff(want, stored()); diff != "" {
			t.Error(diff)
		}
	}
}

// TestDamagedRoutes: a damaged route is an error.
func TestDamagedRoutes(t *testing.T) {
	d := newSlowDisk()
	tb := New(Config{}, d)
	d.route = func(*Session) string { return "a" }
	apply(t, tb, eventOf("s", Start, 0))
	d.writeAll()
	for name, change := range map[string]func(state map[string]string){
		"no text": func(state map[string]string) { delete(state, string(routeKey(1))) },
		"empty":   func(state map[string]string) { state[string(routeKey(1))] = "" },
		"version": func(state map[string]string) { state[string(routeKey(1))] = "\x02a" },
	} {
		state := maps.Clone(d.state)
		change(state)
		if err := New(Config{}, d).Load(eachKey(state)); !errors.Is(err, ErrState) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
