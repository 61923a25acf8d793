package snmpmib

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"aaasess/mib"
)

func genIndex() *rapid.Generator[mib.OID] {
	return rapid.Custom(func(t *rapid.T) mib.OID {
		return rapid.SliceOfN(rapid.SampledFrom([]uint32{0, 1, 2, 1<<32 - 1}), 0, 4).Draw(t, "index")
	})
}

// TestRowsAgainstModel compares Get and Next with a search through all rows.
func TestRowsAgainstModel(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var rows []entry[int]
		for i, index := range rapid.SliceOfN(genIndex(), 0, 40).Draw(t, "indexes") {
			rows = append(rows, entry[int]{index, i})
		}
		tab := newTable(mib.OID{1}, slices.Clone(rows))
		access := rowsOf(func(tab table[int]) table[int] { return tab })
		asked, include := genIndex().Draw(t, "asked"), rapid.Bool().Draw(t, "include")

		var equal, next *entry[int]
		for i := range rows {
			e := &rows[i]
			c := e.index.Compare(asked)
			if c == 0 && equal == nil {
				equal = e
			}
			if (c > 0 || c == 0 && include) && (next == nil || e.index.Compare(next.index) < 0) {
				next = e
			}
		}
		if got, ok := access.Get(tab, asked); ok != (equal != nil) || ok && *got != equal.row {
			t.Errorf("Get: %v %t, want %v", got, ok, equal)
		}
		name, got, ok := access.Next(tab, asked, include, mib.OID{9})
		switch {
		case ok != (next != nil):
			t.Errorf("Next: %t, want %v", ok, next)
		case ok && (*got != next.row || name.Compare(append(mib.OID{9}, next.index...)) != 0):
			t.Errorf("Next: %s %d, want %v", name, *got, next)
		case !ok && (got != nil || len(name) != 1):
			t.Errorf("Next of nothing: %s %v", name, got)
		}
	})
}

func TestNewTable(t *testing.T) {
	long := func(n int) mib.OID { return slices.Repeat(mib.OID{1}, n) }
	prefix := long(10)
	got := newTable(prefix, []entry[string]{
		{mib.OID{2}, "b"},
		{long(mib.MaxSubIDs - 10), "too long by one"},
		{mib.OID{1}, "a"},
		{mib.OID{2}, "b again"},
		{long(mib.MaxSubIDs - 11), "as long as can be"},
	})
	var rows []string
	for _, e := range got {
		rows = append(rows, e.row)
	}
	if diff := cmp.Diff([]string{"a", "as long as can be", "b"}, rows); diff != "" {
		t.Errorf("want (-), got (+):\n%s", diff)
	}
}

func TestAppendName(t *testing.T) {
	for name, want := range map[string]mib.OID{
		"": {7, 0}, "a": {7, 1, 97}, "\x00\xff": {7, 2, 0, 255},
	} {
		if diff := cmp.Diff(want, appendName(mib.OID{7}, name)); diff != "" {
			t.Errorf("%q: want (-), got (+):\n%s", name, diff)
		}
	}
}

// TestDerived: rows are built once for each policy, not for each request.
func TestDerived(t *testing.T) {
	builds := 0
	d := &derived[int, string]{build: func(*int) *string { builds++; return new(string) }}
	one, two := new(int), new(int)
	a := d.get(one)
	if d.get(one) != a || builds != 1 {
		t.Errorf("built %d times", builds)
	}
	if b := d.get(two); b == a || builds != 2 {
		t.Errorf("nothing new is builds of something new, %d times", builds)
	}
	d.get(one)
	if d.get(one); builds != 3 {
		t.Errorf("built %d times, want 3", builds)
	}
}

// TestAllocations: reading cells allocates nothing within a request.
func TestAllocations(t *testing.T) {
	f := newFixture(t)
	r := f.tree.NewReader()
	at := make(mib.OID, 0, mib.MaxSubIDs)
	var vb mib.Varbind
	all := func() {
		at = at[:0]
		for vb.Value.Type = mib.Null; vb.Value.Type != mib.EndOfMibView; {
			r.Next(at, false, nil, &vb)
			at = append(at[:0], vb.Name...)
		}
	}
	all()
	if n := testing.AllocsPerRun(10, all); n > 0 {
		t.Errorf("%v allocations in a walk of a pinned state", n)
	}
}

func BenchmarkWalk(b *testing.B) {
	f := newFixture(b)
	r := f.tree.NewReader()
	at := make(mib.OID, 0, mib.MaxSubIDs)
	var vb mib.Varbind
	b.ReportAllocs()
	for b.Loop() {
		r.Next(at, false, nil, &vb)
		if at = append(at[:0], vb.Name...); vb.Value.Type == mib.EndOfMibView {
			at = at[:0]
			r.Release()
		}
	}
}
