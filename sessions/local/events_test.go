package local

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"

	"aaasess/internal/radius"
	"aaasess/internal/radius/attrtest"
	"aaasess/sessions"
	"aaasess/sessions/local/ending"
	localreport "aaasess/sessions/local/report"
	"aaasess/sessions/termination"
)

// streamWriter is the ResponseWriter of a stream whose client reads from a pipe.
type streamWriter struct {
	*httptest.ResponseRecorder
	pipe *io.PipeWriter
}

func (w streamWriter) Write(b []byte) (int, error) {
	if w.Header().Get("Content-Type") != "text/event-stream" {
		return w.ResponseRecorder.Write(b)
	}
	return w.pipe.Write(b)
}

func (streamWriter) Flush() {}

// follow opens a stream of a user. The result reads it.
func (w *world) follow(uid uint32, query, after string) *bufio.Scanner {
	w.Helper()
	ctx, stop := context.WithCancel(w.Context())
	r := httptest.NewRequestWithContext(ctx, http.MethodGet, localreport.PathEvents+query, nil)
	r.Header.Set("Last-Event-ID", after)
	c := &connection{uid: uid, groups: func() []uint32 { return groupsOf[uid] }}
	in, out := io.Pipe()
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		w.ServeHTTP(streamWriter{httptest.NewRecorder(), out}, r.WithContext(context.WithValue(ctx, client{}, c)))
		_ = out.Close()
	}()
	w.Cleanup(func() {
		stop()
		_ = in.Close()
		<-ended
	})
	lines := bufio.NewScanner(in)
	if after == "" || strings.HasPrefix(after, w.life()) {
		if !lines.Scan() || lines.Text() != ":" {
			w.Fatalf("the stream begins with %q, %v", lines.Text(), lines.Err())
		}
	}
	return lines
}

// life is the beginning of the names of the events.
func (w *world) life() string { return strings.TrimSuffix(w.cfg.Events.Name(0), "0") }

// next returns the next event, "id event data".
func next(t *testing.T, lines *bufio.Scanner) string {
	t.Helper()
	var out []string
	for lines.Scan() {
		if line := lines.Text(); line != "" && line != ":" {
			_, value, _ := strings.Cut(line, ": ")
			out = append(out, value)
		} else if len(out) > 0 {
			break
		}
	}
	return strings.Join(out, " ")
}

// TestEvents: a stream goes on after the last event that was read. What the daemon does not remember
// is told.
func TestEvents(t *testing.T) {
	w := newWorld(t)
	events := w.cfg.Events
	events.Start()
	add := func(name string, missing uint64) {
		at := sessions.NAS{Addr: sessions.LocalAddr("uid/1")}
		events.Add(Event{Session: &sessions.Session{NAS: &at, Attrs: attrtest.Attributes(radius.AcctSessionID, name)}, Describe: func() any { return name }}, missing)
	}
	all, ours := w.follow(bob, "", ""), w.follow(bob, "?source=a", "")
	add("a/1", 0)
	add("b/2", 0)
	add("a/3", 0)
	id := w.life()
	for _, want := range []string{`1 session "a/1"`, `2 session "b/2"`, `3 session "a/3"`} {
		if got := next(t, all); got != id+want {
			t.Errorf("%q, want %q", got, want)
		}
	}
	for _, want := range []string{`1 session "a/1"`, `3 session "a/3"`} {
		if got := next(t, ours); got != id+want {
			t.Errorf("of one source: %q, want %q", got, want)
		}
	}
	again := w.follow(bob, "", id+"2")
	if got := next(t, again); got != id+`3 session "a/3"` {
		t.Errorf("again: %q", got)
	}
	add("a/6", 2)
	if got := next(t, again) + " " + next(t, again); got != fmt.Sprintf(`%[1]s5 gap {"missing":2} %[1]s6 session "a/6"`, id) {
		t.Errorf("after a loss: %q", got)
	}
	for i := range 5 {
		add(fmt.Sprint("a/", 7+i), 0)
	}
	late := w.follow(bob, "", id+"3")
	if got := next(t, late) + " " + next(t, late); got != fmt.Sprintf(`%[1]s7 gap {"missing":4} %[1]s8 session "a/8"`, id) {
		t.Errorf("of what is forgotten: %q", got)
	}
	if got := next(t, w.follow(bob, "", "AAAAAAAA-3")); got != "gap {}" {
		t.Errorf("of another life: %q", got)
	}
}

// TestEventRights: who may follow what.
func TestEventRights(t *testing.T) {
	w := newWorld(t)
	for _, tt := range []struct {
		uid   uint32
		query string
		want  int
	}{
		{eve, "", http.StatusForbidden},
		{ann, "", http.StatusForbidden}, // she may only write
		{ann, "?source=a", http.StatusForbidden},
		{eve, "?source=a&disconnects=true", http.StatusForbidden},
		{ann, "?disconnects=true", http.StatusBadRequest},
		{bob, "?source=A", http.StatusBadRequest},
		{bob, "?source=a&disconnects=false", http.StatusBadRequest},
		{bob, "?source=a&source=b", http.StatusBadRequest},
		{bob, "?since=1", http.StatusBadRequest},
		{bob, "?%zz=1", http.StatusBadRequest},
	} {
		if r := w.send(tt.uid, http.MethodGet, localreport.PathEvents+tt.query, ""); r.Code != tt.want {
			t.Errorf("%d %q: %d %s", tt.uid, tt.query, r.Code, r.Body)
		}
	}
}

// TestTooManyStreams: one user cannot keep the others out.
func TestTooManyStreams(t *testing.T) {
	w := newWorld(t)
	w.cfg.Events.Start()
	for range maxUserStreams {
		w.follow(ann, "?source=portal&disconnects=true", "")
	}
	if r := w.send(ann, http.MethodGet, localreport.PathEvents+"?source=other&disconnects=true", ""); r.Code != http.StatusServiceUnavailable {
		t.Errorf("too many streams of one user: %d", r.Code)
	}
	w.follow(bob, "?source=portal&disconnects=true", "")
	for range maxStreams - maxUserStreams - 1 {
		w.follow(0, "", "")
	}
	if r := w.send(bob, http.MethodGet, localreport.PathEvents, ""); r.Code != http.StatusServiceUnavailable {
		t.Errorf("too many streams: %d", r.Code)
	}
}

// TestStreamEndsWithItsRight: a stream ends when a reload takes the right away.
func TestStreamEndsWithItsRight(t *testing.T) {
	w := newWorld(t)
	w.cfg.Events.Start()
	lines := w.follow(bob, "", "")
	w.SetAccess(nil)
	w.cfg.Events.Add(Event{Session: &sessions.Session{NAS: &sessions.NAS{}}, Describe: func() any { return "secret" }}, 0)
	if got := next(t, lines); got != "" {
		t.Errorf("it goes on with %q", got)
	}
}

// TestProgramsAreAsked: a program gets the requests for sessions that it may report of, and nobody else
// answers them.
func TestProgramsAreAsked(t *testing.T) {
	w := newWorld(t)
	w.cfg.Events.Start()
	w.must(ann, localreport.Start, `{"source":"portal","session":"1","user":"alice","end":{"event":true}}`)
	w.must(bob, localreport.Start, `{"source":"portal","session":"2","user":"alice","end":{"event":true}}`)
	of := w.follow(ann, "?source=portal&disconnects=true", "")
	outcomes := make(chan termination.Outcome, 2)
	for _, id := range []sessions.ID{2, 1} {
		s := w.table.Row(id)
		go func() { outcomes <- w.cfg.Endings.Disconnect(t.Context(), s, s.End()) }()
	}
	got := next(t, of)
	if !strings.HasPrefix(got, `disconnect {"id":"`) || !strings.Contains(got, `"source":"portal","name":"1","until":"`) || !strings.Contains(got, `"session":{"id":"00000001"`) {
		t.Fatalf("ann gets %q", got)
	}
	id := strings.Split(got, `"`)[3]
	answer := func(uid uint32, result string) int {
		r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, localreport.PathDisconnectResult, strings.NewReader(fmt.Sprintf(`{"id":%q,"source":"portal","result":%q}`, id, result)))
		rec := httptest.NewRecorder()
		w.ServeHTTP(rec, r.WithContext(context.WithValue(r.Context(), client{}, &connection{uid: uid, groups: func() []uint32 { return groupsOf[uid] }})))
		return rec.Code
	}
	for _, tt := range []struct {
		uid    uint32
		result string
		want   int
	}{{eve, "ack", 403}, {bob, "ack", 403}, {ann, "yes", 400}, {ann, "ack", 204}, {ann, "ack", 404}} {
		if code := answer(tt.uid, tt.result); code != tt.want {
			t.Errorf("%d answers %s: %d", tt.uid, tt.result, code)
		}
	}
	if out := <-outcomes; out.Answer != termination.ACK {
		t.Errorf("outcome %v", out)
	}
}

// TestEndOfOthers: a caller names only processes of its own.
func TestEndOfOthers(t *testing.T) {
	w := newWorld(t)
	r := w.report(ann, localreport.Start, fmt.Sprintf(`{"source":"sshd","session":"1","user":"alice","end":{"signal":{"pid":%d}}}`, os.Getpid()))
	if r.Code != http.StatusBadRequest || r.problem.Pointer != "/end/signal/pid" || !strings.Contains(r.problem.Detail, "belongs to another user") {
		t.Errorf("%d %s", r.Code, r.Body)
	}
	for verb, body := range map[localreport.Verb]string{
		localreport.Command: `{"source":"sshd","session":"1","user":"alice","text":"ls","end":{"event":true}}`,
		localreport.Fail:    `{"source":"sshd","session":"1","user":"alice","end":{"event":true}}`,
	} {
		if r := w.report(ann, verb, body); r.Code != http.StatusBadRequest || r.problem.Pointer != "/end" {
			t.Errorf("%s: %d %s", verb, r.Code, r.Body)
		}
	}
	if w.table.View().Len() != 0 {
		t.Error("a session has begun")
	}
}

// TestEndOfGivenStart: a report may say when the process began, as /proc has it.
func TestEndOfGivenStart(t *testing.T) {
	w := newWorld(t)
	start, err := ending.ProcessStart(int32(os.Getpid()))
	if err != nil {
		t.Fatal(err)
	}
	for given, want := range map[uint64]int{ending.Ticks(start): http.StatusOK, ending.Ticks(start) + 1: http.StatusBadRequest} {
		body := fmt.Sprintf(`{"source":"sshd","session":"1","user":"alice","end":{"signal":{"pid":%d,"start":%d}}}`, os.Getpid(), given)
		if r := w.report(0, localreport.Start, body); r.Code != want {
			t.Errorf("%s: %d %s", body, r.Code, r.Body)
		}
	}
}
