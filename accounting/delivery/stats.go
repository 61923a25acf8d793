package delivery

import (
	"time"

	"aaasess/accounting"
)

// QueueStats is what is done, and was done since the start, with the records of a queue.
type QueueStats struct {
	Queue      string
	Pending    uint64 // records in the queue, those in flight included
	InFlight   int    // records that methods have
	Delivered  uint64
	Elsewhere  uint64 // of these, those that another method took than the one that the queue is named after
	NoResponse uint64 // times that a method left a record unanswered, be its schedule over or not
	Superseded uint64 // interims that were dropped: while no method took them a later record came
	Refused    uint64 // records set aside, refused or damaged
	SetAside   uint64 // records set aside because nobody answered them while others were answered
	// Oldest is when the event of the oldest record happened that waits or is in flight; zero if there
	// is none, or it is not known yet. It is found once a second at most.
	Oldest time.Time
	// Lost is that there are records none of whose methods runs.
	Lost bool
}

// MethodStats is how a method is, and what it did since it became known.
type MethodStats struct {
	Method     accounting.MethodName
	InFlight   int // records that it has
	Delivered  uint64
	NoResponse uint64 // times that it left a record unanswered, be its schedule over or not
	// DownSince is when the method was found not to respond, zero while it does.
	DownSince time.Time
	// NextProbe is when a method that is down is tried again, zero while it is being tried, is not
	// down, or is held.
	NextProbe time.Time
	// Hold is what SetHold said.
	Hold Hold
	// Draining is that what gathered before the start, or while the method was down or held, is being
	// sent, at accounting.MethodConfig.DrainRate.
	Draining bool
}

// Queue is a copy of the counters of a queue. It waits for nothing. Of one that is not known only the
// name and Pending are set.
func (d *Delivery) Queue(name string) QueueStats {
	d.inbox.mu.Lock()
	s := d.inbox.stats[name]
	d.inbox.mu.Unlock()
	s.Queue = name
	for _, q := range d.store.Queues() {
		if q.Name == name {
			s.Pending = q.Len
		}
	}
	return s
}

// Method is a copy of the counters of a method. It waits for nothing.
func (d *Delivery) Method(name accounting.MethodName) MethodStats {
	d.inbox.mu.Lock()
	s := d.inbox.methods[name]
	if w := d.inbox.wanted[name]; w != nil {
		s.Hold = w.hold
	}
	d.inbox.mu.Unlock()
	s.Method = name
	return s
}

// publish tells the store what is delivered, and the world what was counted.
func (d *Delivery) publish(now time.Time) {
	d.discard()
	for _, q := range d.queues {
		s := q.count
		s.Oldest, s.Lost = q.oldest.find(q, now), q.isLost()
		if s != q.published {
			q.published = s
			d.inbox.mu.Lock()
			d.inbox.stats[q.name] = s
			d.inbox.mu.Unlock()
		}
	}
	for _, m := range d.methods {
		s := MethodStats{
			Method: m.name, InFlight: m.underWay, Delivered: m.delivered, NoResponse: m.noResponse,
			DownSince: m.health.down, Hold: m.hold, Draining: m.drain.on && m.isAvailable(),
		}
		if m.health.isDown() && m.hold == Open && m.probing.probe == nil && (m.health.isInSchedule() || m.underWay == 0) {
			s.NextProbe = m.health.probeAt
		}
		if s != m.published {
			m.published = s
			d.inbox.mu.Lock()
			d.inbox.methods[m.name] = s
			d.inbox.mu.Unlock()
		}
	}
}

// discard tells the store what is delivered or dropped.
func (d *Delivery) discard() {
	if len(d.acks) > 0 {
		d.store.Discard(d.acks)
		d.acks = d.acks[:0]
	}
}

// oldest is the first of all records that are held of a queue. Finding it scans all lanes, so it is done
// once a second at most.
type oldest struct {
	it *item
	at time.Time // when it is looked for again
}

// find returns when the event of the oldest record was, zero if that is not known.
func (o *oldest) find(q *queue, now time.Time) time.Time {
	if o.it != nil && o.it.lane == nil {
		o.it = nil // settled
	}
	if o.it == nil && q.items > 0 && !now.Before(o.at) {
		o.at = now.Add(time.Second)
		for _, l := range q.bySession {
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
