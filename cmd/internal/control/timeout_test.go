package control

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"testing"
	"time"

	"aaasess/sessions"
	"aaasess/sessions/sessionstest"
)

// mute is a NAS that does not answer.
type mute struct{}

func (mute) Disconnect(context.Context, *sessions.Attempt) sessions.Outcome {
	return sessions.Outcome{}
}

// TestWaitOutlivesReadTimeout: the time for reading a request does not end a wait, which net/http
// would take for a client that is gone.
func TestWaitOutlivesReadTimeout(t *testing.T) {
	journal := sessionstest.NewJournal()
	defer journal.Close()
	table := sessions.New(sessions.Config{}, journal)
	terminator := sessions.NewTerminator(sessions.TerminatorConfig{}, table, mute{}, slog.New(slog.DiscardHandler))
	path := filepath.Join(t.TempDir(), "s")
	s, err := New(Config{Socket: path}, table, terminator)
	if err != nil {
		t.Fatal(err)
	}
	srv := &http.Server{Handler: s, ReadTimeout: 50 * time.Millisecond}
	served := make(chan error)
	go func() { served <- srv.Serve(s.socket) }()
	durable := make(chan error, 1)
	ev := sessions.Event{Type: sessions.Start, AcctSessionID: "a", Kind: sessions.Network, At: time.Now(), Attrs: "\x2c\x03a"}
	if err := table.Apply(ev, func(err error) { durable <- err }); err != nil || <-durable != nil {
		t.Fatal(err)
	}
	conn, err := net.Dial("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	body := `{"all":true,"wait":0.3}`
	fmt.Fprintf(conn, "POST /v1/sessions/disconnect HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n%s", len(body), body)
	resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		t.Fatal(err)
	}
	b, err := io.ReadAll(resp.Body)
	var list struct {
		Matched  int
		Sessions []Session
	}
	if err != nil || json.Unmarshal(b, &list) != nil || list.Matched != 1 || len(list.Sessions) != 1 || list.Sessions[0].State != "terminating" {
		t.Errorf("%s %v", b, err)
	}
	conn.Close()
	srv.Close()
	<-served
	_ = s.Close()
}

// TestRunFails: a socket that breaks ends Run with an error, and leaves nothing.
func TestRunFails(t *testing.T) {
	path := filepath.Join(t.TempDir(), "s")
	s, err := New(Config{Socket: path}, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	s.socket.Close()
	if err := s.Run(t.Context()); !errors.Is(err, net.ErrClosed) {
		t.Errorf("error %v", err)
	}
	if _, err := os.Lstat(path); !errors.Is(err, fs.ErrNotExist) {
		t.Error(err)
	}
}
