package client

import (
	"context"
	"net/netip"
	"slices"
	"sync"
	"time"
)

// path is the route to a server from one local address: its connections, and the exchanges that
// wait for one. The client's mutex guards its mutable fields.
type path struct {
	server     *server
	source     netip.Addr // the zero Addr means the system's choice
	goroutines sync.WaitGroup

	groups  []*Group // that use the path
	limit   int      // of len(conns): the largest Connections of the groups
	single  bool     // a group wants single connection mode
	timeout time.Duration

	conns   []*conn // from the beginning of Dial to the end
	opening int     // how many of them are not kept yet, and can still become so
	waiting queue   // exchanges without a connection, the oldest first
	heard   time.Time

	declined  bool      // the last server's answer that could agree to single connection mode did not
	broken    int       // kept connections in a row that the server closed after a few answers
	singleOff time.Time // until then single connection mode is not asked for
	openAfter time.Time // no connection is opened before, because one of several could not be
}

const (
	// busy is how many exchanges each kept connection has before another one is opened.
	busy = 32
	// fewAnswers: a kept connection that the server closes after fewer answers was not kept.
	fewAnswers = 16
	// maxBroken is after how many such connections in a row the server is treated as one without
	// single connection mode, and singlePause for how long.
	maxBroken   = 3
	singlePause = 10 * time.Minute
	// openPause is how long no further connection is opened when that failed and others work.
	openPause = time.Second
)

// updateLimits adapts the path to its groups. The caller holds the mutex.
func (p *path) updateLimits() {
	p.limit, p.single, p.timeout = 0, false, 0
	for _, g := range p.groups {
		for i := range g.cfg.Members {
			if m := &g.cfg.Members[i]; g.paths[i] == p {
				p.limit = max(p.limit, m.Connections)
				p.single = p.single || m.SingleConnection
				p.timeout = max(p.timeout, m.Schedule.Timeout)
			}
		}
	}
	for n, c := range slices.Clone(p.conns) {
		if (c.state == kept || c.state == fresh) && (!p.single || n >= p.limit) {
			c.retire()
		}
	}
}

// wantsSingle reports whether single connection mode is asked for now. The caller holds the mutex.
func (p *path) wantsSingle(now time.Time) bool { return p.single && !now.Before(p.singleOff) }

// dispatch gives waiting exchanges to connections, and opens connections as needed. The caller holds
// the mutex.
func (p *path) dispatch(now time.Time) {
	for p.waiting.n > 0 {
		c := p.leastBusy()
		if c == nil {
			break
		}
		c.give(p.waiting.pop())
	}
	for n := p.missing(now); n > 0; n-- {
		p.open()
	}
}

// leastBusy returns the usable connection with the fewest exchanges, or nil. One that has not had
// its first exchange comes first, because only that tells whether it can have more. The caller
// holds the mutex.
func (p *path) leastBusy() (least *conn) {
	for _, c := range p.conns {
		switch {
		case c.state == fresh:
			return c
		case c.state == kept && (least == nil || c.load() < least.load()):
			least = c
		}
	}
	return least
}

// missing returns how many connections to open now. In single connection mode, one connection at a
// time is opened: when it is kept, it takes all exchanges that wait. Otherwise each exchange needs
// one. The caller holds the mutex.
func (p *path) missing(now time.Time) int {
	room := p.limit - len(p.conns)
	if room <= 0 || len(p.conns) > 0 && now.Before(p.openAfter) || len(p.groups) == 0 {
		return 0
	}
	if !p.wantsSingle(now) || p.declined {
		return min(room, p.waiting.n-p.dialing())
	}
	least := p.leastBusy()
	if p.waiting.n == 0 && (least == nil || least.load() < busy) || p.opening > 0 {
		return 0
	}
	return 1
}

// dialing returns how many connections are being opened. The caller holds the mutex.
func (p *path) dialing() (n int) {
	for _, c := range p.conns {
		if c.state == dialing {
			n++
		}
	}
	return n
}

// open opens a connection. The caller holds the mutex.
func (p *path) open() {
	ctx, stop := context.WithCancel(context.Background())
	c := &conn{path: p, stop: stop, wake: make(chan struct{}, 1), sessions: map[uint32]session{}}
	p.conns = append(p.conns, c)
	p.opening++
	timeout := p.timeout
	p.goroutines.Go(func() { c.run(ctx, timeout) })
}

// close ends all connections, because no group uses the path any more. The caller holds the mutex.
func (p *path) close() {
	for _, c := range slices.Clone(p.conns) {
		c.detach()
	}
}

// fail moves exchanges on whose transmission failed with its connection. It appends those that are
// settled to over. The caller holds the mutex.
func fail(failed []*exchange, now time.Time, over []ending) []ending {
	for _, x := range failed {
		over = x.group.proceed(x, x.group.connectionFailed(x, now), now, over)
	}
	return over
}

// cannotOpen handles that a connection could not be opened. If there is no other connection, the
// exchanges that wait for one go elsewhere.
func (p *path) cannotOpen(c *conn, err error) {
	s := p.server
	mu := &s.client.mu
	mu.Lock()
	now := s.client.cfg.Now()
	if c.ended {
		mu.Unlock()
		return
	}
	c.detach()
	s.stats.SendErrors++
	var over []ending
	p.openAfter = now.Add(openPause)
	if !slices.ContainsFunc(p.conns, func(other *conn) bool { return other.state != dialing }) {
		var failed []*exchange
		for x := p.waiting.pop(); x != nil; x = p.waiting.pop() {
			failed = append(failed, x)
		}
		over = fail(failed, now, over)
	}
	mu.Unlock()
	s.warn("TACACS+ connection cannot be opened", "err", err)
	end(over)
}
