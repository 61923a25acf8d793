package control

import (
	"net/netip"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"aaasess/internal/radius"
	"aaasess/sessions"
)

// onLine returns a session with a NAS-Port-Id, if it is not "".
func onLine(id string) *sessions.Session {
	s := &sessions.Session{NAS: &sessions.NAS{Addr: netip.MustParseAddr("192.0.2.1")}}
	if id != "" {
		s.Attrs = radius.Attributes(radius.AppendAttribute(nil, radius.NASPortID, id))
	}
	return s
}

func TestLineOf(t *testing.T) {
	for id, want := range map[string]struct {
		text   string
		number uint64
	}{
		"":                          {"", 0},
		"Console":                   {"Console", 0},
		"tty10":                     {"tty", 11},
		"tty0":                      {"tty", 1},
		"tty007":                    {"tty00", 8},
		"tty00":                     {"tty0", 1},
		"5":                         {"", 6},
		"Gi0/1.4094":                {"Gi0/1.", 4095},
		"x999999999999999999":       {"x", 1_000_000_000_000_000_000},
		"x123999999999999999999":    {"x123", 1_000_000_000_000_000_000},
		"x1000000000000000000":      {"x100000000000000000", 1},
		"x\xff1":                    {"x\xff", 2},
		"Gi0/1 vlan 100:200 user a": {"Gi0/1 vlan 100:200 user a", 0},
	} {
		if text, number := lineOf(onLine(id)); text != want.text || number != want.number {
			t.Errorf("%q: %q %d, want %q %d", id, text, number, want.text, want.number)
		}
	}
	port := onLine("")
	port.Attrs = radius.Attributes(radius.AppendAttribute(nil, radius.NASPort, "\xff\xff\xff\xff"))
	if text, number := lineOf(port); text != "" || number != 1<<32 {
		t.Errorf("NAS-Port: %q %d", text, number)
	}
}

// TestOrderByLine: the order does not depend on that of the sessions, and the sessions of a user on
// a line follow each other in the order of their ids.
func TestOrderByLine(t *testing.T) {
	srv := &Server{cfg: Config{ClientName: func(addr netip.Addr) string {
		return map[netip.Addr]string{netip.MustParseAddr("192.0.2.2"): "a-client"}[addr]
	}}}
	type identity struct {
		nas        sessions.NAS
		line, user string
	}
	of := func(s *sessions.Session) identity { return identity{*s.NAS, s.Attrs.Text(radius.NASPortID), s.User()} }
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(0, 30).Draw(t, "n")
		list := make([]*sessions.Session, n)
		for i := range list {
			s := onLine(rapid.StringMatching(`(|tty|a|a1b)0{0,2}[0-9]{0,2}`).Draw(t, "line"))
			s.ID = sessions.ID(i + 1)
			s.Attrs += attributes(radius.UserName, rapid.SampledFrom([]string{"", "u", "v"}).Draw(t, "user"))
			s.NAS = &sessions.NAS{
				Addr:       rapid.SampledFrom([]netip.Addr{netip.MustParseAddr("192.0.2.1"), netip.MustParseAddr("192.0.2.2")}).Draw(t, "addr"),
				Identifier: rapid.SampledFrom([]string{"", "n", "z"}).Draw(t, "name"),
			}
			list[i] = s
		}
		first := srv.orderByLine(list)
		second := srv.orderByLine(rapid.Permutation(list).Draw(t, "again"))
		same := func(a, b accounted) bool { return a.session == b.session }
		if len(first) != n || !slices.EqualFunc(first, second, same) {
			t.Fatal("another order")
		}
		done := map[identity]bool{}
		for i := range first {
			here := of(first[i].session)
			if i == 0 || of(first[i-1].session) != here {
				if done[here] {
					t.Fatalf("%v is in two places", here)
				}
				done[here] = true
				if i > 0 && first[i-1].together(&first[i]) {
					t.Fatalf("%v is together with %v", here, of(first[i-1].session))
				}
				continue
			}
			if first[i-1].session.ID > first[i].session.ID {
				t.Fatal("ids are out of order")
			}
			if first[i-1].together(&first[i]) != (here.line != "") {
				t.Fatalf("%v: together is wrong", here)
			}
		}
	})
}

// TestOrderOfLines: NASes by the name that is shown, then lines with their numbers as numbers.
func TestOrderOfLines(t *testing.T) {
	srv := &Server{cfg: Config{ClientName: func(netip.Addr) string { return "" }}}
	want := []string{"", "2", "10", "Gi0/2", "Gi0/10", "Gi1/1", "tty0", "tty2", "tty10", "tty10a"}
	var list []*sessions.Session
	for _, id := range slices.Backward(want) {
		list = append(list, onLine(id))
	}
	var got []string
	for _, a := range srv.orderByLine(list) {
		got = append(got, a.session.Attrs.Text(radius.NASPortID))
	}
	if !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}
