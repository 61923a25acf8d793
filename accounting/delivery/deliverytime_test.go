package delivery

import (
	"testing"
	"time"

	"aaasess/accounting"
	"aaasess/sessions"
)

// TestDeliveryTime: the time from the event to the answer counts for the method that has delivered the
// record, once; what is not delivered does not count.
func TestDeliveryTime(t *testing.T) {
	inBubble(t, func(b *bubble) {
		at := func(id sessions.ID, before time.Duration) *accounting.Record {
			r := rec(id, start, accounting.Local)
			r.At = time.Now().Add(-before)
			return r
		}
		silent, local := newFake(8, neverAnswers), newFake(8, nil)
		b.deliver(setup{}, accounting.Group("a"), silent)
		b.deliver(setup{}, accounting.Local, local)
		b.add("group/a", at(1, 0))
		b.advance(25 * time.Second)
		b.add("group/a", at(2, time.Hour), at(3, -time.Minute)) // the clock of a NAS may be wrong
		b.advance(time.Second)
		got := b.delivery.DeliveryTime(accounting.Local)
		if got.Total != 3 || got.Sum != time.Hour+20*time.Second {
			t.Errorf("%d, %v", got.Total, got.Sum)
		}
		for i, bound := range got.Bounds {
			want := map[time.Duration]uint64{5 * time.Millisecond: 1, 30 * time.Second: 1, time.Hour: 1}[bound]
			if got.Counts[i] != want {
				t.Errorf("at most %v: %d, want %d", bound, got.Counts[i], want)
			}
		}
		if none := b.delivery.DeliveryTime(accounting.Group("a")); none.Total != 0 || none.Bounds == nil {
			t.Errorf("the method without answers has %+v", none)
		}
		if none := b.delivery.DeliveryTime("unknown"); none.Total != 0 {
			t.Errorf("an unknown method has %+v", none)
		}
	})
}
