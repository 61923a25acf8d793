package client

import (
	"net/netip"
	"slices"
	"sync"

	"aaasess/internal/radius"
)

// Client has all servers that its groups name, each once. Its methods may be called from any goroutine.
type Client struct {
	cfg Config

	// mu guards what changes: here, and in servers, paths, groups and exchanges. It is never held over I/O.
	mu      sync.Mutex
	servers map[Identity]*server
	invalid uint64 // Stats.InvalidServerAddresses

	buffers sync.Pool // of *[]byte: requests being made
}

// New makes a Client without servers: they come with groups.
func New(cfg Config) *Client {
	c := &Client{cfg: cfg.withDefaults(), servers: map[Identity]*server{}}
	c.buffers.New = func() any { b := make([]byte, 0, radius.MaxPacket); return &b }
	return c
}

// join gives a group its servers: those that other groups have already, and new ones.
func (c *Client) join(g *Group) {
	c.mu.Lock()
	defer c.mu.Unlock()
	now := c.cfg.Now()
	for i, m := range g.cfg.Members {
		s := c.servers[m.Identity]
		if s == nil {
			s = newServer(c, m.Identity, now)
			c.servers[m.Identity] = s
		}
		g.paths[i], g.states[i] = s.pathFrom(g.cfg.Source), &s.state
		g.paths[i].join(g)
	}
	g.findDoubles()
}

// leave takes the servers from a group, and ends those that no other group has. It returns when they have ended.
func (c *Client) leave(g *Group) {
	var paths []*path
	var servers []*server
	c.mu.Lock()
	for _, p := range g.paths {
		if !p.leave(g) {
			continue
		}
		paths = append(paths, p)
		s := p.server
		if delete(s.paths, p.source); len(s.paths) == 0 {
			delete(c.servers, s.Identity)
			servers = append(servers, s)
		}
	}
	c.mu.Unlock()
	for _, s := range servers {
		s.endLookUps()
	}
	for _, p := range paths {
		closeAll(p.conns)
		p.readers.Wait()
	}
}

func closeAll(conns []Conn) {
	for _, conn := range conns {
		_ = conn.Close()
	}
}

// transmission is what is needed to send an attempt.
type transmission struct {
	path   *path
	conn   Conn
	slot   int
	serial uint32
}

// transmit sends the next attempt of x to the server that was chosen for it, with an identifier and
// authenticator of its own. What fails here is as lost as on the way: the deadline sees to it.
func (c *Client) transmit(x *exchange) {
	t, ok := c.prepare(x)
	if !ok {
		return
	}
	buf := c.buffers.Get().(*[]byte)
	defer c.buffers.Put(buf)
	b, auth := x.req.Append((*buf)[:0], byte(t.slot%perConn), t.path.server.Secret, c.cfg.Now())
	c.mu.Lock()
	ok = t.path.ids.arm(t.slot, t.serial, auth)
	c.mu.Unlock()
	if !ok { // settled in this moment, by an answer to an earlier attempt
		return
	}
	if err := t.conn.Send(b); err != nil && !isClosed(err) {
		t.path.server.sendFailed(err)
	}
}

// prepare takes an identifier for the next attempt of x, and opens a Conn if there is none.
func (c *Client) prepare(x *exchange) (transmission, bool) {
	for force := false; ; {
		now := c.cfg.Now()
		c.mu.Lock()
		if x.settled || !x.due { // it took so long to get here that Run was faster
			c.mu.Unlock()
			return transmission{}, false
		}
		p := x.path()
		slot, conns, addr := p.ids.take(x, now, force), len(p.conns), p.addr
		if slot != none || force || p.ids.full() {
			var t transmission
			x.group.begin(x, slot, now)
			if slot != none {
				t = transmission{p, p.conns[slot/perConn], slot, p.ids.attempts[slot].serial}
			}
			c.mu.Unlock()
			return t, slot != none
		}
		c.mu.Unlock()
		if err := p.open(addr, conns); err != nil {
			p.server.sendFailed(err)
			force = true
		}
	}
}

// groupsOf are all groups that have a server. The caller holds the mutex.
func groupsOf(s *server) (groups []*Group) {
	for _, p := range s.paths {
		groups = append(groups, p.groups...)
	}
	return groups
}

// without is a list of groups less one.
func without(groups []*Group, g *Group) []*Group {
	return slices.DeleteFunc(groups, func(other *Group) bool { return other == g })
}

// netipOf is the address that a host is, not valid if it is a name.
func netipOf(host string) netip.Addr {
	a, _ := netip.ParseAddr(host)
	return a.Unmap()
}
