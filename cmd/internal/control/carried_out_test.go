package control

import (
	"io"
	"net"
	"net/http"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"aaasess/cmd/internal/api"
)

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
