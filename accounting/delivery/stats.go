package delivery

import (
	"time"

	"aaasess/accounting"
	"aaasess/internal/histogram"
)

// QueueStats are the counters of a queue since the start, and its present state.
type QueueStats struct {
	Queue      string
	Pending    uint64 // records in the queue, including those in flight
	InFlight   int    // records sent and not answered yet
	Withheld   int    // records that wait for the address of their user
	Delivered  uint64
	Elsewhere  uint64 // of these, records that another method took than the one the queue is named after
	NoResponse uint64 // sends that ended without an answer, whether or not their schedule was over
	Superseded uint64 // interims dropped because a later record came while no method took them
	Refused    uint64 // records set aside because they were refused or damaged
	SetAside   uint64 // records set aside because they were not answered while others were
	// Oldest is the time of the event of the oldest unsettled record. It is zero if there is none,
	// or if it is not known yet. It is searched for at most once a second.
	Oldest time.Time
	// Lost reports that there are records none of whose methods is configured.
	Lost bool
}

// MethodStats are the counters of a method since it was added, and its present state.
type MethodStats struct {
	Method     accounting.MethodName
	InFlight   int // records sent and not answered yet
	Delivered  uint64
	NoResponse uint64 // sends that ended without an answer, whether or not their schedule was over
	// DownSince is when the method was marked down, zero while it is up.
	DownSince time.Time
	// NextProbe is when a method that is down is probed next. It is zero while a probe is in
	// flight, while the method is up, and while it is held.
	NextProbe time.Time
	// Hold is the value of the last SetHold.
	Hold Hold
	// Draining reports that the backlog is being sent, at accounting.MethodConfig.DrainRate. The
	// backlog is what gathered before the start, or while the method was down or held.
	Draining bool
}

// deliveryBounds are the buckets of the delivery time: from the round trip to a server to the
// outages of days that records survive.
var deliveryBounds = []time.Duration{
	5 * time.Millisecond, 10 * time.Millisecond, 25 * time.Millisecond, 50 * time.Millisecond, 100 * time.Millisecond, 250 * time.Millisecond,
	time.Second, 5 * time.Second, 30 * time.Second, 5 * time.Minute, time.Hour, 6 * time.Hour, 24 * time.Hour,
}

// Queue returns the counters of a queue. It never blocks on delivery. For an unknown queue only the
// name and Pending are set.
func (d *Delivery) Queue(name string) QueueStats {
	info, _ := d.store.Queue(name)
	return d.QueueOf(name, info.Len)
}

// QueueOf is Queue for a caller that knows how many records are in the queue. One that needs all queues asks
// the store once.
func (d *Delivery) QueueOf(name string, pending uint64) QueueStats {
	d.inbox.mu.Lock()
	s := d.inbox.stats[name]
	d.inbox.mu.Unlock()
	s.Queue, s.Pending = name, pending
	return s
}

// Method returns the counters of a method. It never blocks on delivery.
func (d *Delivery) Method(name accounting.MethodName) MethodStats {
	d.inbox.mu.Lock()
	s := d.inbox.methods[name]
	if w := d.inbox.settings[name]; w != nil {
		s.Hold = w.hold
	}
	d.inbox.mu.Unlock()
	s.Method = name
	return s
}

// DeliveryTime returns how long it took from the events of records to the answers of a method that
// delivered them, since the start.
func (d *Delivery) DeliveryTime(name accounting.MethodName) histogram.Snapshot {
	d.inbox.mu.Lock()
	h := d.inbox.deliveryTimes[name]
	d.inbox.mu.Unlock()
	return h.Snapshot()
}

// deliveryTime returns what counts the delivery times of a method. They go on if the method was removed
// and is added again.
func (b *inbox) deliveryTime(name accounting.MethodName) *histogram.Histogram {
	b.mu.Lock()
	defer b.mu.Unlock()
	h := b.deliveryTimes[name]
	if h == nil {
		h = histogram.New(deliveryBounds...)
		b.deliveryTimes[name] = h
	}
	return h
}

// publish tells the store what was delivered, and copies the counters for Queue and Method.
func (d *Delivery) publish(now time.Time) {
	d.discard()
	for _, q := range d.queues {
		s := q.count
		s.Oldest, s.Lost, s.Withheld = q.oldest.find(q, now), q.hasLost(), q.withheld
		if s != q.published {
			q.published = s
			d.inbox.mu.Lock()
			d.inbox.stats[q.name] = s
			d.inbox.mu.Unlock()
		}
	}
	for _, m := range d.methods {
		s := MethodStats{
			Method: m.name, InFlight: m.inFlight, Delivered: m.delivered, NoResponse: m.noResponse,
			DownSince: m.health.down, Hold: m.hold, Draining: m.drain.on && m.isAvailable(),
		}
		if m.health.isDown() && m.hold == Open && m.probing.probe == nil && (m.health.isInSchedule() || m.inFlight == 0) {
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

// discard tells the store what was delivered or dropped.
func (d *Delivery) discard() {
	if len(d.acks) > 0 {
		d.store.Discard(d.acks)
		d.acks = d.acks[:0]
	}
}

// oldest is the oldest item of a queue. To find it, all lanes are searched, so this happens at most
// once a second.
type oldest struct {
	it *item
	at time.Time // when it may be searched for again
}

// find returns the time of the oldest item's event, zero if it is not known.
func (o *oldest) find(q *queue, now time.Time) time.Time {
	if o.it != nil && o.it.lane == nil {
		o.it = nil // settled
	}
	if o.it == nil && q.items > 0 && !now.Before(o.at) {
		o.at = now.Add(time.Second)
		for _, l := range q.lanes {
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

// due returns when find has work to do, zero if it has none.
func (o *oldest) due(items int) time.Time {
	if items == 0 || o.it != nil {
		return time.Time{}
	}
	return o.at
}
