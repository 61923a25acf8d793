package local

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"aaasess/internal/radius"
	"aaasess/internal/throttle"
	"aaasess/internal/unixsocket"
	"aaasess/sessions"
	"aaasess/sessions/local/ending"
	"aaasess/sessions/local/feed"
	"aaasess/sessions/local/link"
	localreport "aaasess/sessions/local/report"
)

const (
	readTimeout = 10 * time.Second // for a whole request
	sendTimeout = 10 * time.Second // for an answer; then the connection of a slow client is closed
	idleTimeout = time.Minute      // for the next request of a connection
)

// Sink takes the events of sessions. [termination.Terminator] implements it, and passes them on to the
// table.
type Sink interface {
	// Apply is as [sessions.Table.Apply].
	Apply(ev sessions.Event, done func(error)) error
	// Accepting returns nil if Apply would accept an event now, else the reason.
	Accepting() error
}

// Config configures a [Server].
type Config struct {
	// Socket is the path of the Unix socket, at most 107 octets. Everybody may connect to it: Access
	// says who may do what. If its folder does not exist, it is made.
	Socket string
	// NASIdentifier is the NAS-Identifier of the sessions.
	NASIdentifier string
	// Access gives rights; see [Server.SetAccess].
	Access []Rule
	// Names returns the dictionary with the names of attributes; nil means the standard one.
	Names func() *radius.Dictionary
	// Interface returns the network interface of a name; nil means that no session has one.
	Interface func(name string) (link.Interface, error)
	// Describe returns a session for the answer, as the control socket shows it.
	Describe func(*sessions.Session) any
	// Endings ends the sessions; nil: only by signals and programs.
	Endings *ending.Disconnector
	// Events has the events of sessions for the stream; nil: there is none.
	Events *feed.Feed[Event]
	// Logger receives the log; nil discards it.
	Logger *slog.Logger
	// UserName returns the name of a user of this host; nil means that of the system's list.
	UserName func(uid uint32) (string, error)
	// Now reads the host's clock; nil means time.Now.
	Now func() time.Time
}

// Server takes reports of programs on this host.
type Server struct {
	cfg      Config
	table    *sessions.Table
	sink     Sink
	socket   *unixsocket.Socket
	access   atomic.Pointer[[]Rule]
	uid      uint32 // that the daemon runs as
	conns    unixsocket.Connections
	requests requestCounts
	keys     *keys
	mux      *http.ServeMux
	routes   []string // of the mux: method and path
	ready    chan struct{}
	streams  streams
	stopping chan struct{} // closed when the streams end
	line     throttle.Line // of the log: interfaces that are not found
	// hiddenLine is that of processes that are hidden.
	hiddenLine throttle.Line
}

// New opens the socket. Connections wait in its queue until Run is called. An error names the path.
func New(cfg Config, table *sessions.Table, sink Sink) (*Server, error) {
	cfg.Logger = cmp.Or(cfg.Logger, slog.New(slog.DiscardHandler))
	if cfg.Names == nil {
		cfg.Names = radius.Standard
	}
	if cfg.UserName == nil {
		cfg.UserName = userName
	}
	if cfg.Endings == nil {
		cfg.Endings = ending.New(ending.Config{})
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	socket, err := unixsocket.Listen(unixsocket.Config{Path: cfg.Socket, Mode: 0o666, Short: func(suppressed int, err error) {
		cfg.Logger.Error("local socket cannot accept a connection; will retry", "socket", cfg.Socket, "suppressed", suppressed, "err", err)
	}})
	if err != nil {
		return nil, fmt.Errorf("local: %w", err)
	}
	s := &Server{cfg: cfg, table: table, sink: sink, socket: socket, uid: uint32(os.Geteuid()), keys: newKeys(), mux: http.NewServeMux(), ready: make(chan struct{})}
	s.stopping = make(chan struct{})
	s.conns.Max, s.conns.PerUser, s.conns.Closed = localreport.MaxConnections, localreport.MaxUserConnections, s.connectionClosed
	s.SetAccess(cfg.Access)
	s.mux.HandleFunc("/", noSuchPath)
	for _, verb := range localreport.Verbs() {
		right := Write
		if verb == localreport.Command {
			right = Command
		}
		s.Handle(http.MethodPost, verb.Path(), right, s.reports(verb))
	}
	if cfg.Events != nil {
		s.Handle(http.MethodGet, localreport.PathEvents, 0, s.streamEvents) // it asks for the rights itself
		s.Handle(http.MethodPost, localreport.PathDisconnectResult, Write, s.disconnectResult)
	}
	s.Handle(http.MethodGet, pathOpenAPI, 0, showOpenAPI)
	return s, nil
}

// SetAccess replaces the rules for requests that follow.
func (s *Server) SetAccess(rules []Rule) { s.access.Store(&rules) }

// Handle answers the requests with a method and a path, as an [http.ServeMux] has it, of callers with a
// right; 0: of all who can connect. It must be called before Run.
func (s *Server) Handle(method, path string, right Right, handle http.HandlerFunc) {
	s.routes = append(s.routes, method+" "+path)
	s.mux.HandleFunc(path, func(w http.ResponseWriter, r *http.Request) {
		switch c := s.caller(r); {
		case r.Method != method:
			leaveBody(w, r)
			w.Header().Set("Allow", method)
			writeProblem(w, problem(http.StatusMethodNotAllowed, "", "want %s", method))
		case !isAllowed(c, right):
			leaveBody(w, r)
			writeProblem(w, problem(http.StatusForbidden, "", "user %d may not %s: see local.access in the configuration", c.uid, right))
		default:
			if method == http.MethodGet {
				leaveBody(w, r)
			}
			handle(w, r)
		}
	})
}

func isAllowed(c *caller, right Right) bool {
	_, ok := c.may(right)
	return ok
}

// String returns the name of the Server for logs.
func (s *Server) String() string { return "local socket " + s.cfg.Socket }

// Ready is closed when Run answers requests.
func (s *Server) Ready() <-chan struct{} { return s.ready }

// Close removes the socket. It is for a Server whose Run is never called.
func (s *Server) Close() error { return errors.Join(s.socket.Remove(), s.socket.Close()) }

// Run answers requests until ctx is done, and then removes the socket. It may be called once.
func (s *Server) Run(ctx context.Context) error {
	s.cfg.Logger.Info("local socket is open", "socket", s.cfg.Socket)
	close(s.ready)
	return s.socket.Serve(ctx, s.newHTTP(), func() { close(s.stopping) })
}

// newHTTP returns the HTTP server. A connection on which no request arrives within readTimeout of its
// start, or idleTimeout of its last answer, is closed.
func (s *Server) newHTTP() *http.Server {
	return &http.Server{
		Handler:           s,
		ReadHeaderTimeout: readTimeout, ReadTimeout: readTimeout, IdleTimeout: idleTimeout,
		MaxHeaderBytes: 16 << 10,
		ConnContext:    connected,
		ConnState:      s.conns.Changed,
		ErrorLog:       slog.NewLogLogger(s.cfg.Logger.Handler(), slog.LevelWarn),
	}
}

// ServeHTTP implements http.Handler.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	observed := &observedWriter{w, http.StatusOK}
	s.serve(observed, r)
	path := r.Pattern // that of the mux, so that a caller cannot make new ones
	if path == "/" {
		path = ""
	}
	s.requests.add(path, observed.status)
}

func (s *Server) serve(w http.ResponseWriter, r *http.Request) {
	if c, ok := r.Context().Value(client{}).(*connection); ok && c.Conn != nil && !s.conns.SetBusy(c.Conn) {
		w.Header().Set("Connection", "close")
		writeProblem(w, problem(http.StatusServiceUnavailable, "", "there are too many connections"))
		return
	}
	if !isClean(r.URL.EscapedPath()) {
		noSuchPath(w, r) // the mux would redirect it, with an HTML page
		return
	}
	s.mux.ServeHTTP(w, r)
}

// leaveBody lets the answer end the connection if the request has a body, which is not read. net/http
// would await it first, and the connection would be busy until then: a few users without any right could
// keep all others out.
func leaveBody(w http.ResponseWriter, r *http.Request) {
	if r.ContentLength != 0 {
		w.Header().Set("Connection", "close")
		_ = http.NewResponseController(w).SetReadDeadline(time.Unix(1, 0))
	}
}

func noSuchPath(w http.ResponseWriter, r *http.Request) {
	leaveBody(w, r)
	writeProblem(w, problem(http.StatusNotFound, "", "no such path: %q", r.URL.Path))
}

// connectionClosed logs that there are too many connections.
func (s *Server) connectionClosed(uid int, idle bool, suppressed int) {
	if idle {
		s.cfg.Logger.Warn("local socket has too many connections: those that are idle longest are closed", "uid", uid, "suppressed", suppressed)
		return
	}
	s.cfg.Logger.Warn("local socket has too many requests: a new connection is closed", "uid", uid, "suppressed", suppressed)
}

// client is the key of a connection in the context of its requests.
type client struct{}

// connection is a connection and who is at its other end.
type connection struct {
	net.Conn // nil: the request did not come through the socket
	uid      uint32
	groups   func() []uint32
}

// connected stores a connection in the context of its requests.
func connected(ctx context.Context, conn net.Conn) context.Context {
	c := &connection{Conn: conn, uid: nobody, groups: sync.OnceValue(func() []uint32 { return unixsocket.GroupsOf(conn) })}
	if peer, ok := unixsocket.PeerOf(conn); ok {
		c.uid = peer.UID
	}
	return context.WithValue(ctx, client{}, c)
}

// caller returns who makes a request. It is nobody if the request did not come through the socket.
func (s *Server) caller(r *http.Request) *caller {
	c, ok := r.Context().Value(client{}).(*connection)
	if !ok {
		return &caller{uid: nobody, groups: func() []uint32 { return nil }}
	}
	return &caller{uid: c.uid, daemon: s.uid, groups: c.groups, rules: *s.access.Load()}
}

// nobody is no user: (uid_t)-1.
const nobody = 1<<32 - 1

// UID returns the user that makes a request, for handlers that [Server.Handle] has.
func (s *Server) UID(r *http.Request) int { return int(s.caller(r).uid) }
