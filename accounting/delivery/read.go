package delivery

import (
	"slices"
	"time"

	"aaasess/accounting"
	"aaasess/store"
)

// readBatch is how many records are read from the store at once.
const readBatch = 1024

// maxBatches is how many batches of one queue are read in one turn.
const maxBatches = 8

// reader is what is known of the reading of all queues.
type reader struct {
	loaded      int           // the most records that may be in memory
	active      int           // queues that have records, as far as is known
	lanes       uint64        // lanes that ever were
	again       bool          // there is more to be read at once
	superseding int           // how many sessions' interims the searches for superseded ones keep in mind
	entries     []store.Entry // room for those that are read
}

// share is a queue's part of a bound: those that have records share it equally.
func (r *reader) share(of int) int { return max(2, of/max(1, r.active)) }

// read takes records from the store as long as there is room for them.
func (d *Delivery) read(now time.Time) error {
	d.reading.again = false
	for _, q := range d.queues {
		if err := d.readQueue(q, now); err != nil {
			return d.failed(q, err)
		}
		if !q.asked && (!q.more || q.isAway()) {
			q.asked = true
			q.ask <- struct{}{}
		}
	}
	return nil
}

// readQueue reads one queue until there is no more, or its share of the memory is used.
func (d *Delivery) readQueue(q *queue, now time.Time) error {
	loaded, waiting := d.reading.share(d.reading.loaded), d.reading.share(d.cfg.Waiting)
	if q.skip.from != 0 {
		d.resume(q)
	}
	for batches := 0; q.more && !q.readAt.After(now) && len(q.skip.sessions) < d.reading.share(maxSkipped); batches++ {
		if q.items >= waiting && slices.ContainsFunc(d.methods, (*method).isAvailable) {
			d.skipBlocked(q, waiting)
		}
		if q.items >= waiting {
			break
		}
		if batches == maxBatches {
			d.reading.again = true // the other queues have their turn first
			break
		}
		if q.loaded > loaded/2 && d.mayGoOn() {
			q.unloadBlocked()
		}
		if q.loaded > loaded/2 {
			break // a read costs much the same for one record as for many
		}
		limit := min(readBatch, loaded-q.loaded, waiting-q.items)
		if q.cursor < q.skip.until {
			d.discard() // else what was delivered in this turn would be read again
		}
		var err error
		d.reading.entries, err = d.store.Read(q.name, q.cursor, limit, d.reading.entries[:0])
		if err != nil {
			if isFatal(err) {
				return err
			}
			q.readAt = now.Add(d.cfg.RetryMax)
			d.logger.Error("queue cannot be read", "queue", q.name, "err", err, "next", d.cfg.RetryMax)
			return nil
		}
		for _, e := range d.reading.entries {
			it := &item{seq: e.Seq}
			d.parse(q, it, e.Data)
			q.cursor = e.Seq + 1
			if q.meets(it) || q.skips(it) {
				continue
			}
			if l := q.add(it); l != nil {
				d.reading.lanes++
				d.place(l)
			}
		}
		q.more = len(d.reading.entries) == limit
		clear(d.reading.entries)
	}
	return nil
}

// mayGoOn reports whether it is worth the while to read on behind records that nobody takes: what is
// far behind may go to a method that takes records, or be what one answers that seems to be down.
func (d *Delivery) mayGoOn() bool {
	return slices.ContainsFunc(d.methods, func(m *method) bool {
		return m.isAvailable() || m.hold == Open && m.health.failures > 0
	})
}

// parse reads the octets of an item.
func (d *Delivery) parse(q *queue, it *item, data []byte) {
	rec, err := accounting.ParseRecord(data)
	if err != nil {
		h := it.known()
		h.damaged, h.reason = append([]byte{}, data...), err
		return
	}
	it.rec, it.when = rec, rec.At.UnixNano()
	if it.route == nil {
		it.route = d.route(q, rec.Next)
	}
}

// reload reads an item of a busy lane again whose octets were given up. False means that it cannot be
// had: then the lane is dealt with.
func (d *Delivery) reload(it *item, now time.Time) (ok bool, err error) {
	if it.isLoaded() {
		return true, nil
	}
	q := it.lane.queue
	got, err := d.store.Read(q.name, it.seq, 1, nil)
	switch {
	case err != nil && isFatal(err):
		return false, d.failed(q, err)
	case err != nil:
		d.logger.Error("record cannot be read", "queue", q.name, "seq", it.seq, "err", err)
		d.wait(it.lane, now.Add(d.cfg.RetryMax))
		return false, nil
	case len(got) == 0 || got[0].Seq != it.seq: // it stood in a block that the store has given up
		d.logger.Error("record is gone from the store", "queue", q.name, "seq", it.seq)
		d.settled(it)
		return false, nil
	}
	d.parse(q, it, got[0].Data)
	q.loaded++
	return true, nil
}
