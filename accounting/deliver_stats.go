package accounting

import "time"

// Stats is what a Deliverer does and has done since it was made.
type Stats struct {
	Queue      string
	Pending    uint64 // records in the queue, those in flight included
	InFlight   int    // records that the method has
	Delivered  uint64
	NoResponse uint64 // times that nobody answered a record, be its schedule over or not
	Moved      uint64 // records that went on to the next method
	Superseded uint64 // interims that were dropped: while the method was away a later record came
	Refused    uint64 // records set aside, refused or damaged
	SetAside   uint64 // records set aside because nobody answered them while others were answered
	// DownSince is when the method was found not to respond, zero while it does.
	DownSince time.Time
	// NextProbe is when a method that is down is tried again, zero while it is being tried, is not
	// down, or is held.
	NextProbe time.Time
	// Oldest is when the event of the oldest record happened that waits or is in flight; zero if there
	// is none, or it is not known yet. It is found once a second at most.
	Oldest time.Time
	// Hold is what SetHold said.
	Hold Hold
	// Draining is that what gathered before the start, or while the method was down or held, is being
	// sent, at DelivererConfig.DrainRate.
	Draining bool
}

// Stats is a copy of the counters. It waits for nothing.
func (d *Deliverer) Stats() Stats {
	d.mu.Lock()
	s := d.stats
	d.mu.Unlock()
	for _, q := range d.store.Queues() {
		if q.Name == d.queue {
			s.Pending = q.Len
		}
	}
	return s
}

// flush tells the store what is delivered, and the world what was counted.
func (d *Deliverer) flush(now time.Time) {
	d.discard()
	d.count.InFlight, d.count.Hold = d.underWay, d.hold
	d.count.NextProbe = time.Time{}
	if d.health.isDown() && d.hold == Open && !d.probing && (d.probe != nil || d.underWay == 0) {
		d.count.NextProbe = d.health.probeAt
	}
	d.count.Draining = d.draining && !d.isAway()
	d.count.Oldest = d.oldest.find(&d.lanes, now)
	d.mu.Lock()
	d.stats = d.count
	d.mu.Unlock()
}

// discard tells the store what is delivered or dropped.
func (d *Deliverer) discard() {
	if len(d.acks) > 0 {
		d.store.Discard(d.acks)
		d.acks = d.acks[:0]
	}
}

// oldest is the first of all records that a deliverer holds. To look for it costs time, which a
// deliverer that settles thousands a second has better uses for.
type oldest struct {
	it *item
	at time.Time // when it is looked for again
}

// find returns when the event of the oldest record was, zero if that is not known.
func (o *oldest) find(ls *lanes, now time.Time) time.Time {
	if o.it != nil && o.it.lane == nil {
		o.it = nil // settled
	}
	if o.it == nil && ls.items > 0 && !now.Before(o.at) {
		o.at = now.Add(time.Second)
		for _, l := range ls.bySession {
			if len(l.items) > 0 && (o.it == nil || l.head().seq < o.it.seq) {
				o.it = l.head()
			}
		}
	}
	if o.it == nil {
		return time.Time{}
	}
	return time.Unix(0, o.it.when)
}

// due is when find has something to do, zero if it has nothing.
func (o *oldest) due(items int) time.Time {
	if items == 0 || o.it != nil {
		return time.Time{}
	}
	return o.at
}
