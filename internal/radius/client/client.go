package client

import (
	"net/netip"
	"slices"
	"sync"

	"aaasess/internal/radius"
	"aaasess/internal/servers"
	"aaasess/internal/throttle"
)

// Client has all servers of its groups, each once. Its methods may be called from any goroutine.
type Client struct {
	cfg Config

	// mu guards all mutable state here, and in servers, paths, groups and exchanges. It is never
	// held over I/O.
	mu      sync.Mutex
	servers map[key]*server
	invalid [purposes]uint64 // Stats.InvalidServerAddresses
	// histories are what is known of the servers, which stays when they leave.
	histories *servers.Histories

	buffers sync.Pool // of *[]byte, for encoding requests
	batches sync.Pool // of *Batch
	kept    keptPools

	tracedRequests, tracedAnswers throttle.Packets
}

// New creates a Client without servers; groups add them.
func New(cfg Config) *Client {
	c := &Client{cfg: cfg.withDefaults(), servers: map[key]*server{}, histories: servers.NewHistories(servers.RADIUS)}
	c.buffers.New = func() any { b := make([]byte, 0, radius.MaxPacket); return &b }
	return c
}

// join connects a group to its servers: existing ones of other groups, and new ones.
func (c *Client) join(g *Group) {
	defer c.tell()
	c.mu.Lock()
	defer c.mu.Unlock()
	now := c.cfg.Now()
	for i, m := range g.cfg.Members {
		s := c.servers[m.key()]
		if s == nil {
			s = newServer(c, m.Identity, now)
			c.servers[m.key()] = s
		}
		g.paths[i], g.states[i] = s.pathFor(g.cfg.Purpose, g.cfg.Source, m.Identity, now), &s.states[g.cfg.Purpose]
		g.paths[i].join(g)
	}
	g.findAbsent()
}

// leave disconnects a group from its servers, and ends the servers that no other group has. It
// returns after they have ended.
func (c *Client) leave(g *Group) {
	var paths []*path
	var servers []*server
	now := c.cfg.Now()
	c.mu.Lock()
	for _, p := range g.paths {
		if !p.leave(g) {
			continue
		}
		paths = append(paths, p)
		s := p.server
		delete(s.paths, p.route)
		s.history.RemovePort(p.state(), now)
		s.rescheduleTests()
		if len(s.paths) == 0 {
			delete(c.servers, s.key())
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

// preparedTransmission identifies the transmission that is to be sent.
type preparedTransmission struct {
	path   *path
	conn   Conn
	slot   int
	serial uint32
	addr   netip.AddrPort
	number int   // of this transmission to the server, from 1
	kept   *kept // the octets of an earlier transmission, or nil
}

// transmit sends the next transmission of x to its server: the octets of the first one if they are
// kept, else a packet with a new identifier and authenticator. A failure counts as a lost packet:
// the deadline handles it. If batch is not nil, the packet waits there.
func (c *Client) transmit(x *exchange, batch *Batch) {
	t, ok := c.prepare(x)
	if !ok {
		return
	}
	if t.kept != nil {
		c.sendPrepared(x, &t, t.kept.octets, batch)
		t.kept.release()
		return
	}
	buf := c.buffers.Get().(*[]byte)
	defer c.buffers.Put(buf)
	b, auth := x.req.Append((*buf)[:0], byte(t.slot%perConn), t.path.server.Secret, c.cfg.Now())
	if t.path.purpose == Authentication {
		t.kept = c.kept.keep(b)
	}
	c.mu.Lock()
	if ok = t.path.ids.arm(t.slot, t.serial, auth); ok {
		x.kept = t.kept
	}
	c.mu.Unlock()
	if !ok { // x was just settled by an answer to an earlier transmission
		t.kept.release()
		return
	}
	c.sendPrepared(x, &t, b, batch)
}

// sendPrepared sends the packet b, or adds it to a batch that is not nil.
func (c *Client) sendPrepared(x *exchange, t *preparedTransmission, b []byte, batch *Batch) {
	if batch != nil {
		batch.add(x, t, b)
		return
	}
	c.sent(x, t, b, t.conn.Send(b))
}

// sent is called after the packet b was sent, or not.
func (c *Client) sent(x *exchange, t *preparedTransmission, b []byte, err error) {
	if err != nil && !isClosed(err) {
		t.path.sendFailed(err)
	}
	c.trace(x, t, b, err)
}

// prepare allocates an identifier for the next transmission of x, and opens a Conn if there is
// none. A transmission that is repeated keeps its identifier.
func (c *Client) prepare(x *exchange) (preparedTransmission, bool) {
	for force := false; ; {
		now := c.cfg.Now()
		c.mu.Lock()
		if x.settled || !x.due { // Run was faster than this goroutine
			c.mu.Unlock()
			return preparedTransmission{}, false
		}
		p := x.path()
		if x.kept != nil {
			t := preparedTransmission{p, p.conns[x.slot/perConn], x.slot, 0, p.addr, x.tries + 1, x.kept.acquire()}
			x.group.beginTransmission(x, x.slot, now)
			p.ids.repeat(x.slot, now)
			c.mu.Unlock()
			return t, true
		}
		slot, conns, addr := p.ids.acquire(x, now, force), len(p.conns), p.addr
		if slot != none || force || p.ids.full() {
			var t preparedTransmission
			x.group.beginTransmission(x, slot, now)
			if slot != none {
				t = preparedTransmission{p, p.conns[slot/perConn], slot, p.ids.transmissions[slot].serial, p.addr, x.tries, nil}
			}
			c.mu.Unlock()
			return t, slot != none
		}
		c.mu.Unlock()
		if err := p.open(addr, conns); err != nil {
			p.sendFailed(err)
			force = true
		}
	}
}

// groupsOf returns all groups that have a server for some purpose. The caller holds the mutex.
func groupsOf(s *server, is func(Purpose) bool) (groups []*Group) {
	for _, p := range s.paths {
		if is(p.purpose) {
			groups = append(groups, p.groups...)
		}
	}
	return groups
}

func anyPurpose(Purpose) bool { return true }

// without removes a group from a list.
func without(groups []*Group, g *Group) []*Group {
	return slices.DeleteFunc(groups, func(other *Group) bool { return other == g })
}

// netipOf parses a host; the result is not valid if the host is a name.
func netipOf(host string) netip.Addr {
	a, _ := netip.ParseAddr(host)
	return a.Unmap()
}
