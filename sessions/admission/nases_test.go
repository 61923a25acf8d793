package admission

import (
	"net/netip"
	"testing"

	"aaasess/sessions"
)

// TestNASes: equal NASes are kept once, as long as one login has it. Each part of a NAS tells it from
// another.
func TestNASes(t *testing.T) {
	addr := netip.MustParseAddr("2001:db8::1")
	all := []sessions.NAS{
		{}, {Addr: addr}, {Local: addr}, {IPv4: nas2.IPv4}, {IPv6: addr}, {Identifier: "nas-1"}, {Identifier: "nas-2"}, nas1, nas2,
	}
	x := newNASes()
	refs := map[ref]int{}
	for round := range 2 {
		for i := range all {
			r, isNew := x.add(&all[i])
			if isNew != (round == 0) || *x.at(r) != all[i] {
				t.Errorf("round %d, NAS %d: new %v, %+v", round, i, isNew, *x.at(r))
			}
			if was, has := refs[r]; has && was != i {
				t.Errorf("NASes %d and %d have one reference", was, i)
			}
			refs[r] = i
		}
	}
	for round := range 2 {
		for r, i := range refs {
			if *x.at(r) != all[i] {
				t.Errorf("round %d, NAS %d: %+v", round, i, *x.at(r))
			}
			if wasLast := x.remove(r); wasLast != (round == 1) {
				t.Errorf("round %d, NAS %d: last %v", round, i, wasLast)
			}
		}
	}
	if len(x.byValue) != 0 {
		t.Errorf("left are %v", x.byValue)
	}
}
