package radius

import (
	"context"
	"sync"
	"time"

	"aaasess/accounting"
)

// Group is the servers of one server group as an [accounting.Method]. Its methods may be called
// from any goroutine.
type Group struct {
	cfg     Config
	servers []*server

	wake  chan struct{} // wakeAt has come nearer
	stop  chan struct{} // closed by Close
	ready chan struct{} // closed by Run
	ended chan struct{} // closed when the group has ended

	stopOnce sync.Once
	readers  sync.WaitGroup
	buffers  sync.Pool // of *[]byte: requests being made

	mu        sync.Mutex // guards what follows, and what it points to; never held over I/O
	phase     phase
	states    []serverState // of servers
	deadlines deadlines     // all that is not settled
	wakeAt    time.Time     // when Run looks at deadlines next, at the latest
	changes   []change      // of states, for Run to log
	invalid   uint64        // Stats.InvalidServerAddresses
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
		cfg: cfg, states: make([]serverState, len(cfg.Servers)),
		wake: make(chan struct{}, 1), stop: make(chan struct{}),
		ready: make(chan struct{}), ended: make(chan struct{}),
	}
	g.buffers.New = func() any { b := make([]byte, 0, maxPacket); return &b }
	linger := max(minLinger, cfg.Timeout*time.Duration(cfg.Retransmit+1))
	for i, s := range cfg.Servers {
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
// [accounting.Method]; done is never called by Send itself. Errors are [accounting.ErrNoResponse],
// [ErrStopped], [ErrOverflow] and [ErrUnsendable]. The record must not change before done.
func (g *Group) Send(rec *accounting.Record, _ accounting.Progress, done func(error)) {
	x := &exchange{rec: rec, done: done, index: none, server: none, slot: none}
	send, err := g.accept(x)
	if err != nil {
		go done(err)
	} else if send {
		g.transmit(x)
	}
}

// accept takes a new record. It reports whether the caller is to send it: before Run, Run does.
func (g *Group) accept(x *exchange) (send bool, err error) {
	if len(x.rec.Attrs) > maxAttrs || !x.rec.Attrs.Valid() {
		return false, ErrUnsendable
	}
	now := g.cfg.Now()
	g.mu.Lock()
	defer g.mu.Unlock()
	switch {
	case g.phase == closed:
		return false, ErrStopped
	case len(g.deadlines) >= g.cfg.MaxInFlight:
		return false, ErrOverflow
	case g.phase == idle:
		g.schedule(x, now)
		return false, nil
	}
	g.advance(x, now) // it has not been to any server: one is found
	g.schedule(x, now.Add(g.cfg.Timeout))
	return true, nil
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
	var due, failed []*exchange
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
		due, failed, wait = g.expire(due[:0], failed[:0])
		timer.Reset(wait)
		for _, x := range due {
			g.transmit(x)
		}
		for _, x := range failed {
			x.done(accounting.ErrNoResponse)
		}
		clear(due)
		clear(failed)
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
		x.done(ErrStopped)
	}
	g.logChanges()
	close(g.ended)
}

// farAway is when to look at deadlines if there are none.
const farAway = time.Hour

// expire appends to due what is to be sent again and to failed what nobody answered. wait is how
// long it is to the next deadline.
func (g *Group) expire(due, failed []*exchange) (_, _ []*exchange, wait time.Duration) {
	now := g.cfg.Now()
	g.mu.Lock()
	defer g.mu.Unlock()
	g.wakeAt = time.Time{} // nobody need wake us
	for len(g.deadlines) > 0 && !g.deadlines[0].deadline.After(now) {
		x := g.deadlines[0]
		if g.advance(x, now) {
			g.schedule(x, now.Add(g.cfg.Timeout)) // until it is sent
			due = append(due, x)
		} else {
			g.settle(x)
			failed = append(failed, x)
		}
	}
	g.wakeAt = now.Add(farAway)
	if len(g.deadlines) > 0 {
		g.wakeAt = g.deadlines[0].deadline
	}
	return due, failed, g.wakeAt.Sub(now)
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
			log.Warn("accounting server does not answer", "held down for", g.cfg.HoldDown)
		}
	}
}
