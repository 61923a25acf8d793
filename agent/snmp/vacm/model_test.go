package vacm

import (
	"fmt"
	"math"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"aaasess/agent/snmp/wire"
	"aaasess/mib"
)

// universe returns all OIDs of up to five sub-identifiers with four values, in order, the empty one
// first.
func universe() []mib.OID {
	all := []mib.OID{{}}
	for from := 0; len(all[len(all)-1]) < 5; {
		to := len(all)
		for ; from < to; from++ {
			for _, n := range []uint32{0, 1, 2, math.MaxUint32} {
				all = append(all, all[from].Append(n))
			}
		}
	}
	slices.SortFunc(all, mib.OID.Compare)
	return all
}

// families generates families of up to four sub-identifiers with three values, so that the upper
// bound of each is in the universe.
func families() *rapid.Generator[[]Family] {
	oid := rapid.SliceOfN(rapid.SampledFrom([]uint32{0, 1, math.MaxUint32}), 1, 4)
	one := rapid.Custom(func(t *rapid.T) Family {
		return Family{Subtree: oid.Draw(t, "subtree"), Excluded: rapid.Bool().Draw(t, "excluded")}
	})
	return rapid.SliceOfNDistinct(one, 0, 8, func(f Family) string { return f.Subtree.String() })
}

// modelContains implements RFC 3415, vacmViewTreeFamilyTable, literally.
func modelContains(families []Family, oid mib.OID) bool {
	longest, inside := -1, false
	for _, f := range families {
		if n := len(f.Subtree); n <= len(oid) && slices.Equal(f.Subtree, oid[:n]) && n > longest {
			longest, inside = n, !f.Excluded
		}
	}
	return inside
}

func TestViewsMatchModel(t *testing.T) {
	all := universe()
	rapid.Check(t, func(t *rapid.T) {
		fs := families().Draw(t, "families")
		v, err := NewView("v", fs)
		if err != nil {
			t.Fatal(err)
		}
		for _, oid := range all {
			if got, want := v.Contains(oid), modelContains(fs, oid); got != want {
				t.Fatalf("Contains(%s) = %v", oid, got)
			}
			hole := slices.ContainsFunc(fs, func(f Family) bool { return f.Excluded && f.Subtree.HasPrefix(oid) })
			if got, want := v.Covers(oid), modelContains(fs, oid) && !hole; got != want {
				t.Fatalf("Covers(%s) = %v", oid, got)
			}
		}
	})
}

// TestAfterLeavesNothingOut: for an OID outside, After returns a greater OID inside, and nothing
// between them is inside. If it returns none, no greater OID is inside.
func TestAfterLeavesNothingOut(t *testing.T) {
	all := universe()
	rapid.Check(t, func(t *rapid.T) {
		fs := families().Draw(t, "families")
		v, err := NewView("v", fs)
		if err != nil {
			t.Fatal(err)
		}
		var next mib.OID // the first OID of the universe inside the view that is not less than all[i]
		for _, oid := range slices.Backward(all) {
			if modelContains(fs, oid) {
				next = oid
				continue
			}
			got, ok := v.After(oid, nil)
			if ok != (next != nil) || ok && got.Compare(next) != 0 {
				t.Fatalf("After(%s) = %s, %v, want %s", oid, got, ok, next)
			}
		}
	})
}

// TestAfterEnds: from the first OID of all, After ends soon, with ever greater results.
func TestAfterEnds(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		fs := families().Draw(t, "families")
		v, err := NewView("v", fs)
		if err != nil {
			t.Fatal(err)
		}
		oid, calls := mib.OID{}, 0
		for {
			next, ok := v.After(oid, nil)
			if calls++; !ok {
				break
			}
			if next.Compare(oid) <= 0 || !modelContains(fs, next) {
				t.Fatalf("After(%s) = %s", oid, next)
			}
			oid = next
		}
		if calls > 2*len(fs)+1 {
			t.Fatalf("%d calls", calls)
		}
	})
}

// TestWalk: GETNEXT over a view that jumps with After finds the same as a filtered walk over
// everything.
func TestWalk(t *testing.T) {
	all := universe()
	rapid.Check(t, func(t *rapid.T) {
		fs := families().Draw(t, "families")
		rows := rapid.SliceOfNDistinct(rapid.SampledFrom(all), 0, 50, mib.OID.String).Draw(t, "rows")
		slices.SortFunc(rows, mib.OID.Compare)
		v, err := NewView("v", fs)
		if err != nil {
			t.Fatal(err)
		}
		var got, want []string
		for _, oid := range rows {
			if modelContains(fs, oid) {
				want = append(want, oid.String())
			}
		}
		looked := 0
		for i := 0; i < len(rows); {
			if looked++; v.Contains(rows[i]) {
				got = append(got, rows[i].String())
				i++
				continue
			}
			start, ok := v.After(rows[i], nil)
			if !ok {
				break
			}
			i, _ = slices.BinarySearchFunc(rows, start, mib.OID.Compare)
		}
		if !slices.Equal(got, want) {
			t.Fatalf("found %q, want %q", got, want)
		}
		if most := len(want) + len(fs) + 1; looked > most {
			t.Fatalf("looked at %d rows for %d with %d families", looked, len(want), len(fs))
		}
	})
}

// modelAccess chooses as vacmAccessTable says: by sets, one condition after the other.
func modelAccess(entries []AccessEntry, members []Member, model wire.SecurityModel, name string, level wire.SecurityLevel) (string, Status) {
	i := slices.IndexFunc(members, func(m Member) bool { return m.Model == model && m.SecurityName == name })
	if i < 0 {
		return "", NoGroupName
	}
	keep := func(in []AccessEntry, cond func(e AccessEntry) bool) (out []AccessEntry) {
		for _, e := range in {
			if cond(e) {
				out = append(out, e)
			}
		}
		return out
	}
	set := keep(entries, func(e AccessEntry) bool {
		return e.Group == members[i].Group && (e.Model == model || e.Model == AnyModel) && e.Level <= level
	})
	if len(set) == 0 {
		return "", NoAccessEntry
	}
	if own := keep(set, func(e AccessEntry) bool { return e.Model == model }); len(own) > 0 {
		set = own
	}
	best := slices.MaxFunc(set, func(a, b AccessEntry) int { return int(a.Level) - int(b.Level) })
	return fmt.Sprint(best.Group, best.Model, best.Level), Allowed
}

func TestAccessMatchesModel(t *testing.T) {
	group := rapid.SampledFrom([]string{"a", "b", "cc"})
	level := rapid.SampledFrom([]wire.SecurityLevel{wire.NoAuthNoPriv, wire.AuthNoPriv, wire.AuthPriv})
	entry := rapid.Custom(func(t *rapid.T) AccessEntry {
		return AccessEntry{Group: group.Draw(t, "group"), Model: wire.SecurityModel(rapid.IntRange(0, 3).Draw(t, "model")), Level: level.Draw(t, "level")}
	})
	member := rapid.Custom(func(t *rapid.T) Member {
		return Member{wire.SecurityModel(rapid.IntRange(1, 3).Draw(t, "model")), rapid.SampledFrom([]string{"x", "y"}).Draw(t, "name"), group.Draw(t, "group")}
	})
	rapid.Check(t, func(t *rapid.T) {
		entries := rapid.SliceOfNDistinct(entry, 0, 12, func(e AccessEntry) string { return fmt.Sprint(e.Group, e.Model, e.Level) }).Draw(t, "entries")
		members := rapid.SliceOfNDistinct(member, 0, 6, func(m Member) string { return fmt.Sprint(m.Model, m.SecurityName) }).Draw(t, "members")
		p, err := New(nil, entries, members, nil)
		if err != nil {
			t.Fatal(err)
		}
		for model := AnyModel; model <= 4; model++ {
			for _, name := range []string{"x", "y", "z", ""} {
				for level := wire.NoAuthNoPriv; level <= wire.AuthPriv; level++ {
					want, wantStatus := modelAccess(entries, members, model, name, level)
					e, status := p.Access(model, name, level)
					got := ""
					if e != nil {
						got = fmt.Sprint(e.Group, e.Model, e.Level)
					}
					if got != want || status != wantStatus {
						t.Fatalf("Access(%d, %q, %s) = %q, %s, want %q, %s", model, name, level, got, status, want, wantStatus)
					}
				}
			}
		}
	})
}
