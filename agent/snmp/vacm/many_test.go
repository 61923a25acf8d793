package vacm

import (
	"fmt"
	"testing"

	"aaasess/mib"
)

// TestManyFamilies: the binary search and the linear search give the same result.
func TestManyFamilies(t *testing.T) {
	for _, n := range []uint32{1, manyEdges/2 - 1, manyEdges / 2, manyEdges/2 + 1, 100} {
		t.Run(fmt.Sprint(n), func(t *testing.T) {
			root := mib.MustOID("1.3.6.1.4.1")
			var families []Family
			for i := range n {
				families = append(families, Family{Subtree: root.Append(10*i + 5)}, Family{Subtree: root.Append(10*i+5, 7), Excluded: true})
			}
			v, err := NewView("many", families)
			if err != nil {
				t.Fatal(err)
			}
			for i := range 10*n + 20 {
				for _, oid := range []mib.OID{root.Append(i), root.Append(i, 6), root.Append(i, 7), root.Append(i, 7, 1), root.Append(i, 8), root} {
					if got, want := v.Contains(oid), v.includes(oid); got != want {
						t.Fatalf("%v: %t, want %t", oid, got, want)
					}
				}
			}
		})
	}
}
