package accounting

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"aaasess/sessions"
	"aaasess/store"
)

// DelivererConfig is how a queue is delivered; its zero value is the default.
type DelivererConfig struct {
	// RetryMin and RetryMax bound the wait, which doubles, before a record that nobody answered is
	// tried again, and between the probes of a method that is down; 0 means 1 s and 60 s.
	RetryMin, RetryMax time.Duration
	// Drain is how long the end of Run waits for the answers to what is under way; 0 means 2 s.
	Drain time.Duration
	// Loaded is how many records are in memory at most, whatever the method's window; 0 means 4096.
	Loaded int
	// Waiting is how many records at most are known to be unsettled, whether in memory or only in the
	// store; once so many wait for an answer of their own, nothing more is read. 0 means 65536.
	Waiting int
}

func (c DelivererConfig) withDefaults() DelivererConfig {
	for _, d := range []struct {
		field *time.Duration
		value time.Duration
	}{{&c.RetryMin, time.Second}, {&c.RetryMax, time.Minute}, {&c.Drain, 2 * time.Second}} {
		if *d.field <= 0 {
			*d.field = d.value
		}
	}
	if c.Loaded <= 0 {
		c.Loaded = 4096
	}
	if c.Waiting <= 0 {
		c.Waiting = 65536
	}
	c.Waiting = max(c.Waiting, c.Loaded)
	return c
}

// Deliverer takes the records of one method's queue from the store to the method: each at least
// once, those of one session in their order, those of different sessions independently.
//
// A record that nobody answers goes on to the next method of its list (R42); if it has none left it
// stays and is tried again, for ever. When nobody answers anything the method is down: one record at
// a time probes it, and those that have another method go there at once. A refused or damaged
// record is set aside in [RefusedQueue].
type Deliverer struct {
	cfg    DelivererConfig
	store  *store.Store
	queue  string
	logger *slog.Logger
	wake   chan struct{} // to Run, coalesced

	// Run's own.
	lanes    lanes
	health   health
	method   Method
	gen      int    // of method
	cursor   uint64 // where to read on
	more     bool   // there may be records at the cursor
	readAt   time.Time
	underWay int // with the method
	storing  int // on their way into another queue
	retrying int // with the method, of those that nobody answered before
	sent     int // all that were ever sent
	acks     []store.Ack
	entries  []store.Entry
	kept     []*lane
	count    Stats
	loggedAt time.Time // when a refusal was last logged

	mu      sync.Mutex
	results []result
	spare   []result
	wanted  Method // set by SetMethod
	newest  int    // generation of wanted
	stats   Stats
}

// result is the end of what was begun with an item.
type result struct {
	it  *item
	err error
}

// Stats is what a Deliverer does and has done since it was made.
type Stats struct {
	Queue      string
	Pending    uint64 // records in the queue, those in flight included
	InFlight   int    // records that the method has
	Delivered  uint64
	NoResponse uint64 // times that nobody answered a record
	Moved      uint64 // records that went on to the next method
	Refused    uint64 // records set aside, refused or damaged
	// DownSince is when the method was found not to respond, zero while it does.
	DownSince time.Time
}

// NewDeliverer makes a Deliverer for a method, which its queue is named after.
func NewDeliverer(cfg DelivererConfig, st *store.Store, name MethodName, m Method, logger *slog.Logger) *Deliverer {
	d := &Deliverer{
		cfg: cfg.withDefaults(), store: st, queue: name.Queue(), logger: logger.With("queue", name.Queue()),
		wake:   make(chan struct{}, 1),
		health: health{window: 1}, // who knows what awaits the backlog of a restart
		method: m, wanted: m,
	}
	d.lanes.bySession = map[sessions.ID]*lane{}
	d.stats.Queue, d.count.Queue = d.queue, d.queue
	return d
}

// String says what Run does, for logs.
func (d *Deliverer) String() string { return "deliver " + d.queue }

// SetMethod replaces the method. What the old one has under way counts only if it is delivered;
// otherwise the new one gets it. The old one must still call every done.
func (d *Deliverer) SetMethod(m Method) {
	d.mu.Lock()
	d.wanted = m
	d.newest++
	d.mu.Unlock()
	d.poke()
}

// Stats is a copy of the counters.
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

func (d *Deliverer) poke() {
	select {
	case d.wake <- struct{}{}:
	default:
	}
}

// Run delivers until ctx is done, then waits a little for what is under way; what is not answered by
// then is sent again after the next start. It returns an error only if the store is beyond use.
// Run is called once.
func (d *Deliverer) Run(ctx context.Context) error {
	appended := d.store.Appended(d.queue)
	d.more = true // what was there before gives no signal
	timer := time.NewTimer(time.Hour)
	defer timer.Stop()
	for ctx.Err() == nil {
		now := time.Now()
		if err := d.turn(ctx, now); err != nil {
			return fmt.Errorf("accounting: deliver %s: %w", d.queue, err)
		}
		news := appended
		if d.more {
			news = nil // known already; a busy queue would wake us for nothing
		}
		timer.Reset(d.nextDue(now))
		select {
		case <-ctx.Done():
		case <-d.wake:
		case <-news:
			d.more = true
		case <-timer.C:
		}
	}
	return d.drain(ctx)
}

// turn does all that can be done now.
func (d *Deliverer) turn(ctx context.Context, now time.Time) error {
	for _, r := range d.collect(now) {
		if err := d.settle(ctx, r, now); err != nil {
			return err
		}
	}
	d.lanes.wake(now)
	if err := d.read(now); err != nil {
		return err
	}
	if err := d.dispatch(now); err != nil {
		return err
	}
	d.flush()
	return nil
}

// collect takes the results that came in, and the newest method.
func (d *Deliverer) collect(now time.Time) []result {
	d.mu.Lock()
	defer d.mu.Unlock()
	got := d.results
	d.results, d.spare = d.spare[:0], got
	if d.gen != d.newest {
		d.gen, d.method = d.newest, d.wanted
		d.health = health{window: 1, answers: d.health.answers + 1}
		d.count.DownSince = time.Time{}
		d.lanes.wakeAll()
	}
	return got
}

// finished is called by whoever had an item, on any goroutine.
func (d *Deliverer) finished(it *item, err error) {
	d.mu.Lock()
	d.results = append(d.results, result{it, err})
	d.mu.Unlock()
	d.poke()
}

// flush tells the store what is delivered, and the world what was counted.
func (d *Deliverer) flush() {
	if len(d.acks) > 0 {
		d.store.Discard(d.acks)
		d.acks = d.acks[:0]
	}
	d.count.InFlight = d.underWay
	d.mu.Lock()
	d.stats = d.count
	d.mu.Unlock()
}

// nextDue is how long nothing is to be done unless something happens.
func (d *Deliverer) nextDue(now time.Time) time.Duration {
	at := now.Add(time.Hour)
	sooner := func(t time.Time) {
		if t.Before(at) {
			at = t
		}
	}
	if d.health.isDown() && d.underWay == 0 && d.lanes.ready.len()+d.lanes.overdue.len() > 0 {
		sooner(d.health.probeAt)
	}
	if due := d.lanes.nextDue(); !due.IsZero() {
		sooner(due)
	}
	if d.more && d.readAt.After(now) {
		sooner(d.readAt)
	}
	return max(0, at.Sub(now))
}

// drain waits for answers. Of these only a delivery counts: a method that is being stopped may
// answer anything.
func (d *Deliverer) drain(ctx context.Context) error {
	deadline := time.NewTimer(d.cfg.Drain)
	defer deadline.Stop()
	for {
		now := time.Now()
		for _, r := range d.collect(now) {
			if err := d.settle(ctx, r, now); err != nil {
				return fmt.Errorf("accounting: deliver %s: %w", d.queue, err)
			}
		}
		d.flush()
		if d.underWay+d.storing == 0 {
			return nil
		}
		select {
		case <-d.wake:
		case <-deadline.C:
			d.logger.Info("stopped with records under way", "in_flight", d.underWay)
			return nil
		}
	}
}

// isFatal reports whether the store is beyond use for this process.
func isFatal(err error) bool {
	return errors.Is(err, store.ErrFailed) || errors.Is(err, store.ErrClosed)
}
