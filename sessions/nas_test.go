package sessions

import (
	"fmt"
	"net/netip"
	"slices"
	"testing"
	"time"
	"unsafe"

	"pgregory.net/rapid"

	"aaasess/internal/radius"
)

// discardJournal is a Journal that keeps nothing.
type discardJournal struct{ noJournal }

func apply(t *testing.T, tb *Table, ev Event) {
	t.Helper()
	if err := tb.Apply(ev, nil); err != nil {
		t.Fatal(err)
	}
}

// TestNASes: the table has a NAS as long as it has live or remembered sessions of it, and keeps no
// memory of packets.
func TestNASes(t *testing.T) {
	now := at(0)
	tb := New(Config{Now: func() time.Time { return now }, Remember: time.Minute}, discardJournal{})
	packet := "\x20\x07nas-1 and much more"
	named := func(ev Event, sid string) Event {
		ev.NAS.Identifier, ev.AcctSessionID = packet[2:7], sid
		ev.Attrs = attrs(radius.UserName, "user of "+sid, radius.AcctSessionID, sid)
		return ev
	}
	check := func(when string, nases, names int) {
		t.Helper()
		if err := tb.Invariants(); err != nil {
			t.Errorf("%s: %v", when, err)
		}
		if len(tb.nases.byValue) != nases || tb.names.size() != 2*names {
			t.Errorf("%s: %d NASes and %d names, want %d and %d", when, len(tb.nases.byValue), tb.names.size()/2, nases, names)
		}
	}
	apply(t, tb, named(event(Stop, 0), "passes"))
	check("after a stop alone", 1, 0)
	apply(t, tb, named(event(Start, 0), "a"))
	apply(t, tb, named(event(Interim, 5), "a"))
	apply(t, tb, named(event(Start, 0), "b"))
	check("with two sessions", 1, 2)
	for nas, node := range tb.nases.byValue {
		for what, name := range map[string]string{"key": nas.Identifier, "value": node.Identifier} {
			if name != "nas-1" || unsafe.StringData(name) == unsafe.StringData(packet[2:]) {
				t.Errorf("the %s is %q, part of a packet", what, name)
			}
		}
		for id := range ID(4) {
			if s := tb.rows.get(id); s != nil && s.NAS != &node.NAS {
				t.Errorf("session %d has a NAS of its own", id)
			}
		}
	}
	apply(t, tb, named(event(Stop, 10), "a"))
	check("with one session", 1, 1)
	other := named(event(Start, 20), "b")
	other.Attrs = attrs(radius.UserName, "another", radius.AcctSessionID, "b")
	apply(t, tb, other)
	check("when another user has the name too", 1, 2)
	now = at(30)
	closed := named(event(On, 30), "")
	apply(t, tb, closed)
	check("without live sessions", 1, 0)
	now = at(100)
	elsewhere := event(Start, 100)
	elsewhere.NAS.Identifier = "nas-2"
	apply(t, tb, elsewhere)
	check("when only another NAS has sessions", 1, 1)
}

// TestNASesLoaded: loading a table restores its NASes.
func TestNASesLoaded(t *testing.T) {
	start := event(Start, 0)
	live := newSession(1, &start.NAS, &start)
	gone := *live
	gone.ID, gone.NAS = 2, &NAS{Identifier: "nas-2"}
	gone.Attrs = attrs(radius.AcctSessionID, "s2")
	live.setFormerNodes([]*nasNode{{NAS: NAS{Identifier: "nas-0"}}})
	tb := New(Config{}, discardJournal{})
	err := tb.Load(func(each func(k, v []byte) error) error {
		for _, s := range []*Session{live, ended(&gone, nil, stampOf(at(1)), stampOf(at(1)))} {
			if err := each(sessionKey(s.ID), appendSession(nil, s)); err != nil {
				return err
			}
		}
		return nil
	})
	if err == nil {
		err = tb.Invariants()
	}
	if err != nil || len(tb.nases.byValue) != 3 || tb.nases.byValue[testNAS].liveCount != 1 {
		t.Errorf("%v, NASes %v", err, tb.nases.byValue)
	}
}

// TestZones: the same link-local address on two links belongs to two NASes, for live and for ended
// sessions.
func TestZones(t *testing.T) {
	tb := New(Config{Now: func() time.Time { return at(60) }}, discardJournal{})
	on := func(ev Event, zone string) Event {
		ev.NAS = NAS{Addr: netip.MustParseAddr("fe80::1").WithZone(zone)}
		return ev
	}
	apply(t, tb, on(event(Start, 0), "eth0"))
	apply(t, tb, on(event(Stop, 9), "eth0"))
	apply(t, tb, on(event(Start, 5), "eth1"))
	if s := tb.rows.get(2); s == nil || s.NAS.Addr.Zone() != "eth1" {
		t.Errorf("the session on the other link is %+v", s)
	}
}

func TestNASMatches(t *testing.T) {
	a, b := netip.MustParseAddr("192.0.2.1"), netip.MustParseAddr("192.0.2.2")
	ip, other := netip.MustParseAddr("10.0.0.1"), netip.MustParseAddr("10.0.0.2")
	ip6 := netip.MustParseAddr("2001:db8::1")
	tests := []struct {
		name  string
		p, s  NAS
		equal int
		ok    bool
	}{
		{"nothing but the address", NAS{Addr: a}, NAS{Addr: a}, 0, true},
		{"other addresses", NAS{Addr: a}, NAS{Addr: b}, 0, false},
		{"one identifier equal, other addresses", NAS{Addr: a, Identifier: "n"}, NAS{Addr: b, Identifier: "n"}, 1, true},
		{"identifiers differ, one address", NAS{Addr: a, Identifier: "n"}, NAS{Addr: a, Identifier: "m"}, 0, false},
		{"one equal, one differs", NAS{Addr: a, Identifier: "n", IPv4: ip}, NAS{Addr: a, Identifier: "n", IPv4: other}, 0, false},
		{"one equal, one only here", NAS{Addr: a, Identifier: "n", IPv4: ip}, NAS{Addr: b, Identifier: "n"}, 1, true},
		{"none shared, one address", NAS{Addr: a, Identifier: "n"}, NAS{Addr: a, IPv4: ip}, 0, true},
		{"none shared, other addresses", NAS{Addr: a, Identifier: "n"}, NAS{Addr: b, IPv4: ip}, 0, false},
		{"all equal", NAS{Addr: a, Identifier: "n", IPv4: ip, IPv6: ip6}, NAS{Addr: b, Identifier: "n", IPv4: ip, IPv6: ip6}, 3, true},
		{"the IPv6 addresses differ", NAS{Addr: a, Identifier: "n", IPv6: ip6}, NAS{Addr: a, Identifier: "n", IPv6: ip6.Next()}, 0, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			for _, swapped := range []bool{false, true} {
				p, s := tt.p, tt.s
				if swapped {
					p, s = s, p
				}
				if equal, ok := p.Matches(&s); equal != tt.equal || ok != tt.ok {
					t.Errorf("swapped %v: %d equal, %v", swapped, equal, ok)
				}
			}
		})
	}
}

// TestNASesFindAllThatMatch: the index finds the same nodes as a search through all nodes.
func TestNASesFindAllThatMatch(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		nases := newNASes()
		addr := func(prefix byte) *rapid.Generator[netip.Addr] {
			return rapid.Custom(func(rt *rapid.T) netip.Addr {
				if n := rapid.ByteMax(3).Draw(rt, "address"); n > 0 {
					return netip.AddrFrom4([4]byte{prefix, 0, 0, n})
				}
				return netip.Addr{}
			})
		}
		draw := func(rt *rapid.T) NAS {
			n := NAS{Addr: addr(192).Draw(rt, "from"), Identifier: rapid.SampledFrom([]string{"", "n", "m"}).Draw(rt, "identifier"), IPv4: addr(10).Draw(rt, "IPv4")}
			if six := addr(11).Draw(rt, "IPv6"); six.IsValid() {
				n.IPv6 = netip.AddrFrom16(six.As16())
			}
			return n
		}
		rt.Repeat(map[string]func(*rapid.T){
			"come": func(rt *rapid.T) { nases.nodeOf(draw(rt)).liveCount++ },
			"go": func(rt *rapid.T) {
				for n, node := range nases.byValue {
					if rapid.Bool().Draw(rt, fmt.Sprint(n)) {
						node.liveCount = 0
						nases.release(node)
					}
				}
			},
			"": func(rt *rapid.T) {
				n := draw(rt)
				found := nases.find(&Event{NAS: n, SameClient: func(netip.Addr) bool { return true }})
				for value, node := range nases.byValue {
					_, ok := n.Matches(&value)
					if got := slices.Contains(found, node); got != ok {
						rt.Fatalf("%+v: %+v is found: %v", n, value, got)
					}
				}
			},
		})
	})
}
