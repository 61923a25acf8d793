package control

import (
	"context"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"time"

	"aaasess/cmd/internal/api"
	"aaasess/internal/throttle"
)

// connections limits the open connections to api.MaxConnections, so that clients that connect and
// say nothing cannot keep commands out. A connection is busy from the start of a request's handler
// to the end of its answer, else idle. A new connection beyond the limit closes the one that has
// been idle longest; if all are busy, it is closed itself. A request whose connection is closed for
// another one is not carried out.
type connections struct {
	log  *slog.Logger
	line throttle.Line

	mu   sync.Mutex
	open map[net.Conn]*connection
}

type connection struct {
	busy  bool
	since time.Time // when it opened or its last answer ended
}

// changed is the ConnState function of an http.Server.
func (c *connections) changed(conn net.Conn, state http.ConnState) {
	switch now := time.Now(); state {
	case http.StateNew:
		c.add(conn, now)
	case http.StateIdle:
		c.mu.Lock()
		if one := c.open[conn]; one != nil {
			*one = connection{since: now}
		}
		c.mu.Unlock()
	case http.StateClosed, http.StateHijacked:
		c.mu.Lock()
		delete(c.open, conn)
		c.mu.Unlock()
	}
}

func (c *connections) add(conn net.Conn, now time.Time) {
	c.mu.Lock()
	victim, full := conn, len(c.open) >= api.MaxConnections
	if full {
		var longest time.Time
		for other, one := range c.open {
			if !one.busy && (longest.IsZero() || one.since.Before(longest)) {
				victim, longest = other, one.since
			}
		}
		delete(c.open, victim)
	}
	if !full || victim != conn {
		c.open[conn] = &connection{since: now}
	}
	c.mu.Unlock()
	if !full {
		return
	}
	uid := uidOf(victim)
	_ = victim.Close()
	switch suppressed, ok := c.line.Allow(now); {
	case !ok:
	case victim == conn:
		c.log.Warn("control socket has too many requests: a new connection is closed",
			"limit", api.MaxConnections, "uid", uid, "suppressed", suppressed)
	default:
		c.log.Warn("control socket has too many connections: those that are idle longest are closed",
			"limit", api.MaxConnections, "uid", uid, "suppressed", suppressed)
	}
}

// setBusy marks the connection of a request as busy. It returns false if the connection is closed,
// or about to be, for another one: its client could not learn what the request has done, so the
// request must not be carried out.
func (c *connections) setBusy(ctx context.Context) bool {
	conn, ok := ctx.Value(connKey{}).(net.Conn)
	if !ok { // it did not come through the socket
		return true
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	one := c.open[conn]
	if one == nil {
		return false
	}
	one.busy = true
	return true
}

// connKey is the key of a request's connection in its context.
type connKey struct{}
