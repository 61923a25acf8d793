package mib

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// cells is the state of the test module: ordered rows, and a scalar.
type cells struct {
	index []OID
	count int
}

var (
	testRoot  = MustOID("1.3.6.1.4.1.99999.1")
	testEntry = testRoot.Append(2, 1)
)

func testRows() *Rows[*cells, int] {
	return &Rows[*cells, int]{
		Get: func(s *cells, index OID) (int, bool) {
			return slices.BinarySearchFunc(s.index, index, OID.Compare)
		},
		Next: func(s *cells, index OID, include bool, name OID) (OID, int, bool) {
			i, at := slices.BinarySearchFunc(s.index, index, OID.Compare)
			if at && !include {
				i++
			}
			if i == len(s.index) {
				return name, 0, false
			}
			return append(name, s.index[i]...), i, true
		},
	}
}

func testModule(pin func() *cells, w Writer) *Module[*cells] {
	rows := testRows()
	row := func(n int, v *Value) { v.SetGauge32(uint32(n)) }
	return &Module[*cells]{
		Name: "TEST-MIB", Root: testRoot, Pin: pin, Writer: w,
		Objects: []Object[*cells]{
			Column[*cells, int]{
				Def: Def{"colB", testEntry.Append(5), Integer32, ReadWrite}, Rows: rows, Get: row,
				Test: func(v *Value) ErrorStatus {
					if v.Int32() < 0 {
						return WrongValue
					}
					return NoError
				},
			},
			Column[*cells, int]{Def: Def{"colA", testEntry.Append(2), Gauge32, ReadOnly}, Rows: rows, Get: row},
			Scalar[*cells]{
				Def: Def{"count", testRoot.Append(1), Gauge32, ReadOnly},
				Get: func(s *cells, v *Value) { v.SetGauge32(uint32(s.count)) },
			},
			Scalar[*cells]{
				Def: Def{"last", testRoot.Append(3), Gauge32, ReadOnly},
				Get: func(_ *cells, v *Value) { v.SetGauge32(7) },
			},
		},
	}
}

func TestNewErrors(t *testing.T) {
	scalar := func(name, oid string) Object[*cells] {
		return Scalar[*cells]{Def: Def{Name: name, OID: MustOID(oid)}}
	}
	tests := []struct {
		name    string
		objects []Object[*cells]
		wantErr string
	}{
		{"outside the root", []Object[*cells]{scalar("a", "1.3.6.1.4.1.99999.2.1")}, "outside the module's root"},
		{"twice", []Object[*cells]{scalar("a", "1.3.6.1.4.1.99999.1.1"), scalar("b", "1.3.6.1.4.1.99999.1.1")}, "overlap"},
		{"one in another", []Object[*cells]{scalar("a", "1.3.6.1.4.1.99999.1.1"), scalar("b", "1.3.6.1.4.1.99999.1.1.4")}, "overlap"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := New(&Module[*cells]{Name: "BAD-MIB", Root: testRoot, Objects: tt.objects})
			if err == nil || !strings.Contains(err.Error(), tt.wantErr) {
				t.Errorf("got %v, want an error with %q", err, tt.wantErr)
			}
		})
	}
}

// TestIdentities: a tree lists the modules that have an identity, in the order of its parts; one that
// does not fit sysORTable is an error.
func TestIdentities(t *testing.T) {
	part := func(id Identity) Part {
		return &Module[*cells]{Name: "SOME-MIB", Root: testRoot, Identity: id}
	}
	long := make(OID, MaxSubIDs+1)
	tests := []struct {
		name string
		ids  []Identity
		want []Identity
		fail bool
	}{
		{"none", []Identity{{}, {}}, nil, false},
		{"two of three", []Identity{{ID: OID{1, 9}, Descr: "b"}, {Descr: "no OID"}, {ID: OID{1, 2}}}, []Identity{{ID: OID{1, 9}, Descr: "b"}, {ID: OID{1, 2}}}, false},
		{"as long as possible", []Identity{{ID: long[1:], Descr: strings.Repeat("d", MaxDescr)}}, []Identity{{ID: long[1:], Descr: strings.Repeat("d", MaxDescr)}}, false},
		{"a long OID", []Identity{{ID: long}}, nil, true},
		{"a long description", []Identity{{ID: OID{1, 2}, Descr: strings.Repeat("d", MaxDescr+1)}}, nil, true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var parts []Part
			for _, id := range tt.ids {
				parts = append(parts, part(id))
			}
			tree, err := New(parts...)
			if tt.fail {
				if err == nil || !strings.Contains(err.Error(), "SOME-MIB: identity") {
					t.Errorf("error %v", err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.want, tree.Identities()); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func newTestTree(t *testing.T, state *cells) *Tree {
	t.Helper()
	tree, err := New(testModule(func() *cells { return state }, nil))
	if err != nil {
		t.Fatal(err)
	}
	return tree
}

func TestGet(t *testing.T) {
	r := newTestTree(t, &cells{index: []OID{{3}, {3, 1}, {9}}, count: 42}).NewReader()
	tests := []struct {
		name string
		oid  OID
		want Type
		num  uint64
	}{
		{"scalar", testRoot.Append(1, 0), Gauge32, 42},
		{"scalar without .0", testRoot.Append(1), NoSuchInstance, 0},
		{"scalar .1", testRoot.Append(1, 1), NoSuchInstance, 0},
		{"cell", testEntry.Append(2, 9), Gauge32, 2},
		{"cell with longer index", testEntry.Append(2, 3, 1), Gauge32, 1},
		{"no such row", testEntry.Append(2, 4), NoSuchInstance, 0},
		{"column itself", testEntry.Append(2), NoSuchInstance, 0},
		{"no such column", testEntry.Append(3, 9), NoSuchObject, 0},
		{"before all", MustOID("1.3"), NoSuchObject, 0},
		{"behind all", MustOID("1.3.7"), NoSuchObject, 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var v Value
			r.Get(tt.oid, &v)
			if v.Type != tt.want || v.Num != tt.num && tt.num != 0 {
				t.Errorf("got %s %d, want %s %d", v.Type, v.Num, tt.want, tt.num)
			}
		})
	}
}

// everything returns the result of a complete walk, computed in a simple way.
func everything(s *cells) []OID {
	var all []OID
	all = append(all, testRoot.Append(1, 0), testRoot.Append(3, 0))
	for _, i := range s.index {
		all = append(all, testEntry.Append(2).Append(i...), testEntry.Append(5).Append(i...))
	}
	slices.SortFunc(all, OID.Compare)
	return all
}

// TestNextAgainstModel starts at random places, with and without include and end, and compares with
// a search in the plain list.
func TestNextAgainstModel(t *testing.T) {
	sub := rapid.Uint32Range(0, 6)
	rapid.Check(t, func(t *rapid.T) {
		s := &cells{count: 1}
		for _, i := range rapid.SliceOf(rapid.SliceOfN(sub, 1, 3)).Draw(t, "rows") {
			if at, dup := slices.BinarySearchFunc(s.index, OID(i), OID.Compare); !dup {
				s.index = slices.Insert(s.index, at, OID(i))
			}
		}
		tree, err := New(testModule(func() *cells { return s }, nil))
		if err != nil {
			t.Fatal(err)
		}
		place := func(label string) OID {
			base := rapid.SampledFrom([]OID{testRoot, testEntry, testEntry.Append(2), testEntry.Append(5), testRoot[:4]}).Draw(t, label)
			return base.Append(rapid.SliceOfN(sub, 0, 3).Draw(t, label+" more")...)
		}
		start, include, end := place("start"), rapid.Bool().Draw(t, "include"), OID(nil)
		if rapid.Bool().Draw(t, "bounded") {
			end = place("end")
		}
		want := OID(nil)
		for _, o := range everything(s) {
			if c := o.Compare(start); c > 0 || c == 0 && include {
				if len(end) == 0 || o.Compare(end) < 0 {
					want = o
				}
				break
			}
		}
		var vb Varbind
		tree.NewReader().Next(start, include, end, &vb)
		if want == nil {
			if vb.Value.Type != EndOfMibView || vb.Name.Compare(start) != 0 {
				t.Fatalf("got %s %s, want endOfMibView at %s", vb.Name, vb.Value.Type, start)
			}
		} else if vb.Name.Compare(want) != 0 || vb.Value.Type == EndOfMibView {
			t.Fatalf("after %s (include %v, end %s): got %s, want %s", start, include, end, vb.Name, want)
		}
	})
}

// TestReaderPinsOneState: one request is answered from one state, the next request from a newer
// one.
func TestReaderPinsOneState(t *testing.T) {
	n := 0
	tree, err := New(testModule(func() *cells { n++; return &cells{count: n} }, nil))
	if err != nil {
		t.Fatal(err)
	}
	r := tree.NewReader()
	read := func() uint64 {
		var v Value
		r.Get(testRoot.Append(1, 0), &v)
		return v.Num
	}
	got := []uint64{read(), read()}
	r.Release()
	got = append(got, read())
	if diff := cmp.Diff([]uint64{1, 1, 2}, got); diff != "" {
		t.Error(diff)
	}
}

func TestRootsAndDefs(t *testing.T) {
	tree := newTestTree(t, &cells{})
	var names []string
	for _, d := range tree.Defs() {
		names = append(names, d.Name+" "+d.Type.String()+" "+d.Access.String())
	}
	want := []string{"count Gauge32 read-only", "colA Gauge32 read-only", "colB Integer32 read-write", "last Gauge32 read-only"}
	if diff := cmp.Diff(want, names); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]OID{testRoot}, tree.Roots()); diff != "" {
		t.Error(diff)
	}
}

// TestDescribe: a variable is described by the object that it belongs to; anything else by its OID.
func TestDescribe(t *testing.T) {
	tree := newTestTree(t, &cells{})
	for _, tt := range []struct {
		name OID
		want string
	}{
		{testRoot.Append(1, 0), "count.0"},
		{testEntry.Append(5, 3, 1), "colB.3.1"},
		{testEntry.Append(5), "colB"},
		{testEntry.Append(4, 1), testEntry.Append(4, 1).String()},
		{testRoot, testRoot.String()},
		{OID{1}, ".1"},
	} {
		if got := tree.Describe(tt.name); got != tt.want {
			t.Errorf("%s: %s, want %s", tt.name, got, tt.want)
		}
	}
}

// TestReaderColumns: several columns requested in turn, as by a GETBULK, give the same as each
// alone, also if the state changes between requests and at the end of the rows.
func TestReaderColumns(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m := &columnsModule{rows: rapid.Uint32Range(0, 6).Draw(t, "rows")}
		tree, err := New(m.toPart())
		if err != nil {
			t.Fatal(err)
		}
		shared := tree.NewReader()
		names := []OID{columnsRoot.Append(1), columnsRoot.Append(2), columnsRoot.Append(3)}
		for range rapid.IntRange(1, 12).Draw(t, "requests") {
			m.rows = rapid.Uint32Range(0, 6).Draw(t, "rows now")
			for range rapid.IntRange(1, 9).Draw(t, "variables") {
				i := rapid.IntRange(0, len(names)-1).Draw(t, "column")
				include := rapid.Bool().Draw(t, "include")
				var got, want Varbind
				shared.Next(names[i], include, nil, &got)
				tree.NewReader().Next(names[i], include, nil, &want)
				if got.Name.Compare(want.Name) != 0 || got.Value.Type != want.Value.Type || want.Value.Type != EndOfMibView && got.Value.Num != want.Value.Num {
					t.Fatalf("behind %v (include %t): %v, want %v", names[i], include, got, want)
				}
				names[i] = want.Name
				if want.Value.Type == EndOfMibView {
					names[i] = columnsRoot.Append(uint32(i + 1))
				} else if at := tree.Defs()[shared.Object()].OID; !got.Name.HasPrefix(at) {
					t.Fatalf("%v is said to be of %v", got.Name, at)
				}
			}
			shared.Release()
		}
	})
}

var columnsRoot = MustOID("1.3.6.1.4.1.32473.7")

// columnsModule is a table of three columns, whose cells contain the row, the column and the number
// of rows.
type columnsModule struct{ rows uint32 }

func (m *columnsModule) toPart() Part {
	rows := &Rows[uint32, [2]uint32]{
		Get: func(n uint32, index OID) (row [2]uint32, ok bool) {
			return [2]uint32{n, index[0]}, len(index) == 1 && index[0] >= 1 && index[0] <= n
		},
		Next: func(n uint32, index OID, include bool, name OID) (OID, [2]uint32, bool) {
			row := uint32(1)
			if len(index) > 0 {
				if row = max(1, index[0]); index[0] > 0 && (!include || len(index) > 1) {
					row++
				}
			}
			return append(name, row), [2]uint32{n, row}, row <= n
		},
	}
	var objects []Object[uint32]
	for c := range uint32(3) {
		objects = append(objects, Column[uint32, [2]uint32]{
			Def: Def{Name: "column", OID: columnsRoot.Append(c + 1), Type: Gauge32, Access: ReadOnly}, Rows: rows,
			Get: func(row [2]uint32, v *Value) { v.SetGauge32(row[0]*10000 + row[1]*10 + c) },
		})
	}
	return &Module[uint32]{Name: "columns", Root: columnsRoot, Pin: func() uint32 { return m.rows }, Objects: objects}
}

// TestSharedRows: two parts with different states find rows by the same functions; their rows are
// not mixed up.
func TestSharedRows(t *testing.T) {
	first, second := &columnsModule{rows: 3}, &columnsModule{rows: 5}
	a := first.toPart().(*Module[uint32])
	b := &Module[uint32]{Name: "more columns", Root: columnsRoot[:len(columnsRoot)-1].Append(8), Pin: func() uint32 { return second.rows }}
	for _, o := range a.Objects {
		c := o.(Column[uint32, [2]uint32])
		c.OID = b.Root.Append(c.OID[len(c.OID)-1])
		b.Objects = append(b.Objects, c)
	}
	tree, err := New(a, b)
	if err != nil {
		t.Fatal(err)
	}
	r := tree.NewReader()
	for range 3 { // a walk that alternates between one column of each
		for _, tt := range []struct {
			root OID
			rows uint64
		}{{a.Root, 3}, {b.Root, 5}} {
			var vb Varbind
			r.Next(tt.root.Append(1), false, nil, &vb)
			if want := tt.rows*10000 + 10; vb.Value.Num != want {
				t.Fatalf("%v is %d, want %d", vb.Name, vb.Value.Num, want)
			}
		}
	}
}
