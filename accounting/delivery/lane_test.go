package delivery

import (
	"context"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"aaasess/accounting"
	"aaasess/sessions"

	"github.com/google/go-cmp/cmp"
)

// inLane returns a record of a session that is kept in order with the records of another one.
func inLane(lane, id sessions.ID, typ sessions.EventType) *accounting.Record {
	r := rec(id, typ)
	r.Lane = lane
	return r
}

// The records of sessions that share a lane are sent one after the other, in their order. Other
// sessions go on meanwhile.
func TestLaneIsShared(t *testing.T) {
	inBubble(t, func(b *bubble) {
		m := newFake(8, func(rec *accounting.Record, done func(error)) {
			time.AfterFunc(time.Second, func() { done(nil) })
		})
		d := b.deliver(setup{}, accounting.Group("g"), m)
		b.add("group/g", rec(9, start))
		b.advance(time.Second) // an answer has opened the window to two
		b.add("group/g", rec(1, start), inLane(1, 2, start), inLane(1, 2, stop), rec(3, start), rec(1, stop))
		b.advance(500 * time.Millisecond)
		for lane, want := range map[sessions.ID]int{1: 4, 2: 0, 3: 1} {
			if places, err := d.Locate(context.Background(), "group/g", lane); err != nil || len(places) != want {
				t.Errorf("%d records in lane %d, %v; want %d", len(places), lane, err, want)
			}
		}
		b.advance(5 * time.Second)
		b.sent(m, "9 Start 0s", "1 Start 1s", "3 Start 1s", "2 Start 2s", "2 Stop 3s", "1 Stop 4s")
		b.stop()
		if q := d.queue(); q.items+q.loaded+len(q.lanes) != 0 {
			t.Errorf("left in memory: %+v", q)
		}
	})
}

// While a method is down, a record supersedes only interims of its own session, in whatever lane
// they are.
func TestSupersedeInLane(t *testing.T) {
	for _, loaded := range []int{4, 4096} {
		t.Run(fmt.Sprint(loaded), func(t *testing.T) {
			inBubble(t, func(b *bubble) {
				var up atomic.Bool
				m := newScheduled(s4, func(*accounting.Record) bool { return up.Load() })
				newest := rec(5, interim)
				newest.At = newest.At.Add(time.Minute)
				b.add(
					"group/g", newest, rec(1, start), inLane(1, 5, interim), inLane(1, 2, start), rec(1, interim), inLane(1, 2, interim), inLane(1, 2, interim), inLane(1, 2, stop),
					rec(1, interim), rec(3, interim), inLane(1, 3, interim), inLane(1, 4, interim), rec(4, interim),
				)
				d := b.deliver(setup{Loaded: loaded}, accounting.Group("g"), m)
				b.advance(22 * time.Second)
				want := []string{"5 Interim-Update", "1 Start", "2 Start", "2 Stop", "1 Interim-Update", "3 Interim-Update", "4 Interim-Update"}
				if diff := cmp.Diff(want, b.left("group/g")); diff != "" {
					t.Errorf("left: want (-) and got (+):\n%s", diff)
				}
				up.Store(true)
				b.advance(20 * time.Second)
				if s := d.Stats(); s.Superseded != 6 || s.Delivered != 7 || s.Pending != 0 {
					t.Errorf("stats %+v", s)
				}
				b.stop()
				if q := d.queue(); len(q.scan.last)+len(q.scan.lanes)+q.items+q.loaded+len(q.lanes) != 0 {
					t.Errorf("left in memory: %+v", q)
				}
			})
		})
	}
}
