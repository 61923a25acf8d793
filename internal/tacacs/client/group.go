package client

import (
	"context"
	"hash/fnv"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"aaasess/internal/retry"
	"aaasess/internal/servers"
	"aaasess/internal/tacacs"
	"aaasess/internal/timeheap"
)

// Request is an accounting request that a group sends. Done is called once. The other methods may be
// called concurrently with Done and after it, for a transmission that was due and for late answers.
type Request interface {
	// Accounting returns the request as it is sent now. A WATCHDOG has no START flag: the group adds
	// it ([Member].WatchdogStart).
	Accounting(now time.Time) tacacs.AcctRequest
	// Record returns a comparable value that is the same whenever the same record is sent, and
	// differs from those of other records.
	Record() any
	// Session names the session of the request, for the log; "" if it has none.
	Session() string
	// Done receives the result: the Name of the server that accepted the request, or one of the
	// errors of [Group.Send].
	Done(server string, err error)
}

// Group is an ordered list of servers to which requests are sent. Its methods may be called from
// any goroutine.
type Group struct {
	client      *Client
	cfg         GroupConfig       // the mutex guards what apply changes
	rule        servers.DeathRule // guarded by the mutex
	window      atomic.Int64      // cfg.MaxInFlight
	membersHash uint32            // of the members' identities
	paths       []*path           // to cfg.Members
	states      []*servers.Health // of cfg.Members

	wake  chan struct{} // wakeAt is earlier than before
	stop  chan struct{} // closed by Close
	ready chan struct{} // closed by Run
	ended chan struct{} // closed when the group has ended

	stopOnce sync.Once

	// The client's mutex guards the fields below, and the data that they point to.
	begun      bool // Run was called
	phase      phase
	deadlines  timeheap.Heap[*exchange] // all exchanges that are not settled
	announcing int                      // how many of them are from Announce
	wakeAt     time.Time                // when Run checks deadlines next, at the latest
	changes    []change                 // to be logged
}

// phase is the state of a group.
type phase uint8

const (
	idle    phase = iota // before Run: requests wait
	running              //
	closed               // no further requests are sent
)

// change is a server that became dead or up.
type change struct {
	server *server
	up     bool
}

// NewGroup creates a group. The error describes an invalid GroupConfig. Requests are sent after Run
// starts. A group that does not run must be closed.
func (c *Client) NewGroup(cfg GroupConfig) (*Group, error) {
	cfg, err := cfg.withDefaults()
	if err != nil {
		return nil, err
	}
	g := &Group{
		client: c, cfg: cfg, rule: servers.DeathRule{Criteria: cfg.DeadCriteria, HoldDown: cfg.HoldDown},
		paths: make([]*path, len(cfg.Members)), states: make([]*servers.Health, len(cfg.Members)),
		wake: make(chan struct{}, 1), stop: make(chan struct{}), ready: make(chan struct{}), ended: make(chan struct{}),
	}
	g.window.Store(int64(cfg.MaxInFlight))
	h := fnv.New32a()
	for i := range cfg.Members {
		id := &cfg.Members[i].Identity
		_, _ = h.Write([]byte(id.Name + "\x00" + id.Address() + "\x00" + string(id.Key) + "\x00"))
	}
	g.membersHash = h.Sum32()
	c.join(g)
	return g, nil
}

// String names the group for a log.
func (g *Group) String() string { return "server group " + g.cfg.Name }

// Ready is closed when Run has started: the group sends requests.
func (g *Group) Ready() <-chan struct{} { return g.ready }

// Window is how many requests may be in flight (GroupConfig.MaxInFlight).
func (g *Group) Window() int { return int(g.window.Load()) }

// Send sends a request to the group's servers, one after the other, until one accepts it. It never
// calls Done itself. If a server's Schedule has a back-off, it gets its normal transmissions and
// then one for each Send; in between the result is a [retry.Later]. Other errors are
// [ErrNoResponse], [ErrRefused], [ErrStopped], [ErrOverflow] and [ErrUnsendable]. A Progress that is not from a
// Later of a group with these servers means the start.
func (g *Group) Send(req Request, at retry.Progress) { g.send(newExchange(g, req, at)) }

// Announce sends a request to each server in order, dead or not, until one accepts it. It uses only
// the normal transmissions, once. Errors are [ErrNoResponse], [ErrStopped] and [ErrUnsendable].
// Announcements do not count against Window.
func (g *Group) Announce(req Request) {
	x := newExchange(g, req, retry.Progress{})
	x.announced = true
	g.send(x)
}

// AnnounceTo is Announce for the server with this index in the group only.
func (g *Group) AnnounceTo(server int, req Request) {
	x := newExchange(g, req, retry.Progress{})
	x.announced, x.excluded = true, ^uint64(0)^(1<<server)
	g.send(x)
}

// Abandon gives up all requests in flight, like the end of the group: each gets [ErrStopped], and
// is not sent again. Requests of [Group.Announce] continue.
func (g *Group) Abandon() {
	g.client.mu.Lock()
	left := g.settleAll(func(x *exchange) bool { return !x.announced })
	g.client.mu.Unlock()
	end(left)
}

// settleAll settles the exchanges that are chosen. The caller holds the mutex.
func (g *Group) settleAll(isChosen func(*exchange) bool) (left []ending) {
	now := g.client.cfg.Now()
	for x := range g.deadlines.All() {
		if isChosen(x) {
			left = append(left, ending{x, ErrStopped})
		}
	}
	for _, e := range left {
		g.settle(e.exchange, now)
	}
	return left
}

func (g *Group) send(x *exchange) {
	if err := g.accept(x); err != nil {
		go x.fail(err)
	}
}

// accept adds a new request, and begins its first transmission if the group runs. On error the
// request was not added.
func (g *Group) accept(x *exchange) error {
	now := g.client.cfg.Now()
	g.client.mu.Lock()
	defer g.client.mu.Unlock()
	switch {
	case g.phase == closed:
		return ErrStopped
	case !x.announced && g.deadlines.Len()-g.announcing >= g.cfg.MaxInFlight:
		return ErrOverflow
	case g.phase == idle: // Run begins it
		g.schedule(x, now)
	default:
		if err := g.advance(x, now); err != nil {
			return err
		}
		g.begin(x, now)
	}
	if x.announced {
		g.announcing++
	}
	return nil
}

// Run sends requests until ctx ends or Close is called; then it returns nil. Unanswered requests
// get [ErrStopped]. A group runs once.
func (g *Group) Run(ctx context.Context) error {
	g.client.mu.Lock()
	first := !g.begun && g.phase != closed
	if first {
		g.begun, g.phase = true, running
		close(g.ready)
	}
	g.client.mu.Unlock()
	if !first {
		return errRunning
	}
	defer g.end()
	timer := time.NewTimer(0)
	defer timer.Stop()
	var over []ending
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-g.stop:
			return nil
		case <-g.wake:
		case <-timer.C:
		}
		var wait time.Duration
		over, wait = g.expire(over[:0])
		timer.Reset(wait)
		end(over)
		clear(over)
		g.logChanges()
	}
}

// Close closes the group and waits until it has ended. A Done must not call it.
func (g *Group) Close() error {
	g.stopOnce.Do(func() { close(g.stop) })
	g.client.mu.Lock()
	begun := g.begun
	g.begun = true
	g.client.mu.Unlock()
	if !begun {
		g.end()
	}
	<-g.ended
	return nil
}

// end gives up all requests, and the servers that no other group has.
func (g *Group) end() {
	g.client.mu.Lock()
	g.phase = closed
	left := g.settleAll(func(*exchange) bool { return true })
	g.client.mu.Unlock()
	g.client.leave(g)
	end(left)
	g.logChanges()
	close(g.ended)
}

// idleWait is how long Run waits if there are no deadlines.
const idleWait = time.Hour

// ending is an exchange that is settled without success.
type ending struct {
	exchange *exchange
	err      error
}

// end calls Done for settled exchanges. The caller must not hold the mutex.
func end(over []ending) {
	for _, e := range over {
		e.exchange.fail(e.err)
	}
}

// expire moves exchanges on that are due, and appends those that end to over. wait is the time to
// the next deadline.
func (g *Group) expire(over []ending) (_ []ending, wait time.Duration) {
	now := g.client.cfg.Now()
	g.client.mu.Lock()
	defer g.client.mu.Unlock()
	g.wakeAt = time.Time{} // no wake-up is needed while this runs
	for x, ok := g.deadlines.Due(now); ok; x, ok = g.deadlines.Due(now) {
		if until := g.queuesUntil(x); until.After(now) {
			g.schedule(x, until)
			continue
		}
		over = g.proceed(x, g.advance(x, now), now, over)
	}
	g.wakeAt = now.Add(idleWait)
	if at := g.deadlines.Next(); !at.IsZero() {
		g.wakeAt = at
	}
	return over, g.wakeAt.Sub(now)
}

// queuesUntil returns how long an exchange may wait for a connection: as long as the server answers
// others. The caller holds the mutex.
func (g *Group) queuesUntil(x *exchange) time.Time {
	if x.in == nil {
		return time.Time{}
	}
	return x.path().heard.Add(x.member().Schedule.Timeout)
}

// wakeUp makes Run check deadlines. The caller need not hold the mutex.
func (g *Group) wakeUp() {
	select {
	case g.wake <- struct{}{}:
	default: // it is already awake, or about to be
	}
}

// logChanges logs which servers became dead or up, and calls Config.Changed. The caller does not hold
// the mutex.
func (g *Group) logChanges() {
	g.client.mu.Lock()
	changes, holdDown, untold := g.changes, g.cfg.HoldDown, g.client.histories.Untold()
	g.changes = nil
	g.client.mu.Unlock()
	if untold {
		defer g.client.tell()
	}
	for _, c := range changes {
		message, level := "TACACS+ server does not answer or accepts nothing", slog.LevelWarn
		args := []any{"group", g.cfg.Name, "held_down", holdDown}
		if c.up {
			message, level, args = "TACACS+ server answers again", slog.LevelInfo, args[:2]
		}
		c.server.log(level, message, args...)
	}
}

// Stats returns a copy of the statistics.
func (g *Group) Stats() Stats {
	c := g.client
	now := c.cfg.Now()
	c.mu.Lock()
	defer c.mu.Unlock()
	all := Stats{Servers: make([]ServerStats, len(g.paths))}
	for i, p := range g.paths {
		all.Servers[i] = p.server.report(now)
	}
	return all
}
