package snmpmib

import (
	"errors"
	"math"
	"sync"
	"sync/atomic"
	"testing"

	"aaasess/mib"
)

var serialNo = snmpSetRoot.Append(1, 0)

// newSerial returns a tree with snmpSetSerialNo and other parts; the number is n.
func newSerial(t *testing.T, n int32, parts ...mib.Part) (*testAndIncr, *mib.Tree) {
	t.Helper()
	lock := &testAndIncr{}
	tree, err := mib.New(append(parts, snmpSet(lock))...)
	if err != nil {
		t.Fatal(err)
	}
	lock.value.Store(n)
	return lock, tree
}

func readSerial(t *testing.T, tree *mib.Tree) int32 {
	t.Helper()
	var v mib.Value
	tree.NewReader().Get(serialNo, &v)
	if v.Type != mib.Integer32 {
		t.Fatalf("snmpSetSerialNo.0 is %s", v.Type)
	}
	return v.Int32()
}

func integer(name mib.OID, n int32) mib.Varbind {
	vb := mib.Varbind{Name: name}
	vb.Value.SetInteger32(n)
	return vb
}

// wantSetError checks status and position of a failed SET.
func wantSetError(t *testing.T, err error, status mib.ErrorStatus, index int) {
	t.Helper()
	se, ok := errors.AsType[*mib.SetError](err)
	if !ok || se.Status != status || se.Index != index {
		t.Errorf("error %v, want %s of variable %d", err, status, index)
	}
}

func TestSerialTest(t *testing.T) {
	gauge := mib.Varbind{Name: serialNo}
	gauge.Value.SetGauge32(7)
	tests := map[string]struct {
		vbs    []mib.Varbind
		status mib.ErrorStatus
		index  int
	}{
		"the number":              {[]mib.Varbind{integer(serialNo, 7)}, mib.NoError, 0},
		"the number twice":        {[]mib.Varbind{integer(serialNo, 7), integer(serialNo, 7)}, mib.NoError, 0},
		"the number before":       {[]mib.Varbind{integer(serialNo, 6)}, mib.InconsistentValue, 1},
		"the number after":        {[]mib.Varbind{integer(serialNo, 8)}, mib.InconsistentValue, 1},
		"the number and the next": {[]mib.Varbind{integer(serialNo, 7), integer(serialNo, 8)}, mib.InconsistentValue, 2},
		"negative":                {[]mib.Varbind{integer(serialNo, -1)}, mib.WrongValue, 1},
		"least":                   {[]mib.Varbind{integer(serialNo, math.MinInt32)}, mib.WrongValue, 1},
		"another type":            {[]mib.Varbind{gauge}, mib.WrongType, 1},
		"another instance":        {[]mib.Varbind{integer(snmpSetRoot.Append(1, 1), 7)}, mib.NoCreation, 1},
		"no instance":             {[]mib.Varbind{integer(snmpSetRoot.Append(1), 7)}, mib.NoCreation, 1},
		"long instance":           {[]mib.Varbind{integer(serialNo.Append(0), 7)}, mib.NoCreation, 1},
		"negative elsewhere":      {[]mib.Varbind{integer(snmpSetRoot.Append(1, 1), -7)}, mib.WrongValue, 1},
		"with what is not there":  {[]mib.Varbind{integer(serialNo, 7), integer(snmpSetRoot.Append(2, 0), 7)}, mib.NotWritable, 2},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			_, tree := newSerial(t, 7)
			set, err := tree.Test(tt.vbs)
			if n := readSerial(t, tree); n != 7 {
				t.Fatalf("the test made the number %d", n)
			}
			if tt.status != mib.NoError {
				wantSetError(t, err, tt.status, tt.index)
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if err := set.Commit(); err != nil {
				t.Fatal(err)
			}
			set.Cleanup()
			if n := readSerial(t, tree); n != 8 {
				t.Errorf("after the SET the number is %d, want 8", n)
			}
		})
	}
}

// mustTest tests a SET of the current number.
func mustTest(t *testing.T, tree *mib.Tree) *mib.Set {
	t.Helper()
	set, err := tree.Test([]mib.Varbind{integer(serialNo, readSerial(t, tree))})
	if err != nil {
		t.Fatal(err)
	}
	return set
}

func TestSerialSteps(t *testing.T) {
	for name, n := range map[string]struct{ from, to int32 }{"next": {0, 1}, "to the last": {math.MaxInt32 - 1, math.MaxInt32}, "around": {math.MaxInt32, 0}} {
		t.Run(name, func(t *testing.T) {
			_, tree := newSerial(t, n.from)
			set := mustTest(t, tree)
			if err := set.Commit(); err != nil {
				t.Fatal(err)
			}
			if got := readSerial(t, tree); got != n.to {
				t.Errorf("after %d comes %d, want %d", n.from, got, n.to)
			}
			if err := set.Undo(); err != nil {
				t.Fatal(err)
			}
			if got := readSerial(t, tree); got != n.from {
				t.Errorf("undone it is %d, want %d", got, n.from)
			}
		})
	}
}

// TestSerialRivals: if two SETs were tested with the same number, only the first is carried out.
func TestSerialRivals(t *testing.T) {
	_, tree := newSerial(t, 7)
	first, second := mustTest(t, tree), mustTest(t, tree)
	if err := first.Commit(); err != nil {
		t.Fatal(err)
	}
	err := second.Commit()
	wantSetError(t, err, mib.CommitFailed, 1)
	if !errors.Is(err, ErrSerial) {
		t.Errorf("error %v", err)
	}
	second.Cleanup()
	if n := readSerial(t, tree); n != 8 {
		t.Errorf("the number is %d, want 8", n)
	}
}

// TestSerialUndoTooLate: after another SET has used the result of a SET, that is undone without an error,
// and the number stays.
func TestSerialUndoTooLate(t *testing.T) {
	_, tree := newSerial(t, 7)
	first := mustTest(t, tree)
	if err := first.Commit(); err != nil {
		t.Fatal(err)
	}
	if err := mustTest(t, tree).Commit(); err != nil {
		t.Fatal(err)
	}
	if err := first.Undo(); err != nil {
		t.Errorf("error %v", err)
	}
	if n := readSerial(t, tree); n != 9 {
		t.Errorf("the number is %d, want 9", n)
	}
}

// unwilling is a module with one object whose Test succeeds and whose Commit fails.
type unwilling struct{}

func (unwilling) Writable(mib.Def) bool                     { return true }
func (unwilling) Test([]mib.Assignment) (mib.Change, error) { return unwilling{}, nil }
func (unwilling) Commit() error                             { return errors.New("no") }
func (unwilling) Undo() error                               { return nil }
func (unwilling) Cleanup()                                  {}

// TestSerialWithOthers: a SET that fails in another module does not change the number, whatever the
// order.
func TestSerialWithOthers(t *testing.T) {
	root := mib.MustOID("1.3.6.1.4.1.32473")
	other := &mib.Module[int]{
		Name: "test", Root: root, Pin: func() int { return 0 }, Writer: unwilling{},
		Objects: []mib.Object[int]{scalar(root, 1, "other", mib.Integer32, mib.ReadWrite, func(int, *mib.Value) {})},
	}
	lock := &testAndIncr{}
	serial := snmpSet(lock)
	for name, parts := range map[string][]mib.Part{"after it": {serial, other}, "before it": {other, serial}} {
		t.Run(name, func(t *testing.T) {
			tree, err := mib.New(parts...)
			if err != nil {
				t.Fatal(err)
			}
			lock.value.Store(7)
			set, err := tree.Test([]mib.Varbind{integer(serialNo, 7), integer(root.Append(1, 0), 1)})
			if err != nil {
				t.Fatal(err)
			}
			wantSetError(t, set.Commit(), mib.GenErr, 2)
			if n := readSerial(t, tree); n != 7 {
				t.Errorf("the number is %d, want 7", n)
			}
		})
	}
}

// TestSerialMany: each number is given to exactly one of many managers.
func TestSerialMany(t *testing.T) {
	lock, tree := newSerial(t, math.MaxInt32-100)
	var won [math.MaxUint8]atomic.Int32
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			r := tree.NewReader()
			var v mib.Value
			for range 300 {
				r.Get(serialNo, &v)
				n := v.Int32()
				r.Release()
				set, err := tree.Test([]mib.Varbind{integer(serialNo, n)})
				if err != nil {
					continue // another SET was faster
				}
				if set.Commit() == nil {
					won[uint32(n)%math.MaxUint8].Add(1)
				}
				set.Cleanup()
			}
		})
	}
	wg.Wait()
	total := int32(0)
	for i := range won {
		total += won[i].Load()
	}
	// The number wraps at 2^31.
	if got := uint32(math.MaxInt32-100) + uint32(total); got&math.MaxInt32 != uint32(lock.value.Load()) {
		t.Errorf("%d SETs were carried out, and the number is %d", total, lock.value.Load())
	}
	if total < 300 {
		t.Errorf("only %d SETs were carried out", total)
	}
}

// TestSpinLocks: the locks are random after each start, constant until the next, and read-only.
func TestSpinLocks(t *testing.T) {
	f := newFixture(t)
	other := newTree(t, f.cfg)
	for name, oid := range map[string]mib.OID{"usmUserSpinLock": usmRoot.Append(2, 1, 0), "vacmViewSpinLock": vacmMIBViews.Append(1, 0), "snmpSetSerialNo": serialNo} {
		t.Run(name, func(t *testing.T) {
			var first, again, elsewhere mib.Value
			f.tree.NewReader().Get(oid, &first)
			f.tree.NewReader().Get(oid, &again)
			other.NewReader().Get(oid, &elsewhere)
			if first.Type != mib.Integer32 || first.Int32() < 0 || again.Int32() != first.Int32() {
				t.Errorf("%s %d, then %d", first.Type, first.Int32(), again.Int32())
			}
			if first.Int32() == elsewhere.Int32() {
				t.Errorf("two starts, one number: %d", first.Int32())
			}
			_, err := f.tree.Test([]mib.Varbind{integer(oid, first.Int32())})
			if name == "snmpSetSerialNo" {
				if err != nil {
					t.Error(err)
				}
				return
			}
			wantSetError(t, err, mib.NotWritable, 1)
		})
	}
}
