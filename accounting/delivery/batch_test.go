package delivery

import (
	"slices"
	"testing"
	"time"

	"aaasess/accounting"
)

// batcher is a method that gets several records at once.
type batcher struct {
	*fakeMethod
	batches []int // the number of records of each call of SendAll; only Run writes it
}

func (m *batcher) SendAll(batch []accounting.Sending) {
	m.batches = append(m.batches, len(batch))
	for _, s := range batch {
		m.Send(s.Record, s.At, s.Done)
	}
}

// TestDeliverBatches: records that may be sent at the same time are handed over together, in their
// order. A record behind one of its session is not among them.
func TestDeliverBatches(t *testing.T) {
	inBubble(t, func(b *bubble) {
		m := &batcher{fakeMethod: newFake(8, func(_ *accounting.Record, done func(error)) { time.AfterFunc(time.Second, func() { done(nil) }) })}
		b.deliver(setup{}, accounting.Group("g"), m)
		b.add("group/g", rec(9, start))
		b.advance(2 * time.Second) // the answer has opened the window
		b.add("group/g", rec(1, start), rec(1, stop), rec(2, start))
		b.advance(5 * time.Second)
		b.sent(m.fakeMethod, "9 Start 0s", "1 Start 2s", "2 Start 2s", "1 Stop 3s")
		if !slices.Equal(m.batches, []int{2}) {
			t.Errorf("batches of %d", m.batches)
		}
		b.pending("group/g", 0)
	})
}
