package web

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"sync/atomic"
	"time"

	toolkit "github.com/prometheus/exporter-toolkit/web"
	"golang.org/x/sync/errgroup"

	"aaasess/internal/throttle"
	"aaasess/internal/unixsocket"
)

// Port is the default port. It is one of those that Prometheus exporters have, and no other exporter of
// its list has it.
const Port = 9161

// The limits of a connection and of a request.
const (
	maxConnections = 64
	maxHeader      = 16 << 10
	maxBody        = 64 << 10
	headerTimeout  = 5 * time.Second
	readTimeout    = 10 * time.Second
	sendTimeout    = 10 * time.Second
	idleTimeout    = 2 * time.Minute // Prometheus asks every 15 to 60 s
	endTimeout     = time.Second     // for answers, when the daemon ends
)

// Config configures a [Server].
type Config struct {
	// Listen are the addresses to listen on. An IPv6 address, including [::], receives no IPv4. Port 0
	// lets the system choose a port.
	Listen []netip.AddrPort
	// WebConfig is the web configuration of exporter-toolkit; "": neither TLS nor authentication.
	WebConfig string
	// Settings may be changed by [Server.SetSettings].
	Settings
	// Logger receives the log; nil discards it.
	Logger *slog.Logger
}

// Settings are what a reload can change.
type Settings struct {
	// Hosts are further names and addresses that requests may have in their Host header, in lower case
	// and without a port.
	Hosts []string
	// Pprof switches the profiles at /debug/pprof/ on.
	Pprof bool
}

// Check returns why a web configuration cannot be used.
func Check(file string) error { return toolkit.Validate(file) }

// Server is the listener.
type Server struct {
	cfg       Config
	sending   time.Duration // sendTimeout, or that of a test
	settings  atomic.Pointer[Settings]
	listeners []net.Listener
	conns     unixsocket.Connections
	mux       *http.ServeMux
	ready     chan struct{}
	over      context.Context // done when Run's is
	end       context.CancelFunc
	passwords passwords
	foreign   throttle.Line // of the log: requests for another host
	failed    throttle.Line // of the log: lines of net/http
}

// New opens the listener. Connections wait in its queues until Run is called. An error names the address.
func New(cfg Config) (*Server, error) {
	cfg.Logger = cmp.Or(cfg.Logger, slog.New(slog.DiscardHandler))
	s := &Server{cfg: cfg, sending: sendTimeout, mux: http.NewServeMux(), ready: make(chan struct{})}
	s.over, s.end = context.WithCancel(context.Background())
	s.SetSettings(cfg.Settings)
	s.conns.Max, s.conns.Closed = maxConnections, s.connectionClosed
	s.handleProfiles()
	if err := Check(cfg.WebConfig); err != nil {
		return nil, fmt.Errorf("http.web-config: %w", err)
	}
	for _, addr := range cfg.Listen {
		network := "tcp4"
		if addr.Addr().Is6() {
			network = "tcp6"
		}
		l, err := net.Listen(network, addr.String())
		if err != nil {
			return nil, errors.Join(fmt.Errorf("http: %w (http.listen)", err), s.Close())
		}
		s.listeners = append(s.listeners, l)
	}
	return s, nil
}

// Addrs returns the addresses, with the actual ports.
func (s *Server) Addrs() (all []netip.AddrPort) {
	for _, l := range s.listeners {
		all = append(all, addrPort(l.Addr()))
	}
	return all
}

// addrPort returns the address of a TCP socket, without a zone.
func addrPort(addr net.Addr) netip.AddrPort {
	tcp, ok := addr.(*net.TCPAddr)
	if !ok {
		return netip.AddrPort{}
	}
	at := tcp.AddrPort()
	return netip.AddrPortFrom(at.Addr().Unmap().WithZone(""), at.Port())
}

// SetSettings changes the settings for requests that follow.
func (s *Server) SetSettings(settings Settings) { s.settings.Store(&settings) }

// Handle has a handler answer the requests of a pattern of [http.ServeMux].
func (s *Server) Handle(pattern string, h http.Handler) { s.mux.Handle(pattern, h) }

// String returns the name of the Server for logs.
func (s *Server) String() string { return fmt.Sprint("http listener ", s.Addrs()) }

// Ready is closed when Run answers requests.
func (s *Server) Ready() <-chan struct{} { return s.ready }

// Close closes the listener if Run is never called.
func (s *Server) Close() error {
	var errs []error
	for _, l := range s.listeners {
		errs = append(errs, l.Close())
	}
	return errors.Join(errs...)
}

// Run answers requests until ctx is done. It may be called once.
func (s *Server) Run(ctx context.Context) error {
	defer context.AfterFunc(ctx, s.end)()
	g, failed := errgroup.WithContext(ctx)
	for _, l := range s.listeners {
		g.Go(func() error { return s.serve(failed, l) })
	}
	close(s.ready)
	return g.Wait()
}

// serve answers the requests of one address. Each has a server of its own, because the toolkit wraps
// its handler.
func (s *Server) serve(ctx context.Context, l net.Listener) error {
	srv := &http.Server{
		Handler:           s,
		ReadHeaderTimeout: headerTimeout, ReadTimeout: readTimeout, IdleTimeout: idleTimeout,
		// From the header of a request to the last octet of its answer, also for a 401 of the toolkit.
		WriteTimeout:   s.sending,
		MaxHeaderBytes: maxHeader,
		ConnContext:    withConn,
		ConnState:      s.conns.Changed,
		ErrorLog:       slog.NewLogLogger(quiet{s.cfg.Logger.Handler(), &s.failed}, slog.LevelWarn),
	}
	ended := make(chan error, 1)
	go func() {
		ended <- toolkit.Serve(l, srv, &toolkit.FlagConfig{WebConfigFile: &s.cfg.WebConfig}, slog.New(quiet{s.cfg.Logger.Handler(), &s.failed}))
	}()
	select {
	case err := <-ended:
		return errors.Join(err, srv.Close())
	case <-ctx.Done():
	}
	over, cancel := context.WithTimeout(context.WithoutCancel(ctx), endTimeout)
	defer cancel()
	if srv.Shutdown(over) != nil {
		_ = srv.Close()
	}
	_ = l.Close() // the toolkit may have failed before it served
	if err := <-ended; !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

// connKey is the key of the connection of a request in its context.
type connKey struct{}

func withConn(ctx context.Context, conn net.Conn) context.Context {
	return context.WithValue(ctx, connKey{}, conn)
}

// ServeHTTP implements http.Handler.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if conn, ok := r.Context().Value(connKey{}).(net.Conn); ok && !s.conns.SetBusy(conn) {
		w.Header().Set("Connection", "close")
		http.Error(w, "too many connections", http.StatusServiceUnavailable)
		return
	}
	if !s.isOurs(r) {
		w.Header().Set("Connection", "close")
		http.Error(w, "this host is not known here: see http.hosts in the configuration", http.StatusMisdirectedRequest)
		return
	}
	w.Header().Set("X-Content-Type-Options", "nosniff")
	w.Header().Set("Cache-Control", "no-store")
	r.Body = http.MaxBytesReader(w, r.Body, maxBody)
	s.mux.ServeHTTP(w, r)
}

// connectionClosed logs that there are too many connections.
func (s *Server) connectionClosed(_ int, idle bool, suppressed int) {
	if idle {
		s.cfg.Logger.Warn("http listener has too many connections: those that are idle longest are closed", "limit", maxConnections, "suppressed", suppressed)
		return
	}
	s.cfg.Logger.Warn("http listener has too many requests: a new connection is closed", "limit", maxConnections, "suppressed", suppressed)
}
