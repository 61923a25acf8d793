package delivery

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"aaasess/accounting"
	"aaasess/store"
)

// Config is how records are delivered, whatever the method. Its zero value is the default.
type Config struct {
	// RetryMin and RetryMax bound the wait, which doubles, before a record that nobody answered is
	// tried again, and between the probes of a method that is down; 0 means 1 s and 60 s.
	RetryMin, RetryMax time.Duration
	// Drain is how long the end of Run waits for the answers to what is under way; 0 means 2 s.
	Drain time.Duration
	// Loaded is how many records are in memory at most, whatever the windows of the methods; 0 means
	// 4096, or four times the largest window if that is more.
	Loaded int
	// Waiting is how many records at most are known to be unsettled, whether in memory or only in the
	// store; then nothing more is read. 0 means 65536. Queues that have records share it equally, and
	// Loaded too. Once a queue knows of more than half of its share, records that were not answered
	// while others were are set aside before their time.
	Waiting int
}

func (c Config) withDefaults() Config {
	for _, d := range []struct {
		field *time.Duration
		value time.Duration
	}{{&c.RetryMin, time.Second}, {&c.RetryMax, time.Minute}, {&c.Drain, 2 * time.Second}} {
		if *d.field <= 0 {
			*d.field = d.value
		}
	}
	if c.Waiting <= 0 {
		c.Waiting = 65536
	}
	c.Waiting = max(c.Waiting, c.Loaded)
	return c
}

// Delivery takes the records of all queues of a store to the methods of their routes: each at least
// once, those of one session in their order, those of different sessions independently. The package
// comment says how.
type Delivery struct {
	cfg    Config
	store  *store.Store
	logger *slog.Logger
	made   time.Time
	inbox  inbox
	ready  chan struct{}

	// What follows is Run's own.
	queues   []*queue // in the order in which they became known
	methods  []*method
	reading  reader
	retrying waiting
	aside    asides
	placed   bool // a lane has come into a list that the present dispatch may have gone past
	acks     []store.Ack
}

// New makes a Delivery for the queues of a store. Records are read from Run on.
func New(cfg Config, st *store.Store, logger *slog.Logger) *Delivery {
	d := &Delivery{cfg: cfg.withDefaults(), store: st, logger: logger, made: time.Now(), ready: make(chan struct{})}
	d.reading.superseding = maxSuperseding
	d.inbox.init()
	return d
}

// String says what Run does, for logs.
func (d *Delivery) String() string { return "deliver accounting records" }

// Ready is closed when Run has begun. Methods may be away then: their records wait.
func (d *Delivery) Ready() <-chan struct{} { return d.ready }

// Run delivers until ctx is done, then waits a little for what is under way; what is not answered by
// then is sent again after the next start. It returns an error only if the store is beyond use.
// Run is called once.
func (d *Delivery) Run(ctx context.Context) error {
	close(d.ready)
	d.inbox.mu.Lock()
	d.inbox.look = true
	d.inbox.mu.Unlock()
	timer := time.NewTimer(time.Hour)
	defer timer.Stop()
	for ctx.Err() == nil {
		now := time.Now()
		if err := d.turn(ctx, now); err != nil {
			return err
		}
		timer.Reset(d.nextDue(now))
		select {
		case <-ctx.Done():
		case <-d.inbox.wake:
		case <-timer.C:
		}
	}
	return d.drain(ctx)
}

// turn does all that can be done now.
func (d *Delivery) turn(ctx context.Context, now time.Time) error {
	for _, r := range d.collect(ctx) {
		if err := d.settle(ctx, r, now); err != nil {
			return err
		}
	}
	d.wakeDue(now)
	d.reading.active = 0
	for _, q := range d.queues {
		if q.items > 0 || q.more {
			d.reading.active++
		}
	}
	for _, q := range d.queues {
		if err := d.supersede(q, now); err != nil {
			return d.failed(q, err)
		}
		if err := d.relieve(q, now); err != nil {
			return d.failed(q, err)
		}
	}
	if err := d.read(now); err != nil {
		return err
	}
	if err := d.dispatch(now); err != nil {
		return err
	}
	d.publish(now)
	return nil
}

func (d *Delivery) failed(q *queue, err error) error {
	return fmt.Errorf("accounting: deliver %s: %w", q.name, err)
}

// wakeDue ends the wait of those that are due.
func (d *Delivery) wakeDue(now time.Time) {
	for l := d.retrying.due(now); l != nil; l = d.retrying.due(now) {
		d.place(l)
	}
}

// nextDue is how long nothing is to be done unless something happens.
func (d *Delivery) nextDue(now time.Time) time.Duration {
	if d.placed || d.reading.again {
		return 0
	}
	at := now.Add(time.Hour)
	sooner := func(t time.Time) {
		if !t.IsZero() && t.Before(at) {
			at = t
		}
	}
	for _, m := range d.methods {
		sooner(d.probeDue(m, now))
		sooner(m.drain.at)
	}
	sooner(d.retrying.nextDue())
	sooner(d.aside.at)
	for _, q := range d.queues {
		if d.isCrowded(q) {
			sooner(now.Add(max(0, q.relieveAt.Sub(now))))
		}
		sooner(q.oldest.due(q.items))
		if q.scan.more && q.isAway() {
			sooner(now.Add(max(0, q.scan.at.Sub(now))))
		}
		if q.more && q.readAt.After(now) {
			sooner(q.readAt)
		}
	}
	return max(0, at.Sub(now))
}

// drain waits for answers. Of these only a delivery counts: a method that is being stopped may
// answer anything.
func (d *Delivery) drain(ctx context.Context) error {
	deadline := time.NewTimer(d.cfg.Drain)
	defer deadline.Stop()
	for {
		now := time.Now()
		for _, r := range d.collect(ctx) {
			if err := d.settle(ctx, r, now); err != nil {
				return err
			}
		}
		d.publish(now)
		underWay := 0
		for _, m := range d.methods {
			underWay += m.underWay
		}
		if underWay+d.aside.storing == 0 {
			return nil
		}
		select {
		case <-d.inbox.wake:
		case <-deadline.C:
			d.logger.Info("stopped with records under way", "in_flight", underWay)
			return nil
		}
	}
}

// isFatal reports whether the store is beyond use for this process.
func isFatal(err error) bool {
	return errors.Is(err, store.ErrFailed) || errors.Is(err, store.ErrClosed)
}

// queueNamed is the queue of this name, which the first call makes.
func (d *Delivery) queueNamed(ctx context.Context, name string) *queue {
	for _, q := range d.queues {
		if q.name == name {
			return q
		}
	}
	q := newQueue(name)
	d.queues = append(d.queues, q)
	for _, m := range d.methods {
		d.markBacklog(m, q)
	}
	d.inbox.listen(ctx, d.store.Appended(name), q)
	return q
}

// look makes the queues known that have records.
func (d *Delivery) look(ctx context.Context) {
	for _, q := range d.store.Queues() {
		if q.Len > 0 && q.Name != accounting.RefusedQueue {
			d.queueNamed(ctx, q.Name)
		}
	}
}
