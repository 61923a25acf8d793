package radius

import (
	"testing"
	"time"
)

// TestGenerationsUseMemoryAgain: under a steady load, the maps of requests cost no new memory. After a burst
// they shrink.
func TestGenerationsUseMemoryAgain(t *testing.T) {
	g, now := newGenerations[int](time.Second), time.Now()
	next := uint32(0)
	fill := func(n int) {
		for range n {
			next++
			g.recent[requestKey{sourceKey: sourceKey{addr: [16]byte{byte(next >> 24), byte(next >> 16), byte(next >> 8), byte(next)}}}] = 1
		}
		now = now.Add(time.Second)
		if !g.rotate(false, now) || len(g.recent) != 0 || len(g.older) != n {
			t.Fatalf("%d requests in the recent map and %d in the older one", len(g.recent), len(g.older))
		}
	}
	g.rotate(false, now)
	for range 4 {
		fill(10_000)
	}
	if n := testing.AllocsPerRun(10, func() { fill(10_000) }); n != 0 {
		t.Errorf("%v allocations a generation", n)
	}
	if g.recentRoom != 10_000 || g.olderRoom != 10_000 {
		t.Errorf("room for %d and %d requests", g.recentRoom, g.olderRoom)
	}
	if fill(100); g.olderRoom != 10_000 {
		t.Errorf("the map of the burst has room for %d requests", g.olderRoom)
	}
	fill(100)
	fill(100)
	if g.recentRoom != 100 || g.olderRoom != 100 {
		t.Errorf("after the burst there is room for %d and %d requests", g.recentRoom, g.olderRoom)
	}
	fill(0)
	fill(100)
	if g.recentRoom > 100 || g.olderRoom != 100 {
		t.Errorf("after a pause there is room for %d and %d requests", g.recentRoom, g.olderRoom)
	}
}
