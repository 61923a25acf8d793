package delivery

import (
	"cmp"
	"slices"
	"time"
)

// minSends is how many transmissions must have gone unanswered, while others were answered, before
// a record may be set aside early.
const minSends = 4

// isCrowded reports whether a queue holds so many unsettled records that ignored ones are set aside
// early.
func (d *Delivery) isCrowded(q *queue) bool {
	return q.sendable()-d.setAside.moving > d.reading.share(d.cfg.Waiting)/2 && d.retrying.heap.Len() > 0 && !q.isBlocked()
}

// makeRoom sets records aside early, so that reading continues however many records a server
// ignores and however long their schedules are. It considers waiting records that went unanswered
// while others were answered, more often than chance explains, and starts with those that were sent
// most often. A record that an available method was not tried with yet goes to that method instead.
func (d *Delivery) makeRoom(q *queue, now time.Time) error {
	if !d.isCrowded(q) || now.Before(q.makeRoomAt) {
		return nil
	}
	q.makeRoomAt = now.Add(d.cfg.RetryMin)
	var all []*lane
	for l := range d.retrying.heap.All() {
		if l.queue == q && l.head().maySetAsideEarly() {
			all = append(all, l)
		}
	}
	slices.SortFunc(all, func(a, b *lane) int { return -cmp.Compare(a.head().history.sends(), b.head().history.sends()) })
	excess := q.sendable() - d.setAside.moving - d.reading.share(d.cfg.Waiting)/2
	for _, l := range all[:min(len(all), excess, readBatch, d.moveRoom())] {
		d.retrying.remove(l)
		it := l.head()
		h := it.history
		for i := range h.attempts {
			h.attempts[i].exhausted = h.attempts[i].tries > 0
		}
		if it.route.next(h) == nil {
			d.markNeverAnswered(it, now)
		}
		d.place(l)
	}
	return nil
}

// sends returns how many transmissions went unanswered while others were answered.
func (h *history) sends() (n int) {
	for i := range h.attempts {
		n += h.attempts[i].sends
	}
	return n
}

// maySetAsideEarly reports whether at least one available method was tried, and all that were tried
// left the item unanswered too often for chance while they answered others.
func (it *item) maySetAsideEarly() bool {
	h := it.history
	if h == nil || h.reason != nil {
		return false
	}
	tried := false
	for i, m := range it.route.methods {
		if m == nil || !m.isAvailable() || h.attempts[i].tries == 0 {
			continue
		}
		tried = true
		if a := &h.attempts[i]; a.sends < minSends || m.losses.explains(a.missed) {
			return false
		}
	}
	return tried
}
