package unixsocket

import (
	"io"
	"net"
	"net/http"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// countedConn is a connection that counts how often it is closed.
type countedConn struct {
	net.Conn
	closed atomic.Int64
}

func (c *countedConn) Close() error { c.closed.Add(1); return nil }

// limit is the Max of the tests.
const limit = 16

func newConnections() *Connections { return &Connections{Max: limit} }

// TestRequestsOfConnections: whatever the order of events, the connection of a request that is
// carried out is not closed before its answer, and a request of a closed one is not carried out.
func TestRequestsOfConnections(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		c := newConnections()
		var conns []*countedConn
		busy, gone := map[*countedConn]bool{}, map[*countedConn]bool{}
		for range limit - 3 { // so that the limit is near
			conns = append(conns, &countedConn{})
			c.Changed(conns[len(conns)-1], http.StateNew)
		}
		for range rapid.IntRange(1, 100).Draw(rt, "events") {
			one := conns[rapid.IntRange(0, len(conns)-1).Draw(rt, "connection")]
			switch rapid.SampledFrom([]string{"new", "new", "request", "answered", "gone"}).Draw(rt, "event") {
			case "new":
				conns = append(conns, &countedConn{})
				c.Changed(conns[len(conns)-1], http.StateNew)
			case "request":
				if gone[one] || busy[one] {
					continue
				}
				isClosed := one.closed.Load() > 0
				if busy[one] = c.SetBusy(one); busy[one] == isClosed {
					rt.Fatalf("a request is carried out: %t, although its connection is closed: %t", busy[one], isClosed)
				}
			case "answered":
				if busy[one] {
					c.Changed(one, http.StateIdle)
					busy[one] = false
				}
			case "gone":
				if !busy[one] {
					c.Changed(one, http.StateClosed)
					gone[one] = true
				}
			}
			for conn := range busy {
				if busy[conn] && conn.closed.Load() > 0 {
					rt.Fatal("the connection of a request was closed")
				}
			}
			if len(c.open) > limit {
				rt.Fatalf("%d connections", len(c.open))
			}
		}
	})
}

// TestVictimIsNotCarriedOut: a connection that was chosen to be closed, and is not closed yet, gets
// no request carried out.
func TestVictimIsNotCarriedOut(t *testing.T) {
	c := newConnections()
	for range limit - 1 {
		conn := &countedConn{}
		c.Changed(conn, http.StateNew)
		c.SetBusy(conn)
	}
	victim := &slowConn{closing: make(chan struct{}), goOn: make(chan struct{})}
	c.Changed(victim, http.StateNew)
	var wait sync.WaitGroup
	wait.Go(func() { c.Changed(&countedConn{}, http.StateNew) })
	<-victim.closing
	if c.SetBusy(victim) {
		t.Error("the request of a connection that is being closed is carried out")
	}
	close(victim.goOn)
	wait.Wait()
}

// slowConn is a connection whose Close waits.
type slowConn struct {
	net.Conn
	closing, goOn chan struct{}
}

func (c *slowConn) Close() error {
	close(c.closing)
	<-c.goOn
	return nil
}

// TestBusyConnections: while all connections have requests, a new one is closed. After an answer,
// the connection that is idle longest is closed for a new one.
func TestBusyConnections(t *testing.T) {
	var told []bool
	c := newConnections()
	c.Closed = func(uid int, idle bool, suppressed int) { told = append(told, idle) }
	isClosed := func(conn net.Conn) bool {
		_ = conn.SetDeadline(time.Now().Add(-time.Second))
		_, err := conn.Read(make([]byte, 1))
		return err == io.ErrClosedPipe
	}
	connect := func() net.Conn {
		here, there := net.Pipe()
		t.Cleanup(func() { here.Close(); there.Close() })
		c.Changed(here, http.StateNew)
		return here
	}
	var conns []net.Conn
	for range limit {
		conn := connect()
		c.SetBusy(conn)
		conns = append(conns, conn)
	}
	if !isClosed(connect()) || len(c.open) != limit {
		t.Error("the limit is not kept")
	}
	c.Changed(conns[7], http.StateIdle)
	c.Changed(conns[3], http.StateIdle)
	if isClosed(connect()) || !isClosed(conns[7]) || isClosed(conns[3]) {
		t.Error("it is not the longest idle connection that is closed")
	}
	if isClosed(connect()) || !isClosed(conns[3]) {
		t.Error("the next idle connection is not closed")
	}
	for _, conn := range conns {
		c.Changed(conn, http.StateClosed)
	}
	if len(c.open) != 2 {
		t.Errorf("%d connections are left, want 2", len(c.open))
	}
	if !slices.Equal(told, []bool{false}) {
		t.Errorf("told %t", told)
	}
}

// TestConnectionsOfOneUser: a user who fills its share closes its own connections, not those of others.
func TestConnectionsOfOneUser(t *testing.T) {
	c := newConnections()
	c.PerUser = 2
	for i, uid := range []int{7, 8, 7} {
		c.open = setOpen(c.open, &countedConn{}, uid, time.Unix(int64(i), 0))
	}
	if v := c.victim(nil, 0); v != nil {
		t.Errorf("root closes %v", v)
	}
	if v := c.victim(nil, 8); v != nil {
		t.Errorf("a user within its share closes %v", v)
	}
	v := c.victim(&countedConn{}, 7)
	if one := c.open[v]; one == nil || one.uid != 7 || !one.since.Equal(time.Unix(0, 0)) {
		t.Errorf("%+v is closed", one)
	}
	for _, one := range c.open {
		one.busy = true
	}
	if own := (&countedConn{}); c.victim(own, 7) != net.Conn(own) {
		t.Error("a busy connection is closed")
	}
}

func setOpen(open map[net.Conn]*connection, conn net.Conn, uid int, since time.Time) map[net.Conn]*connection {
	if open == nil {
		open = map[net.Conn]*connection{}
	}
	open[conn] = &connection{uid: uid, since: since}
	return open
}
