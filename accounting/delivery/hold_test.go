package delivery

import (
	"sync/atomic"
	"testing"
	"time"

	"aaasess/accounting"
	"aaasess/internal/retry"
)

// Held sends nothing and moves nothing to the next method. Away sends to the next method. Open
// sends.
func TestHold(t *testing.T) {
	inBubble(t, func(b *bubble) {
		m, next := newFake(8, nil), newFake(8, nil)
		d := b.member(setup{}, accounting.Group("a"), m)
		d.SetHold(Held)
		b.add("group/a", rec(1, start, accounting.Local), rec(2, start))
		b.run()
		b.deliver(setup{}, accounting.Local, next)
		b.advance(time.Hour)
		b.add("group/a", rec(3, start, accounting.Local))
		b.advance(time.Hour)
		b.sent(m)
		b.sent(next)
		if s := d.Stats(); s.Hold != Held || s.Pending != 3 || s.Draining || !s.DownSince.IsZero() || s.Oldest != time.Unix(1, 0) {
			t.Errorf("stats %+v", s)
		}
		d.SetHold(Away)
		b.advance(time.Second)
		b.add("group/a", rec(1, stop, accounting.Local))
		b.advance(time.Second)
		b.sent(m)
		b.sent(next, "1 Start 2h0m0s", "3 Start 2h0m0s", "1 Stop 2h0m1s")
		if s := d.Stats(); s.Hold != Away || s.Pending != 1 || s.Elsewhere != 3 {
			t.Errorf("stats %+v", s)
		}
		d.SetHold(Open)
		b.advance(0)
		b.sent(m, "2 Start 2h0m2s")
		if s := d.Stats(); s.Hold != Open || s.Pending != 0 {
			t.Errorf("stats %+v", s)
		}
	})
}

// A record in flight when its method is held ends as usual. If it has no answer, it waits.
func TestHoldInFlight(t *testing.T) {
	for _, hold := range []Hold{Held, Away} {
		t.Run(hold.String(), func(t *testing.T) {
			inBubble(t, func(b *bubble) {
				m, next := newScheduled(retry.Schedule{Timeout: 5 * time.Second, Retransmit: 3}, func(r *accounting.Record) bool { return r.Session == 1 }), newFake(8, nil)
				d := b.deliver(setup{}, accounting.Group("a"), m)
				b.deliver(setup{}, accounting.Local, next)
				b.add("group/a", rec(1, start))
				b.advance(0)
				b.add("group/a", rec(2, start, accounting.Local), rec(3, start))
				b.advance(time.Second)
				d.SetHold(hold)
				b.advance(time.Hour)
				if n := len(m.all()); n != 1+8 {
					t.Errorf("sent %v", m.all())
				}
				if s := d.Stats(); s.Delivered-s.Elsewhere != 1 || hold == Held && s.Pending != 2 || hold == Away && s.Pending != 1 || !s.NextProbe.IsZero() {
					t.Errorf("stats %+v", s)
				}
				if hold == Away {
					b.sent(next, "2 Start 20s")
					return
				}
				b.sent(next)
				d.SetHold(Away)
				b.advance(0)
				b.sent(next, "2 Start 1h0m1s")
			})
		})
	}
}

// With Open, a method that was down in the middle of a schedule is tried at once.
func TestHoldOpensWhileDown(t *testing.T) {
	inBubble(t, func(b *bubble) {
		var up atomic.Bool
		m := newScheduled(s4, func(*accounting.Record) bool { return up.Load() })
		d := b.deliver(setup{}, accounting.Group("a"), m)
		b.add("group/a", rec(1, start), rec(2, start))
		b.advance(9000 * time.Second)
		d.SetHold(Held)
		b.advance(8 * time.Hour)
		if n := len(m.all()); n != 14 {
			t.Errorf("sent %v", m.all())
		}
		up.Store(true)
		d.SetHold(Open)
		b.advance(0)
		if s := d.Stats(); s.Delivered != 2 || !s.DownSince.IsZero() || s.Pending != 0 {
			t.Errorf("stats %+v", s)
		}
	})
}

// With Away, a record that waits for a method that is down goes to its next method.
func TestHoldAwayInSchedule(t *testing.T) {
	inBubble(t, func(b *bubble) {
		m, next := newScheduled(s4, answersNothing), newFake(8, nil)
		d := b.deliver(setup{}, accounting.Group("a"), m)
		l := b.deliver(setup{}, accounting.Local, next)
		l.SetHold(Held)
		b.add("group/a", rec(1, start, accounting.Local), rec(2, start, accounting.Local), rec(3, start))
		b.advance(100 * time.Second)
		d.SetHold(Away)
		l.SetHold(Open)
		b.advance(time.Second)
		b.sent(next, "1 Start 1m40s", "2 Start 1m40s")
		b.advance(time.Hour)
		if s := d.Stats(); s.Pending != 1 || s.Elsewhere != 2 {
			t.Errorf("stats %+v", s)
		}
	})
}

// While a method is held, superseded interims are dropped.
func TestHoldSupersedes(t *testing.T) {
	inBubble(t, func(b *bubble) {
		m := newFake(8, nil)
		d := b.deliver(setup{}, accounting.Group("a"), m)
		d.SetHold(Held)
		b.advance(0)
		b.add("group/a", rec(1, interim), rec(1, interim), rec(1, interim), rec(1, stop))
		b.advance(2 * time.Second)
		if s := d.Stats(); s.Superseded != 3 || s.Pending != 1 {
			t.Errorf("stats %+v", s)
		}
		d.SetHold(Open)
		b.advance(0)
		b.sent(m, "1 Stop 2s")
	})
}
