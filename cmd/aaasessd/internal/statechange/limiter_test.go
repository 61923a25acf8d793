package statechange

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"aaasess/internal/servers"
)

// at returns the time that many seconds after the start of the tests.
func at(seconds int) time.Time { return time.Unix(1_700_000_000+int64(seconds), 0) }

// change returns a change of a server. Its Deaths tells it from others.
func change(name string, dead bool, number uint64) servers.Change {
	return servers.Change{Protocol: servers.RADIUS, Name: name, Lifetime: servers.Lifetime{Dead: dead, Deaths: number}}
}

// step is what happens to a Limiter at a second: "dead", "up", "skip dead", "skip up" of server a, "b dead"
// of server b, or "due".
type step struct {
	second int
	what   string
}

// flaps are n changes, one a second, from a second on. The first is a death.
func flaps(from, n int) (out []step) {
	for i := range n {
		out = append(out, step{from + i, []string{"dead", "up"}[i%2]})
	}
	return out
}

func TestLimiter(t *testing.T) {
	for _, tt := range []struct {
		name       string
		steps      []step
		want       string // what is told at which second
		suppressed uint64
		held       int
		next       int // 0: never
	}{
		{"a death and a return", []step{{0, "dead"}, {1, "up"}}, "0 dead, 1 up", 0, 0, 0},
		{"the first change is a return", []step{{0, "up"}}, "0 up", 0, 0, 0},
		{"a burst", flaps(0, 10), "0 dead, 1 up, 2 dead, 3 up, 4 dead, 5 up, 6 dead, 7 up, 8 dead, 9 up", 0, 0, 0},
		{"one more is held back", flaps(1, 11)[1:], "2 up, 3 dead, 4 up, 5 dead, 6 up, 7 dead, 8 up, 9 dead, 10 up, 11 dead", 0, 0, 0},
		{"a token is back", append(flaps(0, 11), step{60, "due"}), "0 dead, 1 up, 2 dead, 3 up, 4 dead, 5 up, 6 dead, 7 up, 8 dead, 9 up, 60 dead", 0, 0, 0},
		{"not yet", append(flaps(0, 11), step{59, "due"}), "0 dead, 1 up, 2 dead, 3 up, 4 dead, 5 up, 6 dead, 7 up, 8 dead, 9 up", 0, 1, 60},
		{"back to what was told", append(flaps(0, 12), step{60, "due"}), "0 dead, 1 up, 2 dead, 3 up, 4 dead, 5 up, 6 dead, 7 up, 8 dead, 9 up", 2, 0, 0},
		{"back, and dead again", append(flaps(0, 13), step{60, "due"}), "0 dead, 1 up, 2 dead, 3 up, 4 dead, 5 up, 6 dead, 7 up, 8 dead, 9 up, 60 dead", 2, 0, 0},
		{"a change when a token is back", append(flaps(0, 11), step{60, "up"}), "0 dead, 1 up, 2 dead, 3 up, 4 dead, 5 up, 6 dead, 7 up, 8 dead, 9 up, 60 up", 1, 0, 0},
		{"another server", append(flaps(0, 10), step{10, "b dead"}), "0 dead, 1 up, 2 dead, 3 up, 4 dead, 5 up, 6 dead, 7 up, 8 dead, 9 up, 10 b dead", 0, 0, 0},
		{"one skipped", append(flaps(0, 11), step{12, "skip up"}, step{99, "due"}), "0 dead, 1 up, 2 dead, 3 up, 4 dead, 5 up, 6 dead, 7 up, 8 dead, 9 up", 1, 0, 0},
		{"dead after a death that was skipped", append(flaps(0, 10), step{10, "skip dead"}, step{11, "up"}, step{12, "dead"}, step{60, "due"}), "0 dead, 1 up, 2 dead, 3 up, 4 dead, 5 up, 6 dead, 7 up, 8 dead, 9 up, 60 dead", 1, 0, 0},
		{"up after a death that was skipped", append(flaps(0, 10), step{10, "skip dead"}, step{11, "up"}, step{60, "due"}), "0 dead, 1 up, 2 dead, 3 up, 4 dead, 5 up, 6 dead, 7 up, 8 dead, 9 up", 1, 0, 0},
		{"skipped without limits", []step{{0, "skip dead"}, {1, "up"}}, "1 up", 0, 0, 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var l Limiter[servers.Key, servers.Change]
			var told []string
			for i, s := range tt.steps {
				name := "a"
				state, isB := strings.CutPrefix(s.what, "b ")
				if isB {
					name = "b"
				}
				state, skip := strings.CutPrefix(state, "skip ")
				c := change(name, state == "dead", uint64(i))
				switch {
				case state == "due":
					for _, c := range l.Due(at(s.second)) {
						told = append(told, fmt.Sprint(s.second, " ", map[bool]string{true: "dead", false: "up"}[c.Dead]))
					}
				case skip:
					l.Skip(c.Key())
				case l.Change(c.Key(), c.Dead, c, at(s.second)):
					told = append(told, fmt.Sprint(s.second, " ", s.what))
				}
			}
			if got := strings.Join(told, ", "); got != tt.want {
				t.Errorf("told %s, want %s", got, tt.want)
			}
			next := time.Time{}
			if tt.next != 0 {
				next = at(tt.next)
			}
			if l.Suppressed != tt.suppressed || l.Held() != tt.held || !l.Next().Equal(next) {
				t.Errorf("suppressed %d, held %d, next %v", l.Suppressed, l.Held(), l.Next())
			}
		})
	}
}

// TestLimiterRules: in the end managers know the state of each server, no more is told than the rate
// allows, each change is told or counted, and what is told is a change that has happened, in order.
func TestLimiterRules(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var l Limiter[servers.Key, servers.Change]
		now := at(0)
		names := []string{"a", "b", "c"}
		present, believed := map[string]bool{}, map[string]bool{}
		last := map[string]uint64{}   // the number of the last change that was told
		times := map[string][]int64{} // when something was told, in Unix seconds
		changed := map[string]servers.Change{}
		changes, told := uint64(0), uint64(0)
		tell := func(c servers.Change) {
			if c != changed[c.Name] {
				t.Fatalf("%+v is told, the last change was %+v", c, changed[c.Name])
			}
			if c.Deaths <= last[c.Name] {
				t.Fatalf("change %d is told after %d", c.Deaths, last[c.Name])
			}
			last[c.Name], believed[c.Name] = c.Deaths, c.Dead
			times[c.Name] = append(times[c.Name], now.Unix())
			told++
		}
		for range rapid.IntRange(0, 200).Draw(t, "steps") {
			now = now.Add(time.Duration(rapid.SampledFrom([]int{0, 0, 1, 5, 59, 60, 61, 700}).Draw(t, "seconds")) * time.Second)
			if rapid.Bool().Draw(t, "a change") {
				name := rapid.SampledFrom(names).Draw(t, "server")
				present[name] = !present[name]
				changes++
				c := change(name, present[name], changes)
				changed[name] = c
				if l.Change(c.Key(), c.Dead, c, now) {
					tell(c)
				}
			}
			if next := l.Next(); rapid.Bool().Draw(t, "due") || !next.IsZero() && !next.After(now) {
				for _, c := range l.Due(now) {
					tell(c)
				}
			}
			if told+l.Suppressed+uint64(l.Held()) != changes {
				t.Fatalf("%d told, %d suppressed and %d held of %d changes", told, l.Suppressed, l.Held(), changes)
			}
		}
		for next := l.Next(); !next.IsZero(); next = l.Next() {
			now = next
			for _, c := range l.Due(now) {
				tell(c)
			}
		}
		for _, name := range names {
			if believed[name] != present[name] {
				t.Fatalf("server %s is dead: %v; managers believe %v", name, present[name], believed[name])
			}
			for first, begin := range times[name] {
				for n, end := range times[name][first:] {
					if allowed := Burst + (end-begin)/int64(Every/time.Second); int64(n+1) > allowed {
						t.Fatalf("%d are told within %d seconds", n+1, end-begin)
					}
				}
			}
		}
		l.Due(now.Add(Burst * Every))
		if len(l.things) > 0 {
			t.Fatalf("%d servers are not forgotten", len(l.things))
		}
	})
}
