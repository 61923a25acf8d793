package client

import (
	"context"
	"hash/fnv"
	"net/netip"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"aaasess/internal/servers"
	"aaasess/internal/timeheap"
)

// Group is an ordered list of servers to which requests are sent. Its methods may be called from
// any goroutine.
type Group struct {
	client      *Client
	cfg         GroupConfig       // the mutex guards what apply changes
	rule        servers.DeathRule // guarded by the mutex
	window      atomic.Int64      // cfg.MaxInFlight
	membersHash uint32            // hash of the members' identities
	paths       []*path           // to cfg.Members
	states      []*servers.Health // of cfg.Members

	wake  chan struct{} // wakeAt is earlier than before
	stop  chan struct{} // closed by Close
	ready chan struct{} // closed by Run
	ended chan struct{} // closed when the group has ended

	stopOnce sync.Once

	// The client's mutex guards the fields below, and the data that they point to.
	begun            bool // Run was called
	phase            phase
	absent           uint64                   // bit i: member i cannot be used, see findAbsent
	next             int                      // member that the next request starts with, for RoundRobin
	batch            batch                    // for LeastOutstanding
	deadlines        timeheap.Heap[*exchange] // all exchanges that are not settled
	announcing       int                      // how many of them are from Announce
	wakeAt           time.Time                // when Run checks deadlines next, at the latest
	changes          []change                 // to be logged by Run
	loggedDuplicates uint64                   // bit i: logged that member i is a duplicate
}

// phase is the state of a group.
type phase uint8

const (
	idle    phase = iota // before Run, or before the names of all servers were resolved: requests wait
	running              //
	closed               // no further requests are sent
)

// change is a server that became dead or up, or has the address of another one.
type change struct {
	server *server
	addr   netip.AddrPort
	up     bool
	other  *server
}

// NewGroup creates a group. The error describes an invalid GroupConfig. Requests are sent after Run
// starts. A group that does not run must be closed.
func (c *Client) NewGroup(cfg GroupConfig) (*Group, error) {
	cfg, err := cfg.withDefaults()
	if err != nil {
		return nil, err
	}
	g := &Group{
		client: c, cfg: cfg, rule: servers.DeathRule{Criteria: cfg.DeadCriteria, HoldDown: cfg.HoldDown}, paths: make([]*path, len(cfg.Members)), states: make([]*servers.Health, len(cfg.Members)),
		wake: make(chan struct{}, 1), stop: make(chan struct{}), ready: make(chan struct{}), ended: make(chan struct{}),
	}
	g.window.Store(int64(cfg.MaxInFlight))
	h := fnv.New32a()
	for _, m := range cfg.Members {
		_, _ = h.Write([]byte(m.Name + "\x00" + m.Host + "\x00" + string(m.Secret) + "\x00"))
		_, _ = h.Write([]byte{byte(m.Port >> 8), byte(m.Port)})
	}
	g.membersHash = h.Sum32()
	c.join(g)
	return g, nil
}

// String names the group for a log.
func (g *Group) String() string { return "server group " + g.cfg.Name }

// Ready is closed when Run has started: the group sends requests, or resolves the names of its
// servers.
func (g *Group) Ready() <-chan struct{} { return g.ready }

// Usable reports whether a server of the group may get a request now: it is not dead, or its
// hold-down is over and the next request may find out whether it answers.
func (g *Group) Usable() bool {
	now := g.client.cfg.Now()
	g.client.mu.Lock()
	defer g.client.mu.Unlock()
	for i, state := range g.states {
		if g.absent&(1<<i) == 0 && (g.isUp(i) || state.Usable(now)) {
			return true
		}
	}
	return false
}

// Window is how many requests may be in flight (GroupConfig.MaxInFlight).
func (g *Group) Window() int { return int(g.window.Load()) }

// Run sends requests until ctx ends or Close is called; then it returns nil. Unanswered requests
// get [ErrStopped]. A group runs once.
func (g *Group) Run(ctx context.Context) error {
	g.client.mu.Lock()
	first := !g.begun && g.phase != closed
	var old []Conn
	if first {
		g.begun = true
		old = g.adoptMembers()
		g.beginSending()
		close(g.ready)
	}
	g.client.mu.Unlock()
	closeAll(old)
	if !first {
		return errRunning
	}
	defer g.end()
	for _, p := range g.paths {
		p.server.beginLookUps()
	}
	timer := time.NewTimer(0)
	defer timer.Stop()
	var due []*exchange
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
		due, over, wait = g.expire(due[:0], over[:0])
		timer.Reset(wait)
		for _, x := range due {
			g.client.transmit(x, nil)
		}
		for _, e := range over {
			e.exchange.fail(e.err)
		}
		clear(due)
		clear(over)
		g.logChanges()
	}
}

// beginSending starts sending once the first resolution of all server names is done. The caller
// holds the mutex.
func (g *Group) beginSending() {
	for _, p := range g.paths {
		if !p.server.lookedUp {
			return
		}
	}
	if g.phase == idle {
		g.phase = running
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
	left := slices.Collect(g.deadlines.All())
	for _, x := range left {
		g.settle(x)
	}
	g.client.mu.Unlock()
	g.client.leave(g)
	for _, x := range left {
		x.fail(ErrStopped)
	}
	g.logChanges()
	close(g.ended)
}

// idleWait is how long Run waits if there are no deadlines.
const idleWait = time.Hour

// ending is an exchange that is settled without an answer.
type ending struct {
	exchange *exchange
	err      error
}

// expire appends due transmissions to due, and exchanges without an answer to over. wait is the
// time to the next deadline.
func (g *Group) expire(due []*exchange, over []ending) (_ []*exchange, _ []ending, wait time.Duration) {
	now := g.client.cfg.Now()
	g.client.mu.Lock()
	defer g.client.mu.Unlock()
	if g.beginSending(); g.phase == idle {
		return due, over, idleWait
	}
	g.wakeAt = time.Time{} // no wake-up is needed while this runs
	for x, ok := g.deadlines.Due(now); ok; x, ok = g.deadlines.Due(now) {
		if err := g.advance(x, now); err != nil {
			g.settle(x)
			over = append(over, ending{x, err})
			continue
		}
		g.schedule(x, now.Add(g.cfg.Members[x.server].Schedule.Timeout)) // until it is sent
		due = append(due, x)
	}
	due, test := g.beginTests(due, now)
	g.wakeAt = now.Add(idleWait)
	for _, at := range []time.Time{g.deadlines.Next(), test} {
		if !at.IsZero() && at.Before(g.wakeAt) {
			g.wakeAt = at
		}
	}
	return due, over, g.wakeAt.Sub(now)
}

// appendListener appends the group to those that are told about a valid answer, unless it is
// closed. The caller holds the mutex.
func (g *Group) appendListener(listeners []*Group) []*Group {
	if g.phase == closed {
		return listeners
	}
	return append(listeners, g)
}

// wakeUp makes Run check deadlines and names. The caller need not hold the mutex.
func (g *Group) wakeUp() {
	select {
	case g.wake <- struct{}{}:
	default: // it is already awake, or about to be
	}
}

// findAbsent computes which members cannot be used: they have no address, or the address of an
// earlier member. The caller holds the mutex.
func (g *Group) findAbsent() {
	g.absent = 0
	var doubles uint64
	for i, p := range g.paths {
		if !p.addr.IsValid() {
			g.absent |= 1 << i
			continue
		}
		first := slices.IndexFunc(g.paths, func(other *path) bool { return other.addr == p.addr })
		if first == i {
			continue
		}
		doubles |= 1 << i
		if g.loggedDuplicates&(1<<i) == 0 {
			g.changes = append(g.changes, change{server: p.server, addr: p.addr, other: g.paths[first].server})
		}
	}
	g.absent |= doubles
	g.loggedDuplicates = doubles
}

// members returns a hash of the servers and their address changes, for Progress. The caller holds
// the mutex.
func (g *Group) members() uint32 {
	n := g.membersHash
	for _, p := range g.paths {
		n += p.moves
	}
	return n
}

// rescheduleAbsent makes requests continue that are with members that cannot be used any more. The
// caller holds the mutex.
func (g *Group) rescheduleAbsent(now time.Time) {
	for _, x := range slices.Collect(g.deadlines.All()) {
		if x.begun && g.absent&(1<<x.server) != 0 {
			g.schedule(x, now)
		}
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
		log := g.client.cfg.Logger.With("group", g.cfg.Name, "server", c.server.Name, "address", c.addr)
		switch {
		case c.other != nil:
			log.Warn("RADIUS server is not used, it has the address of another one", "other", c.other.Name)
		case c.up:
			log.Info("RADIUS server answers again")
		default:
			log.Warn("RADIUS server does not answer", "held_down", holdDown)
		}
	}
}
