package delivery

import (
	"sync/atomic"
	"testing"
	"time"

	"aaasess/accounting"
)

// A record waits in the back-off of a method that its queue was rerouted to. Then the queue's own
// method comes up and the Reroute is withdrawn.
func TestRerouteWithdrawn(t *testing.T) {
	inBubble(t, func(b *bubble) {
		fresh := newScheduled(s4, func(r *accounting.Record) bool { return r.Session != 1 })
		d := b.deliver(setup{}, accounting.Group("new"), fresh)
		d.Reroute("group/old", []accounting.MethodName{accounting.Group("new")})
		b.add("group/old", rec(1, start))
		for range 300 { // meanwhile, others are answered
			b.add("group/old", rec(2, interim))
			b.advance(10 * time.Second)
		}
		b.pending("group/old", 1)

		var answers atomic.Bool
		old := newScheduled(s4, func(*accounting.Record) bool { return answers.Load() })
		d.Reroute("group/old", nil)
		d.Delivery.SetMethod(accounting.Group("old"), old, accounting.MethodConfig{})
		b.add("group/old", rec(3, start))
		b.advance(time.Minute)
		b.pending("group/old", 2)
		asked := len(fresh.all())
		answers.Store(true)
		b.advance(time.Hour)
		b.pending("group/old", 0)
		if n := len(fresh.all()); n != asked {
			t.Errorf("the withdrawn list got %d more", n-asked)
		}
	})
}
