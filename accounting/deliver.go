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
	// store; then nothing more is read. Once half as many are known, those that were not answered while
	// others were go on to their next method, or are set aside, before their time. 0 means 65536.
	Waiting int
	// Rounds is how often the schedule of a record must have ended without an answer, while others
	// were answered, before it is set aside; 0 means 5. More are awaited if so many may be chance,
	// because others too are often answered only after a while.
	Rounds int
	// DrainRate is how many records a second of a backlog are sent at most: of what there is at the
	// start, or gathered while the method was down or held. What comes later has its place behind the
	// backlog in memory at least, and is not limited. 0 is no limit but the window, which opens with
	// each answer.
	DrainRate float64
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
	if c.Rounds <= 0 {
		c.Rounds = 5
	}
	return c
}

// Deliverer takes the records of one method's queue from the store to the method: each at least
// once, those of one session in their order, those of different sessions independently.
//
// A record that nobody answers goes on to the next method of its list when its schedule is over
// (R42); if it has none left it stays and is tried again, for ever. When nobody answers anything the
// method is down: one record at a time probes it, and once the schedule of that is over those that
// have another method go there at once. While the method is down or held, interims that a later
// record of their session supersedes are dropped (R60). A refused or damaged record, and one that
// nobody answers while others are answered, is set aside in [RefusedQueue].
type Deliverer struct {
	cfg    DelivererConfig
	store  *store.Store
	queue  string
	logger *slog.Logger
	wake   chan struct{} // to Run, coalesced
	made   time.Time

	// Run's own.
	lanes       lanes
	health      health
	losses      losses
	method      Method
	gen         int32 // of method
	hold        Hold
	probe       *item         // by whose schedule a method that is down is probed; its lane is busy
	probing     bool          // the probe, or its stand-in, is with the method
	probedAt    time.Time     // when the last transmission of its schedule was made
	trial       time.Duration // the longest that one waited for an answer in vain; 0: not known
	extraAt     time.Time     // when the next extra try may be made
	standIn     *item         // what was sent in place of the probe
	substituted bool          // a stand-in made the last transmission
	cursor      uint64        // where to read on
	more        bool          // there may be records at the cursor
	readAt      time.Time
	scan        scan
	underWay    int // with the method
	storing     int // on their way into another queue
	retrying    int // with the method, of those that nobody answered before
	sent        int // all that were ever sent
	draining    bool
	mark        uint64 // what is to drain is below it
	undrained   *item  // one of that, if it is known
	pace        pace
	paceAt      time.Time // when the pace allows more, if that is what is waited for
	moveAt      time.Time // when the store may move records again, if that is what is waited for
	relieveAt   time.Time // when room may be made again
	acks        []store.Ack
	entries     []store.Entry
	count       Stats
	oldest      oldest
	loggedAt    time.Time // when one that was set aside was last logged

	mu         sync.Mutex
	results    []result
	spare      []result
	wanted     Method // set by SetMethod, and wantedCfg
	wantedCfg  DelivererConfig
	newest     int32 // generation of wanted
	wantedHold Hold  // set by SetHold
	heard      bool  // set by Heard
	stats      Stats
}

// result is the end of what was begun with an item.
type result struct {
	it  *item
	err error
}

// NewDeliverer makes a Deliverer for a method, which its queue is named after.
func NewDeliverer(cfg DelivererConfig, st *store.Store, name MethodName, m Method, logger *slog.Logger) *Deliverer {
	d := &Deliverer{
		cfg: cfg.withDefaults(), store: st, queue: name.Queue(), logger: logger.With("queue", name.Queue()),
		wake:   make(chan struct{}, 1),
		made:   time.Now(),
		health: health{window: 1}, // who knows what awaits the backlog of a restart
		method: m, wanted: m,
		scan: scan{limit: maxSuperseding},
	}
	d.beginDrain()
	d.wantedCfg = d.cfg
	d.pace = newPace(d.cfg.DrainRate)
	d.lanes.bySession = map[sessions.ID]*lane{}
	d.stats.Queue, d.count.Queue = d.queue, d.queue
	return d
}

// String says what Run does, for logs.
func (d *Deliverer) String() string { return "deliver " + d.queue }

// SetMethod replaces the method, and how its queue is delivered. What the old one has under way counts
// only if it is delivered; otherwise the new one gets it, from the beginning of its schedule. The old
// one must still call every done.
func (d *Deliverer) SetMethod(m Method, cfg DelivererConfig) {
	d.mu.Lock()
	d.wanted, d.wantedCfg = m, cfg.withDefaults()
	d.newest++
	d.mu.Unlock()
	d.poke()
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
		if d.more && !d.isAway() {
			news = nil // known already; a busy queue would wake us for nothing
		}
		timer.Reset(d.nextDue(now))
		select {
		case <-ctx.Done():
		case <-d.wake:
		case <-news:
			d.more, d.scan.more = true, true
		case <-timer.C:
		}
	}
	return d.drain(ctx)
}

// turn does all that can be done now.
func (d *Deliverer) turn(ctx context.Context, now time.Time) error {
	for _, r := range d.collect() {
		if err := d.settle(ctx, r, now); err != nil {
			return err
		}
	}
	d.lanes.wake(now)
	if err := d.supersede(now); err != nil {
		return err
	}
	if err := d.relieve(now); err != nil {
		return err
	}
	if err := d.read(now); err != nil {
		return err
	}
	if err := d.dispatch(now); err != nil {
		return err
	}
	d.flush(now)
	return nil
}

// isAway reports whether nothing is sent, but for probes.
func (d *Deliverer) isAway() bool { return d.hold != Open || d.health.isDown() }

// isMoving reports whether what has another method goes there at once.
func (d *Deliverer) isMoving() bool {
	return d.hold == Away || d.hold == Open && d.health.isDown() && d.health.over
}

// Heard tells that somebody of the method is there though no record that is under way was answered: a
// late answer came. If the method is down, what waits is tried at once.
func (d *Deliverer) Heard() {
	d.mu.Lock()
	d.heard = true
	d.mu.Unlock()
	d.poke()
}

// collect takes the results that came in, the newest method and hold, and whether somebody was heard.
func (d *Deliverer) collect() []result {
	d.mu.Lock()
	got := d.results
	d.results, d.spare = d.spare[:0], got
	hold, isNew, heard := d.wantedHold, d.gen != d.newest, d.heard
	d.heard = false
	d.gen, d.method, d.cfg = d.newest, d.wanted, d.wantedCfg
	d.mu.Unlock()
	if isNew {
		d.renew()
	}
	d.changeHold(hold)
	if heard && d.health.isDown() {
		d.answered()
	}
	return got
}

// renew begins anew with a method that took the place of another.
func (d *Deliverer) renew() {
	for _, l := range d.lanes.bySession {
		if len(l.items) > 0 {
			l.head().renew()
		}
	}
	d.releaseProbe()
	d.health = health{window: 1, answers: d.health.answers}
	d.losses, d.pace = losses{}, newPace(d.cfg.DrainRate)
	d.trial = 0
	d.beginDrain()
	d.count.DownSince = time.Time{}
	d.lanes.wakeAll()
}

// finished is called by whoever had an item, on any goroutine.
func (d *Deliverer) finished(it *item, err error) {
	d.mu.Lock()
	d.results = append(d.results, result{it, err})
	d.mu.Unlock()
	d.poke()
}

// nextDue is how long nothing is to be done unless something happens.
func (d *Deliverer) nextDue(now time.Time) time.Duration {
	at := now.Add(time.Hour)
	sooner := func(t time.Time) {
		if !t.IsZero() && t.Before(at) {
			at = t
		}
	}
	switch waits := d.lanes.ready.len()+d.lanes.overdue.len() > 0; {
	case d.hold != Open || !d.health.isDown():
	case d.probe != nil && !d.probing:
		sooner(d.health.probeAt)
		if d.extraAt.After(now) {
			sooner(d.extraAt)
		}
	case d.probe == nil && d.underWay == 0 && waits:
		sooner(d.health.probeAt)
	}
	sooner(d.lanes.nextDue())
	sooner(d.paceAt)
	sooner(d.moveAt)
	if d.isCrowded() {
		sooner(now.Add(max(0, d.relieveAt.Sub(now))))
	}
	sooner(d.oldest.due(d.lanes.items))
	if d.scan.more && d.isAway() {
		sooner(d.scan.at)
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
		for _, r := range d.collect() {
			if err := d.settle(ctx, r, now); err != nil {
				return fmt.Errorf("accounting: deliver %s: %w", d.queue, err)
			}
		}
		d.flush(now)
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
