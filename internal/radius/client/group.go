package client

import (
	"context"
	"hash/fnv"
	"net/netip"
	"slices"
	"sync"
	"time"

	"aaasess/internal/radius"
	"aaasess/internal/retry"
)

// Request is what an exchange sends. Append is called for each transmission. Done is called once; Append and Answers may be
// called at the same time and after it, for a transmission that was due and for answers that come late.
type Request interface {
	// Append appends to b, which is empty, the packet of a transmission that is made now, and gives the authenticator
	// that its answer is checked by.
	Append(b []byte, identifier byte, secret radius.Secret, now time.Time) ([]byte, radius.Authenticator)
	// Answers reports whether packets with this code answer it.
	Answers(code radius.Code) bool
	// Done gives the end: the Name of the server that answered, and its packet, whose octets are the client's again when
	// Done returns; or one of the errors that [Group.Send] lists.
	Done(server string, answer radius.Packet, err error)
}

// Group is servers in an order, as requests are tried with them. Its methods may be called from any goroutine.
type Group struct {
	client *Client
	cfg    GroupConfig
	rule   deathRule
	among  uint32         // a hash of the members
	paths  []*path        // to cfg.Members
	states []*serverState // of cfg.Members

	wake  chan struct{} // wakeAt has come nearer
	stop  chan struct{} // closed by Close
	ready chan struct{} // closed by Run
	ended chan struct{} // closed when the group has ended

	stopOnce sync.Once

	// The client's mutex guards what follows, and what it points to.
	begun      bool // Run was called
	phase      phase
	absent     uint64    // bit i: member i has no address, or that of another one
	next       int       // of the members: where the next request begins, if the algorithm is RoundRobin
	deadlines  deadlines // all that is not settled
	announcing int       // how many of them are of Announce
	wakeAt     time.Time // when Run looks at deadlines next, at the latest
	changes    []change  // for Run to log
	doubles    uint64    // bit i: it was told that member i has the address of another one
}

// phase is what part of its life a group is in.
type phase uint8

const (
	idle    phase = iota // before Run, or before the names of all servers were looked up: requests wait
	running              //
	closed               // no request is sent any more
)

// change is a server that went down or came back, or has the address of another one.
type change struct {
	server *server
	addr   netip.AddrPort
	up     bool
	other  *server
}

// NewGroup makes a group; a wrong GroupConfig is an error that says what is wrong. Requests are sent from Run on. A group
// that is not run is to be closed.
func (c *Client) NewGroup(cfg GroupConfig) (*Group, error) {
	cfg, err := cfg.withDefaults()
	if err != nil {
		return nil, err
	}
	g := &Group{
		client: c, cfg: cfg, rule: deathRule{cfg.DeadCriteria, cfg.HoldDown}, paths: make([]*path, len(cfg.Members)), states: make([]*serverState, len(cfg.Members)),
		wake: make(chan struct{}, 1), stop: make(chan struct{}), ready: make(chan struct{}), ended: make(chan struct{}),
	}
	h := fnv.New32a()
	for _, m := range cfg.Members {
		_, _ = h.Write([]byte(m.Name + "\x00" + m.Host + "\x00" + string(m.Secret) + "\x00"))
		_, _ = h.Write([]byte{byte(m.Port >> 8), byte(m.Port)})
	}
	g.among = h.Sum32()
	c.join(g)
	return g, nil
}

// String names the group for a log.
func (g *Group) String() string { return "server group " + g.cfg.Name }

// Ready is closed when the group sends, or looks up where to.
func (g *Group) Ready() <-chan struct{} { return g.ready }

// Window is how many requests may be sent and not answered (GroupConfig.MaxInFlight).
func (g *Group) Window() int { return g.cfg.MaxInFlight }

// Send sends a request to the group's servers, one after the other, until one answers; it never calls Done itself. A server
// whose Schedule has a back-off gets its normal transmissions and then one for each Send: between them the request has a
// [retry.Later]. Other errors are [ErrNoResponse], [ErrStopped] and [ErrOverflow]. A Progress that no Later of a group of these
// servers gave is the beginning.
func (g *Group) Send(req Request, at retry.Progress) { g.send(newExchange(g, req, at)) }

// Announce sends a request to each server in the order of the algorithm, dead or not, until one answers: by its normal
// transmissions only, and once. Errors are [ErrNoResponse] and [ErrStopped]. It does not count against Window.
func (g *Group) Announce(req Request) {
	x := newExchange(g, req, retry.Progress{})
	x.announced = true
	g.send(x)
}

// Abandon gives up all requests that are under way, as the end of the group does: each gets [ErrStopped], and is not sent
// again. What [Group.Announce] has goes on.
func (g *Group) Abandon() {
	g.client.mu.Lock()
	var left []*exchange
	for _, x := range g.deadlines {
		if !x.announced {
			left = append(left, x)
		}
	}
	for _, x := range left {
		g.settle(x)
	}
	g.client.mu.Unlock()
	for _, x := range left {
		x.fail(ErrStopped)
	}
}

func (g *Group) send(x *exchange) {
	due, err := g.accept(x)
	if err != nil {
		go x.fail(err)
	} else if due {
		g.client.transmit(x)
	}
}

// accept takes a new request. It reports whether the caller is to transmit it: before Run, Run does.
// With an error it was not taken.
func (g *Group) accept(x *exchange) (due bool, err error) {
	now := g.client.cfg.Now()
	g.client.mu.Lock()
	defer g.client.mu.Unlock()
	switch {
	case g.phase == closed:
		return false, ErrStopped
	case !x.announced && len(g.deadlines)-g.announcing >= g.cfg.MaxInFlight:
		return false, ErrOverflow
	}
	deadline := now
	if due = g.phase == running; due {
		if err := g.advance(x, now); err != nil {
			return false, err
		}
		deadline = now.Add(g.cfg.Members[x.server].Schedule.Timeout) // until it is sent
	}
	g.schedule(x, deadline)
	if x.announced {
		g.announcing++
	}
	return due, nil
}

// Run sends requests until ctx ends or Close is called; it returns nil. What is not answered by then
// gets [ErrStopped]. A group runs once.
func (g *Group) Run(ctx context.Context) error {
	g.client.mu.Lock()
	first := !g.begun && g.phase != closed
	if first {
		g.begun = true
		g.beginSending()
		close(g.ready)
	}
	g.client.mu.Unlock()
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
			g.client.transmit(x)
		}
		for _, e := range over {
			e.exchange.fail(e.err)
		}
		clear(due)
		clear(over)
		g.logChanges()
	}
}

// beginSending lets requests out, when it is known whether the servers have addresses. The caller holds the mutex.
func (g *Group) beginSending() {
	for _, p := range g.paths {
		if !p.server.looked {
			return
		}
	}
	if g.phase == idle {
		g.phase = running
	}
}

// Close ends the group and waits for it to end. It must not be called by a Done.
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

// end gives up on all requests, and the servers that no other group has.
func (g *Group) end() {
	g.client.mu.Lock()
	g.phase = closed
	left := append([]*exchange(nil), g.deadlines...)
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

// farAway is when to look at deadlines if there are none.
const farAway = time.Hour

// ending is an exchange that is settled without an answer.
type ending struct {
	exchange *exchange
	err      error
}

// expire appends to due what is to be sent again and to over what nobody answered. wait is how long it
// is to the next deadline.
func (g *Group) expire(due []*exchange, over []ending) (_ []*exchange, _ []ending, wait time.Duration) {
	now := g.client.cfg.Now()
	g.client.mu.Lock()
	defer g.client.mu.Unlock()
	if g.beginSending(); g.phase == idle {
		return due, over, farAway
	}
	g.wakeAt = time.Time{} // nobody need wake us
	for len(g.deadlines) > 0 && !g.deadlines[0].deadline.After(now) {
		x := g.deadlines[0]
		if err := g.advance(x, now); err != nil {
			g.settle(x)
			over = append(over, ending{x, err})
			continue
		}
		g.schedule(x, now.Add(g.cfg.Members[x.server].Schedule.Timeout)) // until it is sent
		due = append(due, x)
	}
	g.wakeAt = now.Add(farAway)
	if len(g.deadlines) > 0 {
		g.wakeAt = g.deadlines[0].deadline
	}
	return due, over, g.wakeAt.Sub(now)
}

// andHear adds the group to those that hear of a server, unless it was closed. The caller holds the mutex.
func (g *Group) andHear(hearers []*Group) []*Group {
	if g.phase == closed {
		return hearers
	}
	return append(hearers, g)
}

// wakeUp has Run look at deadlines and names. The caller holds the mutex, or not.
func (g *Group) wakeUp() {
	select {
	case g.wake <- struct{}{}:
	default: // it is awake, or about to be
	}
}

// findDoubles finds out which members cannot be sent to: they have no address, or that of another one. The caller holds
// the mutex.
func (g *Group) findDoubles() {
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
		if g.doubles&(1<<i) == 0 {
			g.changes = append(g.changes, change{server: p.server, addr: p.addr, other: g.paths[first].server})
		}
	}
	g.absent |= doubles
	g.doubles = doubles
}

// members tells these servers, where they are, from others: for Progress. The caller holds the mutex.
func (g *Group) members() uint32 {
	n := g.among
	for _, p := range g.paths {
		n += p.moves
	}
	return n
}

// leaveAbsent has requests that are with members that cannot be sent to any more go on. The caller holds the mutex.
func (g *Group) leaveAbsent(now time.Time) {
	for _, x := range slices.Clone(g.deadlines) {
		if x.begun && g.absent&(1<<x.server) != 0 {
			g.schedule(x, now)
		}
	}
}

// logChanges tells the log which servers went down and came back.
func (g *Group) logChanges() {
	g.client.mu.Lock()
	changes := g.changes
	g.changes = nil
	g.client.mu.Unlock()
	for _, c := range changes {
		log := g.client.cfg.Logger.With("group", g.cfg.Name, "server", c.server.Name, "address", c.addr)
		switch {
		case c.other != nil:
			log.Warn("RADIUS servers have one address", "other", c.other.Name)
		case c.up:
			log.Info("RADIUS server answers again")
		default:
			log.Warn("RADIUS server does not answer", "held_down", g.cfg.HoldDown)
		}
	}
}
