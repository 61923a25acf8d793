package delivery

import (
	"sync/atomic"
	"testing"
	"time"

	"aaasess/accounting"
)

// TestRerouteTakenBack: a record waits in the back-off of a method that its queue was rerouted to, when
// the method of the queue is there again and the list is taken back.
func TestRerouteTakenBack(t *testing.T) {
	inBubble(t, func(b *bubble) {
		fresh := newScheduled(s4, func(r *accounting.Record) bool { return r.Session != 1 })
		d := b.deliver(setup{}, accounting.Group("new"), fresh)
		d.Reroute("group/old", []accounting.MethodName{accounting.Group("new")})
		b.add("group/old", rec(1, start))
		for range 300 { // others are answered meanwhile
			b.add("group/old", rec(2, interim))
			b.after(10 * time.Second)
		}
		b.pending("group/old", 1)

		var answers atomic.Bool
		old := newScheduled(s4, func(*accounting.Record) bool { return answers.Load() })
		d.Reroute("group/old", nil)
		d.Delivery.SetMethod(accounting.Group("old"), old, accounting.MethodConfig{})
		b.add("group/old", rec(3, start))
		b.after(time.Minute)
		b.pending("group/old", 2)
		asked := len(fresh.all())
		answers.Store(true)
		b.after(time.Hour)
		b.pending("group/old", 0)
		if n := len(fresh.all()); n != asked {
			t.Errorf("the list that was taken back got %d more", n-asked)
		}
	})
}
