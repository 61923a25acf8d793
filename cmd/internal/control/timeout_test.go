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
	"aaasess/sessions/termination"
)

// mute is a NAS that never answers.
type mute struct{}

func (mute) Disconnect(context.Context, *termination.Attempt) termination.Outcome {
	return termination.Outcome{}
}

// TestWaitOutlivesReadTimeout: the timeout for reading a request does not end a wait. net/http
// would treat it as a closed connection.
func TestWaitOutlivesReadTimeout(t *testing.T) {
	journal := sessionstest.NewJournal()
	defer journal.Close()
	table := sessions.New(sessions.Config{}, journal)
	terminator := termination.New(termination.Config{}, table, mute{}, slog.New(slog.DiscardHandler))
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

// reluctantNAS answers attempts with an ACK that comes after the end of the session. Of all sessions
// but the first one, it answers nine attempts with NAK before, when others is closed.
type reluctantNAS struct{ others chan struct{} }

func (n reluctantNAS) Disconnect(ctx context.Context, a *termination.Attempt) termination.Outcome {
	attempts, _ := a.Memory.(int)
	if a.Memory = attempts + 1; a.ID > 1 && attempts < 9 {
		<-n.others
		return termination.Outcome{Answer: termination.NAK, ErrorCause: 506}
	}
	<-ctx.Done()
	time.Sleep(50 * time.Millisecond)
	return termination.Outcome{Answer: termination.ACK}
}

// TestWaitAfterFullQueue: a request that reads no events for a long time still has the last outcome of
// each session.
func TestWaitAfterFullQueue(t *testing.T) {
	journal := sessionstest.NewJournal()
	defer journal.Close()
	table := sessions.New(sessions.Config{}, journal)
	quick := termination.Config{RetryMin: time.Millisecond, RetryMax: time.Millisecond}
	nas := reluctantNAS{make(chan struct{})}
	terminator := termination.New(quick, table, nas, slog.New(slog.DiscardHandler))
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
	b.watcher = terminator.Watch(t.Context(), b.ids)
	marked, err := s.mark(b.ids)
	if err != nil {
		t.Fatal(err)
	}
	b.addMarked(marked)
	ended := make(chan error, 1)
	ctx, stop := context.WithCancel(t.Context())
	go func() { ended <- terminator.Run(ctx) }()
	await := func(id sessions.ID, want func(t termination.Progress, underWay bool) bool) {
		for !want(terminator.Status(id)) {
			time.Sleep(time.Millisecond)
		}
	}
	await(1, func(t termination.Progress, _ bool) bool { return t.Asking })
	send(sessions.Stop, 0)
	await(1, func(_ termination.Progress, underWay bool) bool { return !underWay })
	close(nas.others) // their events fill the queue
	for i := range n - 1 {
		await(b.ids[i+1], func(t termination.Progress, _ bool) bool { return t.Asking && t.Attempts == 10 })
	}
	for i := range n - 1 {
		send(sessions.Stop, i+1)
	}
	w := httptest.NewRecorder()
	s.report(w, httptest.NewRequest("POST", "/", nil), b, time.Minute)
	stop()
	<-ended
	var list struct{ Sessions []api.Session }
	if err := json.Unmarshal(w.Body.Bytes(), &list); err != nil || len(list.Sessions) != n {
		t.Fatalf("%d sessions, %v", len(list.Sessions), err)
	}
	for _, session := range list.Sessions {
		last, attempts := session.Termination, 10
		if session.Number == 1 {
			attempts = 1
		}
		if session.State != "ended" || !session.Marked || last == nil || last.Attempts != attempts || last.Last != "ACK" {
			t.Errorf("%+v %+v", session, last)
		}
	}
}
