package agentx

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"testing"

	"aaasess/mib"
)

// The subtrees of the fixture: a module with scalars and a table, and one with a single scalar.
var (
	FixtureRoot  = mib.MustOID("1.3.6.1.4.1.99999.1")
	FixtureTable = FixtureRoot.Append(2, 1)
	FixtureOther = mib.MustOID("1.3.6.1.4.1.99999.2")
)

// Values of the fixture's writable objects that make a phase fail with an error-status. Smaller
// values can be set.
const (
	FailTest   = 100 // 100+status: Test
	FailCommit = 200 // 200+status: Commit
	FailUndo   = 300 // Commit succeeds, Undo fails
)

// FixtureRow is a row of the table. Its columns are 2..8; column 5 is writable.
type FixtureRow struct {
	Index uint32
	Num   int32 // column 5
}

// Fixture is a tree over a table that can be changed. It records the phases of SETs.
type Fixture struct {
	Tree *mib.Tree

	rows atomic.Pointer[[]FixtureRow]

	mu    sync.Mutex
	other int32
	calls []string
	by    mib.Requester // requester of the last SET that was tested
}

// By returns the requester of the last SET.
func (f *Fixture) By() mib.Requester {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.by
}

// NewFixture returns a table of rows with the indexes 1..n.
func NewFixture(tb testing.TB, n int) *Fixture {
	tb.Helper()
	f := &Fixture{}
	rows := make([]FixtureRow, n)
	for i := range rows {
		rows[i].Index = uint32(i + 1)
	}
	f.SetRows(rows)
	f.setTree(tb, mib.Identity{}, mib.Identity{})
	return f
}

// The identities of the fixture's modules, if they have any.
var (
	FixtureIdentity      = mib.Identity{ID: FixtureRoot, Descr: "FIXTURE-MIB: a table"}
	FixtureOtherIdentity = mib.Identity{ID: FixtureOther, Descr: "OTHER-MIB: a scalar"}
)

// Identify gives the modules of the fixture their identities.
func (f *Fixture) Identify(tb testing.TB) *Fixture {
	tb.Helper()
	f.setTree(tb, FixtureIdentity, FixtureOtherIdentity)
	return f
}

func (f *Fixture) setTree(tb testing.TB, table, other mib.Identity) {
	tb.Helper()
	var err error
	f.Tree, err = mib.New(
		&mib.Module[*[]FixtureRow]{Name: "fixture", Root: FixtureRoot, Identity: table, Pin: f.rows.Load, Objects: fixtureObjects(), Writer: f},
		&mib.Module[*Fixture]{Name: "other", Root: FixtureOther, Identity: other, Pin: func() *Fixture { return f }, Objects: otherObjects(), Writer: f},
	)
	if err != nil {
		tb.Fatal(err)
	}
}

// SetRows replaces the table; rows must be in index order.
func (f *Fixture) SetRows(rows []FixtureRow) { f.rows.Store(&rows) }

// Rows returns the current rows, which must not be changed.
func (f *Fixture) Rows() []FixtureRow { return *f.rows.Load() }

// Calls returns the phases of SETs since the last call.
func (f *Fixture) Calls() []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	calls := f.calls
	f.calls = nil
	return calls
}

func def(name string, oid mib.OID, t mib.Type, a mib.Access) mib.Def {
	return mib.Def{Name: name, OID: oid, Type: t, Access: a}
}

func fixtureObjects() []mib.Object[*[]FixtureRow] {
	type state = *[]FixtureRow
	scalar := func(sub uint32, t mib.Type, get func(v *mib.Value)) mib.Scalar[state] {
		return mib.Scalar[state]{
			Def: def(fmt.Sprintf("scalar%d", sub), FixtureRoot.Append(1, sub), t, mib.ReadOnly),
			Get: func(_ state, v *mib.Value) { get(v) },
		}
	}
	rows := &mib.Rows[state, *FixtureRow]{Get: getRow, Next: nextRow}
	column := func(sub uint32, t mib.Type, a mib.Access, get func(r *FixtureRow, v *mib.Value)) mib.Column[state, *FixtureRow] {
		return mib.Column[state, *FixtureRow]{
			Def: def(fmt.Sprintf("column%d", sub), FixtureTable.Append(sub), t, a), Rows: rows, Get: get,
		}
	}
	ifIndex := mib.MustOID("1.3.6.1.2.1.2.2.1.1")
	return []mib.Object[state]{
		scalar(1, mib.Integer32, func(v *mib.Value) { v.SetInteger32(-5) }),
		scalar(2, mib.TimeTicks, func(v *mib.Value) { v.SetTimeTicks(4294967295) }),
		scalar(3, mib.OctetString, func(v *mib.Value) { v.SetOctets("") }),
		scalar(4, mib.ObjectIdentifier, func(v *mib.Value) { v.SetOID(nil, 0, 0) }),
		scalar(5, mib.Opaque, func(v *mib.Value) { v.Type, v.Str = mib.Opaque, "\x9f\x78\x04\x3f\x80\x00\x00" }),
		column(2, mib.OctetString, mib.ReadOnly, func(r *FixtureRow, v *mib.Value) { v.SetOctets(rowText) }),
		column(3, mib.IpAddress, mib.ReadOnly, func(r *FixtureRow, v *mib.Value) { v.SetIPAddress(10<<24 | r.Index) }),
		column(4, mib.Gauge32, mib.ReadOnly, func(r *FixtureRow, v *mib.Value) { v.SetGauge32(r.Index) }),
		column(5, mib.Integer32, mib.ReadWrite, func(r *FixtureRow, v *mib.Value) { v.SetInteger32(r.Num) }),
		column(6, mib.Counter32, mib.ReadOnly, func(r *FixtureRow, v *mib.Value) { v.SetCounter32(uint64(r.Index) << 20) }),
		column(7, mib.ObjectIdentifier, mib.ReadOnly, func(r *FixtureRow, v *mib.Value) {
			if r.Index%2 == 0 {
				v.SetOID(nil, 0, 0)
				return
			}
			v.SetOID(ifIndex, r.Index)
		}),
		column(8, mib.Counter64, mib.ReadOnly, func(r *FixtureRow, v *mib.Value) { v.SetCounter64(uint64(r.Index) << 40) }),
	}
}

const rowText = "user@example"

func otherObjects() []mib.Object[*Fixture] {
	return []mib.Object[*Fixture]{mib.Scalar[*Fixture]{
		Def: def("other", FixtureOther.Append(1), mib.Integer32, mib.ReadWrite),
		Get: func(f *Fixture, v *mib.Value) {
			f.mu.Lock()
			defer f.mu.Unlock()
			v.SetInteger32(f.other)
		},
	}}
}

func findRow(rows []FixtureRow, index uint32) (int, bool) {
	return slices.BinarySearchFunc(rows, index, func(r FixtureRow, i uint32) int { return cmp.Compare(r.Index, i) })
}

func getRow(s *[]FixtureRow, index mib.OID) (*FixtureRow, bool) {
	if len(index) != 1 {
		return nil, false
	}
	i, ok := findRow(*s, index[0])
	if !ok {
		return nil, false
	}
	return &(*s)[i], true
}

func nextRow(s *[]FixtureRow, index mib.OID, include bool, name mib.OID) (mib.OID, *FixtureRow, bool) {
	i := 0
	if len(index) > 0 {
		var ok bool
		if i, ok = findRow(*s, index[0]); ok && (!include || len(index) > 1) {
			i++
		}
	}
	if i == len(*s) {
		return name, nil, false
	}
	r := &(*s)[i]
	return append(name, r.Index), r, true
}

// Writable and Test make the fixture a mib.Writer.
func (f *Fixture) Writable(mib.Def) bool { return true }

func (f *Fixture) log(phase string, as []mib.Assignment) {
	s := phase
	for _, a := range as {
		s += fmt.Sprintf(" %s%s=%d", a.Object.Name, a.Instance, a.Value.Int32())
	}
	f.calls = append(f.calls, s)
}

// failure returns the error that a value between base and base+100 requests.
func failure(as []mib.Assignment, base int32) error {
	for _, a := range as {
		if n := a.Value.Int32(); n > base && n < base+100 {
			return &mib.SetError{Status: mib.ErrorStatus(n - base), Index: a.Position, Err: errFixture}
		}
	}
	return nil
}

func (f *Fixture) Test(as []mib.Assignment) (mib.Change, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.log("test", as)
	f.by = as[0].By
	for _, a := range as {
		if a.Object.Name == "other" {
			continue
		}
		if _, ok := getRow(f.rows.Load(), a.Instance); !ok {
			return nil, &mib.SetError{Status: mib.NoCreation, Index: a.Position}
		}
	}
	return &fixtureChange{f: f, as: as}, failure(as, FailTest)
}

// fixtureChange is a mib.Change.
type fixtureChange struct {
	f      *Fixture
	as     []mib.Assignment
	before []int32 // restored by Undo
}

func (c *fixtureChange) Commit() error {
	c.f.mu.Lock()
	defer c.f.mu.Unlock()
	c.f.log("commit", c.as)
	if err := failure(c.as, FailCommit); err != nil {
		return err
	}
	for _, a := range c.as {
		c.before = append(c.before, c.f.set(a, a.Value.Int32()))
	}
	return nil
}

func (c *fixtureChange) Undo() error {
	c.f.mu.Lock()
	defer c.f.mu.Unlock()
	c.f.log("undo", c.as)
	for i, a := range c.as {
		if a.Value.Int32() == FailUndo {
			return &mib.SetError{Status: mib.UndoFailed, Index: a.Position}
		}
		c.f.set(a, c.before[i])
	}
	return nil
}

func (c *fixtureChange) Cleanup() {
	c.f.mu.Lock()
	defer c.f.mu.Unlock()
	c.f.log("cleanup", c.as)
}

// set changes an instance and returns the old value.
func (f *Fixture) set(a mib.Assignment, n int32) (was int32) {
	if a.Object.Name == "other" {
		was, f.other = f.other, n
		return was
	}
	rows := slices.Clone(f.Rows())
	if i, ok := findRow(rows, a.Instance[0]); ok {
		was, rows[i].Num = rows[i].Num, n
	}
	f.SetRows(rows)
	return was
}

// Varbind returns a variable with an Integer32 for a SET.
func Varbind(name mib.OID, n int32) mib.Varbind {
	vb := mib.Varbind{Name: name}
	vb.Value.SetInteger32(n)
	return vb
}

var errFixture = errors.New("the value says so")
