package delivery

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"aaasess/accounting"
	"aaasess/store"
)

// Config sets how records are delivered, whatever the method. Its zero value is the default.
type Config struct {
	// RetryMin and RetryMax bound the wait before an unanswered record is tried again, and the wait
	// between the probes of a method that is down. The wait doubles each time. 0 means 1 s and
	// 60 s.
	RetryMin, RetryMax time.Duration
	// StopWait is how long Run waits at its end for records in flight. 0 means 2 s.
	StopWait time.Duration
	// Loaded is the most records in memory, whatever the windows of the methods. 0 means 4096, or
	// four times the largest window if that is more.
	Loaded int
	// Waiting is the most unsettled records that Run keeps track of, in memory or only in the
	// store. At this limit it reads no more. 0 means 65536. Queues that have records share Waiting
	// and Loaded equally. Once a queue exceeds half of its share, records that went unanswered
	// while others were answered are set aside early.
	Waiting int
}

func (c Config) withDefaults() Config {
	c.RetryMin = cmp.Or(max(0, c.RetryMin), time.Second)
	c.RetryMax = cmp.Or(max(0, c.RetryMax), time.Minute)
	c.StopWait = cmp.Or(max(0, c.StopWait), 2*time.Second)
	c.Waiting = max(cmp.Or(max(0, c.Waiting), 65536), c.Loaded)
	return c
}

// Delivery sends the records of all queues of a store to the methods of their routes: each record
// at least once, the records of one session in order, different sessions independently. The package
// comment explains how.
type Delivery struct {
	cfg     Config
	store   *store.Store
	logger  *slog.Logger
	created time.Time
	inbox   inbox
	ready   chan struct{}

	// Only Run uses the following fields.
	queues   []*queue // in the order in which they became known
	methods  []*method
	reading  reader
	retrying waiting
	withheld waiting           // lanes whose first item waits for the address of its user
	before   map[string]uint64 // by queue: records below these sequence numbers were committed before Run
	setAside setAsideState
	placed   bool // a lane has entered a list that the present dispatch may have passed already
	acks     []store.Ack
	// While collecting, send does not hand records to their method, but adds them to collected.
	collecting bool
	collected  []accounting.Sending
}

// New returns a Delivery for the queues of a store. Run starts to read them.
func New(cfg Config, st *store.Store, logger *slog.Logger) *Delivery {
	d := &Delivery{cfg: cfg.withDefaults(), store: st, logger: logger, created: time.Now(), ready: make(chan struct{})}
	d.reading.maxInterims, d.reading.maxWithheld = maxInterims, maxWithheld
	d.setAside.logged.Every = time.Second
	d.inbox.init()
	return d
}

// String describes the task for logs.
func (d *Delivery) String() string { return "deliver accounting records" }

// Ready is closed when Run has started. Methods may be down then: their records wait.
func (d *Delivery) Ready() <-chan struct{} { return d.ready }

// Run delivers until ctx is done, then waits for records in flight for at most Config.StopWait. A
// record that has no answer by then is sent again after the next start. Run returns an error only
// if the store has failed or is closed. It is called once.
func (d *Delivery) Run(ctx context.Context) error {
	d.before = map[string]uint64{}
	for _, q := range d.store.Queues() {
		d.before[q.Name] = q.NextSeq
	}
	close(d.ready)
	d.inbox.mu.Lock()
	d.inbox.findQueues = true
	d.inbox.mu.Unlock()
	timer := time.NewTimer(time.Hour)
	defer timer.Stop()
	for ctx.Err() == nil {
		now := time.Now()
		if err := d.step(ctx, now); err != nil {
			return err
		}
		timer.Reset(d.nextDue(now))
		select {
		case <-ctx.Done():
		case <-d.inbox.wake:
		case <-timer.C:
		}
	}
	return d.awaitAnswers(ctx)
}

// step does everything that can be done now.
func (d *Delivery) step(ctx context.Context, now time.Time) error {
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
			return d.queueError(q, err)
		}
		if err := d.makeRoom(q, now); err != nil {
			return d.queueError(q, err)
		}
	}
	if err := d.read(now); err != nil {
		return err
	}
	d.limitWithheld(now)
	if err := d.dispatch(now); err != nil {
		return err
	}
	d.publish(now)
	d.answerQuestions()
	return nil
}

func (d *Delivery) queueError(q *queue, err error) error {
	return fmt.Errorf("accounting: deliver queue %s: %w", q.name, err)
}

// wakeDue places the lanes whose wait is over.
func (d *Delivery) wakeDue(now time.Time) {
	for l := d.retrying.due(now); l != nil; l = d.retrying.due(now) {
		d.place(l)
	}
	for l := d.withheld.due(now); l != nil; l = d.withheld.due(now) {
		d.endWait(l)
	}
}

// nextDue returns how long Run may sleep if nothing else happens.
func (d *Delivery) nextDue(now time.Time) time.Duration {
	if d.placed || d.reading.moreToRead {
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
		sooner(m.drain.nextAt)
	}
	sooner(d.retrying.nextDue())
	sooner(d.withheld.nextDue())
	sooner(d.setAside.retryAt)
	for _, q := range d.queues {
		if d.isCrowded(q) {
			sooner(now.Add(max(0, q.makeRoomAt.Sub(now))))
		}
		sooner(q.oldest.due(q.items))
		if q.scan.more && q.isBlocked() {
			sooner(now.Add(max(0, q.scan.at.Sub(now))))
		}
		if q.more && q.readAt.After(now) {
			sooner(q.readAt)
		}
		if q.more && q.restUntil.After(now) {
			sooner(q.restUntil)
		}
	}
	return max(0, at.Sub(now))
}

// awaitAnswers waits for records in flight. Only a delivery counts here: a method that is being
// stopped may report any error.
func (d *Delivery) awaitAnswers(ctx context.Context) error {
	deadline := time.NewTimer(d.cfg.StopWait)
	defer deadline.Stop()
	for {
		now := time.Now()
		for _, r := range d.collect(ctx) {
			if err := d.settle(ctx, r, now); err != nil {
				return err
			}
		}
		d.publish(now)
		inFlight := 0
		for _, m := range d.methods {
			inFlight += m.inFlight
		}
		if inFlight+d.setAside.moving == 0 {
			return nil
		}
		select {
		case <-d.inbox.wake:
		case <-deadline.C:
			d.logger.Info("stopped before all records in flight were answered; they are sent again after the next start", "in_flight", inFlight)
			return nil
		}
	}
}

// isFatal reports whether the store has failed or is closed, so this process cannot use it again.
func isFatal(err error) bool {
	return errors.Is(err, store.ErrFailed) || errors.Is(err, store.ErrClosed)
}

// queueNamed returns the queue of this name. The first call creates it.
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

// findQueues adds the queues that have records.
func (d *Delivery) findQueues(ctx context.Context) {
	for _, q := range d.store.Queues() {
		if q.Len > 0 && q.Name != accounting.SetAsideQueue {
			d.queueNamed(ctx, q.Name)
		}
	}
}
