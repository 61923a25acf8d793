package radius

import (
	"errors"
	"net"
	"time"
)

// server is one server of a group and the sockets to it.
type server struct {
	Server
	group *Group
	index int

	// The group's mutex guards what follows.
	ids   identifiers
	conns []Socket    // conns[i] has the identifiers from 256*i on
	stats ServerStats // counters only
	told  time.Time   // when a problem with the server was last logged
}

// transmission is what is needed to send an attempt.
type transmission struct {
	server *server
	conn   Socket
	slot   int
	serial uint32
	delay  uint32
}

// transmit sends the next attempt of x to the server that was chosen for it, with an identifier and
// authenticator of its own. What fails here is as lost as on the way: the deadline sees to it.
func (g *Group) transmit(x *exchange) {
	t, ok := g.prepare(x)
	if !ok {
		return
	}
	buf := g.buffers.Get().(*[]byte)
	defer g.buffers.Put(buf)
	b, auth := appendRequest((*buf)[:0], byte(t.slot%perSocket), x.rec.Attrs, t.delay, t.server.Secret)
	g.mu.Lock()
	ok = t.server.ids.arm(t.slot, t.serial, auth)
	g.mu.Unlock()
	if !ok { // settled in this moment, by an answer to an earlier attempt
		return
	}
	if _, err := t.conn.WriteToUDPAddrPort(b, t.server.Addr); err != nil && !errors.Is(err, net.ErrClosed) {
		t.server.sendFailed(err)
	}
}

// prepare takes an identifier for the next attempt of x, and opens a socket if there is none.
func (g *Group) prepare(x *exchange) (transmission, bool) {
	for force := false; ; {
		now := g.cfg.Now()
		g.mu.Lock()
		if x.settled || !x.due { // it took so long to get here that Run was faster
			g.mu.Unlock()
			return transmission{}, false
		}
		s := g.servers[x.server]
		slot, sockets := s.ids.take(x, now, force), len(s.conns)
		if slot != none || force || s.ids.full() {
			var t transmission
			g.begin(x, slot, now)
			if slot != none {
				t = transmission{s, s.conns[slot/perSocket], slot, s.ids.attempts[slot].serial, x.delay(now)}
			}
			g.mu.Unlock()
			return t, slot != none
		}
		g.mu.Unlock()
		if err := s.open(sockets); err != nil {
			s.sendFailed(err)
			force = true
		}
	}
}

// open opens one more socket than there are, unless somebody else has done so.
func (s *server) open(sockets int) error {
	conn, err := s.listen()
	if err != nil {
		return err
	}
	g := s.group
	g.mu.Lock()
	use := g.phase == running && len(s.conns) == sockets
	if use {
		s.conns = append(s.conns, conn)
		s.ids.grow()
		g.readers.Go(func() { s.read(conn, sockets) })
	}
	g.mu.Unlock()
	if !use {
		_ = conn.Close()
	}
	return nil
}

// close closes the sockets, which ends their readers.
func (s *server) close() {
	s.group.mu.Lock()
	conns := s.conns
	s.group.mu.Unlock()
	for _, c := range conns {
		_ = c.Close()
	}
}

// quiet is how long nothing more is logged of a server that has the same trouble again and again.
const quiet = time.Minute

// sendFailed counts and logs that the system did not take a request.
func (s *server) sendFailed(err error) {
	g := s.group
	g.mu.Lock()
	s.stats.SendErrors++
	tell := s.tell(g.cfg.Now())
	g.mu.Unlock()
	if tell {
		s.warn("accounting request not sent", err)
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
	s.group.cfg.Logger.Warn(message, "group", s.group.cfg.Name, "server", s.Name, "address", s.Addr, "err", err)
}
