package client

import (
	"cmp"
	"context"
	"errors"
	"net"
	"net/netip"
	"slices"
	"strconv"
	"sync/atomic"
	"time"

	"aaasess/internal/servers"
	"aaasess/internal/throttle"
)

// server is the state of one server, for all groups. The client's mutex guards its mutable fields.
type server struct {
	Identity // the mutex guards what adopt changes
	client   *Client

	paths    map[route]*path
	addrs    []netip.Addr // its addresses; empty if they are unknown
	lookedUp bool         // the first resolution is done
	states   [purposes]servers.Health
	assigned int              // requests of all groups that are with this server, see exchange.assigned
	history  *servers.History // by its name
	problems throttle.Line    // problems that may come with each packet
	signs    bool             // it has shown on its AuthPort that it sends Message-Authenticators
	tests    [purposes]portTest
	aliases  atomic.Pointer[[]netip.Addr]

	stopLookUps context.CancelFunc // nil: resolution was not started
	lookUps     chan struct{}      // closed when resolution has ended
	lookUpNow   chan struct{}      // a group starts: resolve the name now
}

func newServer(c *Client, id Identity, now time.Time) *server {
	s := &server{
		Identity: id, client: c, paths: map[route]*path{}, lookUpNow: make(chan struct{}, 1),
		states:  [purposes]servers.Health{servers.NewHealth(now), servers.NewHealth(now)},
		history: c.histories.Of(id.Name, now),
	}
	if a := netipOf(id.Host); a.IsValid() {
		s.addrs, s.lookedUp = []netip.Addr{a}, true
	}
	s.tests = [purposes]portTest{{last: now}, {last: now}}
	s.setAliases()
	return s
}

// pathFor returns the path for a purpose from a local address. A server that had no port for this
// purpose gets that of id. The caller holds the mutex.
func (s *server) pathFor(purpose Purpose, source netip.Addr, id Identity, now time.Time) *path {
	if purpose == Authentication && s.AuthPort == 0 {
		s.AuthPort = id.AuthPort
	}
	at := route{purpose, source}
	p := s.paths[at]
	if p == nil {
		p = &path{server: s, route: at, ids: newIdentifiers(), closed: make(chan struct{})}
		p.addr = p.choose()
		s.paths[at] = p
		s.history.AddPort(use(purpose), &s.states[purpose], now)
	}
	return p
}

// adopt takes over the settings of an Identity with the same key. Requests in flight to another
// AuthPort are sent to the new one at once, of which nothing is known: it is not dead. The caller holds
// the mutex, and afterwards must close the returned Conns and call tell.
func (s *server) adopt(id Identity, now time.Time) (old []Conn) {
	if s.Test != id.Test {
		for i := range s.tests {
			s.tests[i].last = now
		}
	}
	s.Signing, s.Test, s.Aliases = id.Signing, id.Test, id.Aliases
	s.setAliases()
	s.rescheduleTests()
	if id.AuthPort == 0 || id.AuthPort == s.AuthPort {
		return nil
	}
	s.AuthPort = id.AuthPort
	for _, p := range s.paths {
		if p.purpose == Authentication && p.addr.IsValid() {
			old = append(old, p.move(netip.AddrPortFrom(p.addr.Addr(), s.AuthPort), now)...)
			s.states[Authentication].Moved(now)
			s.states[Accounting].Clear(now)
		}
	}
	s.history.Update(now)
	s.tellMoved(now)
	return old
}

// tellMoved makes the groups of the server find out which of their members they can use now. The
// caller holds the mutex.
func (s *server) tellMoved(now time.Time) {
	for _, g := range groupsOf(s, anyPurpose) {
		g.findAbsent()
		g.rescheduleAbsent(now)
		g.wakeUp()
	}
}

func (s *server) setAliases() {
	aliases := s.Aliases.Addrs()
	s.aliases.Store(&aliases)
}

// isAlias reports whether the server also answers from an address. The caller need not hold the
// mutex.
func (s *server) isAlias(a netip.Addr) bool { return slices.Contains(*s.aliases.Load(), a) }

// sendFailed counts and logs that the system could not send a request.
func (p *path) sendFailed(err error) {
	p.server.client.mu.Lock()
	p.stats().SendErrors++
	p.server.client.mu.Unlock()
	p.warnThrottled("sending a RADIUS request failed", err)
}

// warnThrottled logs a problem that may come with each packet. The caller does not hold the mutex.
func (p *path) warnThrottled(message string, err error) {
	s := p.server
	if suppressed, ok := s.problems.Allow(s.client.cfg.Now()); ok {
		s.warn(p.purpose, message, err, "suppressed", suppressed)
	}
}

// warn logs a problem with the server's port for a purpose. The caller does not hold the mutex.
func (s *server) warn(purpose Purpose, message string, err error, args ...any) {
	s.client.mu.Lock()
	port := cmp.Or(s.portFor(purpose), s.AuthPort)
	s.client.mu.Unlock()
	address := net.JoinHostPort(s.Host, strconv.Itoa(int(port)))
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
			s.warn(Accounting, "RADIUS server name cannot be resolved; will retry", err)
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
		for i := range s.states {
			s.states[i].Moved(now)
		}
		s.history.Update(now)
	}
	s.tellMoved(now)
	c.mu.Unlock()
	c.tell()
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
		return netip.AddrPortFrom(p.server.addrs[i], p.server.portFor(p.purpose))
	}
	return p.addr
}
