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
	maxName = 32 // octets in the name of a view or group, or in a security name (RFC 3415 section 4)
	// maxIndex is how many sub-identifiers are left for the index of vacmViewTreeFamilyTable, whose
	// columns are 1.3.6.1.6.3.16.1.5.2.1.n.
	maxIndex = mib.MaxSubIDs - 12
)

// Family is an included or excluded subtree of a view (a row of vacmViewTreeFamilyTable).
type Family struct {
	Subtree  mib.OID
	Excluded bool // vacmViewTreeFamilyType excluded(2)
}

// View is an immutable set of OIDs (RFC 3415 section 2.4). A nil View is empty.
type View struct {
	name     string
	families []Family // in the order of vacmViewTreeFamilyTable
	edges    []edge
}

// edge is an OID at which the view begins (even index) or has just ended (odd index).
type edge struct {
	oid    mib.OID
	shared int // leading sub-identifiers in common with the previous edge
}

// NewView creates a view with a name of 1 to 32 octets. Families may be in any order. An empty
// subtree, or the same subtree twice, is an error. Without families the view is empty.
func NewView(name string, families []Family) (*View, error) {
	if err := checkName(name); err != nil {
		return nil, fmt.Errorf("vacm: view %q: %w", name, err)
	}
	v := &View{name: name}
	for _, f := range families {
		if n := len(f.Subtree); n == 0 || 2+len(name)+n > maxIndex {
			return nil, fmt.Errorf("vacm: view %q: subtree has %d sub-identifiers, want 1 to %d", name, n, maxIndex-2-len(name))
		}
		v.families = append(v.families, Family{slices.Clone(f.Subtree), f.Excluded})
	}
	slices.SortFunc(v.families, compareFamilies)
	for i := 1; i < len(v.families); i++ {
		if s := v.families[i].Subtree; s.Compare(v.families[i-1].Subtree) == 0 {
			return nil, fmt.Errorf("vacm: view %q: subtree %s is listed twice", name, s)
		}
	}
	v.makeEdges()
	return v, nil
}

// compareFamilies orders families as vacmViewTreeFamilyTable does: the length precedes the index.
func compareFamilies(a, b Family) int {
	return cmp.Or(cmp.Compare(len(a.Subtree), len(b.Subtree)), a.Subtree.Compare(b.Subtree))
}

// without returns the view without a subtree: v itself if nothing of the subtree is in it.
func (v *View) without(subtree mib.OID) *View {
	n := v.edgesUpTo(subtree)
	if n%2 == 0 && (v == nil || n == len(v.edges) || !v.edges[n].oid.HasPrefix(subtree)) {
		return v
	}
	w := &View{name: v.name, families: []Family{{Subtree: subtree, Excluded: true}}}
	for _, f := range v.families {
		if !f.Subtree.HasPrefix(subtree) {
			w.families = append(w.families, f)
		}
	}
	slices.SortFunc(w.families, compareFamilies)
	w.makeEdges()
	return w
}

// checkName checks a name of VACM, an SnmpAdminString (SIZE(1..32)).
func checkName(name string) error {
	switch {
	case name == "" || len(name) > maxName:
		return fmt.Errorf("name has %d octets, want 1 to %d", len(name), maxName)
	case !utf8.ValidString(name):
		return fmt.Errorf("the name is not UTF-8")
	}
	return nil
}

// makeEdges computes the edges. The view can change only where a subtree begins or ends: between
// two such places every OID is in the same subtrees. So it suffices to evaluate the places
// themselves.
func (v *View) makeEdges() {
	var places []mib.OID
	for _, f := range v.families {
		places = append(places, f.Subtree)
		if end := upperBound(f.Subtree); end != nil {
			places = append(places, end)
		}
	}
	slices.SortFunc(places, mib.OID.Compare)
	inside := false
	for _, p := range places {
		if v.includes(p) == inside {
			continue
		}
		e := edge{oid: p}
		if n := len(v.edges); n > 0 {
			e.shared = commonPrefix(v.edges[n-1].oid, p)
		}
		v.edges = append(v.edges, e)
		inside = !inside
	}
}

// commonPrefix returns how many leading sub-identifiers are equal.
func commonPrefix(a, b mib.OID) int {
	a = a[:min(len(a), len(b))]
	b = b[:len(a)]
	for i := range a {
		if a[i] != b[i] {
			return i
		}
	}
	return len(a)
}

// includes is the rule of RFC 3415: the longest family that contains oid decides.
func (v *View) includes(oid mib.OID) bool {
	for _, f := range slices.Backward(v.families) { // longest first
		if oid.HasPrefix(f.Subtree) {
			return !f.Excluded
		}
	}
	return false
}

// upperBound returns the smallest OID that is greater than all OIDs that begin with oid, or nil if
// there is none.
func upperBound(oid mib.OID) mib.OID {
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

// Name returns vacmViewTreeFamilyViewName, or "" for a nil View.
func (v *View) Name() string {
	if v == nil {
		return ""
	}
	return v.name
}

// Families returns the families in the order of vacmViewTreeFamilyTable.
func (v *View) Families() []Family {
	if v == nil {
		return nil
	}
	return v.families
}

// Contains reports whether oid is in the view. It takes some nanoseconds for a few families and
// grows logarithmically. It does not allocate.
func (v *View) Contains(oid mib.OID) bool { return v.edgesUpTo(oid)%2 == 1 }

// After returns the smallest OID greater than oid at which the view begins, written to dst[:0], or
// false if there is none. For an oid outside the view that is the next OID inside, where GETNEXT
// continues, including that OID itself. For an oid inside, it is the beginning of the next
// interval. dst may share memory with oid.
func (v *View) After(oid, dst mib.OID) (mib.OID, bool) {
	next := v.edgesUpTo(oid)
	next += next % 2 // edges with an even index are beginnings
	if v == nil || next >= len(v.edges) {
		return dst[:0], false
	}
	return append(dst[:0], v.edges[next].oid...), true
}

// Covers reports whether all OIDs that begin with subtree are in the view.
func (v *View) Covers(subtree mib.OID) bool {
	n := v.edgesUpTo(subtree)
	return n%2 == 1 && (n == len(v.edges) || !v.edges[n].oid.HasPrefix(subtree))
}

// manyEdges is the number of edges above which a binary search is faster than a linear one.
const manyEdges = 16

// edgesUpTo returns the number of edges that are not greater than oid: odd inside the view, even
// outside. It compares each sub-identifier once. How many sub-identifiers oid shares with one edge,
// and that edge with the next, often decides the comparison with the next.
func (v *View) edgesUpTo(oid mib.OID) int {
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
	// agreed is how many leading sub-identifiers oid shares with the previous edge. oid is greater
	// than that edge.
	agreed := 0
	for i := range v.edges {
		e := &v.edges[i]
		if e.shared > agreed {
			continue // oid is greater than this edge for the same reason as for the previous one
		}
		if e.shared < agreed {
			return i // this edge differs from the previous one before oid does, so it is greater than oid
		}
		agreed += commonPrefix(oid[agreed:], e.oid[agreed:])
		if agreed < len(e.oid) && (agreed == len(oid) || oid[agreed] < e.oid[agreed]) {
			return i
		}
	}
	return len(v.edges)
}
