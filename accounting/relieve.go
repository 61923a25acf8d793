package accounting

import (
	"cmp"
	"slices"
	"time"
)

// minVain is how many transmissions must have been in vain, while others were answered, before a
// record gives way.
const minVain = 4

// isCrowded reports whether so many records are known that those that are to blame must give way.
func (d *Deliverer) isCrowded() bool {
	return d.lanes.items-d.storing > d.cfg.Waiting/2 && !d.isAway() && len(d.lanes.suspects) > 0
}

// relieve makes room, so that reading goes on however many records a server ignores and however long
// their schedules are: of those that wait because nobody answered them, though others were answered,
// and more often than by chance, the most often tried go on to their next method, or are set aside.
func (d *Deliverer) relieve(now time.Time) error {
	if !d.isCrowded() || now.Before(d.relieveAt) {
		return nil
	}
	d.relieveAt = now.Add(d.cfg.RetryMin)
	var guilty []*lane
	for _, l := range d.lanes.suspects {
		if o := l.head().odd; o.vain >= minVain && !d.losses.explain(o.blamed) {
			guilty = append(guilty, l)
		}
	}
	slices.SortFunc(guilty, func(a, b *lane) int { return -cmp.Compare(a.head().odd.vain, b.head().odd.vain) })
	excess := d.lanes.items - d.storing - d.cfg.Waiting/2
	for _, l := range guilty[:min(len(guilty), excess, readBatch, d.transferRoom())] {
		it := l.head()
		switch ok, err := d.reload(it); {
		case err != nil:
			return err
		case !ok:
			continue // it waits on
		}
		d.lanes.unwait(l)
		l.busy = true
		if it.hasNext {
			d.move(it, now)
			continue
		}
		d.convict(it, now)
		d.setAside(it, now)
	}
	return nil
}

// convict finds that it is the fault of a record that nobody answers it.
func (d *Deliverer) convict(it *item, now time.Time) {
	o := it.odd
	o.refusal = &neverAnswered{tries: o.tries, rounds: o.rounds, took: now.Sub(d.made) - it.first}
}
