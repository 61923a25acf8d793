package radiusclient

import (
	"slices"
	"sync/atomic"

	"aaasess/mib"
)

// table has the rows of a table whose index is one number. It is immutable once it is in a state.
type table[R any] struct {
	numbers []uint32 // the index of each row, ascending
	rows    []R
}

// add appends a row. Its number must be greater than those before.
func (t *table[R]) add(number uint32, row R) {
	t.numbers, t.rows = append(t.numbers, number), append(t.rows, row)
}

// search returns where a number is, or where it would be. Numbers mostly have no gaps, so it tries that
// place first.
func (t *table[R]) search(number uint32) (int, bool) {
	if i := int(number) - 1; i >= 0 && i < len(t.numbers) && t.numbers[i] == number {
		return i, true
	}
	return slices.BinarySearch(t.numbers, number)
}

// get returns the row with an index.
func (t *table[R]) get(index mib.OID) (*R, bool) {
	if len(index) != 1 {
		return nil, false
	}
	i, ok := t.search(index[0])
	if !ok {
		return nil, false
	}
	return &t.rows[i], true
}

// next finds the row after an index, as in [mib.Rows].
func (t *table[R]) next(index mib.OID, include bool, name mib.OID) (mib.OID, *R, bool) {
	i := 0
	if len(index) > 0 {
		var at bool
		i, at = t.search(index[0])
		if at && (!include || len(index) > 1) {
			i++
		}
	}
	if i == len(t.rows) {
		return name, nil, false
	}
	return append(name, t.numbers[i]), &t.rows[i], true
}

// rowsOf returns the rows of a table in a state.
func rowsOf[S, R any](of func(S) *table[R]) *mib.Rows[S, *R] {
	return &mib.Rows[S, *R]{
		Get: func(s S, index mib.OID) (*R, bool) { return of(s).get(index) },
		Next: func(s S, index mib.OID, include bool, name mib.OID) (mib.OID, *R, bool) {
			return of(s).next(index, include, name)
		},
	}
}

// pin returns the Pin of a module. The state of a view is made by the first request that reads the
// view.
func pin[V, S any](view func() *V, state func(*V) *S) func() *S {
	type made struct {
		view  *V
		state *S
	}
	var last atomic.Pointer[made]
	return func() *S {
		v := view()
		if m := last.Load(); m != nil && m.view == v {
			return m.state
		}
		m := &made{v, state(v)}
		last.Store(m)
		return m.state
	}
}
