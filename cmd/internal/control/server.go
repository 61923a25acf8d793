package control

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/netip"
	"sync"
	"time"

	"aaasess/accounting/tap"
	"aaasess/cmd/internal/api"
	"aaasess/internal/logtap"
	"aaasess/internal/radius"
	"aaasess/internal/unixsocket"
	"aaasess/sessions"
	"aaasess/sessions/admission"
	"aaasess/sessions/termination"
)

const (
	readTimeout = 30 * time.Second // for a whole request
	// For each part of an answer; then the connection of a slow client is closed.
	sendTimeout = 30 * time.Second
	idleTimeout = time.Minute // for the next request of a connection
)

// Config configures a [Server].
type Config struct {
	// Socket is the path of the unix socket, at most 107 octets. If its folder does not exist, it
	// is made with mode 0750 and the group.
	Socket string
	// Group is the group of the socket, by name or number; "" means the group of the process.
	Group string
	// Version is the version in /v1/status.
	Version string
	// Accounting answers requests for server groups and the spool. nil answers them with 404.
	Accounting Accounting
	// Events has the accountable events of the daemon. nil answers requests for them with 404.
	Events *tap.Tap
	// Admissions returns what has the logins whose accounting has not started, or nil: then requests for
	// them are answered with 404. nil: always so.
	Admissions func() *admission.Store
	// TestNotification sends test notifications. nil answers requests for them with 404.
	TestNotification TestNotification
	// Log has the lines of the log of the daemon. nil answers requests for them with 404.
	Log *logtap.Tap
	// RunningConfig returns the configuration in effect, without secrets. nil answers requests for it
	// with 404.
	RunningConfig func() api.RunningConfig
	// Reasons returns why the daemon is degraded, for /v1/status: short texts for the operator. It
	// must not block. nil: the daemon never is.
	Reasons func() []string
	// ClientName returns the configured name of the client that a NAS belongs to, by the source
	// address of the NAS; "" if it has none. nil: no NAS has one.
	ClientName func(netip.Addr) string
	// Names returns the dictionary with the names of attributes; nil means the standard one.
	Names func() *radius.Dictionary
	// Logger receives the log; nil discards it.
	Logger *slog.Logger
	// Now is the clock for the start time in /v1/status; nil means time.Now.
	Now func() time.Time
	// ProgressEvery is the time between two reports of the progress of a clear or a disconnect, at
	// least; 0 means 200 ms.
	ProgressEvery time.Duration
}

// Server answers the requests of the control socket. Its methods may be called from any goroutine.
type Server struct {
	cfg        Config
	table      *sessions.Table
	terminator *termination.Terminator
	socket     *unixsocket.Socket
	started    time.Time
	ending     chan struct{} // closed when Run's context is done
	slots      chan struct{} // one for each request that is open
	listeners  chan struct{} // one for each stream of events that is open
	conns      unixsocket.Connections
	mux        *http.ServeMux
	ready      chan struct{}

	selections selections
	selecting  sync.Mutex // held while a query looks at the sessions: browsers get one processor at most

	mu       sync.Mutex
	sections map[string]func() any
}

// New opens the socket. Connections wait in its queue until Run is called. An error names the path.
// It wraps [ErrInUse] if another daemon listens on the socket.
func New(cfg Config, table *sessions.Table, terminator *termination.Terminator) (*Server, error) {
	cfg.Logger = cmp.Or(cfg.Logger, slog.New(slog.DiscardHandler))
	if cfg.Admissions == nil {
		cfg.Admissions = func() *admission.Store { return nil }
	}
	cfg.ProgressEvery = cmp.Or(cfg.ProgressEvery, progressEvery)
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if cfg.ClientName == nil {
		cfg.ClientName = func(netip.Addr) string { return "" }
	}
	if cfg.Names == nil {
		cfg.Names = radius.Standard
	}
	socket, err := unixsocket.Listen(unixsocket.Config{Path: cfg.Socket, Mode: 0o660, Group: cfg.Group, Short: func(suppressed int, err error) {
		cfg.Logger.Error("control socket cannot accept a connection; will retry", "socket", cfg.Socket, "suppressed", suppressed, "err", err)
	}})
	if err != nil {
		return nil, fmt.Errorf("control: %w", err)
	}
	s := &Server{
		cfg: cfg, table: table, terminator: terminator, socket: socket, started: cfg.Now(),
		ending: make(chan struct{}), slots: make(chan struct{}, api.MaxRequests), listeners: make(chan struct{}, api.MaxListeners),
		ready: make(chan struct{}), sections: map[string]func() any{},
	}
	s.conns.Max, s.conns.Closed = api.MaxConnections, s.connectionClosed
	s.mux = s.newMux()
	return s, nil
}

// String returns the name of the Server for logs.
func (s *Server) String() string { return "control socket " + s.cfg.Socket }

// Ready is closed when Run answers requests.
func (s *Server) Ready() <-chan struct{} { return s.ready }

// RegisterStatus adds a section to /v1/status, or replaces the section of that name. fn is called
// for each request, from any goroutine. It returns a value for encoding/json, and must not block.
func (s *Server) RegisterStatus(name string, fn func() any) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.sections[name] = fn
}

// Close removes the socket. It is for a Server whose Run is never called.
func (s *Server) Close() error { return errors.Join(s.socket.Remove(), s.socket.Close()) }

// Run answers requests until ctx is done, and then removes the socket. It may be called once.
func (s *Server) Run(ctx context.Context) error {
	s.cfg.Logger.Info("control socket is open", "socket", s.cfg.Socket) // before the lines of requests
	close(s.ready)
	return s.socket.Serve(ctx, s.newHTTP(), func() { close(s.ending) })
}

// newHTTP returns the HTTP server. A connection on which no request arrives within readTimeout of
// its start, or idleTimeout of its last answer, is closed.
func (s *Server) newHTTP() *http.Server {
	return &http.Server{
		Handler:           s,
		ReadHeaderTimeout: readTimeout, ReadTimeout: readTimeout, IdleTimeout: idleTimeout,
		MaxHeaderBytes: 64 << 10,
		ConnContext:    withPeer,
		ConnState:      s.conns.Changed,
		ErrorLog:       slog.NewLogLogger(s.cfg.Logger.Handler(), slog.LevelWarn),
	}
}

// ServeHTTP implements http.Handler.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if conn := unixsocket.ConnOf(r.Context()); conn != nil && !s.conns.SetBusy(conn) { // nil: it did not come through the socket
		w.Header().Set("Connection", "close")
		s.writeError(w, http.StatusServiceUnavailable, fmt.Errorf("more than %d connections: try again", api.MaxConnections))
		return
	}
	_ = http.NewResponseController(w).SetWriteDeadline(time.Now().Add(sendTimeout))
	select {
	case s.slots <- struct{}{}:
		defer func() { <-s.slots }()
	default:
		s.writeError(w, http.StatusServiceUnavailable, fmt.Errorf("more than %d requests at the same time", api.MaxRequests))
		return
	}
	r.Body = http.MaxBytesReader(w, r.Body, api.MaxBody)
	if !isClean(r.URL.EscapedPath()) {
		s.noSuchPath(w, r) // the mux would redirect it, with an HTML page
		return
	}
	s.mux.ServeHTTP(w, r)
}

// writeError answers with an [api.Problem].
func (s *Server) writeError(w http.ResponseWriter, code int, err error) {
	if other, ok := w.(refusing); ok {
		other.refuse(other.ResponseWriter, code, err)
		return
	}
	s.writeJSON(w, code, api.Problem{Error: api.ValidText(err.Error())})
}

// writeJSON answers with a JSON value.
func (s *Server) writeJSON(w http.ResponseWriter, code int, v any) {
	b, err := json.Marshal(v)
	if err != nil {
		code, b = http.StatusInternalServerError, []byte(`{"error":"the answer cannot be encoded as JSON"}`)
		s.cfg.Logger.Error("answer of the control socket cannot be encoded", "err", err)
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(code)
	_, _ = w.Write(append(b, '\n')) // fails only if the client has gone
}

// listSessions is GET /v1/sessions.
func (s *Server) listSessions(w http.ResponseWriter, r *http.Request) {
	query, ok := s.readQuery(w, r)
	if !ok {
		return
	}
	head, rows := s.selectPage(query)
	out, err := newListWriter(w, head)
	if err != nil {
		return
	}
	for _, session := range rows {
		if out.write(s.describe(session)) != nil {
			return
		}
	}
	_ = out.end()
}

// readQuery parses the parameters of a request. It answers the request if they are invalid.
func (s *Server) readQuery(w http.ResponseWriter, r *http.Request) (query api.Query, ok bool) {
	values, err := parseURL(r)
	if err == nil {
		query, err = api.ParseQuery(values)
	}
	if err != nil {
		s.writeError(w, http.StatusBadRequest, err)
	}
	return query, err == nil
}

// Describe returns the JSON form of a session, with its termination if it is being ended.
func (s *Server) Describe(session *sessions.Session) api.Session { return s.describe(session) }

func (s *Server) describe(session *sessions.Session) api.Session {
	out := s.describeRow(session)
	if session.State == sessions.Terminating {
		if t, ok := s.terminator.Status(session.ID); ok {
			out.Termination = describeTermination(t)
		}
	}
	return out
}
