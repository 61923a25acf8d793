package delivery

import (
	"time"

	"aaasess/accounting"
	"aaasess/sessions"
)

// A start may wait for the address of its user ([accounting.Record.Hold]; R45a "delay-start"). Its
// lane is in Delivery.withheld then, unloaded, and counts in no limit of memory but maxWithheld. It
// goes on when a later record of its session was read that has an address or is the stop, or when
// its time is over. When the start is sent, it has the addresses of the first later record in its
// lane that has some. That record is sent after it, unchanged.

const (
	// maxWithheld is how many lanes may wait for an address: about 70 MB. If there are more, those
	// that have waited longest go on without one.
	maxWithheld = 1 << 18
	// maxSearched is how many records behind a start are searched for an address when it is sent.
	maxSearched = 8
)

// heldStart is a start that waits for the address of its user.
type heldStart struct {
	session sessions.ID
	until   time.Time
}

// hold makes a start that was read wait, if it is to. Mostly the time counts from now, because records
// are read as soon as they are committed. If reading has paused since, it counts from the event, or
// from now if that is sooner. If the start was committed before this process began, it counts from
// the event or the beginning of the process, whichever is over sooner. For a start of a resync it
// counts from the start of the session, so it waits as long as the session's own start. No setting of
// a clock makes a start wait longer than its hold once it was read.
func (d *Delivery) hold(q *queue, it *item, now time.Time) {
	r := it.rec
	if r.Type != sessions.Start || accounting.HasAddress(r.Attrs) {
		return
	}
	left, before := r.Hold, it.seq < d.before[q.name]
	if before || q.late || r.Resync {
		left = min(left, r.At.Add(r.Hold).Sub(now))
	}
	if before {
		left = min(left, d.created.Add(r.Hold).Sub(now))
	}
	if left <= 0 {
		return
	}
	if q.held == nil {
		q.held = map[uint64]heldStart{}
	}
	it.held = true
	q.held[it.seq] = heldStart{r.Session, now.Add(left)}
}

// withhold makes a busy lane wait for the address of its first item.
func (d *Delivery) withhold(l *lane) {
	l.unload()
	l.withheld = true
	l.queue.withheld++
	d.withheld.add(l, l.queue.held[l.head().seq].until)
}

// endWait places a lane that was in Delivery.withheld and is busy now.
func (d *Delivery) endWait(l *lane) {
	l.withheld = false
	l.queue.withheld--
	l.queue.release(l.head())
	d.reading.lanes++ // an extra try may find it
	d.place(l)
}

// release ends the wait of an item.
func (q *queue) release(it *item) {
	if it.held {
		it.held = false
		it.lane.held--
		delete(q.held, it.seq)
	}
}

// endHold ends the wait of the start of a session when a later record of it was read that is the stop
// or has an address.
func (d *Delivery) endHold(l *lane, later *item, rec *accounting.Record) {
	if rec == nil || rec.Type == sessions.Other || rec.Type != sessions.Stop && !accounting.HasAddress(rec.Attrs) {
		return
	}
	for i, it := range l.items {
		switch {
		case !it.held || it == later || l.queue.held[it.seq].session != rec.Session:
		case i == 0 && l.withheld:
			d.withheld.remove(l)
			d.endWait(l)
		default:
			l.queue.release(it)
		}
	}
}

// limitWithheld lets lanes go on that have waited longest, if there are too many. It also lets those
// of a queue go on that have further records, if these fill its share of the memory.
func (d *Delivery) limitWithheld(now time.Time) {
	for d.withheld.heap.Len() > d.reading.maxWithheld {
		d.endWait(d.withheld.due(d.withheld.nextDue()))
	}
	for _, q := range d.queues {
		if q.withheld == 0 || now.Before(q.limitAt) || q.sendable() < d.reading.share(d.cfg.Waiting) {
			continue
		}
		q.limitAt = now.Add(d.cfg.RetryMin)
		for _, l := range d.withheld.removeIf(func(l *lane) bool { return l.queue == q && len(l.items) > 1 }) {
			d.endWait(l)
		}
	}
}

// addAddress adds to a start that is about to be sent the addresses of a later record of its session, if
// one is in its lane.
func (d *Delivery) addAddress(it *item) {
	items := it.lane.items
	for _, later := range items[1:min(len(items), 1+maxSearched)] {
		rec := later.rec
		if rec == nil {
			rec = d.stored(it.lane.queue, later.seq)
		}
		if rec == nil || rec.Session != it.rec.Session || rec.Type == sessions.Start || rec.Type == sessions.Other {
			continue
		}
		if attrs, ok := accounting.WithAddress(it.rec.Attrs, rec.Attrs); ok {
			start := *it.rec
			start.Attrs, start.Hold = attrs, 0 // if it is set aside, it has its address
			it.rec = &start
			return
		}
	}
}

// stored returns a record from the store, nil if it cannot be read.
func (d *Delivery) stored(q *queue, seq uint64) *accounting.Record {
	got, err := d.store.Read(q.name, seq, 1, nil)
	if err != nil || len(got) == 0 || got[0].Seq != seq {
		return nil
	}
	rec, _ := accounting.ParseRecord(got[0].Data)
	return rec
}

// isNeeded reports whether an interim of a session must stay although a later record supersedes it:
// it is the first one behind a start that waits for an address, or may yet addAddress one.
func (d *Delivery) isNeeded(q *queue, lane, session sessions.ID) bool {
	start, ok := q.scan.held[session]
	if !ok {
		return false
	}
	delete(q.scan.held, session)
	return q.has(lane, start) || d.isUnread(q, lane, start)
}
