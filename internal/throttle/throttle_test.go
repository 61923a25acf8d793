package throttle

import (
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

var noon = time.Date(2001, 6, 27, 12, 0, 0, 0, time.UTC)

func at(seconds int) time.Time { return noon.Add(time.Duration(seconds) * time.Second) }

func TestLine(t *testing.T) {
	type asked struct {
		second, suppressed int
		ok                 bool
	}
	tests := []struct {
		name string
		line Line
		want []asked
	}{
		{"a minute", Line{}, []asked{{0, 0, true}, {0, 0, false}, {59, 0, false}, {60, 2, true}, {119, 0, false}, {120, 1, true}, {500, 0, true}}},
		{"a second", Line{Every: time.Second}, []asked{{0, 0, true}, {1, 0, true}, {1, 0, false}, {2, 1, true}}},
	}
	for i := range tests {
		tt := &tests[i]
		l := &tt.line
		if next := l.Next(); next.After(noon) {
			t.Errorf("%s: next at %v before the first", tt.name, next)
		}
		for _, w := range tt.want {
			due := !l.Next().After(at(w.second))
			suppressed, ok := l.Allow(at(w.second))
			if suppressed != w.suppressed || ok != w.ok || due != ok {
				t.Errorf("%s: second %d: %d, %v, by Next %v, want %d, %v", tt.name, w.second, suppressed, ok, due, w.suppressed, w.ok)
			}
		}
	}
}

// TestLinesFull: keys without a state share one, and states can be reused after a minute.
func TestLinesFull(t *testing.T) {
	var l Lines[int]
	ask := func(second, key int, want Verdict) {
		t.Helper()
		if got := l.Allow(key, at(second)); got != want {
			t.Errorf("second %d, key %d: %+v, want %+v", second, key, got, want)
		}
	}
	for key := range MaxKeys {
		ask(key/2, key, Verdict{Write: true})
	}
	ask(20, 100, Verdict{Write: true, Shared: true})
	ask(30, 100, Verdict{Shared: true})
	ask(30, 101, Verdict{Shared: true})
	ask(31, 0, Verdict{})
	ask(60, 101, Verdict{Write: true}) // reuses the state of key 0 or 1
	ask(60, 102, Verdict{Write: true})
	ask(60, 103, Verdict{Shared: true})
	ask(60, 5, Verdict{})
	ask(80, 5, Verdict{Write: true, Suppressed: 1})
	ask(80, 0, Verdict{Write: true}) // its count was lost with its state
}

// model is a simple, slow implementation of Lines.
type model struct {
	own    []*history
	shared history
}

type history struct {
	key, suppressed int
	last            time.Time
	used            bool
}

func (h *history) ask(now time.Time) (v Verdict) {
	if h.used && now.Sub(h.last) < Period {
		h.suppressed++
		return Verdict{}
	}
	v = Verdict{Write: true, Suppressed: h.suppressed}
	*h = history{key: h.key, last: now, used: true}
	return v
}

func (m *model) allow(key int, now time.Time) Verdict {
	for _, h := range m.own {
		if h.key == key {
			return h.ask(now)
		}
	}
	if len(m.own) == MaxKeys {
		var busy []*history
		for _, h := range m.own {
			if now.Sub(h.last) < Period {
				busy = append(busy, h)
			}
		}
		m.own = busy
	}
	if len(m.own) == MaxKeys {
		v := m.shared.ask(now)
		v.Shared = true
		return v
	}
	m.own = append(m.own, &history{key: key})
	return m.own[len(m.own)-1].ask(now)
}

// TestLinesAgainstModel: the verdicts equal the model's, two lines of a key are at least a Period
// apart, and each suppressed line is counted at most once.
func TestLinesAgainstModel(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		var l Lines[int]
		var m model
		now := noon
		last := map[int]time.Time{}
		silent, counted := 0, 0
		for range rapid.IntRange(1, 300).Draw(rt, "lines") {
			now = now.Add(time.Duration(rapid.SampledFrom([]int{0, 0, 0, 1, 5, 30, 59, 60, 61, 200}).Draw(rt, "seconds")) * time.Second)
			key := rapid.IntRange(0, MaxKeys+8).Draw(rt, "key")
			got := l.Allow(key, now)
			if d := cmp.Diff(m.allow(key, now), got); d != "" {
				rt.Fatalf("key %d (-want +got):\n%s", key, d)
			}
			if len(l.own) > MaxKeys {
				rt.Fatalf("%d places", len(l.own))
			}
			switch {
			case !got.Write:
				silent++
			case !got.Shared:
				if before, ok := last[key]; ok && now.Sub(before) < Period {
					rt.Fatalf("key %d: a line %v after the last", key, now.Sub(before))
				}
				last[key] = now
			}
			if counted += got.Suppressed; counted > silent {
				rt.Fatalf("%d counted of %d", counted, silent)
			}
		}
	})
}

// TestManyGoroutines: of many concurrent calls at one time, one is allowed for each key.
func TestManyGoroutines(t *testing.T) {
	var one Line
	var lines Lines[int]
	var allowed, own atomic.Int64
	var wait sync.WaitGroup
	for i := range 64 {
		wait.Go(func() {
			if _, ok := one.Allow(noon); ok {
				allowed.Add(1)
			}
			if lines.Allow(i%4, noon).Write {
				own.Add(1)
			}
		})
	}
	wait.Wait()
	if n, k := allowed.Load(), own.Load(); n != 1 || k != 4 {
		t.Errorf("%d and %d lines, want 1 and 4", n, k)
	}
}

// TestNoAllocation: a flood allocates nothing.
func TestNoAllocation(t *testing.T) {
	var l Lines[int]
	for key := range MaxKeys {
		l.Allow(key, noon)
	}
	if n := testing.AllocsPerRun(100, func() { l.Allow(1, noon); l.Allow(100, noon) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}
