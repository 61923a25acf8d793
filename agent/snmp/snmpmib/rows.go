package snmpmib

import (
	"slices"
	"sync/atomic"

	"aaasess/mib"
)

// entry is one row of a table and its index.
type entry[R any] struct {
	index mib.OID
	row   R
}

// table is the rows of a table in the order of their indexes, each index once. It does not change.
type table[R any] []entry[R]

// newTable sorts rows. Of those with one index the first stays. A row whose variables could have no
// name, because that would be longer than an OID can be under a column called prefix, is left out.
func newTable[R any](prefix mib.OID, rows []entry[R]) table[R] {
	rows = slices.DeleteFunc(rows, func(e entry[R]) bool { return len(prefix)+1+len(e.index) > mib.MaxSubIDs })
	slices.SortStableFunc(rows, func(a, b entry[R]) int { return a.index.Compare(b.index) })
	return slices.CompactFunc(rows, func(a, b entry[R]) bool { return a.index.Compare(b.index) == 0 })
}

// at is where index is, or would be.
func (t table[R]) at(index mib.OID) (int, bool) {
	return slices.BinarySearchFunc(t, index, func(e entry[R], index mib.OID) int { return e.index.Compare(index) })
}

// rowsOf is how the tree finds rows of the table that of takes from a pinned state.
func rowsOf[S, R any](of func(S) table[R]) *mib.Rows[S, *R] {
	return &mib.Rows[S, *R]{
		Get: func(s S, index mib.OID) (*R, bool) {
			t := of(s)
			i, found := t.at(index)
			if !found {
				return nil, false
			}
			return &t[i].row, true
		},
		Next: func(s S, index mib.OID, include bool, name mib.OID) (mib.OID, *R, bool) {
			t := of(s)
			i, found := t.at(index)
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

// appendName appends a string to an index: its length, then an octet each (RFC 2578 section 7.7).
func appendName(index mib.OID, name string) mib.OID {
	index = append(index, uint32(len(name)))
	for i := range len(name) {
		index = append(index, uint32(name[i]))
	}
	return index
}

// derived keeps what was made last, and of what. The key is a pointer to something that does not
// change, so the same pointer means the same rows.
type derived[K, S any] struct {
	build func(*K) *S
	last  atomic.Pointer[pair[K, S]]
}

type pair[K, S any] struct {
	of   *K
	made *S
}

// of gives what is made of key. Goroutines that meet a new key together may each make it.
func (d *derived[K, S]) of(key *K) *S {
	if p := d.last.Load(); p != nil && p.of == key {
		return p.made
	}
	p := &pair[K, S]{key, d.build(key)}
	d.last.Store(p)
	return p.made
}
