package delivery

import (
	"cmp"
	"slices"
	"time"
)

// minMissed is how many transmissions must have gone unanswered, while others were answered, before a
// record gives way.
const minMissed = 4

// isCrowded reports whether so many records of a queue are known that those that are to blame for it
// must give way.
func (d *Delivery) isCrowded(q *queue) bool {
	return q.items-d.aside.storing > d.reading.share(d.cfg.Waiting)/2 && d.retrying.heap.Len() > 0 && !q.isAway()
}

// relieve makes room, so that reading goes on however many records a server ignores and however long
// their schedules are: of those that wait because nobody answered them, though others were answered,
// and more often than by chance, the most often tried are set aside. One that a method was not asked
// about, because it was not available, goes there.
func (d *Delivery) relieve(q *queue, now time.Time) error {
	if !d.isCrowded(q) || now.Before(q.relieveAt) {
		return nil
	}
	q.relieveAt = now.Add(d.cfg.RetryMin)
	var all []*lane
	for l := range d.retrying.heap.All() {
		if l.queue == q && l.head().mayGiveWay() {
			all = append(all, l)
		}
	}
	slices.SortFunc(all, func(a, b *lane) int { return -cmp.Compare(a.head().history.sends(), b.head().history.sends()) })
	excess := q.items - d.aside.storing - d.reading.share(d.cfg.Waiting)/2
	for _, l := range all[:min(len(all), excess, readBatch, d.transferRoom())] {
		d.retrying.remove(l)
		it := l.head()
		h := it.history
		for i := range h.by {
			h.by[i].asked = h.by[i].tries > 0
		}
		if it.route.next(h) == nil {
			d.giveUpOn(it, now)
		}
		d.place(l)
	}
	return nil
}

// sends is how many transmissions went unanswered while others were answered.
func (h *history) sends() (n int) {
	for i := range h.by {
		n += h.by[i].sends
	}
	return n
}

// mayGiveWay reports whether all methods that are available and were asked have left the item unanswered
// too often to be chance, while they answered others; and one at least was.
func (it *item) mayGiveWay() bool {
	h := it.history
	if h == nil || h.reason != nil {
		return false
	}
	asked := false
	for i, m := range it.route.methods {
		if m == nil || !m.isAvailable() || h.by[i].tries == 0 {
			continue
		}
		asked = true
		if a := &h.by[i]; a.sends < minMissed || m.losses.explain(a.missed) {
			return false
		}
	}
	return asked
}
