package delivery

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"aaasess/accounting"
	"aaasess/sessions"

	"github.com/google/go-cmp/cmp"
)

// While a method is down, an Other is never dropped and supersedes nothing. The interim before it
// stays too, even if the Other shares a lane with an unrelated session.
func TestSupersedeOther(t *testing.T) {
	inBubble(t, func(b *bubble) {
		var up atomic.Bool
		m := newScheduled(s4, func(*accounting.Record) bool { return up.Load() })
		b.add(
			"group/g", rec(9, start), rec(1, interim), rec(1, other), rec(1, interim), rec(1, interim), rec(1, other), rec(1, stop), rec(1, other), rec(1, other),
		)
		d := b.deliver(setup{}, accounting.Group("g"), m)
		b.advance(22 * time.Second)
		want := []string{"9 Start", "1 Interim-Update", "1 Other", "1 Interim-Update", "1 Other", "1 Stop", "1 Other", "1 Other"}
		if diff := cmp.Diff(want, b.left("group/g")); diff != "" {
			t.Errorf("left: want (-) and got (+):\n%s", diff)
		}
		up.Store(true)
		b.advance(20 * time.Second)
		if s := d.Stats(); s.Superseded != 1 || s.Delivered != 8 || s.Pending != 0 {
			t.Errorf("stats %+v", s)
		}
	})
}

// A record behind a stop (of a session that came back) is superseded only by records behind it. No
// stop is dropped, no interim is dropped because of an earlier stop, and the rest arrives in order,
// the last stop last.
func TestSupersedeBehindStop(t *testing.T) {
	for _, loaded := range []int{4, 4096} {
		t.Run(fmt.Sprint(loaded), func(t *testing.T) {
			inBubble(t, func(b *bubble) {
				var up atomic.Bool
				var mu sync.Mutex // guards arrived
				arrived := map[sessions.ID][]int64{}
				m := newScheduled(s4, func(r *accounting.Record) bool {
					mu.Lock()
					defer mu.Unlock()
					if up.Load() {
						arrived[r.Session] = append(arrived[r.Session], r.At.Unix())
					}
					return up.Load()
				})
				at := int64(0)
				add := func(id sessions.ID, types ...sessions.EventType) {
					for _, typ := range types {
						r := rec(id, typ)
						at++
						r.At = time.Unix(at, 0)
						b.add("group/g", r)
					}
				}
				add(9, start)
				add(1, start, interim, stop, interim, stop)         // 2 to 6: 3 and 5 go
				add(2, interim, stop, interim)                      // 7 to 9: 7 goes
				add(3, stop, stop, stop)                            // 10 to 12
				add(4, interim, stop, interim, interim, stop, stop) // 13 to 18: 13, 15, 16 go
				d := b.deliver(setup{Loaded: loaded}, accounting.Group("g"), m)
				b.advance(22 * time.Second)
				add(2, stop)    // 19: 9 goes
				add(3, interim) // 20
				add(1, interim) // 21
				b.advance(2 * time.Second)
				if s := d.Stats(); s.Superseded != 7 || s.Pending != 14 {
					t.Errorf("stats %+v", s)
				}
				up.Store(true)
				b.advance(20 * time.Second)
				mu.Lock()
				defer mu.Unlock()
				want := map[sessions.ID][]int64{9: {1}, 1: {2, 4, 6, 21}, 2: {8, 19}, 3: {10, 11, 12, 20}, 4: {14, 17, 18}}
				if diff := cmp.Diff(want, arrived); diff != "" {
					t.Errorf("arrived: want (-) and got (+):\n%s", diff)
				}
			})
		})
	}
}

// No copy of a superseded interim probes a method, because the server would see the session go
// back. The next record is the probe instead.
func TestSupersedeProbe(t *testing.T) {
	inBubble(t, func(b *bubble) {
		var up atomic.Bool
		first, second := newScheduled(s4, answersNothing), newScheduled(s4, func(*accounting.Record) bool { return up.Load() })
		d := b.deliver(setup{}, accounting.Group("a"), first)
		b.deliver(setup{}, accounting.Group("b"), second)
		b.add("group/a", rec(1, interim, accounting.Group("b")))
		b.advance(52 * time.Second) // both have it, or a copy of it, as a probe until 50
		b.add("group/a", rec(1, stop, accounting.Group("b")))
		b.advance(2 * time.Second)
		if s := d.Stats(); s.Superseded != 1 || s.Pending != 1 {
			t.Fatalf("stats %+v", s)
		}
		up.Store(true)
		b.advance(time.Hour)
		b.pending("group/a", 0)
		b.add("group/a", rec(2, start, accounting.Group("b")))
		b.advance(2 * time.Hour)
		var last []string
		for _, s := range first.all() {
			if at, _ := time.ParseDuration(s[strings.LastIndexByte(s, ' ')+1:]); at > 50*time.Second {
				last = append(last, s[:strings.LastIndexByte(s, ' ')])
			}
		}
		if len(last) < 3 || slices.ContainsFunc(last, func(s string) bool { return s == "1 Interim-Update" }) || last[len(last)-1] != "2 Start" {
			t.Errorf("probed with %v", last)
		}
		b.pending("group/a", 0)
	})
}
