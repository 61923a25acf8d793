package unixsocket

import (
	"net"
	"net/http"
	"sync"
	"time"

	"aaasess/internal/throttle"
)

// Connections limits the open connections of an [http.Server], so that clients that connect and say
// nothing cannot keep others out. A connection is busy from the start of a request's handler to the end
// of its answer, else idle. A new connection beyond a limit closes the one that has been idle longest,
// of the same user if it is beyond the limit of a user; if all are busy, it is closed itself. A request
// whose connection is closed for another one must not be carried out.
type Connections struct {
	// Max is the limit of all connections, PerUser that of one user other than root; 0: none.
	Max, PerUser int
	// Closed is called, at most once a minute, when a connection was closed: idle tells whether it was
	// an idle one, or the new one. uid is its user, -1 if unknown. nil: nobody is told.
	Closed func(uid int, idle bool, suppressed int)

	line throttle.Line
	mu   sync.Mutex
	open map[net.Conn]*connection
}

type connection struct {
	uid   int
	busy  bool
	since time.Time // when it opened or its last answer ended
}

// Changed is the ConnState function of the http.Server.
func (c *Connections) Changed(conn net.Conn, state http.ConnState) {
	switch now := time.Now(); state {
	case http.StateNew:
		c.add(conn, now)
	case http.StateIdle:
		c.mu.Lock()
		if one := c.open[conn]; one != nil {
			one.busy, one.since = false, now
		}
		c.mu.Unlock()
	case http.StateClosed, http.StateHijacked:
		c.mu.Lock()
		delete(c.open, conn)
		c.mu.Unlock()
	}
}

// SetBusy marks a connection as busy. It returns false if the connection is closed, or about to be, for
// another one: its client could not learn what the request has done.
func (c *Connections) SetBusy(conn net.Conn) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	one := c.open[conn]
	if one == nil {
		return false
	}
	one.busy = true
	return true
}

func (c *Connections) add(conn net.Conn, now time.Time) {
	uid := -1
	if p, ok := PeerOf(conn); ok {
		uid = int(p.UID)
	}
	c.mu.Lock()
	if c.open == nil {
		c.open = map[net.Conn]*connection{}
	}
	victim := c.victim(conn, uid)
	victimUID := uid
	if victim != nil && victim != conn {
		victimUID = c.open[victim].uid
		delete(c.open, victim)
	}
	if victim != conn {
		c.open[conn] = &connection{uid: uid, since: now}
	}
	c.mu.Unlock()
	if victim == nil {
		return
	}
	_ = victim.Close()
	if suppressed, ok := c.line.Allow(now); ok && c.Closed != nil {
		c.Closed(victimUID, victim != conn, suppressed)
	}
}

// victim returns the connection that is closed for a new one: nil if there is room, and the new one if
// no other is idle.
func (c *Connections) victim(conn net.Conn, uid int) net.Conn {
	own := 0
	for _, one := range c.open {
		if one.uid == uid {
			own++
		}
	}
	crowded := uid != 0 && c.PerUser > 0 && own >= c.PerUser
	if !crowded && len(c.open) < c.Max {
		return nil
	}
	victim := conn
	var longest time.Time
	for other, one := range c.open {
		if !one.busy && (!crowded || one.uid == uid) && (longest.IsZero() || one.since.Before(longest)) {
			victim, longest = other, one.since
		}
	}
	return victim
}
