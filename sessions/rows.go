package sessions

import (
	"math/bits"
	"slices"
)

// rows is an ordered map from ID to *Session whose snapshots cost almost nothing. It is a radix
// tree of six levels. The top level has two bits of the id, the others six each. Each node has a
// bitmap of the digits that are present. A change copies the nodes on its path, unless they were
// made since the last snapshot. So snapshots never change, and are read without a lock.
// Neighbouring ids share a leaf: each step of a walk does six look-ups in memory that the step
// before has just touched.
type rows struct {
	root  *node
	n     int
	kinds [Command + 1]int // how many they are of each kind
	epoch uint64           // nodes of this epoch are in no snapshot
}

type node struct {
	epoch    uint64
	bitmap   uint64
	children []*node    // by digit, above the leaves
	rows     []*Session // by digit, in a leaf
}

const (
	topShift  = 30
	digitBits = 6
)

func digitOf(id ID, shift uint) uint { return uint(id>>shift) & (1<<digitBits - 1) }

// rank returns the index of digit d among those present.
func (n *node) rank(d uint) int { return bits.OnesCount64(n.bitmap & (1<<d - 1)) }

func (n *node) has(d uint) bool { return n.bitmap>>d&1 != 0 }

func (r *rows) get(id ID) *Session { return find(r.root, id) }

func find(n *node, id ID) *Session {
	for shift := uint(topShift); n != nil; shift -= digitBits {
		d := digitOf(id, shift)
		if !n.has(d) {
			return nil
		}
		if shift == 0 {
			return n.rows[n.rank(d)]
		}
		n = n.children[n.rank(d)]
	}
	return nil
}

// ceiling returns the session with the lowest id that is at least id, or nil.
func ceiling(n *node, id ID) *Session {
	var right *node // the nearest subtree to the right of the path
	for shift := uint(topShift); n != nil; shift -= digitBits {
		d := digitOf(id, shift)
		i := n.rank(d)
		if shift == 0 {
			if i < len(n.rows) {
				return n.rows[i]
			}
			break
		}
		if !n.has(d) {
			if i < len(n.children) {
				right = n.children[i]
			}
			break
		}
		if i+1 < len(n.children) {
			right = n.children[i+1]
		}
		n = n.children[i]
	}
	if right == nil {
		return nil
	}
	for len(right.children) > 0 {
		right = right.children[0]
	}
	return right.rows[0]
}

// walk yields the sessions in order of their ids. It returns false if yield has.
func (n *node) walk(yield func(*Session) bool) bool {
	for _, s := range n.rows {
		if !yield(s) {
			return false
		}
	}
	for _, child := range n.children {
		if !child.walk(yield) {
			return false
		}
	}
	return true
}

// walkBack is walk in the reverse order.
func (n *node) walkBack(yield func(*Session) bool) bool {
	for _, s := range slices.Backward(n.rows) {
		if !yield(s) {
			return false
		}
	}
	for _, child := range slices.Backward(n.children) {
		if !child.walkBack(yield) {
			return false
		}
	}
	return true
}

// snapshot returns the tree as it is. Later changes to r do not change it.
func (r *rows) snapshot() *node {
	r.epoch++
	return r.root
}

func (r *rows) writable(n *node) *node {
	if n == nil {
		return &node{epoch: r.epoch}
	}
	if n.epoch == r.epoch {
		return n
	}
	c := &node{epoch: r.epoch, bitmap: n.bitmap}
	if n.children != nil {
		c.children = append(make([]*node, 0, len(n.children)+1), n.children...)
	}
	if n.rows != nil {
		c.rows = append(make([]*Session, 0, len(n.rows)+1), n.rows...)
	}
	return c
}

// put adds s, or replaces the session with its id.
func (r *rows) put(s *Session) { r.putRoom(s, 1) }

// putRoom is like put. If it makes a leaf, that has room for so many rows: a slice that grows leaves garbage.
func (r *rows) putRoom(s *Session, room int) { r.root = r.putIn(r.root, s, topShift, room) }

func (r *rows) putIn(n *node, s *Session, shift uint, room int) *node {
	n = r.writable(n)
	d := digitOf(s.ID, shift)
	i := n.rank(d)
	if shift == 0 {
		if n.has(d) {
			r.count(n.rows[i], -1)
			n.rows[i] = s
		} else {
			if n.rows == nil {
				n.rows = make([]*Session, 0, room)
			}
			n.rows = insertAt(n.rows, i, s)
			r.n++
		}
		r.count(s, 1)
	} else {
		if !n.has(d) {
			n.children = insertAt(n.children, i, nil)
		}
		n.children[i] = r.putIn(n.children[i], s, shift-digitBits, room)
	}
	n.bitmap |= 1 << d
	return n
}

// remove removes the session with this id, if there is one.
func (r *rows) remove(id ID) {
	if s := r.get(id); s != nil {
		r.root = r.removeIn(r.root, id, topShift)
		r.n--
		r.count(s, -1)
	}
}

func (r *rows) removeIn(n *node, id ID, shift uint) *node {
	n = r.writable(n)
	d := digitOf(id, shift)
	i := n.rank(d)
	if shift == 0 {
		n.rows = removeAt(n.rows, i)
	} else {
		if n.children[i] = r.removeIn(n.children[i], id, shift-digitBits); n.children[i] != nil {
			return n
		}
		n.children = removeAt(n.children, i)
	}
	if n.bitmap &^= 1 << d; n.bitmap == 0 {
		return nil
	}
	return n
}

// count counts a session by its kind. The file of a later version may have kinds that this one does not
// know; they are not counted.
func (r *rows) count(s *Session, by int) {
	if int(s.Kind) < len(r.kinds) {
		r.kinds[s.Kind] += by
	}
}

func insertAt[T any](s []T, i int, v T) []T {
	s = append(s, v)
	copy(s[i+1:], s[i:])
	s[i] = v
	return s
}

func removeAt[T any](s []T, i int) []T {
	var zero T
	copy(s[i:], s[i+1:])
	s[len(s)-1] = zero
	return s[:len(s)-1]
}
