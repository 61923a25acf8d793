package control

import (
	"context"
	"io"
	"log/slog"
	"net"
	"net/http"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"aaasess/cmd/internal/api"

	"pgregory.net/rapid"
)

// countedConn is a connection that counts how often it is closed.
type countedConn struct {
	net.Conn
	closed atomic.Int64
}

func (c *countedConn) Close() error { c.closed.Add(1); return nil }

func withConn(t *countedConn) context.Context {
	return context.WithValue(context.Background(), connKey{}, net.Conn(t))
}

func newConnections() *connections {
	return &connections{log: slog.New(slog.DiscardHandler), open: map[net.Conn]*connection{}}
}

// TestRequestsOfConnections: whatever the order of events, the connection of a request that is
// carried out is not closed before its answer, and a request of a closed one is not carried out.
func TestRequestsOfConnections(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		c := newConnections()
		var conns []*countedConn
		busy, gone := map[*countedConn]bool{}, map[*countedConn]bool{}
		for range api.MaxConnections - 3 { // so that the limit is near
			conns = append(conns, &countedConn{})
			c.changed(conns[len(conns)-1], http.StateNew)
		}
		for range rapid.IntRange(1, 100).Draw(rt, "events") {
			one := conns[rapid.IntRange(0, len(conns)-1).Draw(rt, "connection")]
			switch rapid.SampledFrom([]string{"new", "new", "request", "answered", "gone"}).Draw(rt, "event") {
			case "new":
				conns = append(conns, &countedConn{})
				c.changed(conns[len(conns)-1], http.StateNew)
			case "request":
				if gone[one] || busy[one] {
					continue
				}
				isClosed := one.closed.Load() > 0
				if busy[one] = c.setBusy(withConn(one)); busy[one] == isClosed {
					rt.Fatalf("a request is carried out: %t, although its connection is closed: %t", busy[one], isClosed)
				}
			case "answered":
				if busy[one] {
					c.changed(one, http.StateIdle)
					busy[one] = false
				}
			case "gone":
				if !busy[one] {
					c.changed(one, http.StateClosed)
					gone[one] = true
				}
			}
			for conn := range busy {
				if busy[conn] && conn.closed.Load() > 0 {
					rt.Fatal("the connection of a request was closed")
				}
			}
			if len(c.open) > api.MaxConnections {
				rt.Fatalf("%d connections", len(c.open))
			}
		}
	})
}

// TestVictimIsNotCarriedOut: a connection that was chosen to be closed, and is not closed yet, gets
// no request carried out.
func TestVictimIsNotCarriedOut(t *testing.T) {
	c := newConnections()
	for range api.MaxConnections - 1 {
		conn := &countedConn{}
		c.changed(conn, http.StateNew)
		c.setBusy(withConn(conn))
	}
	victim := &slowConn{closing: make(chan struct{}), goOn: make(chan struct{})}
	c.changed(victim, http.StateNew)
	var wait sync.WaitGroup
	wait.Go(func() { c.changed(&countedConn{}, http.StateNew) })
	<-victim.closing
	if c.setBusy(context.WithValue(t.Context(), connKey{}, net.Conn(victim))) {
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

// TestAnsweredOrNotCarriedOut: with far more clients than connections, each request that is carried
// out is answered.
func TestAnsweredOrNotCarriedOut(t *testing.T) {
	path := filepath.Join(t.TempDir(), "s")
	s, err := New(Config{Socket: path}, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	var carriedOut, answered atomic.Int64
	s.mux.HandleFunc("POST /count", func(w http.ResponseWriter, _ *http.Request) {
		carriedOut.Add(1)
		w.WriteHeader(http.StatusNoContent)
	})
	srv := s.newHTTP()
	served := make(chan error)
	go func() { served <- srv.Serve(s.socket) }()
	var clients sync.WaitGroup
	for range 4 * api.MaxConnections {
		clients.Go(func() {
			conn, err := net.Dial("unix", path)
			if err != nil {
				return
			}
			defer conn.Close()
			_ = conn.SetDeadline(time.Now().Add(time.Minute))
			if _, err := io.WriteString(conn, "POST /count HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"); err != nil {
				return
			}
			status := make([]byte, len("HTTP/1.1 204"))
			if _, err := io.ReadFull(conn, status); err == nil && string(status[9:]) == "204" {
				answered.Add(1)
			}
		})
	}
	clients.Wait()
	srv.Close()
	<-served
	_ = s.Close()
	if carriedOut.Load() != answered.Load() || carriedOut.Load() == 0 {
		t.Errorf("%d requests were carried out, %d of them answered", carriedOut.Load(), answered.Load())
	}
}
