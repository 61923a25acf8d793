package radius

import (
	"context"
	"sync"
	"time"

	"aaasess/accounting"

	"aaasess/internal/radius"
)

// Group is the servers of one server group as an [accounting.Method]. Its methods may be called
// from any goroutine.
type Group struct {
	cfg     Config
	rule    deathRule
	servers []*server

	wake  chan struct{} // wakeAt has come nearer
	stop  chan struct{} // closed by Close
	ready chan struct{} // closed by Run
	ended chan struct{} // closed when the group has ended

	stopOnce sync.Once
	readers  sync.WaitGroup
	buffers  sync.Pool // of *[]byte: requests being made

	mu         sync.Mutex // guards what follows, and what it points to; never held over I/O
	phase      phase
	states     []serverState // of servers
	next       int           // of servers: where the next record begins, if the algorithm is RoundRobin
	deadlines  deadlines     // all that is not settled
	announcing int           // how many of them are of Announce
	wakeAt     time.Time     // when Run looks at deadlines next, at the latest
	changes    []change      // of states, for Run to log
	invalid    uint64        // Stats.InvalidServerAddresses
}

var _ accounting.Method = (*Group)(nil)

// phase is what part of its life a group is in.
type phase uint8

const (
	idle    phase = iota // before Run: records wait
	running              //
	closed               // no record is sent any more
)

// change is a server that went down or came back.
type change struct {
	server *server
	up     bool
}

// minLinger is for how long at least a late answer is waited for, as identifiers allow: servers that
// were busy or stopped answer what they find queued (FreeRADIUS's max_request_time is 30 s).
const minLinger = 30 * time.Second

// New makes a group; a wrong Config is an error that says what is wrong. Records are sent from Run on.
func New(cfg Config) (*Group, error) {
	cfg, err := cfg.withDefaults()
	if err != nil {
		return nil, err
	}
	g := &Group{
		cfg: cfg, rule: deathRule{cfg.DeadCriteria, cfg.HoldDown}, states: make([]serverState, len(cfg.Servers)),
		wake: make(chan struct{}, 1), stop: make(chan struct{}),
		ready: make(chan struct{}), ended: make(chan struct{}),
	}
	g.buffers.New = func() any { b := make([]byte, 0, radius.MaxPacket); return &b }
	now := cfg.Now()
	for i, s := range cfg.Servers {
		g.states[i].since = now
		linger := max(minLinger, s.Schedule.Timeout*time.Duration(s.Schedule.Retransmit+1))
		g.servers = append(g.servers, &server{
			Server: s, group: g, index: i, ids: newIdentifiers(cfg.MaxInFlight, linger),
		})
	}
	return g, nil
}

// String names the group for a log.
func (g *Group) String() string { return "accounting group " + g.cfg.Name }

// Ready is closed when the group sends.
func (g *Group) Ready() <-chan struct{} { return g.ready }

// Window is how many records may be sent and not answered (Config.MaxInFlight).
func (g *Group) Window() int { return g.cfg.MaxInFlight }

// Send sends a record to the group's servers, one after the other, until one answers. See
// [accounting.Method]; done is never called by Send itself. A server whose Schedule has a back-off gets
// its normal transmissions and then one for each Send: between them the record has a
// [accounting.Later]. Other errors are [accounting.ErrNoResponse], [ErrStopped], [ErrOverflow] and
// [ErrUnsendable]. A Progress that no Later of this group gave is the beginning. The record must not
// change before done.
func (g *Group) Send(rec *accounting.Record, at accounting.Progress, done func(error)) {
	g.send(newExchange(rec, at, done))
}

// Announce sends an Accounting-On or Accounting-Off (R63) to each server in the order of the algorithm,
// dead or not, until one answers: by its normal transmissions only, and once. server is the Name of who
// answered. done is called once and not by Announce itself. err is [accounting.ErrNoResponse] when
// nobody answered, [ErrStopped], or [ErrUnsendable]. It does not count against Window.
func (g *Group) Announce(rec *accounting.Record, done func(server string, err error)) {
	x := newExchange(rec, accounting.Progress{}, nil)
	x.announced = done
	g.send(x)
}

// Abandon gives up all records that are under way, as the end of the group does: each gets
// [ErrStopped], and is not sent again. What [Group.Announce] has goes on. It is for an Accounting-Off
// that is to be the last that the servers hear.
func (g *Group) Abandon() {
	g.mu.Lock()
	var left []*exchange
	for _, x := range g.deadlines {
		if x.announced == nil {
			left = append(left, x)
		}
	}
	for _, x := range left {
		g.settle(x)
	}
	g.mu.Unlock()
	for _, x := range left {
		x.finish("", ErrStopped)
	}
}

func (g *Group) send(x *exchange) {
	due, err := g.accept(x)
	if err != nil {
		go x.finish("", err)
	} else if due {
		g.transmit(x)
	}
}

// accept takes a new record. It reports whether the caller is to transmit it: before Run, Run does.
// With an error it was not taken.
func (g *Group) accept(x *exchange) (due bool, err error) {
	if len(x.rec.Attrs) > maxAttrs || !x.rec.Attrs.Valid() {
		return false, ErrUnsendable
	}
	now := g.cfg.Now()
	g.mu.Lock()
	defer g.mu.Unlock()
	switch {
	case g.phase == closed:
		return false, ErrStopped
	case x.announced == nil && len(g.deadlines)-g.announcing >= g.cfg.MaxInFlight:
		return false, ErrOverflow
	}
	deadline := now
	if due = g.phase == running; due {
		if err := g.advance(x, now); err != nil {
			return false, err
		}
		deadline = now.Add(g.servers[x.server].Schedule.Timeout) // until it is sent
	}
	g.schedule(x, deadline)
	if x.announced != nil {
		g.announcing++
	}
	return due, nil
}

// Run sends records until ctx ends or Close is called; it returns nil. What is not answered by then
// gets [ErrStopped]. A group runs once.
func (g *Group) Run(ctx context.Context) error {
	g.mu.Lock()
	first := g.phase == idle
	if first {
		g.phase = running
		close(g.ready)
	}
	g.mu.Unlock()
	if !first {
		return errRunning
	}
	defer g.end()
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
			g.transmit(x)
		}
		for _, e := range over {
			e.exchange.finish("", e.err)
		}
		clear(due)
		clear(over)
		g.logChanges()
	}
}

// Close ends the group and waits for it to end. It must not be called by a done.
func (g *Group) Close() error {
	g.stopOnce.Do(func() { close(g.stop) })
	g.mu.Lock()
	idle := g.phase == idle
	if idle {
		g.phase = closed
	}
	g.mu.Unlock()
	if idle {
		g.end()
	}
	<-g.ended
	return nil
}

// end closes the sockets and gives up on all records.
func (g *Group) end() {
	g.mu.Lock()
	g.phase = closed
	left := append([]*exchange(nil), g.deadlines...)
	for _, x := range left {
		g.settle(x)
	}
	g.mu.Unlock()
	for _, s := range g.servers {
		s.close()
	}
	g.readers.Wait()
	for _, x := range left {
		x.finish("", ErrStopped)
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
	now := g.cfg.Now()
	g.mu.Lock()
	defer g.mu.Unlock()
	g.wakeAt = time.Time{} // nobody need wake us
	for len(g.deadlines) > 0 && !g.deadlines[0].deadline.After(now) {
		x := g.deadlines[0]
		if err := g.advance(x, now); err != nil {
			g.settle(x)
			over = append(over, ending{x, err})
			continue
		}
		g.schedule(x, now.Add(g.servers[x.server].Schedule.Timeout)) // until it is sent
		due = append(due, x)
	}
	g.wakeAt = now.Add(farAway)
	if len(g.deadlines) > 0 {
		g.wakeAt = g.deadlines[0].deadline
	}
	return due, over, g.wakeAt.Sub(now)
}

// logChanges tells the log which servers went down and came back.
func (g *Group) logChanges() {
	g.mu.Lock()
	changes := g.changes
	g.changes = nil
	g.mu.Unlock()
	for _, c := range changes {
		log := g.cfg.Logger.With("group", g.cfg.Name, "server", c.server.Name, "address", c.server.Addr)
		if c.up {
			log.Info("accounting server answers again")
		} else {
			log.Warn("accounting server does not answer", "held_down", g.cfg.HoldDown)
		}
	}
}
