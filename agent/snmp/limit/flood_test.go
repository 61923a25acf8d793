package limit

import (
	"net/netip"
	"sync"
	"sync/atomic"
	"testing"
	"unsafe"

	"pgregory.net/rapid"
)

// forged returns the i-th of 2^32 sources.
func forged(i int) netip.Addr {
	return netip.AddrFrom4([4]byte{byte(i >> 24), byte(i >> 16), byte(i >> 8), byte(i)})
}

// neighbours returns n sources that share one set.
func neighbours(l *Limiter, n int) []netip.Addr {
	var out []netip.Addr
	want := l.tag(forged(0)) % sets
	for i := 0; len(out) < n; i++ {
		if l.tag(forged(i))%sets == want {
			out = append(out, forged(i))
		}
	}
	return out
}

func TestMemory(t *testing.T) {
	l := New(1, 1)
	if size := unsafe.Sizeof(set{}); size != 128 {
		t.Errorf("a set is %d octets, not two cache lines", size)
	}
	for i := range 100_000 {
		l.Allow(forged(i), 1, int64(i))
	}
	if len(l.sets) != sets || cap(l.sets) != sets {
		t.Errorf("%d sets", len(l.sets))
	}
}

func TestLongestIdleIsReplaced(t *testing.T) {
	l := New(1, 10)
	src := neighbours(l, 5)
	for i, s := range src[:4] {
		l.Allow(s, 1, int64(i))
	}
	l.Allow(src[0], 100, 10)
	l.Allow(src[0], 1, 11) // a denied request counts as activity too: a source in debt keeps its debt
	l.Allow(src[4], 1, 12)
	held := map[uint64]bool{}
	for _, b := range l.sets[l.tag(src[0])%sets].buckets {
		held[b.tag] = true
	}
	for i, want := range []bool{true, false, true, true, true} {
		if got := held[l.tag(src[i])]; got != want {
			t.Errorf("source %d has a bucket: %v", i, got)
		}
	}
}

// TestNewSourceInheritsBucket: in a set of four, a fifth source gets the bucket that has been idle
// longest, refilled for that time.
func TestNewSourceInheritsBucket(t *testing.T) {
	tests := []struct {
		name string
		idle int64
		want int
	}{
		{"at once: nothing", 0, 0},
		{"half a second later", second / 2, 5},
		{"long after: its full due", 100 * second, 10},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			l := New(10, 10)
			src := neighbours(l, 5)
			for _, s := range src[:4] {
				if got := allowed(l, s, 20, 0); got != 10 {
					t.Fatalf("%d allowed, want the burst", got)
				}
			}
			if got := allowed(l, src[4], 20, tt.idle); got != tt.want {
				t.Errorf("the newcomer got %d, want %d", got, tt.want)
			}
		})
	}
}

// TestNobodyBuysTokens: whatever the sources of one set request, in any order, they get the tokens
// of four buckets.
func TestNobodyBuysTokens(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		perSecond := rapid.IntRange(1, 100).Draw(t, "perSecond")
		burst := rapid.IntRange(1, 100).Draw(t, "burst")
		l := New(perSecond, burst)
		src := neighbours(l, rapid.IntRange(1, 12).Draw(t, "sources"))
		now, got := int64(0), int64(0)
		for range rapid.IntRange(1, 300).Draw(t, "calls") {
			now += rapid.Int64Range(0, second/10).Draw(t, "elapsed")
			n := rapid.IntRange(1, burst).Draw(t, "n")
			if l.Allow(rapid.SampledFrom(src).Draw(t, "source"), n, now) {
				got += int64(n)
			}
		}
		if most := ways * (int64(burst)*second + now*int64(perSecond)); got*second > most {
			t.Fatalf("%d tokens in %d ns, at most %d billionths are there", got, now, most)
		}
	})
}

// TestVictimOfAFlood: an attacker spends all tokens of a victim, evicts its bucket with forged
// sources, and repeats that. The victim gets no more answers than the buckets of its set allow.
func TestVictimOfAFlood(t *testing.T) {
	l := New(1, 100)
	victim, got := addr("198.51.100.1"), 0
	const seconds, packets = 5, 200_000 // a second
	for i := range seconds * packets {
		now := int64(i) * second / packets
		if i%40_000 == 0 { // ten new sources in each set
			got += allowed(l, victim, 1000, now)
		}
		l.Allow(forged(i), 1, now)
	}
	if most := ways * (100 + seconds); got > most {
		t.Errorf("answers to the victim: %d, want at most %d", got, most)
	}
}

// TestHonestSourceInAFlood: 80,000 packets a second, each from a new source, are a quarter of the
// rate of all four buckets of each set. A manager from the beginning and a later one, both at half
// their rate, lose nothing.
func TestHonestSourceInAFlood(t *testing.T) {
	l := New(20, 20)
	old, late := addr("192.0.2.1"), addr("192.0.2.2")
	const perTick = 8000 // 10 ticks a second
	for tick := range 50 {
		now := int64(tick) * second / 10
		for i := range perTick {
			l.Allow(forged(1<<28+tick*perTick+i), 1, now+int64(i)*second/10/perTick)
		}
		if !l.Allow(old, 1, now+second/10) {
			t.Errorf("tick %d: the old one is denied", tick)
		}
		if tick > 25 && !l.Allow(late, 1, now+second/10) {
			t.Errorf("tick %d: the late one is denied", tick)
		}
	}
}

// TestAfterAFlood: a flood drains every set. burst/perSecond seconds after it everything is normal,
// and during it an honest source gets some tokens.
func TestAfterAFlood(t *testing.T) {
	l := New(1, 2)
	honest := addr("192.0.2.1")
	got := 0
	for i := range 400_000 { // in two seconds: 12 times the rate of the whole table
		now := int64(i) * second / 200_000
		l.Allow(forged(1<<28+i), 1, now)
		if i%2000 == 0 && l.Allow(honest, 1, now) {
			got++
		}
	}
	if got == 0 {
		t.Error("nothing in the flood")
	}
	if got := allowed(l, honest, 10, 4*second); got != 2 {
		t.Errorf("%d allowed after the flood, want the burst", got)
	}
}

// TestConcurrent: goroutines that use one source, or one total, concurrently get its tokens exactly
// once.
func TestConcurrent(t *testing.T) {
	l := New(1, 1000)
	one, total := addr("192.0.2.1"), NewTotal(1, 1000)
	var shared, together, apart, asked atomic.Int64
	var wg sync.WaitGroup
	for g := range 8 {
		wg.Go(func() {
			for i := range 1000 {
				if l.Allow(one, 1, 0) {
					shared.Add(1)
				}
				l.SetRate(1, 1000)
				if total.Allow(1, 0) {
					together.Add(1)
				}
				total.SetRate(1, 1000)
				other := forged(g*1000 + i)
				if l.tag(other)%sets == l.tag(one)%sets {
					continue // the first one may have left tokens
				}
				asked.Add(1)
				if l.Allow(other, 1, 0) {
					apart.Add(1)
				}
			}
		})
	}
	wg.Wait()
	if got := shared.Load(); got != 1000 {
		t.Errorf("one source got %d, want 1000", got)
	}
	if got := together.Load(); got != 1000 {
		t.Errorf("the total is %d, want 1000", got)
	}
	if got, want := apart.Load(), asked.Load(); got != want || want < 7000 {
		t.Errorf("%d sources got %d", want, got)
	}
}
