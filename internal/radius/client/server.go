package client

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"slices"
	"strconv"
	"time"
)

// server is what is known of one server, by whatever group. The client's mutex guards what changes.
type server struct {
	Identity
	client *Client

	paths  map[netip.Addr]*path // by the local address that requests leave from
	found  []netip.Addr         // its addresses; none: they are not known
	looked bool                 // the first look-up is over
	state  serverState
	stats  ServerStats // counters only
	told   time.Time   // when a problem with the server was last logged

	stopLookUps context.CancelFunc // nil: none was begun
	lookUps     chan struct{}      // closed when they have ended
	again       chan struct{}      // a group begins: the next look-up is due
}

func newServer(c *Client, id Identity, now time.Time) *server {
	s := &server{Identity: id, client: c, paths: map[netip.Addr]*path{}, again: make(chan struct{}, 1), state: serverState{since: now}}
	if a := netipOf(id.Host); a.IsValid() {
		s.found, s.looked = []netip.Addr{a}, true
	}
	return s
}

// pathFrom is the way from a local address. The caller holds the mutex.
func (s *server) pathFrom(source netip.Addr) *path {
	p := s.paths[source]
	if p == nil {
		p = &path{server: s, source: source, ids: newIdentifiers(), closed: make(chan struct{})}
		p.addr = p.choose()
		s.paths[source] = p
	}
	return p
}

// quiet is how long nothing more is logged of a server that has the same trouble again and again.
const quiet = time.Minute

// sendFailed counts and logs that the system did not take a request.
func (s *server) sendFailed(err error) {
	s.client.mu.Lock()
	s.stats.SendErrors++
	tell := s.tell(s.client.cfg.Now())
	s.client.mu.Unlock()
	if tell {
		s.warn("sending a RADIUS request failed", err)
	}
}

// tell reports whether it is time to log something. The caller holds the mutex.
func (s *server) tell(now time.Time) bool {
	if !s.told.IsZero() && now.Sub(s.told) < quiet {
		return false
	}
	s.told = now
	return true
}

func (s *server) warn(message string, err error) {
	s.client.cfg.Logger.Warn(message, "server", s.Name, "address", net.JoinHostPort(s.Host, strconv.Itoa(int(s.Port))), "err", err)
}

func isClosed(err error) bool { return errors.Is(err, net.ErrClosed) }

// beginLookUps looks the server's name up at once, if it has one, and again and again until endLookUps. A group that begins
// waits for that as long as nothing is known.
func (s *server) beginLookUps() {
	c := s.client
	c.mu.Lock()
	defer c.mu.Unlock()
	if netipOf(s.Host).IsValid() {
		return
	}
	s.looked = len(s.found) > 0
	if s.stopLookUps != nil {
		select {
		case s.again <- struct{}{}:
		default: // it is due already
		}
		return
	}
	ctx, stop := context.WithCancel(context.Background())
	s.stopLookUps, s.lookUps = stop, make(chan struct{})
	go func() {
		defer close(s.lookUps)
		s.lookUp(ctx)
	}()
}

// endLookUps ends what beginLookUps began. No group has the server any more.
func (s *server) endLookUps() {
	if s.stopLookUps != nil {
		s.stopLookUps()
		<-s.lookUps
	}
}

// lookUp looks the server's name up now and then, until ctx is done.
func (s *server) lookUp(ctx context.Context) {
	times, failed := s.client.cfg.LookupTimes, false
	for wait := times.Min; ; {
		limited, cancel := context.WithTimeout(ctx, times.Limit)
		found, err := s.client.cfg.Lookup(limited, s.Host)
		cancel()
		if ctx.Err() != nil {
			return
		}
		if err != nil && !failed {
			s.warn("RADIUS server name cannot be resolved, retrying", err)
		}
		failed = err != nil
		next := times.Every
		if s.learn(found) {
			wait = times.Min
		} else {
			next, wait = wait, min(2*wait, times.Max)
		}
		select {
		case <-time.After(next):
		case <-s.again:
			wait = times.Min
		case <-ctx.Done():
			return
		}
	}
}

// learn takes the result of a look-up: a name that is not found any more keeps its addresses. It reports whether all ways
// to the server have one.
func (s *server) learn(found []netip.Addr) (known bool) {
	for i, a := range found {
		found[i] = a.Unmap()
	}
	c := s.client
	now := c.cfg.Now()
	var old []Conn
	c.mu.Lock()
	s.looked = true
	if len(found) > 0 {
		s.found = found
	}
	known = true
	var moved []netip.AddrPort
	left := false // an address where something was known of it
	for _, p := range s.paths {
		if addr := p.choose(); addr != p.addr {
			left = left || p.addr.IsValid()
			old = append(old, p.move(addr, now)...)
			moved = append(moved, addr)
		}
		known = known && p.addr.IsValid()
	}
	if left {
		s.state.moved(now)
	}
	groups := groupsOf(s)
	for _, g := range groups {
		g.findDoubles()
		g.leaveAbsent(now)
		g.wakeUp()
	}
	c.mu.Unlock()
	closeAll(old)
	for _, addr := range moved {
		c.cfg.Logger.Info("RADIUS server name resolved", "server", s.Name, "host", s.Host, "address", addr.Addr())
	}
	return known
}

// choose is the address for a way: the one it has as long as that is among those of the server, in whatever order they
// come, else the first that can be reached from the local address. The caller holds the mutex.
func (p *path) choose() netip.AddrPort {
	usable := func(a netip.Addr) bool { return !p.source.IsValid() || a.Is4() == p.source.Unmap().Is4() }
	if i := slices.IndexFunc(p.server.found, usable); i >= 0 && !slices.Contains(p.server.found, p.addr.Addr()) {
		return netip.AddrPortFrom(p.server.found[i], p.server.Port)
	}
	return p.addr
}
