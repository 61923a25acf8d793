package delivery

import (
	"slices"
	"time"

	"aaasess/accounting"
	"aaasess/store"
)

// readBatch is how many records are read from the store at once.
const readBatch = 1024

// maxBatches is how many batches of one queue are read in one step.
const maxBatches = 8

const (
	// restFactor is how long reading rests while no method is available, and the search for superseded
	// interims while no method takes the records of its queue, as a multiple of the time that they worked.
	// Without rests, a queue of a million records would keep a processor busy for a second just after a
	// server has failed, and answers to NASes would wait.
	restFactor = 9
	// longestRest limits a rest: work that waited for the disk must not delay what comes after the server
	// is back.
	longestRest = time.Second
)

// goOnAt returns when work that began at began may go on. The step began at now.
func goOnAt(began, now time.Time) time.Time {
	worked := time.Since(began)
	return now.Add(worked + min(restFactor*worked, longestRest))
}

// reader is the state of reading, for all queues together.
type reader struct {
	loaded      int           // the most records that may be in memory
	active      int           // queues that have records, as far as is known
	lanes       uint64        // lanes created since the start, and starts that waited for an address and go on
	moreToRead  bool          // more can be read at once
	maxInterims int           // how many sessions' interims the searches for superseded ones may remember
	maxWithheld int           // how many lanes may wait for an address
	entries     []store.Entry // buffer for Store.Read
}

// share returns one queue's part of a limit. Queues that have records share it equally.
func (r *reader) share(limit int) int { return max(2, limit/max(1, r.active)) }

// read reads records from the store while there is room for them.
func (d *Delivery) read(now time.Time) error {
	d.reading.moreToRead = false
	for _, q := range d.queues {
		if err := d.readQueue(q, now); err != nil {
			return d.queueError(q, err)
		}
		if !q.listening && (!q.more || q.isBlocked()) {
			q.listening = true
			q.listen <- struct{}{}
		}
	}
	return nil
}

// readQueue reads one queue until it is empty or its share of the memory is used.
func (d *Delivery) readQueue(q *queue, now time.Time) error {
	loaded, waiting := d.reading.share(d.reading.loaded), d.reading.share(d.cfg.Waiting)
	if q.skip.from != 0 {
		d.resume(q)
	}
	available := slices.ContainsFunc(d.methods, (*method).isAvailable)
	for batches := 0; q.more && !q.readAt.After(now) && len(q.skip.lanes) < d.reading.share(maxSkipped); batches++ {
		if q.restUntil.After(now) && !available {
			break
		}
		if q.sendable() >= waiting && available {
			d.skipBlocked(q, waiting)
		}
		if q.sendable() >= waiting {
			break
		}
		if batches == maxBatches {
			d.reading.moreToRead = true // the other queues come first
			break
		}
		if q.loaded > loaded/2 && d.mayReadOn() {
			q.unloadBlocked()
		}
		if q.loaded > loaded/2 {
			break // a read costs about the same for one record as for many
		}
		limit := min(readBatch, loaded-q.loaded, waiting-q.sendable())
		if q.cursor < q.skip.until {
			d.discard() // otherwise records that were delivered in this step would be read again
		}
		began := time.Now()
		var err error
		d.reading.entries, err = d.store.Read(q.name, q.cursor, limit, d.reading.entries[:0])
		if err != nil {
			if isFatal(err) {
				return err
			}
			q.readAt, q.late = now.Add(d.cfg.RetryMax), true
			d.logger.Error("queue cannot be read; will retry", "queue", q.name, "err", err, "next", d.cfg.RetryMax)
			return nil
		}
		for _, e := range d.reading.entries {
			it := &item{seq: e.Seq}
			d.parse(q, it, e.Data)
			q.cursor = e.Seq + 1
			if q.isAlreadyRead(it) || q.skips(it) {
				continue
			}
			d.add(q, it, now)
		}
		q.more = len(d.reading.entries) == limit
		clear(d.reading.entries)
		if q.isBlocked() {
			q.restUntil = goOnAt(began, now)
		}
	}
	q.late = q.more
	return nil
}

// add adds an item that was read to its lane.
func (d *Delivery) add(q *queue, it *item, now time.Time) {
	rec := it.rec // which is freed again if the lane waits
	if rec != nil && rec.Hold > 0 {
		d.hold(q, it, now)
	}
	if l := q.add(it); l != nil {
		d.reading.lanes++
		d.place(l)
		return
	}
	if it.lane.held > 0 {
		d.endHold(it.lane, it, rec)
	}
}

// mayReadOn reports whether it is useful to read on behind records that no method takes. A record
// further on may go to an available method, or may be one that a method answers although it seems
// down.
func (d *Delivery) mayReadOn() bool {
	return slices.ContainsFunc(d.methods, func(m *method) bool {
		return m.isAvailable() || m.hold == Open && m.health.failures > 0
	})
}

// parse decodes the octets of an item.
func (d *Delivery) parse(q *queue, it *item, data []byte) {
	rec, err := accounting.ParseRecord(data)
	if err != nil {
		h := it.ensureHistory()
		h.damaged, h.reason = append([]byte{}, data...), err
		return
	}
	it.rec, it.when = rec, rec.At.UnixNano()
	if it.route == nil {
		it.route = d.route(q, rec.Next)
	}
}

// reload reads an unloaded item of a busy lane again. If it returns false, the item is not
// available and the lane was dealt with.
func (d *Delivery) reload(it *item, now time.Time) (ok bool, err error) {
	if it.isLoaded() {
		return true, nil
	}
	q := it.lane.queue
	got, err := d.store.Read(q.name, it.seq, 1, nil)
	switch {
	case err != nil && isFatal(err):
		return false, d.queueError(q, err)
	case err != nil:
		d.logger.Error("record cannot be read; will retry", "queue", q.name, "seq", it.seq, "err", err)
		d.waitUntil(it.lane, now.Add(d.cfg.RetryMax))
		return false, nil
	case len(got) == 0 || got[0].Seq != it.seq: // it was in a damaged block that the store has removed
		d.logger.Error("record is lost: the store no longer has it", "queue", q.name, "seq", it.seq)
		d.removeHead(it)
		return false, nil
	}
	d.parse(q, it, got[0].Data)
	q.loaded++
	return true, nil
}
