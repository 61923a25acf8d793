package control

import (
	"bytes"
	"io"
	"net"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

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
