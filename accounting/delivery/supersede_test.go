package delivery

import (
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"aaasess/sessions"
	"aaasess/store"

	"github.com/google/go-cmp/cmp"

	"aaasess/accounting"
)

// left returns the content of a queue, as "session type".
func (b *bubble) left(queue string) (all []string) {
	b.Helper()
	for _, r := range records(b, b.store, queue) {
		all = append(all, fmt.Sprintf("%d %s", r.Session, r.Type))
	}
	return all
}

// While a method is down, an interim is dropped if a later interim or the stop of its session
// supersedes it, whether it was read or not. Starts and stops are never dropped, nor is an interim
// before a start.
func TestSupersede(t *testing.T) {
	for _, loaded := range []int{4, 4096} {
		t.Run(fmt.Sprint(loaded), func(t *testing.T) {
			inBubble(t, func(b *bubble) {
				var up atomic.Bool
				m := newScheduled(s4, func(*accounting.Record) bool { return up.Load() })
				b.add(
					"group/g", rec(1, start), rec(1, interim), rec(1, interim), rec(2, start), rec(1, interim), rec(2, interim),
					rec(3, interim), rec(3, stop), rec(4, interim), rec(4, start), rec(4, interim), rec(5, stop), rec(5, stop),
				)
				d := b.deliver(setup{Loaded: loaded}, accounting.Group("g"), m)
				b.advance(22 * time.Second)
				want := []string{
					"1 Start", "2 Start", "1 Interim-Update", "2 Interim-Update", "3 Stop",
					"4 Interim-Update", "4 Start", "4 Interim-Update", "5 Stop", "5 Stop",
				}
				if diff := cmp.Diff(want, b.left("group/g")); diff != "" {
					t.Errorf("left: want (-) and got (+):\n%s", diff)
				}
				b.add("group/g", rec(1, interim), rec(2, stop), rec(6, interim)) // the search remembers 1
				b.advance(2 * time.Second)
				want = []string{
					"1 Start", "2 Start", "3 Stop", "4 Interim-Update", "4 Start", "4 Interim-Update", "5 Stop", "5 Stop",
					"1 Interim-Update", "2 Stop", "6 Interim-Update",
				}
				if diff := cmp.Diff(want, b.left("group/g")); diff != "" {
					t.Errorf("left: want (-) and got (+):\n%s", diff)
				}
				if s := d.Stats(); s.Superseded != 5 || s.Pending != 11 || s.SetAside+s.Refused != 0 {
					t.Errorf("stats %+v", s)
				}
				up.Store(true)
				b.advance(20 * time.Second)
				b.add("group/g", rec(7, interim), rec(7, interim), rec(7, stop)) // now nothing is dropped
				b.advance(time.Second)
				if s := d.Stats(); s.Superseded != 5 || s.Delivered != 14 || s.Pending != 0 {
					t.Errorf("stats %+v", s)
				}
				b.stop()
				if q := d.queue(); len(q.scan.last)+q.items+q.loaded+len(q.lanes) != 0 {
					t.Errorf("left in memory: %+v", q)
				}
			})
		})
	}
}

// An interim is not dropped while it is in flight.
func TestSupersedeInFlight(t *testing.T) {
	inBubble(t, func(b *bubble) {
		m := newScheduled(s4, answersNothing)
		d := b.deliver(setup{}, accounting.Group("g"), m)
		b.add("group/g", rec(1, interim))
		b.advance(0)
		b.add("group/g", rec(1, interim), rec(1, interim))
		b.advance(19 * time.Second)
		if want := []string{"1 Interim-Update", "1 Interim-Update", "1 Interim-Update"}; !cmp.Equal(want, b.left("group/g")) {
			t.Errorf("in flight, left %v", b.left("group/g"))
		}
		b.advance(30 * time.Minute)
		if want := []string{"1 Interim-Update"}; !cmp.Equal(want, b.left("group/g")) {
			t.Errorf("left %v", b.left("group/g"))
		}
		if s := d.Stats(); s.Superseded != 2 {
			t.Errorf("stats %+v", s)
		}
	})
}

// A record that waits long for its next transmission is dropped. The rest of its session is ready
// at once.
func TestSupersedeWaiting(t *testing.T) {
	inBubble(t, func(b *bubble) {
		var up atomic.Bool
		up.Store(true)
		m := newScheduled(s4, func(r *accounting.Record) bool { return up.Load() && (r.Session != 1 || r.Type != interim) })
		d := b.deliver(setup{}, accounting.Group("g"), m)
		b.add("group/g", rec(9, start))
		b.advance(0)
		b.add("group/g", rec(1, interim))
		for range 60 { // 1 waits for its next transmission, for example at 125
			b.advance(time.Second)
			b.add("group/g", rec(9, start))
		}
		up.Store(false)
		b.add("group/g", rec(2, start))
		b.advance(22 * time.Second)
		b.add("group/g", rec(1, stop))
		b.advance(2 * time.Second)
		if s := d.Stats(); s.Superseded != 1 {
			t.Fatalf("stats %+v", s)
		}
		up.Store(true)
		b.advance(2 * time.Second)
		if s := d.Stats(); s.Pending != 0 {
			t.Errorf("stats %+v", s)
		}
	})
}

// A replayed old interim stands behind a newer one, and the old one is dropped, whether it was read
// or not. If the newer one is gone by then, the old one stays.
func TestSupersedeReplayed(t *testing.T) {
	aged := func(id sessions.ID, seconds int64) *accounting.Record {
		r := rec(id, interim)
		r.At = time.Unix(seconds, 0)
		return r
	}
	for _, loaded := range []int{2, 4096} {
		t.Run(fmt.Sprint(loaded), func(t *testing.T) {
			inBubble(t, func(b *bubble) {
				d := b.member(setup{Loaded: loaded}, accounting.Group("g"), newFake(8, nil))
				b.add("group/g", rec(5, start), rec(6, start), aged(1, 200), aged(2, 200), aged(3, 200))
				d.SetHold(Held)
				b.run()
				b.advance(2 * time.Second)
				b.add("group/g", aged(1, 100), aged(2, 200), aged(3, 300))
				b.advance(2 * time.Second)
				b.add("group/g", aged(1, 150), aged(2, 199), aged(3, 200))
				b.advance(2 * time.Second)
				at := func() (at []int64) {
					for _, r := range records(b, b.store, "group/g") {
						at = append(at, r.At.Unix())
					}
					return at
				}
				if diff := cmp.Diff([]int64{1, 1, 200, 200, 300}, at()); diff != "" {
					t.Errorf("left: want (-) and got (+):\n%s", diff)
				}
				if s := d.Stats(); s.Superseded != 6-2+2 || s.Pending != 5 {
					t.Errorf("stats %+v", s)
				}
			})
		})
	}
	inBubble(t, func(b *bubble) {
		m := newScheduled(s4, func(r *accounting.Record) bool { return r.Session != 5 && r.At.Unix() == 200 })
		d := b.deliver(setup{}, accounting.Group("g"), m)
		d.SetHold(Held)
		b.add("group/g", aged(1, 200), rec(5, start))
		b.advance(2 * time.Second)
		d.SetHold(Open)
		b.advance(time.Second)
		b.pending("group/g", 1)
		d.SetHold(Held)
		b.add("group/g", aged(1, 100))
		b.advance(2 * time.Second)
		b.pending("group/g", 2)
	})
}

// Beyond its limit the search forgets interims, so it drops fewer records, never more.
func TestSupersedeLimit(t *testing.T) {
	inBubble(t, func(b *bubble) {
		d := b.member(setup{Loaded: 2}, accounting.Group("g"), newFake(8, nil))
		d.reading.maxInterims = 2
		d.SetHold(Held)
		for _, id := range []sessions.ID{1, 2, 1, 3, 1, 2, 3, 1} {
			b.add("group/g", rec(id, interim))
		}
		b.run()
		b.advance(2 * time.Second)
		var left string
		for _, r := range b.left("group/g") {
			left += r[:1]
		}
		if s := d.Stats(); s.Superseded != 1 || left != "2131231" {
			t.Errorf("left %s, stats %+v", left, s)
		}
		if len(d.queue().scan.last) > 2 {
			t.Errorf("%d interims remembered", len(d.queue().scan.last))
		}
		d.SetHold(Open)
		b.advance(time.Second)
		b.pending("group/g", 0)
	})
}

// The search passes damaged records and a queue of many batches, in bounded memory.
func TestSupersedeLongQueue(t *testing.T) {
	inBubble(t, func(b *bubble) {
		b.commit(store.Change{Appends: []store.Append{{Queue: "group/g", Data: []byte("junk")}}})
		const n, rounds = 2000, 5
		for range rounds {
			var c store.Change
			for id := range sessions.ID(n) {
				c.Appends = append(c.Appends, store.Append{Queue: "group/g", Data: accounting.AppendRecord(nil, rec(id+1, interim))})
			}
			b.commit(c)
		}
		m := newScheduled(s4, answersNothing)
		d := b.deliver(setup{Loaded: 64}, accounting.Group("g"), m)
		b.advance(time.Minute)
		if s := d.Stats(); s.Superseded < n*(rounds-1)-2 || s.Pending != n*rounds-s.Superseded || s.Refused != 1 {
			t.Errorf("stats %+v", s)
		}
		if d.queue().loaded > 64 {
			t.Errorf("%d in memory", d.queue().loaded)
		}
	})
}
