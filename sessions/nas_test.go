package sessions

import (
	"net/netip"
	"testing"
	"time"
	"unsafe"
)

// discard is a Journal that keeps nothing.
type discard struct{}

func (discard) Accepting() error           { return nil }
func (discard) Commit(Change, func(error)) {}
func (discard) AfterBatch(func())          {}

func apply(t *testing.T, tb *Table, ev Event) {
	t.Helper()
	if err := tb.Apply(ev, nil); err != nil {
		t.Fatal(err)
	}
}

// TestNASes: the table has a NAS as long as the NAS has sessions, and of its packets nothing.
func TestNASes(t *testing.T) {
	tb := New(Config{}, discard{})
	packet := "\x20\x07nas-1 and much more"
	named := func(ev Event, sid string) Event {
		ev.NAS.Identifier, ev.AcctSessionID = packet[2:7], sid
		ev.Attrs = attrs(UserName, "user of "+sid, AcctSessionID, sid)
		return ev
	}
	check := func(when string, nases, names int) {
		t.Helper()
		if len(tb.nases) != nases || len(tb.byName) != names {
			t.Errorf("%s: %d NASes and %d names, want %d and %d", when, len(tb.nases), len(tb.byName), nases, names)
		}
	}
	apply(t, tb, named(event(Stop, 0), "passes"))
	check("after a stop alone", 0, 0)
	apply(t, tb, named(event(Interim, 0), "passes"))
	check("after a late packet", 0, 0)
	apply(t, tb, named(event(Start, 0), "a"))
	apply(t, tb, named(event(Interim, 5), "a"))
	apply(t, tb, named(event(Start, 0), "b"))
	check("with two sessions", 1, 2)
	for nas, shared := range tb.nases {
		for what, name := range map[string]string{"key": nas.Identifier, "value": shared.Identifier} {
			if name != "nas-1" || unsafe.StringData(name) == unsafe.StringData(packet[2:]) {
				t.Errorf("the %s is %q, part of a packet", what, name)
			}
		}
		for id := range ID(4) {
			if s := tb.rows.get(id); s != nil && s.NAS != &shared.NAS {
				t.Errorf("session %d has a NAS of its own", id)
			}
		}
	}
	apply(t, tb, named(event(Stop, 10), "a"))
	check("with one session", 1, 1)
	other := named(event(Start, 20), "b")
	other.Attrs = attrs(UserName, "another", AcctSessionID, "b")
	apply(t, tb, other)
	check("when the name of the only session is used again", 1, 1)
	if err := tb.CloseNAS(other.NAS, at(30), CauseNASReboot, nil); err != nil {
		t.Fatal(err)
	}
	check("with none", 0, 0)
}

// TestNASesLoaded: sessions that are over are no reason to have their NAS.
func TestNASesLoaded(t *testing.T) {
	start := event(Start, 0)
	live := begun(1, &testNAS, &start)
	gone := *live
	gone.ID, gone.NAS, gone.AcctSessionID = 2, &NAS{Identifier: "nas-2"}, "s2"
	tb := New(Config{}, discard{})
	err := tb.Load(func(each func(k, v []byte) error) error {
		for _, s := range []*Session{live, finished(&gone, nil, at(1))} {
			if err := each(sessionKey(s.ID), appendSession(nil, s)); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil || len(tb.nases) != 1 || tb.nases[testNAS] == nil {
		t.Errorf("%v, NASes %v", err, tb.nases)
	}
}

// TestZones: one link-local address on two links is two NASes, live and when their sessions are over.
func TestZones(t *testing.T) {
	tb := New(Config{Now: func() time.Time { return at(60) }}, discard{})
	on := func(ev Event, zone string) Event {
		ev.NAS.Addr = netip.MustParseAddr("fe80::1").WithZone(zone)
		return ev
	}
	apply(t, tb, on(event(Start, 0), "eth0"))
	apply(t, tb, on(event(Stop, 9), "eth0"))
	apply(t, tb, on(event(Start, 5), "eth1"))
	if s := tb.rows.get(2); s == nil || s.NAS.Addr.Zone() != "eth1" {
		t.Errorf("the session on the other link is %+v", s)
	}
}
