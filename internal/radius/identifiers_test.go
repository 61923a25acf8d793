package radius

import (
	"testing"

	"pgregory.net/rapid"
)

// TestIdentifierPoolAgainstModel: the number that was released longest ago is allocated first, and
// none twice.
func TestIdentifierPoolAgainstModel(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var p IdentifierPool
		var free, taken []int
		total := 0
		t.Repeat(map[string]func(*rapid.T){
			"grow": func(t *rapid.T) {
				if total == 4*IdentifiersPerSocket {
					t.Skip("enough")
				}
				p.Grow()
				for range IdentifiersPerSocket {
					free = append(free, total)
					total++
				}
			},
			"take": func(t *rapid.T) {
				for range rapid.IntRange(1, 300).Draw(t, "count") {
					n, ok := p.Allocate()
					if ok != (len(free) > 0) || ok && n != free[0] {
						t.Fatalf("allocated %d, %v of %v", n, ok, free)
					}
					if !ok {
						return
					}
					free, taken = free[1:], append(taken, n)
				}
			},
			"release": func(t *rapid.T) {
				for range rapid.IntRange(1, 300).Draw(t, "count") {
					if len(taken) == 0 {
						return
					}
					i := rapid.IntRange(0, len(taken)-1).Draw(t, "which")
					p.Release(taken[i])
					free = append(free, taken[i])
					taken = append(taken[:i], taken[i+1:]...)
				}
			},
		})
	})
}

// TestIdentifierPoolAllocatesNothing: the pool uses no further memory once it has grown.
func TestIdentifierPoolAllocatesNothing(t *testing.T) {
	var p IdentifierPool
	p.Grow()
	if n := testing.AllocsPerRun(1000, func() { n, _ := p.Allocate(); p.Release(n) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}
