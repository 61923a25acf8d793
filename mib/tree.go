package mib

import (
	"fmt"
	"slices"
)

// Tree is the objects of several modules in the order of their OIDs. It does not change once made.
type Tree struct {
	parts  []Part
	leaves []leaf // by def.OID
	tables []int  // by number of a table: its first leaf
}

// leaf is one scalar or column of a part.
type leaf struct {
	def  Def
	part int
	get  getFunc
	next nextFunc
	test func(v *Value) ErrorStatus

	rows      any // the table, nil of a scalar
	newCursor func() cursor
	table     int // its number, -1 of a scalar
}

// New makes a tree. Two objects with one OID, an object within another, or an object outside
// its module's root are errors in code, and reported as such.
func New(parts ...Part) (*Tree, error) {
	t := &Tree{parts: parts}
	for p, part := range parts {
		for _, l := range part.leaves() {
			if !l.def.OID.HasPrefix(part.root()) {
				return nil, fmt.Errorf("mib: %s: %s %s is outside the module's root %s", part.name(), l.def.Name, l.def.OID, part.root())
			}
			l.part = p
			t.leaves = append(t.leaves, l)
		}
	}
	slices.SortFunc(t.leaves, func(a, b leaf) int { return a.def.OID.Compare(b.def.OID) })
	for i := 1; i < len(t.leaves); i++ {
		if a, b := t.leaves[i-1].def, t.leaves[i].def; b.OID.HasPrefix(a.OID) {
			return nil, fmt.Errorf("mib: %s %s and %s %s overlap", a.Name, a.OID, b.Name, b.OID)
		}
	}
	t.numberTables()
	return t, nil
}

func (t *Tree) numberTables() {
	type key struct {
		part int // two parts may have different states for the same rows
		rows any
	}
	numbers := map[key]int{}
	for i := range t.leaves {
		l := &t.leaves[i]
		if l.table = -1; l.rows == nil {
			continue
		}
		k := key{l.part, l.rows}
		n, known := numbers[k]
		if !known {
			n = len(t.tables)
			numbers[k], t.tables = n, append(t.tables, i)
		}
		l.table = n
	}
}

// Roots are the subtrees to register with a master agent.
func (t *Tree) Roots() []OID {
	roots := make([]OID, len(t.parts))
	for i, p := range t.parts {
		roots[i] = p.root()
	}
	return roots
}

// Defs are all objects in the order of their OIDs.
func (t *Tree) Defs() []Def {
	ds := make([]Def, len(t.leaves))
	for i, l := range t.leaves {
		ds[i] = l.def
	}
	return ds
}

// after is the index of the first leaf whose OID is greater than name.
func (t *Tree) after(name OID) int {
	lo, hi := 0, len(t.leaves)
	for lo < hi {
		mid := (lo + hi) / 2
		if t.leaves[mid].def.OID.Compare(name) <= 0 {
			lo = mid + 1
		} else {
			hi = mid
		}
	}
	return lo
}

// holding is the index of the leaf in whose subtree name lies, or -1.
func (t *Tree) holding(name OID) int {
	if i := t.after(name) - 1; i >= 0 && name.HasPrefix(t.leaves[i].def.OID) {
		return i
	}
	return -1
}

// Reader answers requests from the tree, each from one pinned state. Not for concurrent use.
type Reader struct {
	tree *Tree
	pins []any // nil: not pinned in this request
	// A walk asks for the same leaves in the same order again and again, be it one column or seven in
	// turn: what followed a leaf the last time mostly does so again.
	last   int   // the leaf found last
	follow []int // by leaf: the one that was found after it
	found  int   // the leaf of the variable that Next gave last

	cursors []cursor // by number of a table
}

// NewReader makes a reader with nothing pinned.
func (t *Tree) NewReader() *Reader {
	r := &Reader{tree: t, pins: make([]any, len(t.parts)), follow: make([]int, len(t.leaves)), cursors: make([]cursor, len(t.tables))}
	for n, i := range t.tables {
		r.cursors[n] = t.leaves[i].newCursor()
	}
	return r
}

// holding is [Tree.holding], with a guess before the search.
func (r *Reader) holding(name OID) int {
	if r.last < len(r.follow) {
		if i := r.follow[r.last]; isUnder(name, r.tree.leaves[i].def.OID) {
			r.last = i
			return i
		}
	}
	i := r.tree.holding(name)
	if i >= 0 {
		r.follow[r.last], r.last = i, i
	}
	return i
}

// isUnder is [OID.HasPrefix] for OIDs that mostly differ near the end.
func isUnder(name, prefix OID) bool {
	if len(name) < len(prefix) {
		return false
	}
	name = name[:len(prefix)]
	for i := len(prefix) - 1; i >= 0; i-- {
		if name[i] != prefix[i] {
			return false
		}
	}
	return true
}

// Release ends the request: the next Get or Next sees the state of its own time. Call it after
// each request, so that an idle reader keeps no old state alive.
func (r *Reader) Release() {
	clear(r.pins)
	for _, c := range r.cursors {
		c.forget()
	}
}

// Object is the place among [Tree.Defs] of the object that the last Next has found a variable of.
func (r *Reader) Object() int { return r.found }

// cursor is for a walk of several columns; one of a single column never asks for a row twice.
func (r *Reader) cursor(i int) cursor {
	if n := r.tree.leaves[i].table; n >= 0 && r.follow[i] != i {
		return r.cursors[n]
	}
	return nil
}

func (r *Reader) state(part int) any {
	if r.pins[part] == nil {
		r.pins[part] = r.tree.parts[part].pin()
	}
	return r.pins[part]
}

// Get fills v with the value of the variable called name, or with NoSuchObject or NoSuchInstance
// (RFC 3416 section 4.2.1).
func (r *Reader) Get(name OID, v *Value) {
	i := r.holding(name)
	if i < 0 {
		v.Type = NoSuchObject
		return
	}
	l := &r.tree.leaves[i]
	if !l.get(r.state(l.part), name[len(l.def.OID):], v) {
		v.Type = NoSuchInstance
	}
}

// Next fills vb with the first variable behind start (or at it, if include) and before end;
// an empty end means no bound. With none left, vb is start and EndOfMibView (RFC 3416 section
// 4.2.2, RFC 2741 section 7.2.3.2). vb.Name is written over: start must not share its memory.
func (r *Reader) Next(start OID, include bool, end OID, vb *Varbind) {
	t := r.tree
	i := r.holding(start)
	instance := OID(nil)
	if i >= 0 {
		instance = start[len(t.leaves[i].def.OID):]
	} else {
		i = t.after(start)
	}
	for ; i < len(t.leaves); i++ {
		l := &t.leaves[i]
		vb.Name = append(vb.Name[:0], l.def.OID...)
		if l.next(r.state(l.part), r.cursor(i), instance, include, vb) {
			r.found = i
			if len(end) > 0 && vb.Name.Compare(end) >= 0 {
				break
			}
			return
		}
		instance, include = nil, false
	}
	vb.Name = append(vb.Name[:0], start...)
	vb.Value.Type = EndOfMibView
}
