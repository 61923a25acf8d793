package local

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"aaasess/sessions"
	"aaasess/sessions/local/feed"
	localreport "aaasess/sessions/local/report"
	"aaasess/sessions/sessionstest"
)

// The users of the tests: two with a rule of their own, two members of a group with a rule, and one
// without rights.
const (
	ann, bob, carl, dora, eve uint32 = 1001, 1002, 1003, 1004, 1005
	vpn                       uint32 = 100
)

var rules = []Rule{
	{Owner{ID: ann}, Write | Command}, {Owner{ID: bob}, Write | Command | Read}, {Owner{Group: true, ID: vpn}, Write | Command},
}

var groupsOf = map[uint32][]uint32{carl: {carl, vpn}, dora: {dora, vpn}}

// world is a Server with a table in memory.
type world struct {
	testing.TB
	*Server
	journal *sessionstest.Journal
	clock   time.Time
}

// described is the JSON of a session in these tests.
type described struct {
	ID      string `json:"id"`
	Name    string `json:"name"`
	State   string `json:"state"`
	User    string `json:"user"`
	Kind    string `json:"kind"`
	Octets  uint64 `json:"octets"`
	Lasted  uint32 `json:"lasted"`
	Address uint32 `json:"address"`
}

func describe(s *sessions.Session) any {
	return described{s.ID.String(), s.AcctSessionID(), s.State.String(), s.User(), s.Kind.String(), s.Usage.InputOctets, s.Usage.SessionTime, s.IPv4}
}

func newWorld(t testing.TB) *world {
	t.Helper()
	w := &world{TB: t, journal: sessionstest.NewJournal(), clock: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)}
	t.Cleanup(w.journal.Close)
	w.journal.RouteBy(func(*sessions.Session) string { return "network" })
	began := w.clock
	table := sessions.New(sessions.Config{Now: func() time.Time { return w.clock }, Elapsed: func() time.Duration { return w.clock.Sub(began) }}, w.journal)
	var err error
	w.Server, err = New(Config{
		Socket: filepath.Join(t.TempDir(), "s"), NASIdentifier: "host-1", Access: rules, Describe: describe, Events: feed.New[Event](4), Now: func() time.Time { return w.clock },
	}, table, table)
	if err != nil {
		t.Fatal(err)
	}
	w.uid = nobody // the tests' own user has no more rights than others
	t.Cleanup(func() { _ = w.Close() })
	return w
}

// reply is an answer of the Server.
type reply struct {
	*httptest.ResponseRecorder
	answer  localreport.Answer
	problem localreport.Problem
	described
}

// send makes a request of a user, without the socket.
func (w *world) send(uid uint32, method, path, body string, header ...string) reply {
	w.Helper()
	r := httptest.NewRequestWithContext(w.Context(), method, path, strings.NewReader(body))
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	out := reply{ResponseRecorder: w.serveAs(uid, r)}
	into := any(&out.answer)
	if out.Code != http.StatusOK {
		into = &out.problem
		if got := out.Header().Get("Content-Type"); got != localreport.ProblemType || out.Code != http.StatusServiceUnavailable && out.Header().Get("Retry-After") != "" {
			w.Errorf("%s: header of %d: %v", path, out.Code, out.Header())
		}
	}
	if err := json.Unmarshal(out.Body.Bytes(), into); err != nil {
		w.Fatalf("%s: %v: %s", path, err, out.Body)
	}
	if out.Code != http.StatusOK && (out.problem.Status != out.Code || out.problem.Title != http.StatusText(out.Code) || out.problem.Type != "about:blank") {
		w.Errorf("%s: problem %+v", path, out.problem)
	}
	if out.answer.Session != nil {
		if err := json.Unmarshal(out.answer.Session, &out.described); err != nil {
			w.Fatal(err)
		}
	}
	return out
}

// serveAs answers a request of a user, without the socket.
func (w *world) serveAs(uid uint32, r *http.Request) *httptest.ResponseRecorder {
	c := &connection{uid: uid, groups: func() []uint32 { return groupsOf[uid] }}
	out := httptest.NewRecorder()
	w.ServeHTTP(out, r.WithContext(context.WithValue(r.Context(), client{}, c)))
	return out
}

// report sends a report of a user.
func (w *world) report(uid uint32, verb localreport.Verb, body string, header ...string) reply {
	w.Helper()
	return w.send(uid, http.MethodPost, verb.Path(), body, header...)
}

// must sends a report that succeeds.
func (w *world) must(uid uint32, verb localreport.Verb, body string, header ...string) reply {
	w.Helper()
	r := w.report(uid, verb, body, header...)
	if r.Code != http.StatusOK {
		w.Fatalf("%s %s: %d %s", verb, body, r.Code, r.Body)
	}
	return r
}

// wantAccounted compares the notices of all reports so far.
func (w *world) wantAccounted(want ...string) {
	w.Helper()
	if got := w.journal.Accounted(); !slices.Equal(got, want) {
		w.Errorf("accounted %q, want %q", got, want)
	}
}

// serve runs the Server, and returns an HTTP client of its socket.
func (w *world) serve() *http.Client {
	w.Helper()
	ctx, stop := context.WithCancel(w.Context())
	ended := make(chan error, 1)
	go func() { ended <- w.Server.Run(ctx) }()
	transport := &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "unix", w.cfg.Socket)
	}}
	w.Cleanup(func() {
		transport.CloseIdleConnections()
		stop()
		if err := <-ended; err != nil {
			w.Error(err)
		}
	})
	<-w.Ready()
	return &http.Client{Transport: transport}
}

// post sends a report through the socket.
func post(t testing.TB, c *http.Client, verb localreport.Verb, body []byte) (int, string) {
	t.Helper()
	r, err := c.Post("http://local"+verb.Path(), "application/json", bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	defer r.Body.Close()
	b, err := io.ReadAll(r.Body)
	if err != nil {
		t.Fatal(err)
	}
	return r.StatusCode, string(b)
}
