package client

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"sync"
	"time"
)

// connState is how far a connection is.
type connState uint8

const (
	dialing  connState = iota
	fresh              // open, and had no exchange yet
	proving            // its first exchange is in flight: the answer tells whether the server keeps it
	kept               // it is in single connection mode
	retiring           // it gets no further exchanges, and ends when those in flight are answered
)

// conn is a connection to a server. The goroutine of run opens it and reads answers, another one
// writes. The client's mutex guards the fields below stop.
type conn struct {
	path *path
	wake chan struct{} // out has an exchange
	stop context.CancelFunc

	state    connState
	ended    bool               // it is not among the path's connections any more
	asked    bool               // its first packet asks for single connection mode
	out      queue              // to be sent
	sessions map[uint32]session // sent, by session_id
	late     []uint32           // the sessions that are late, the oldest first
	answered int                // valid answers
	sent     uint64             // transmissions
	opened   time.Time
	used     time.Time // the first transmission
	heard    time.Time // the last valid answer
}

// session is a transmission on a connection (RFC 8907 section 3.4).
type session struct {
	x     *exchange
	sent  time.Time
	order uint64
	late  bool // x does not wait for it any more
	// timedOut: it got no answer in time.
	timedOut bool
}

// maxLate is how many late sessions a connection keeps, to recognize their answers.
const maxLate = 4096

// load returns how many exchanges a connection has. The caller holds the mutex.
func (c *conn) load() int { return c.out.n + len(c.sessions) - len(c.late) }

// give assigns an exchange to a connection, which sends it. The caller holds the mutex.
func (c *conn) give(x *exchange) {
	if c.state == fresh {
		c.state = proving
	}
	c.out.push(x)
	select {
	case c.wake <- struct{}{}:
	default: // it is awake already
	}
}

// run opens the connection and uses it until it ends.
func (c *conn) run(ctx context.Context, timeout time.Duration) {
	defer c.stop()
	p := c.path
	limited, cancel := context.WithTimeout(ctx, timeout)
	socket, err := p.server.client.cfg.Dial(limited, p.server.Address(), p.source)
	cancel()
	if err != nil {
		p.cannotOpen(c, err)
		return
	}
	var writer sync.WaitGroup
	defer writer.Wait()
	defer func() { _ = socket.Close() }()
	defer context.AfterFunc(ctx, func() { _ = socket.Close() })()
	if !p.opened(c, socket) {
		return
	}
	writer.Go(func() { c.write(ctx, socket, timeout) })
	err = c.read(socket)
	c.stop()
	p.lost(c, err)
}

// opened makes an open connection usable. It returns false if the connection is not needed.
func (p *path) opened(c *conn, socket net.Conn) bool {
	mu := &p.server.client.mu
	mu.Lock()
	defer mu.Unlock()
	if c.ended {
		return false
	}
	now := p.server.client.cfg.Now()
	s := p.server
	s.stats.Opened++
	s.connections++
	if a, ok := socket.RemoteAddr().(*net.TCPAddr); ok {
		at := a.AddrPort()
		s.addr = netip.AddrPortFrom(at.Addr().Unmap(), at.Port())
	}
	c.asked, c.opened = p.wantsSingle(now), now
	c.offer(now)
	return !c.ended
}

// offer makes an open connection without an exchange usable, or ends it if it is not needed. The
// caller holds the mutex.
func (c *conn) offer(now time.Time) {
	c.state = fresh
	c.path.dispatch(now)
	if c.state == fresh && (!c.asked || c.path.declined) {
		c.detach() // whatever it was opened for has ended
	}
}

// detach takes a connection out of use: its exchanges wait for another one. The caller holds the
// mutex, and must call dispatch afterwards if the path goes on.
func (c *conn) detach() {
	if c.ended {
		return
	}
	c.ended = true
	c.stop()
	p := c.path
	p.conns = slices.DeleteFunc(p.conns, func(other *conn) bool { return other == c })
	if c.state < kept {
		p.opening--
	}
	if c.state != dialing {
		p.server.connections--
	}
	for _, x := range slices.Backward(c.removeAll()) {
		p.waiting.pushFront(x)
	}
}

// removeInFlight removes and returns the exchanges that were sent and wait for their answers, the
// oldest first. The caller holds the mutex.
func (c *conn) removeInFlight() (inFlight []*exchange) {
	var sent []session
	for _, s := range c.sessions {
		if !s.late {
			sent = append(sent, s)
		}
	}
	slices.SortFunc(sent, func(a, b session) int { return cmp.Compare(a.order, b.order) })
	for _, s := range sent {
		s.x.conn = nil
		inFlight = append(inFlight, s.x)
	}
	c.path.server.stats.PendingRequests -= len(inFlight)
	clear(c.sessions)
	c.late = nil
	return inFlight
}

// removeAll removes and returns all exchanges of the connection. The caller holds the mutex.
func (c *conn) removeAll() []*exchange {
	all := c.removeInFlight()
	for x := c.out.pop(); x != nil; x = c.out.pop() {
		all = append(all, x)
	}
	return all
}

// retire ends a connection once its exchanges are answered. The caller holds the mutex.
func (c *conn) retire() {
	if c.state < kept {
		c.path.opening--
	}
	c.state = retiring
	if c.load() == 0 {
		c.detach()
	}
}

// abandon ends the session of an exchange that waits for its answer no longer. If it timed out and
// the connection answered nothing since, the connection is of no use any more. Nor is one whose only
// session it is. The caller holds the mutex.
func (c *conn) abandon(x *exchange, timedOut bool, now time.Time) {
	s := c.sessions[x.session]
	x.conn = nil
	c.path.server.stats.PendingRequests--
	if c.state == proving || timedOut && c.heard.Before(s.sent) {
		delete(c.sessions, x.session)
		c.detach()
		c.path.dispatch(now)
		return
	}
	s.late, s.timedOut = true, timedOut
	c.sessions[x.session] = s
	if c.late = append(c.late, x.session); len(c.late) > maxLate {
		delete(c.sessions, c.late[0])
		c.late = c.late[1:]
	}
	if c.state == retiring && c.load() == 0 {
		c.detach()
	}
}

// errUnanswered is the end of a connection on which the server answered nothing.
var errUnanswered = errors.New("closed before an answer: check the key, and whether the server accepts this client")

// lost handles the end of a connection. Exchanges in flight are sent again at once, on another
// connection. If the server has answered nothing on this one, their transmissions have failed.
func (p *path) lost(c *conn, err error) {
	s := p.server
	mu := &s.client.mu
	mu.Lock()
	now := s.client.cfg.Now()
	if c.ended {
		mu.Unlock()
		return
	}
	var failed []*exchange
	notKept := c.state == kept && c.load() > 0 && c.answered < fewAnswers && p.notKept(now)
	if c.answered == 0 {
		p.openAfter = now.Add(openPause)
		// A server may close a connection that was idle in the moment when we use it.
		if c.state != proving || !c.used.After(c.opened.Add(idleBeforeUse)) {
			failed = c.removeAll()
		}
	}
	c.detach()
	isClosed := len(failed) > 0 && !isFault(err) // by the server
	if isClosed {
		s.stats.SendErrors++
	}
	over := fail(failed, now, nil)
	p.dispatch(now)
	mu.Unlock()
	if notKept {
		s.client.cfg.Logger.Warn("TACACS+ server does not keep single connections, each request gets its own", "server", s.Name, "address", s.Address(), "next", singlePause)
	}
	if isClosed {
		s.warn("TACACS+ connection failed", "err", fmt.Errorf("%w: %w", errUnanswered, err))
	}
	end(over)
}

// idleBeforeUse is after how long an unused connection may be expected to be closed.
const idleBeforeUse = time.Second

// notKept counts a connection that the server agreed to keep and closed after a few answers. It
// reports whether the server is treated as one without single connection mode from now on. The
// caller holds the mutex.
func (p *path) notKept(now time.Time) bool {
	if p.broken++; p.broken < maxBroken || now.Before(p.singleOff) {
		return false
	}
	p.broken, p.singleOff = 0, now.Add(singlePause)
	p.server.single = false
	return true
}
