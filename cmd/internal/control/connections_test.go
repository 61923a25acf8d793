package control_test

import (
	"fmt"
	"io"
	"log/slog"
	"net"
	"strings"
	"syscall"
	"testing"
	"time"

	"aaasess/internal/logtest"

	"aaasess/cmd/internal/api"
	"aaasess/cmd/internal/control"
)

// connect opens a connection to the socket and sends text.
func connect(t *testing.T, socket, text string) net.Conn {
	t.Helper()
	conn, err := net.Dial("unix", socket)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	if _, err := io.WriteString(conn, text); err != nil && text != "" {
		t.Fatal(err)
	}
	return conn
}

// isOpen reports whether the daemon has left a connection open. It reads what has arrived, and does
// not wait.
func isOpen(t *testing.T, conn net.Conn) (open bool) {
	t.Helper()
	raw, err := conn.(*net.UnixConn).SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	err = raw.Read(func(fd uintptr) bool {
		b := make([]byte, 512)
		for {
			n, _, err := syscall.Recvfrom(int(fd), b, syscall.MSG_DONTWAIT)
			if n <= 0 {
				open = err == syscall.EAGAIN
				return true
			}
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	return open
}

// TestIdleConnections: commands get through while many clients have connected and say nothing, or
// only the start of a request. The oldest of these are closed. A request that waits stays.
func TestIdleConnections(t *testing.T) {
	log := &logtest.Buffer{}
	d, c := start(t, func(cfg *control.Config) {
		cfg.Logger = slog.New(slog.NewTextHandler(log, nil))
	})
	begin(t, d, "a", time.Now())
	body := `{"all":true,"wait":60}`
	waiting := connect(t, d.Socket, fmt.Sprintf("POST /v1/sessions/disconnect HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n%s", len(body), body))
	for !strings.Contains(log.String(), "disconnect") {
		time.Sleep(time.Millisecond)
	}
	const n = 3 * api.MaxConnections
	var idle []net.Conn
	for i := range n {
		idle = append(idle, connect(t, d.Socket, []string{"", "G", "GET / HTTP/1.1\r\n"}[i%3]))
		if i%50 == 0 {
			if _, err := c.Status(t.Context()); err != nil {
				t.Fatalf("with %d idle connections: %v", i, err)
			}
		}
	}
	if _, err := c.Status(t.Context()); err != nil {
		t.Fatal(err)
	}
	open := 0
	for i, conn := range idle {
		switch {
		case !isOpen(t, conn):
		case i < n-api.MaxConnections:
			t.Errorf("connection %d of %d is open, although newer ones were closed", i, n)
		default:
			open++
		}
	}
	if open < api.MaxConnections-10 || open >= api.MaxConnections {
		t.Errorf("%d idle connections are open, want nearly %d", open, api.MaxConnections)
	}
	if !isOpen(t, waiting) {
		t.Error("the request that waits was closed")
	}
	if n := strings.Count(log.String(), "too many connections"); n != 1 {
		t.Errorf("%d lines about connections: %s", n, log)
	}
}
