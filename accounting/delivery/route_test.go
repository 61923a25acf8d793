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
	"aaasess/internal/retry"
	"aaasess/sessions"
)

// Order over several methods: both are silent for 20 s, and each may or may not come back. The
// start must arrive before the interim, and the interim before the stop, whichever method gets
// them.
func TestOrderOverMethods(t *testing.T) {
	for name, tc := range map[string]struct{ z, g bool }{"both return": {true, true}, "only the first": {true, false}, "only the second": {false, true}} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(b *bubble) {
				var z, g atomic.Bool
				var mu sync.Mutex // guards arrived
				var arrived []string
				answers := func(up *atomic.Bool) func(*accounting.Record) bool {
					return func(r *accounting.Record) bool {
						if up.Load() {
							mu.Lock()
							defer mu.Unlock()
							arrived = append(arrived, fmt.Sprint(r.Type))
						}
						return up.Load()
					}
				}
				plain := retry.Schedule{Timeout: 5 * time.Second, Retransmit: 3}
				d := b.deliver(setup{}, accounting.Group("z"), newScheduled(plain, answers(&z)))
				b.deliver(setup{}, accounting.Group("g"), newScheduled(plain, answers(&g)))
				b.add("group/z", rec(1, start, accounting.Group("g")))
				b.advance(10 * time.Second)
				b.add("group/z", rec(1, interim, accounting.Group("g")))
				b.advance(10 * time.Second)
				z.Store(tc.z)
				g.Store(tc.g)
				b.advance(3 * time.Second)
				b.add("group/z", rec(1, stop, accounting.Group("g")))
				b.advance(2 * time.Minute)
				mu.Lock()
				defer mu.Unlock()
				if got := slices.Compact(arrived); !slices.Equal(got, []string{"Start", "Interim-Update", "Stop"}) && !slices.Equal(got, []string{"Start", "Stop"}) {
					t.Errorf("arrived %v", arrived)
				}
				if s := d.Stats(); s.Pending != 0 {
					t.Errorf("stats %+v", s)
				}
			})
		})
	}
}

// Two queues share a method. Its window and its probes serve both, and they take turns.
func TestSharedMethod(t *testing.T) {
	inBubble(t, func(b *bubble) {
		var mu sync.Mutex // guards most and now
		most, now := 0, 0
		m := newFake(4, nil)
		m.answer = func(_ *accounting.Record, done func(error)) {
			mu.Lock()
			defer mu.Unlock()
			now++
			most = max(most, now)
			time.AfterFunc(time.Second, func() {
				mu.Lock()
				now--
				mu.Unlock()
				done(nil)
			})
		}
		for id := range sessions.ID(100) {
			b.add("group/a", rec(1+id, start, accounting.Group("g")))
			b.add("group/b", rec(1001+id, start, accounting.Group("g")))
		}
		b.member(setup{}, accounting.Group("a"), newFake(1, nil)).SetHold(Away)
		b.delivery.SetHold(accounting.Group("b"), Away)
		b.deliver(setup{}, accounting.Group("b"), newFake(1, nil))
		b.deliver(setup{}, accounting.Group("g"), m)
		b.advance(20 * time.Second)
		mu.Lock()
		defer mu.Unlock()
		ofA := 0
		for _, s := range m.all() {
			if !strings.HasPrefix(s, "10") || len(strings.Fields(s)[0]) < 4 {
				ofA++
			}
		}
		if n := len(m.all()); most != 4 || n < 70 || ofA < n/2-2 || ofA > n/2+2 {
			t.Errorf("%d at once, %d of %d from the first queue", most, ofA, n)
		}
	})
}

// A method that is removed gets nothing any more. Routes skip it, its records in flight count if
// they are delivered, and a queue that has no method left reports Lost.
func TestRemoveMethod(t *testing.T) {
	inBubble(t, func(b *bubble) {
		var ends []func(error)
		z, g := newFake(8, func(_ *accounting.Record, done func(error)) { ends = append(ends, done) }), newFake(8, nil)
		d := b.deliver(setup{}, accounting.Group("z"), z)
		b.deliver(setup{}, accounting.Group("g"), g)
		b.add("group/z", rec(9, start))
		b.advance(time.Second)
		ends[0](nil)
		b.advance(0)
		b.add("group/z", rec(1, start, accounting.Group("g")), rec(2, start, accounting.Group("g")), rec(1, stop, accounting.Group("g")))
		b.advance(0)
		b.delivery.RemoveMethod(accounting.Group("z"))
		b.add("group/z", rec(3, start))
		b.advance(0)
		b.sent(z, "9 Start 0s", "1 Start 1s", "2 Start 1s")
		b.sent(g)
		ends[1](nil)
		ends[2](accounting.ErrStopped)
		b.advance(time.Second)
		b.sent(g, "1 Stop 1s", "2 Start 1s")
		if s := d.Stats(); !s.Lost || s.Pending != 1 || s.Delivered != 4 {
			t.Errorf("stats %+v", s)
		}
		d.SetMethod(newFake(8, nil), setup{})
		b.advance(0)
		if s := d.Stats(); s.Lost || s.Pending != 0 {
			t.Errorf("stats %+v", s)
		}
	})
}

// A queue whose methods are gone is delivered by the methods of Reroute: in place, in order, late
// records too. When the Reroute is withdrawn, its records wait again.
func TestReroute(t *testing.T) {
	inBubble(t, func(b *bubble) {
		g, l := newFake(8, answering(accounting.ErrNoResponse)), newFake(8, nil)
		b.add("group/gone", rec(1, start), rec(2, start, accounting.Group("too")), rec(1, stop))
		b.deliver(setup{}, accounting.Group("g"), g)
		b.deliver(setup{}, accounting.Local, l)
		b.advance(time.Second)
		if s := b.delivery.Queue("group/gone"); !s.Lost || s.Pending != 3 {
			t.Errorf("stats %+v", s)
		}
		b.delivery.Reroute("group/gone", []accounting.MethodName{accounting.Group("g"), accounting.Local})
		b.advance(time.Second)
		b.add("group/gone", rec(2, stop, accounting.Group("too")))
		b.advance(time.Second)
		got := l.all()
		slices.Sort(got)
		if !slices.Equal(got, []string{"1 Start 1s", "1 Stop 1s", "2 Start 1s", "2 Stop 2s"}) {
			t.Errorf("sent %v", l.all())
		}
		if s := b.delivery.Queue("group/gone"); s.Lost || s.Pending != 0 || s.Elsewhere != 4 {
			t.Errorf("stats %+v", s)
		}
		b.delivery.Reroute("group/gone", nil)
		b.add("group/gone", rec(3, stop))
		b.advance(time.Second)
		if s := b.delivery.Queue("group/gone"); !s.Lost || s.Pending != 1 {
			t.Errorf("stats %+v", s)
		}
	})
}

// FindQueues finds a queue that Run does not read yet.
func TestFindQueues(t *testing.T) {
	inBubble(t, func(b *bubble) {
		l := newFake(8, nil)
		b.deliver(setup{}, accounting.Local, l)
		b.advance(time.Second)
		b.add("group/gone", rec(1, start, accounting.Local))
		b.advance(time.Second)
		b.sent(l)
		b.delivery.FindQueues()
		b.advance(0)
		b.sent(l, "1 Start 2s")
		b.add("group/gone", rec(1, stop, accounting.Local))
		b.advance(0)
		b.sent(l, "1 Start 2s", "1 Stop 2s")
	})
}
