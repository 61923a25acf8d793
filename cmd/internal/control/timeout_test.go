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
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"
	"time"

	"aaasess/cmd/internal/api"
	"aaasess/internal/radius"
	"aaasess/sessions"
	"aaasess/sessions/sessionstest"
)

// mute is a NAS that never answers.
type mute struct{}

func (mute) Disconnect(context.Context, *sessions.Attempt) sessions.Outcome {
	return sessions.Outcome{}
}

// TestWaitOutlivesReadTimeout: the timeout for reading a request does not end a wait. net/http
// would treat it as a closed connection.
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
		Sessions []api.Session
	}
	if err != nil || json.Unmarshal(b, &list) != nil || list.Matched != 1 || len(list.Sessions) != 1 || list.Sessions[0].State != "terminating" {
		t.Errorf("%s %v", b, err)
	}
	conn.Close()
	srv.Close()
	<-served
	_ = s.Close()
}

// TestRunFails: Run returns the error of a broken socket, and removes the socket.
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

// lateNAS answers 50 ms after the session has ended.
type lateNAS struct{}

func (lateNAS) Disconnect(ctx context.Context, _ *sessions.Attempt) sessions.Outcome {
	<-ctx.Done()
	time.Sleep(50 * time.Millisecond)
	return sessions.Outcome{Answer: sessions.ACK}
}

// TestWaitAfterMissedEvents: a request that has missed events reads the state of the sessions, and
// still receives later outcomes.
func TestWaitAfterMissedEvents(t *testing.T) {
	journal := sessionstest.NewJournal()
	defer journal.Close()
	table := sessions.New(sessions.Config{}, journal)
	terminator := sessions.NewTerminator(sessions.TerminatorConfig{}, table, lateNAS{}, slog.New(slog.DiscardHandler))
	s, err := New(Config{Socket: filepath.Join(t.TempDir(), "s")}, table, terminator)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	const n = 8 // the terminator asks as many at the same time
	send := func(typ sessions.EventType, i int) {
		durable := make(chan error, 1)
		sid := fmt.Sprint("a", i)
		ev := sessions.Event{Type: typ, AcctSessionID: sid, Kind: sessions.Network, At: time.Now(), Attrs: radius.Attributes("\x2c\x04" + sid)}
		if err := table.Apply(ev, func(err error) { durable <- err }); err != nil || <-durable != nil {
			t.Fatal(err)
		}
	}
	b := &batch{marked: map[sessions.ID]bool{}, before: map[sessions.ID]*sessions.Session{}}
	for i := range n {
		send(sessions.Start, i)
		b.ids = append(b.ids, sessions.ID(i+1))
	}
	b.watcher = terminator.Watch(t.Context(), 1, b.ids)
	marked, err := s.mark(b.ids)
	if err != nil {
		t.Fatal(err)
	}
	b.addMarked(marked)
	ended := make(chan error, 1)
	ctx, stop := context.WithCancel(t.Context())
	go func() { ended <- terminator.Run(ctx) }()
	for i := range n {
		for {
			if status, _ := terminator.Status(b.ids[i]); status.Asking {
				break
			}
			time.Sleep(time.Millisecond)
		}
	}
	for i := range n {
		send(sessions.Stop, i)
	}
	w := httptest.NewRecorder()
	s.report(w, httptest.NewRequest("POST", "/", nil), b, time.Minute)
	stop()
	<-ended
	var list struct{ Sessions []api.Session }
	if err := json.Unmarshal(w.Body.Bytes(), &list); err != nil || len(list.Sessions) != n {
		t.Fatalf("%d sessions, %v", len(list.Sessions), err)
	}
	acks := 0
	for _, session := range list.Sessions {
		if session.State != "ended" || !session.Marked || session.Termination == nil || session.Termination.Attempts != 1 {
			t.Errorf("%+v %+v", session, session.Termination)
		} else if session.Termination.Last == "ACK" {
			acks++
		}
	}
	if acks == 0 {
		t.Error("no session has the outcome that came after its end")
	}
}
