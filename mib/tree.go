package mib

import (
	"fmt"
	"slices"
)

// Tree has the objects of several modules, in the order of their OIDs. It is immutable.
type Tree struct {
	parts  []Part
	leaves []leaf // by def.OID
	tables []int  // for each table, the index of its first leaf
}

// leaf is one scalar or column of a part.
type leaf struct {
	def  Def
	part int
	get  getFunc
	next nextFunc
	test func(v *Value) ErrorStatus

	rows      any // the table; nil for a scalar
	newCursor func() cursor
	table     int // index in Tree.tables; -1 for a scalar
}

// New creates a tree. Two objects with one OID, an object within another one, an object outside its
// module's root, or an identity that does not fit sysORTable are programming errors, which New
// returns.
func New(parts ...Part) (*Tree, error) {
	t := &Tree{parts: parts}
	for p, part := range parts {
		if id := part.identity(); len(id.ID) > MaxSubIDs || len(id.Descr) > MaxDescr {
			return nil, fmt.Errorf("mib: %s: identity has an OID of %d sub-identifiers and a description of %d octets", part.name(), len(id.ID), len(id.Descr))
		}
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

// Roots returns the subtrees to register with a master agent.
func (t *Tree) Roots() []OID {
	roots := make([]OID, len(t.parts))
	for i, p := range t.parts {
		roots[i] = p.root()
	}
	return roots
}

// Identities returns the identities of the modules, for sysORTable.
func (t *Tree) Identities() []Identity { return Identities(t.parts...) }

// Defs returns all objects in the order of their OIDs.
func (t *Tree) Defs() []Def {
	ds := make([]Def, len(t.leaves))
	for i, l := range t.leaves {
		ds[i] = l.def
	}
	return ds
}

// Describe returns the name of a variable for a log, for example casnDisconnect.5; its OID if the
// tree has no such object.
func (t *Tree) Describe(name OID) string {
	if i := t.holding(name); i >= 0 {
		def := &t.leaves[i].def
		return def.Name + name[len(def.OID):].String()
	}
	return name.String()
}

// after returns the index of the first leaf whose OID is greater than name.
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

// holding returns the index of the leaf whose subtree contains name, or -1.
func (t *Tree) holding(name OID) int {
	if i := t.after(name) - 1; i >= 0 && name.HasPrefix(t.leaves[i].def.OID) {
		return i
	}
	return -1
}

// Reader answers requests from the tree, each from one pinned state. It is not safe for concurrent
// use.
type Reader struct {
	tree *Tree
	pins []any // nil: not pinned in this request
	// A walk of one or several columns requests the same leaves in the same order again and again.
	// So the leaf that followed another one last time probably follows it again.
	last      int   // the last leaf found
	successor []int // for each leaf, the leaf that was found after it
	found     int   // the leaf of the last variable of Next

	cursors []cursor // for each table
}

// NewReader creates a reader without pinned states.
func (t *Tree) NewReader() *Reader {
	r := &Reader{tree: t, pins: make([]any, len(t.parts)), successor: make([]int, len(t.leaves)), cursors: make([]cursor, len(t.tables))}
	for n, i := range t.tables {
		r.cursors[n] = t.leaves[i].newCursor()
	}
	return r
}

// holding is [Tree.holding], but tries a guess before the search.
func (r *Reader) holding(name OID) int {
	if r.last < len(r.successor) {
		if i := r.successor[r.last]; isUnder(name, r.tree.leaves[i].def.OID) {
			r.last = i
			return i
		}
	}
	i := r.tree.holding(name)
	if i >= 0 {
		r.successor[r.last], r.last = i, i
	}
	return i
}

// isUnder is [OID.HasPrefix] for OIDs that usually differ near the end.
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

// Release ends the request: the next Get or Next pins a new state. Call it after each request, so
// that an idle reader does not keep old states alive.
func (r *Reader) Release() {
	clear(r.pins)
	for _, c := range r.cursors {
		c.forget()
	}
}

// Object returns the index in [Tree.Defs] of the object of the last variable of Next.
func (r *Reader) Object() int { return r.found }

// cursor returns the cursor for a walk of several columns, else nil: a walk of one column never
// requests a row twice.
func (r *Reader) cursor(i int) cursor {
	if n := r.tree.leaves[i].table; n >= 0 && r.successor[i] != i {
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

// Get sets v to the value of the variable with this name, or to NoSuchObject or NoSuchInstance (RFC
// 3416 section 4.2.1).
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

// Next sets vb to the first variable after start (or at start, if include) and before end; an empty
// end means no limit. If there is none, vb is start with EndOfMibView (RFC 3416 section 4.2.2, RFC
// 2741 section 7.2.3.2). Next overwrites vb.Name, so start must not share its memory.
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
