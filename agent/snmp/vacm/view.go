package vacm

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"unicode/utf8"

	"aaasess/mib"
)

const (
	maxName = 32 // octets of a view's, a group's or a security name (RFC 3415 section 4)
	// maxIndex is the sub-identifiers that are left for the index of vacmViewTreeFamilyTable, whose
	// columns are 1.3.6.1.6.3.16.1.5.2.1.n.
	maxIndex = mib.MaxSubIDs - 12
)

// Family is a subtree that a view has, or has not (a row of vacmViewTreeFamilyTable).
type Family struct {
	Subtree  mib.OID
	Excluded bool // vacmViewTreeFamilyType excluded(2)
}

// View is a set of OIDs (RFC 3415 section 2.4). Its methods on a nil View are those of an empty one.
type View struct {
	name     string
	families []Family // in the order of vacmViewTreeFamilyTable
	edges    []edge
}

// edge is an OID at which the view begins, if its index is even, or has just ended.
type edge struct {
	oid    mib.OID
	shared int // sub-identifiers at the front that the edge before has too
}

// NewView makes a view of 1 to 32 octets of name. Families may come in any order; one without an OID, or
// two of one subtree, are an error. Without families the view has nothing.
func NewView(name string, families []Family) (*View, error) {
	if err := checkName(name); err != nil {
		return nil, fmt.Errorf("vacm: view %q: %w", name, err)
	}
	v := &View{name: name}
	for _, f := range families {
		if n := len(f.Subtree); n == 0 || 2+len(name)+n > maxIndex {
			return nil, fmt.Errorf("vacm: view %q: subtree of %d sub-identifiers, want 1 to %d", name, n, maxIndex-2-len(name))
		}
		v.families = append(v.families, Family{slices.Clone(f.Subtree), f.Excluded})
	}
	slices.SortFunc(v.families, func(a, b Family) int {
		// The index has the length in front.
		return cmp.Or(cmp.Compare(len(a.Subtree), len(b.Subtree)), a.Subtree.Compare(b.Subtree))
	})
	for i := 1; i < len(v.families); i++ {
		if s := v.families[i].Subtree; s.Compare(v.families[i-1].Subtree) == 0 {
			return nil, fmt.Errorf("vacm: view %q: subtree %s twice", name, s)
		}
	}
	v.makeEdges()
	return v, nil
}

// checkName: the names of VACM are SnmpAdminString (SIZE(1..32)).
func checkName(name string) error {
	switch {
	case name == "" || len(name) > maxName:
		return fmt.Errorf("a name of %d octets, want 1 to %d", len(name), maxName)
	case !utf8.ValidString(name):
		return fmt.Errorf("the name is not UTF-8")
	}
	return nil
}

// makeEdges: the view can only change where a subtree begins or ends. Between two such places each OID
// lies in the same subtrees, so looking at the places themselves is enough.
func (v *View) makeEdges() {
	var places []mib.OID
	for _, f := range v.families {
		places = append(places, f.Subtree)
		if end := behind(f.Subtree); end != nil {
			places = append(places, end)
		}
	}
	slices.SortFunc(places, mib.OID.Compare)
	inside := false
	for _, p := range places {
		if v.decide(p) == inside {
			continue
		}
		e := edge{oid: p}
		if n := len(v.edges); n > 0 {
			e.shared = shared(v.edges[n-1].oid, p)
		}
		v.edges = append(v.edges, e)
		inside = !inside
	}
}

// shared is the number of sub-identifiers that both begin with.
func shared(a, b mib.OID) int {
	a = a[:min(len(a), len(b))]
	b = b[:len(a)]
	for i := range a {
		if a[i] != b[i] {
			return i
		}
	}
	return len(a)
}

// decide is the rule of RFC 3415: the longest family that oid lies in.
func (v *View) decide(oid mib.OID) bool {
	for _, f := range slices.Backward(v.families) { // by length
		if oid.HasPrefix(f.Subtree) {
			return !f.Excluded
		}
	}
	return false
}

// behind is the smallest OID that is greater than all that begin with oid, or nil if there is none.
func behind(oid mib.OID) mib.OID {
	end := slices.Clone(oid)
	for len(end) > 0 && end[len(end)-1] == math.MaxUint32 {
		end = end[:len(end)-1]
	}
	if len(end) == 0 {
		return nil
	}
	end[len(end)-1]++
	return end
}

// Name is vacmViewTreeFamilyViewName; of a nil View, "".
func (v *View) Name() string {
	if v == nil {
		return ""
	}
	return v.name
}

// Families are in the order of vacmViewTreeFamilyTable.
func (v *View) Families() []Family {
	if v == nil {
		return nil
	}
	return v.families
}

// Contains reports whether oid is in the view. It takes some nanoseconds for few families, and
// grows with their logarithm. It does not allocate.
func (v *View) Contains(oid mib.OID) bool { return v.passed(oid)%2 == 1 }

// After is the smallest OID behind oid at which the view begins again, written to dst[:0], or false if
// there is none. For an oid outside it is the next one inside, so GETNEXT goes on there, that OID
// included. For an oid inside it is behind the place where the view next ends. dst may share memory with
// oid.
func (v *View) After(oid, dst mib.OID) (mib.OID, bool) {
	next := v.passed(oid)
	next += next % 2 // an even edge is a beginning
	if v == nil || next >= len(v.edges) {
		return dst[:0], false
	}
	return append(dst[:0], v.edges[next].oid...), true
}

// Covers reports whether all OIDs that begin with subtree are in the view.
func (v *View) Covers(subtree mib.OID) bool {
	n := v.passed(subtree)
	return n%2 == 1 && (n == len(v.edges) || !v.edges[n].oid.HasPrefix(subtree))
}

// manyEdges is from where on a search by halves is faster than looking at one edge after the other.
const manyEdges = 16

// passed is the number of edges that are not behind oid: odd inside, even outside. Each sub-identifier is
// compared once: how far oid agrees with one edge, and the edge with the next one, often decides on the next.
func (v *View) passed(oid mib.OID) int {
	if v == nil {
		return 0
	}
	if len(v.edges) > manyEdges {
		n, found := slices.BinarySearchFunc(v.edges, oid, func(e edge, oid mib.OID) int { return e.oid.Compare(oid) })
		if found {
			n++
		}
		return n
	}
	agreed := 0 // sub-identifiers that oid begins with as the edge before does, which oid has passed
	for i := range v.edges {
		e := &v.edges[i]
		if e.shared > agreed {
			continue // where oid was greater than the edge before it is greater than this one
		}
		if e.shared < agreed {
			return i // where this edge is greater than the one before it is greater than oid
		}
		agreed += shared(oid[agreed:], e.oid[agreed:])
		if agreed < len(e.oid) && (agreed == len(oid) || oid[agreed] < e.oid[agreed]) {
			return i
		}
	}
	return len(v.edges)
}
