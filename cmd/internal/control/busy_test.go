package control

import (
	"bytes"
	"context"
	"io"
	"log/slog"
	"net"
	"net/http"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"aaasess/cmd/internal/api"
)

// TestBusyConnections: while all connections have requests, a new one is closed. After an answer,
// the connection that is idle longest is closed for a new one.
func TestBusyConnections(t *testing.T) {
	var log bytes.Buffer
	c := &connections{log: slog.New(slog.NewTextHandler(&log, nil)), open: map[net.Conn]*connection{}}
	isClosed := func(conn net.Conn) bool {
		_ = conn.SetDeadline(time.Now().Add(-time.Second))
		_, err := conn.Read(make([]byte, 1))
		return err == io.ErrClosedPipe
	}
	connect := func() net.Conn {
		here, there := net.Pipe()
		t.Cleanup(func() { here.Close(); there.Close() })
		c.changed(here, http.StateNew)
		return here
	}
	var conns []net.Conn
	for range api.MaxConnections {
		conn := connect()
		c.setBusy(context.WithValue(t.Context(), connKey{}, conn))
		conns = append(conns, conn)
	}
	if !isClosed(connect()) || len(c.open) != api.MaxConnections {
		t.Error("the limit is not kept")
	}
	c.changed(conns[7], http.StateIdle)
	c.changed(conns[3], http.StateIdle)
	if isClosed(connect()) || !isClosed(conns[7]) || isClosed(conns[3]) {
		t.Error("it is not the longest idle connection that is closed")
	}
	if isClosed(connect()) || !isClosed(conns[3]) {
		t.Error("the next idle connection is not closed")
	}
	for _, conn := range conns {
		c.changed(conn, http.StateClosed)
	}
	if len(c.open) != 2 {
		t.Errorf("%d connections are left, want 2", len(c.open))
	}
	if n := strings.Count(log.String(), "too many"); n != 1 || !strings.Contains(log.String(), "too many requests") {
		t.Errorf("log: %s", log.String())
	}
}

// TestIdleTimeouts: a connection is closed when no request comes on it, after its start and after
// an answer.
func TestIdleTimeouts(t *testing.T) {
	path := filepath.Join(t.TempDir(), "s")
	s, err := New(Config{Socket: path}, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	srv := s.newHTTP()
	if srv.ReadHeaderTimeout > time.Minute || srv.ReadTimeout > time.Minute || srv.IdleTimeout > time.Minute {
		t.Errorf("timeouts %v, %v, %v", srv.ReadHeaderTimeout, srv.ReadTimeout, srv.IdleTimeout)
	}
	srv.ReadHeaderTimeout, srv.ReadTimeout, srv.IdleTimeout = 50*time.Millisecond, 50*time.Millisecond, 50*time.Millisecond
	served := make(chan error)
	go func() { served <- srv.Serve(s.socket) }()
	for _, text := range []string{"", "G", "GET /none HTTP/1.1\r\nHost: a\r\n\r\n"} {
		conn, err := net.Dial("unix", path)
		if err != nil {
			t.Fatal(err)
		}
		_, _ = io.WriteString(conn, text)
		_ = conn.SetReadDeadline(time.Now().Add(10 * time.Second))
		if b, err := io.ReadAll(conn); err != nil || strings.HasSuffix(text, "\n") != bytes.Contains(b, []byte(" 404 ")) {
			t.Errorf("%q: %q, %v", text, b, err)
		}
		conn.Close()
	}
	srv.Close()
	<-served
	_ = s.Close()
}
