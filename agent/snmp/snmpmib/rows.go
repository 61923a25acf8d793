package snmpmib

import (
	"slices"
	"sync/atomic"

	"aaasess/mib"
)

// entry is one row of a table with its index.
type entry[R any] struct {
	index mib.OID
	row   R
}

// table has the rows of a table in index order, each index once. It is immutable.
type table[R any] []entry[R]

// newTable sorts rows. If several rows have one index, the first one stays. A row is left out if
// its variable names would exceed the length of an OID under a column of prefix.
func newTable[R any](prefix mib.OID, rows []entry[R]) table[R] {
	rows = slices.DeleteFunc(rows, func(e entry[R]) bool { return len(prefix)+1+len(e.index) > mib.MaxSubIDs })
	slices.SortStableFunc(rows, func(a, b entry[R]) int { return a.index.Compare(b.index) })
	return slices.CompactFunc(rows, func(a, b entry[R]) bool { return a.index.Compare(b.index) == 0 })
}

// search returns the position of index, or where it would be.
func (t table[R]) search(index mib.OID) (int, bool) {
	return slices.BinarySearchFunc(t, index, func(e entry[R], index mib.OID) int { return e.index.Compare(index) })
}

// rowsOf provides access to the rows of the table that of selects from a pinned state.
func rowsOf[S, R any](of func(S) table[R]) *mib.Rows[S, *R] {
	return &mib.Rows[S, *R]{
		Get: func(s S, index mib.OID) (*R, bool) {
			t := of(s)
			i, found := t.search(index)
			if !found {
				return nil, false
			}
			return &t[i].row, true
		},
		Next: func(s S, index mib.OID, include bool, name mib.OID) (mib.OID, *R, bool) {
			t := of(s)
			i, found := t.search(index)
			if found && !include {
				i++
			}
			if i == len(t) {
				return name, nil, false
			}
			return append(name, t[i].index...), &t[i].row, true
		},
	}
}

// appendName appends a string to an index: its length, then one sub-identifier for each octet (RFC
// 2578 section 7.7).
func appendName(index mib.OID, name string) mib.OID {
	index = append(index, uint32(len(name)))
	for i := range len(name) {
		index = append(index, uint32(name[i]))
	}
	return index
}

// derived caches the last result of build and its key. A key points to immutable data, so the same
// pointer means the same rows.
type derived[K, S any] struct {
	build func(*K) *S
	last  atomic.Pointer[pair[K, S]]
}

type pair[K, S any] struct {
	key    *K
	result *S
}

// get returns the result for key. Goroutines that see a new key at the same time may each build it.
func (d *derived[K, S]) get(key *K) *S {
	if p := d.last.Load(); p != nil && p.key == key {
		return p.result
	}
	p := &pair[K, S]{key, d.build(key)}
	d.last.Store(p)
	return p.result
}
