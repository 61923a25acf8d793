package client

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"slices"
	"strconv"
	"time"

	"aaasess/internal/servers"
	"aaasess/internal/throttle"
)

// server is the state of one server, for all groups. The client's mutex guards its mutable fields.
type server struct {
	Identity
	client *Client

	paths    map[netip.Addr]*path // by the local address that requests leave from
	addrs    []netip.Addr         // its addresses; empty if they are unknown
	lookedUp bool                 // the first resolution is done
	state    servers.Health
	assigned int           // requests of all groups that are with this server, see exchange.assigned
	stats    servers.Stats // counters only
	problems throttle.Line // problems that may come with each packet

	stopLookUps context.CancelFunc // nil: resolution was not started
	lookUps     chan struct{}      // closed when resolution has ended
	lookUpNow   chan struct{}      // a group starts: resolve the name now
}

func newServer(c *Client, id Identity, now time.Time) *server {
	s := &server{Identity: id, client: c, paths: map[netip.Addr]*path{}, lookUpNow: make(chan struct{}, 1), state: servers.NewHealth(now)}
	if a := netipOf(id.Host); a.IsValid() {
		s.addrs, s.lookedUp = []netip.Addr{a}, true
	}
	return s
}

// pathFrom returns the path from a local address. The caller holds the mutex.
func (s *server) pathFrom(source netip.Addr) *path {
	p := s.paths[source]
	if p == nil {
		p = &path{server: s, source: source, ids: newIdentifiers(), closed: make(chan struct{})}
		p.addr = p.choose()
		s.paths[source] = p
	}
	return p
}

// sendFailed counts and logs that the system could not send a request.
func (s *server) sendFailed(err error) {
	s.client.mu.Lock()
	s.stats.SendErrors++
	s.client.mu.Unlock()
	s.warnThrottled("sending a RADIUS request failed", err)
}

// warnThrottled logs a problem that may come with each packet. The caller does not hold the mutex.
func (s *server) warnThrottled(message string, err error) {
	if suppressed, ok := s.problems.Allow(s.client.cfg.Now()); ok {
		s.warn(message, err, "suppressed", suppressed)
	}
}

func (s *server) warn(message string, err error, args ...any) {
	address := net.JoinHostPort(s.Host, strconv.Itoa(int(s.Port)))
	s.client.cfg.Logger.Warn(message, append([]any{"server", s.Name, "address", address, "err", err}, args...)...)
}

func isClosed(err error) bool { return errors.Is(err, net.ErrClosed) }

// beginLookUps starts resolving the server's name, if it has one, at once and then regularly until
// endLookUps. A group that starts waits for the first result if no address is known.
func (s *server) beginLookUps() {
	c := s.client
	c.mu.Lock()
	defer c.mu.Unlock()
	if netipOf(s.Host).IsValid() {
		return
	}
	s.lookedUp = len(s.addrs) > 0
	if s.stopLookUps != nil {
		s.lookUpSoon()
		return
	}
	ctx, stop := context.WithCancel(context.Background())
	s.stopLookUps, s.lookUps = stop, make(chan struct{})
	go func() {
		defer close(s.lookUps)
		s.lookUp(ctx)
	}()
}

// lookUpSoon makes a resolution that runs start again at once. The caller holds the mutex.
func (s *server) lookUpSoon() {
	if s.stopLookUps == nil {
		return
	}
	select {
	case s.lookUpNow <- struct{}{}:
	default: // it is due already
	}
}

// endLookUps ends the resolution. No group has the server any more.
func (s *server) endLookUps() {
	if s.stopLookUps != nil {
		s.stopLookUps()
		<-s.lookUps
	}
}

// lookUp resolves the server's name regularly, until ctx is done.
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
			s.warn("RADIUS server name cannot be resolved; will retry", err)
		}
		failed = err != nil
		next := times.Every
		if s.setAddresses(found) {
			wait = times.Min
		} else {
			next, wait = wait, min(2*wait, times.Max)
		}
		select {
		case <-time.After(next):
		case <-s.lookUpNow:
			wait = times.Min
		case <-ctx.Done():
			return
		}
	}
}

// setAddresses handles the result of a resolution. If the name was not found, the addresses stay.
// It reports whether all paths to the server have an address.
func (s *server) setAddresses(found []netip.Addr) (known bool) {
	for i, a := range found {
		found[i] = a.Unmap()
	}
	c := s.client
	now := c.cfg.Now()
	var old []Conn
	c.mu.Lock()
	s.lookedUp = true
	if len(found) > 0 {
		s.addrs = found
	}
	known = true
	var moved []netip.AddrPort
	left := false // a path had a known address before
	for _, p := range s.paths {
		if addr := p.choose(); addr != p.addr {
			left = left || p.addr.IsValid()
			old = append(old, p.move(addr, now)...)
			moved = append(moved, addr)
		}
		known = known && p.addr.IsValid()
	}
	if left {
		s.state.Moved(now)
	}
	groups := groupsOf(s)
	for _, g := range groups {
		g.findAbsent()
		g.rescheduleAbsent(now)
		g.wakeUp()
	}
	c.mu.Unlock()
	closeAll(old)
	for _, addr := range moved {
		c.cfg.Logger.Info("RADIUS server name resolved", "server", s.Name, "host", s.Host, "address", addr.Addr())
	}
	return known
}

// choose returns the address for a path: the current one if it is still among the server's
// addresses, in any order, else the first one that can be reached from the local address. The
// caller holds the mutex.
func (p *path) choose() netip.AddrPort {
	usable := func(a netip.Addr) bool { return !p.source.IsValid() || a.Is4() == p.source.Unmap().Is4() }
	if i := slices.IndexFunc(p.server.addrs, usable); i >= 0 && !slices.Contains(p.server.addrs, p.addr.Addr()) {
		return netip.AddrPortFrom(p.server.addrs[i], p.server.Port)
	}
	return p.addr
}
