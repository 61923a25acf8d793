package admission

import (
	"maps"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

// TestSlab: values stay where they are until they are removed, and places are used again.
func TestSlab(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		var s slab[int]
		want, peak, n := map[ref]*int{}, 0, 0
		rt.Repeat(map[string]func(*rapid.T){
			"add": func(rt *rapid.T) {
				for range rapid.IntRange(1, 2*slabChunk).Draw(rt, "values") {
					n++
					r := s.add(n)
					if r == 0 || want[r] != nil {
						rt.Fatalf("reference %d again", r)
					}
					if want[r] = s.at(r); *want[r] != n {
						rt.Fatalf("value %d is %d", n, *want[r])
					}
				}
				peak = max(peak, len(want))
			},
			"remove": func(rt *rapid.T) {
				all := slices.Sorted(maps.Keys(want))
				for _, r := range all[:rapid.IntRange(0, len(all)).Draw(rt, "values")] {
					s.remove(r)
					delete(want, r)
				}
			},
			"": func(rt *rapid.T) {
				values := map[int]bool{}
				for r, at := range want {
					if s.at(r) != at || *at == 0 || values[*at] {
						rt.Fatalf("value %d is %d", r, *s.at(r))
					}
					values[*at] = true
				}
				if s.used != peak {
					rt.Fatalf("%d places for at most %d values", s.used, peak)
				}
			},
		})
	})
}
