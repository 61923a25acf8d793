package local

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"aaasess/sessions"
	"aaasess/sessions/local/ending"
	"aaasess/sessions/local/feed"
	localreport "aaasess/sessions/local/report"
)

const (
	// maxStreams is how many streams of events may be open at the same time, and maxUserStreams how many
	// of one user other than root: no user keeps the others out.
	maxStreams     = 64
	maxUserStreams = 16
	// eventBatch is how many events are written at a time. While others wait for their turn, a stream
	// describes no more.
	eventBatch = 256
	// eventPause is the time between two batches. With eventBatch it limits what a stream costs.
	eventPause = 20 * time.Millisecond
	// keepAlive is how often a stream without events writes a comment, so that both ends notice when
	// the other has gone.
	keepAlive = 15 * time.Second
)

// Event is an event of a session for the stream.
type Event struct {
	Session  *sessions.Session
	Describe func() any // its JSON, as "aaasess debug accounting --json" shows it
}

// source returns the source of a session of this host, "" for others.
func source(s *sessions.Session) string {
	if !sessions.IsLocal(s.NAS.Addr) {
		return ""
	}
	name, _, _ := strings.Cut(s.AcctSessionID(), "/")
	return name
}

// streamQuery has the parameters of GET /v1/events.
type streamQuery struct {
	source      string // "": events of all sessions
	disconnects bool   // requests to end sessions too
	after       string // Last-Event-ID
}

func parseStream(r *http.Request) (q streamQuery, err error) {
	values, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		return q, errors.New("the query cannot be read")
	}
	for key, list := range values {
		switch {
		case len(list) != 1:
			return q, fmt.Errorf("%q is given more than once", key)
		case key == "source" && isSource(list[0]):
			q.source = list[0]
		case key == "disconnects" && list[0] == "true":
			q.disconnects = true
		case key == "source", key == "disconnects":
			return q, fmt.Errorf("%s: %q is not valid", key, list[0])
		default:
			return q, fmt.Errorf("unknown parameter %q", key)
		}
	}
	if q.disconnects && q.source == "" {
		return q, errors.New("disconnects needs a source")
	}
	q.after = r.Header.Get("Last-Event-ID")
	return q, nil
}

// isAllowed reports whether a caller may follow what it asks for.
func (q *streamQuery) isAllowed(c *caller) bool {
	if q.disconnects {
		return isAllowed(c, Write)
	}
	return isAllowed(c, Read)
}

// streams are the streams of events that are open, by their users.
type streams struct {
	mu   sync.Mutex
	all  int
	user map[uint32]int
}

// enter counts a new stream, unless there are too many.
func (s *streams) enter(uid uint32) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.all >= maxStreams || uid != 0 && s.user[uid] >= maxUserStreams {
		return false
	}
	if s.user == nil {
		s.user = map[uint32]int{}
	}
	s.all++
	s.user[uid]++
	return true
}

func (s *streams) leave(uid uint32) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.all--
	if s.user[uid]--; s.user[uid] == 0 {
		delete(s.user, uid)
	}
}

// streamEvents is GET /v1/events. Reading sessions needs the right to read, and ending them that to
// write.
func (s *Server) streamEvents(w http.ResponseWriter, r *http.Request) {
	c := s.caller(r)
	q, err := parseStream(r)
	if err != nil {
		writeProblem(w, problem(http.StatusBadRequest, "", "%v", err))
		return
	}
	if !q.isAllowed(c) {
		writeProblem(w, problem(http.StatusForbidden, "", "user %d may not follow these events: see local.access in the configuration", c.uid))
		return
	}
	if !s.streams.enter(c.uid) {
		writeProblem(w, problem(http.StatusServiceUnavailable, "", "more than %d streams of events, or %d of one user", maxStreams, maxUserStreams))
		return
	}
	defer s.streams.leave(c.uid)
	st := stream{s: s, c: c, query: q, reads: isAllowed(c, Read), Writer: bufio.NewWriterSize(w, 16<<10), control: http.NewResponseController(w)}
	if q.disconnects {
		if st.requests, err = s.cfg.Endings.Subscribe(q.source, c.uid); err != nil {
			writeProblem(w, problem(http.StatusServiceUnavailable, "", "%v", err))
			return
		}
		defer st.requests.Close()
	}
	_ = st.control.SetReadDeadline(time.Time{}) // net/http goes on reading to notice a closed connection
	_ = st.control.SetWriteDeadline(time.Time{})
	w.Header().Set("Content-Type", "text/event-stream")
	w.Header().Set("Cache-Control", "no-store")
	st.run(r.Context())
}

// stream writes events to one client.
type stream struct {
	s        *Server
	c        *caller
	query    streamQuery
	reads    bool               // events of sessions too
	requests *ending.Subscriber // nil: none
	*bufio.Writer
	control *http.ResponseController
}

// run writes events until the client has gone or the daemon ends. While the client does not read, a
// write waits, and nobody else does.
func (st *stream) run(ctx context.Context) {
	at, known := st.s.cfg.Events.Begin(st.query.after)
	if !known {
		st.gap(0, "")
	}
	var requests <-chan ending.Request
	if st.requests != nil {
		requests = st.requests.Requests()
	}
	select {
	case <-st.s.cfg.Events.Started():
	case <-ctx.Done():
		return
	case <-st.s.stopping:
		return
	}
	st.comment() // the client waits for the first octets: from now on it misses nothing
	timer := time.NewTicker(keepAlive)
	defer timer.Stop()
	for st.isStillAllowed() {
		next := st.batch(&at)
		if st.flush() != nil {
			return
		}
		var pause <-chan time.Time
		if next == nil && st.reads {
			pause = time.After(eventPause)
		}
		select {
		case <-next:
		case <-pause:
		case r := <-requests:
			st.request(&r)
		case <-timer.C:
			st.comment()
		case <-ctx.Done():
			return
		case <-st.s.stopping:
			return
		}
	}
}

// isStillAllowed reports whether the client has the rights that it had when the stream began: a reload
// may have changed them.
func (st *stream) isStillAllowed() bool {
	st.c.rules = *st.s.access.Load()
	return st.query.isAllowed(st.c) && isAllowed(st.c, Read) == st.reads
}

// batch writes the events that have come. If there are none, it returns what is closed when there are.
func (st *stream) batch(at *feed.Position) (changed <-chan struct{}) {
	if !st.reads {
		return nil
	}
	b := st.s.cfg.Events.Read(*at, eventBatch)
	*at = b.Next
	if b.Missing > 0 {
		last := uint64(b.Next) - 1
		if len(b.Numbers) > 0 {
			last = b.Numbers[0] - 1
		}
		st.gap(b.Missing, st.s.cfg.Events.Name(last))
	}
	for i := range b.Events {
		e := &b.Events[i]
		if st.query.source == "" || source(e.Session) == st.query.source {
			st.event("session", st.s.cfg.Events.Name(b.Numbers[i]), e.Describe())
		}
	}
	return b.Changed
}

// gap tells that events are missing; 0: it is not known how many.
func (st *stream) gap(missing uint64, name string) {
	st.event("gap", name, localreport.Gap{Missing: missing})
}

// request writes a request to end a session, if the client may report of it.
func (st *stream) request(r *ending.Request) {
	if !st.c.owns(r.Session) || !time.Now().Before(r.Until) {
		return
	}
	session, err := json.Marshal(st.s.cfg.Describe(r.Session))
	if err != nil { // does not happen
		return
	}
	_, name, _ := strings.Cut(r.Session.AcctSessionID(), "/")
	st.event("disconnect", "", localreport.Disconnect{ID: r.ID, Source: st.query.source, Name: name, Until: r.Until.UTC().Truncate(time.Millisecond), Session: session})
}

// event writes an event (HTML Standard, section 9.2.6). JSON has no line feeds. An error of a write stays
// for flush.
func (st *stream) event(kind, name string, v any) {
	b, err := json.Marshal(v)
	if err != nil { // does not happen
		return
	}
	if name != "" {
		_, _ = fmt.Fprintf(st, "id: %s\n", name)
	}
	_, _ = fmt.Fprintf(st, "event: %s\ndata: %s\n\n", kind, b)
}

func (st *stream) comment() { _, _ = st.WriteString(":\n\n") }

// flush sends what has been written.
func (st *stream) flush() error {
	if err := st.Flush(); err != nil {
		return err
	}
	return st.control.Flush()
}

// disconnectResult is POST /v1/disconnect-result: a program tells what has become of a request.
func (s *Server) disconnectResult(w http.ResponseWriter, r *http.Request) {
	body, err := readBody(w, r)
	if err != nil {
		writeProblem(w, asProblem(err))
		return
	}
	var result localreport.DisconnectResult
	if err := decodeInto(body, &result); err != nil {
		writeProblem(w, asProblem(err))
		return
	}
	out, err := ending.ParseResult(result.Result, result.Reason)
	if err != nil {
		writeProblem(w, problem(http.StatusBadRequest, "/result", "%v", err))
		return
	}
	err = ending.ErrNoRequest
	if session := s.cfg.Endings.Pending(result.Source, result.ID); session != nil {
		if !s.caller(r).owns(session) {
			writeProblem(w, problem(http.StatusForbidden, "/id", "the session belongs to another user"))
			return
		}
		err = s.cfg.Endings.Answer(result.Source, result.ID, out)
	}
	if err != nil {
		writeProblem(w, problem(http.StatusNotFound, "/id", "there is no such request, or it is over"))
		return
	}
	w.WriteHeader(http.StatusNoContent)
}
