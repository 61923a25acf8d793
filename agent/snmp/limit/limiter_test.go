package limit

import (
	"math"
	"net/netip"
	"testing"

	"pgregory.net/rapid"
)

const (
	second      = int64(1_000_000_000)
	millisecond = second / 1000
)

func addr(s string) netip.Addr { return netip.MustParseAddr(s) }

// allowed returns how many of n calls, for one token each at time now, are allowed.
func allowed(l *Limiter, src netip.Addr, n int, now int64) int {
	count := 0
	for range n {
		if l.Allow(src, 1, now) {
			count++
		}
	}
	return count
}

func TestAllow(t *testing.T) {
	type step struct {
		now  int64
		n    int
		want bool
	}
	tests := []struct {
		name             string
		perSecond, burst int
		steps            []step
	}{
		{"no limit", 0, 0, []step{{0, math.MaxInt, true}, {0, math.MaxInt, true}}},
		{"a rate below 0 is no limit", -1, 0, []step{{0, 1000, true}, {0, 1000, true}}},
		{"the burst and no more", 1, 2, []step{{0, 1, true}, {0, 1, true}, {0, 1, false}}},
		{"the burst at once", 1, 10, []step{{0, 10, true}, {0, 1, false}}},
		{"all or none", 1, 10, []step{{0, 8, true}, {0, 3, false}, {0, 2, true}}},
		{"a burst below 1 counts as 1", 1, 0, []step{{0, 1, true}, {0, 1, false}}},
		{"nothing is always allowed", 1, 1, []step{{0, 1, true}, {0, 0, true}, {0, -5, true}, {0, 1, false}}},
		{"a negative cost gives nothing back", 1, 1, []step{{0, -5, true}, {0, 1, true}, {0, 1, false}}},
		{"a token back to the nanosecond", 1, 1, []step{{0, 1, true}, {second - 1, 1, false}, {second, 1, true}}},
		{"three in a second, unrounded", 3, 2, []step{
			{0, 2, true}, {333_333_333, 1, false}, {333_333_334, 1, true}, {666_666_666, 1, false}, {666_666_667, 1, true}, {second, 1, true},
		}},
		{"what is denied costs nothing", 1, 1, []step{{0, 1, true}, {second / 2, 1, false}, {second, 1, true}}},
		{"no more than the burst after long", 1, 2, []step{{0, 2, true}, {math.MaxInt64, 2, true}, {math.MaxInt64, 1, false}}},
		{"after so long that the gain is more than an int64", 2, 2, []step{{0, 2, true}, {math.MaxInt64, 2, true}}},
		{"after so long that the gain is more than 64 bits", 4, 2, []step{{0, 2, true}, {1 << 62, 2, true}}},
		{"a clock that begins below 0", 1, 1, []step{{math.MinInt64, 1, true}, {math.MinInt64 + second, 1, true}, {math.MinInt64 + second, 1, false}}},
		{"a clock that runs back", 1, 1, []step{{10 * second, 1, true}, {0, 1, false}, {11*second - 1, 1, false}, {11 * second, 1, true}}},
		{"more than the burst is a debt", 10, 10, []step{{0, 30, true}, {2 * second, 1, false}, {2*second + second/10, 1, true}}},
		{"more than the burst wants a full bucket", 10, 10, []step{{0, 1, true}, {0, 30, false}, {second / 10, 30, true}}},
		{"the greatest of all", math.MaxInt, math.MaxInt, []step{
			{0, math.MaxInt, true}, {0, 1, false}, {1, 2, true}, {1, 1, false}, {second + 1, math.MaxInt, true}, {second + 1, 1, false},
		}},
		{"a debt of the greatest cost", 1, 1, []step{{0, math.MaxInt, true}, {(maxAmount - 1) * second, 1, false}, {maxAmount * second, 1, true}}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			l := New(tt.perSecond, tt.burst)
			for i, s := range tt.steps {
				if got := l.Allow(addr("192.0.2.1"), s.n, s.now); got != s.want {
					t.Fatalf("step %d: Allow(%d) at %d ns = %v", i+1, s.n, s.now, got)
				}
			}
		})
	}
}

func TestSources(t *testing.T) {
	tests := []struct {
		name, a, b string
		same       bool
	}{
		{"one address", "192.0.2.1", "192.0.2.1", true},
		{"two IPv4 addresses", "192.0.2.1", "192.0.2.2", false},
		{"IPv4-mapped", "192.0.2.1", "::ffff:192.0.2.1", true},
		{"two IPv4-mapped", "::ffff:192.0.2.1", "::ffff:192.0.2.2", false},
		{"one /64", "2001:db8:1:2::1", "2001:db8:1:2:ffff:ffff:ffff:ffff", true},
		{"two /64", "2001:db8:1:2::1", "2001:db8:1:3::1", false},
		{"a zone counts for nothing", "fe80::1%eth0", "fe80::2%eth1", true},
		{"loopbacks", "127.0.0.1", "::1", false},
		{"an IPv6 prefix with the octets of an IPv4 address", "192.0.2.1", "c000:201::", false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			l := New(1, 1)
			if !l.Allow(addr(tt.a), 1, 0) {
				t.Fatal("the first source has nothing")
			}
			if got := l.Allow(addr(tt.b), 1, 0); got == tt.same {
				t.Errorf("the second is allowed: %v", got)
			}
		})
	}
	t.Run("no address is a source too", func(t *testing.T) {
		if l := New(1, 1); !l.Allow(netip.Addr{}, 1, 0) || l.Allow(netip.Addr{}, 1, 0) {
			t.Error("it has not exactly one token")
		}
	})
}

// TestSourcesAreFair: a source that requests a hundred times its rate costs another source nothing.
func TestSourcesAreFair(t *testing.T) {
	l := New(100, 10)
	greedy, modest := addr("192.0.2.1"), addr("192.0.2.2")
	got := 0
	for now := int64(0); now < 10*second; now += 10 * millisecond {
		got += allowed(l, greedy, 100, now)
		if !l.Allow(modest, 1, now) {
			t.Fatalf("the modest one is denied at %d ms", now/millisecond)
		}
	}
	if want := 10 + 100*10 - 1; got != want {
		t.Errorf("the greedy one got %d, want %d", got, want)
	}
}

func TestSetRate(t *testing.T) {
	src := addr("192.0.2.1")
	tests := []struct {
		name             string
		before           int // tokens spent at the first rate, whose burst is 10, 10 a second
		perSecond, burst int
		now              int64
		want             int // tokens left then
	}{
		{"a smaller burst", 1, 10, 3, 0, 3},
		{"a smaller burst, later", 1, 10, 3, second, 3},
		{"a smaller burst keeps what is less", 9, 10, 3, 0, 1},
		{"a greater burst is filled by time", 10, 100, 100, second / 2, 50},
		{"a greater burst gives nothing at once", 10, 100, 100, 0, 0},
		{"a smaller rate", 10, 1, 10, 2 * second, 2},
		{"no limit", 10, 0, 0, 0, 1000},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			l := New(10, 10)
			if got := allowed(l, src, tt.before, 0); got != tt.before {
				t.Fatalf("%d of %d allowed before", got, tt.before)
			}
			l.SetRate(tt.perSecond, tt.burst)
			if got := allowed(l, src, 1000, tt.now); got != tt.want {
				t.Errorf("%d allowed, want %d", got, tt.want)
			}
		})
	}
	t.Run("a limit after none", func(t *testing.T) {
		l := New(0, 0)
		allowed(l, src, 100, 0)
		l.SetRate(10, 5)
		if got := allowed(l, src, 100, 0); got != 5 {
			t.Errorf("%d allowed, want 5", got)
		}
	})
}

// TestAllowIsABucket compares one source with the definition, in exact fractions of a token: level
// = min(burst, level + elapsed * perSecond).
func TestAllowIsABucket(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		perSecond := rapid.IntRange(1, 1000).Draw(t, "perSecond")
		burst := rapid.IntRange(1, 1000).Draw(t, "burst")
		l := New(perSecond, burst)
		full := int64(burst) * second
		level, last := full, int64(0)
		for now := int64(0); now < 100*second; now += rapid.Int64Range(0, 3*second).Draw(t, "elapsed") {
			n := rapid.IntRange(1, 2*burst).Draw(t, "n")
			level = min(full, level+(now-last)*int64(perSecond))
			last = now
			want := level >= min(full, int64(n)*second)
			if want {
				level -= int64(n) * second
			}
			if got := l.Allow(addr("2001:db8::1"), n, now); got != want {
				t.Fatalf("Allow(%d) at %d = %v", n, now, got)
			}
			if rapid.IntRange(0, 20).Draw(t, "stop") == 0 {
				return
			}
		}
	})
}

func TestNoAllocation(t *testing.T) {
	l := New(1000, 1000)
	v4, v6 := addr("::ffff:192.0.2.1"), addr("2001:db8::1")
	total := NewTotal(1000, 1000)
	now := int64(0)
	if n := testing.AllocsPerRun(1000, func() {
		now += millisecond
		total.Allow(1, now)
		l.Allow(v4, 1, now)
		l.Allow(v6, 1, now)
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

// TestTotal: all callers spend from one bucket, which has the same rules as that of one source.
func TestTotal(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		perSecond := rapid.IntRange(0, 1000).Draw(t, "perSecond")
		burst := rapid.IntRange(0, 1000).Draw(t, "burst")
		one, total := New(perSecond, burst), NewTotal(perSecond, burst)
		now := rapid.Int64Range(-second, second).Draw(t, "began")
		for range rapid.IntRange(1, 100).Draw(t, "calls") {
			if rapid.IntRange(0, 20).Draw(t, "change") == 0 {
				perSecond = rapid.IntRange(0, 1000).Draw(t, "perSecond")
				one.SetRate(perSecond, burst)
				total.SetRate(perSecond, burst)
			}
			now += rapid.Int64Range(-second/10, second).Draw(t, "elapsed")
			n := rapid.IntRange(-1, 2000).Draw(t, "n")
			if got, want := total.Allow(n, now), one.Allow(addr("192.0.2.1"), n, now); got != want {
				t.Fatalf("Allow(%d) at %d = %v, that of one source %v", n, now, got, want)
			}
		}
	})
}
