package partner

import (
	"cmp"
	"context"
	"errors"
	"net"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/nwaples/tacplus"
)

// TacplusOptions configures a Tacplus.
type TacplusOptions struct {
	// Key is the key of its clients; empty means "testing123".
	Key string
	// SingleConnect makes it keep connections for many sessions. Otherwise it closes a connection
	// when all requests are answered, although it returns the client's single-connect flag: it claims
	// what it does not do.
	SingleConnect bool
}

// TacplusServer is the server of nwaples/tacplus as accounting server on loopback. It is a library,
// so it runs in the process of the test.
type TacplusServer struct {
	Addr string // host:port
	Key  string

	t             testing.TB
	singleConnect bool
	listener      net.Listener // nil while it does not run
	running       sync.WaitGroup

	mu       sync.Mutex
	status   uint8
	records  []TacplusRecord
	received int
	conns    map[net.Conn]bool // nil while it does not run
}

// TacplusRecord is a record with the time when it was stored.
type TacplusRecord struct {
	At time.Time
	tacplus.AcctRequest
}

// Tacplus starts one. It ends with the test.
func Tacplus(t testing.TB, opts TacplusOptions) *TacplusServer {
	t.Helper()
	s := &TacplusServer{Addr: "127.0.0.1:0", Key: cmp.Or(opts.Key, "testing123"), t: t, singleConnect: opts.SingleConnect, status: tacplus.AcctStatusSuccess}
	s.Start()
	t.Cleanup(s.Kill)
	return s
}

// Start starts it again after Kill, with the same address.
func (s *TacplusServer) Start() {
	s.t.Helper()
	l, err := net.Listen("tcp", s.Addr)
	if err != nil {
		s.t.Fatal(err)
	}
	s.listener, s.Addr = l, l.Addr().String()
	s.mu.Lock()
	s.conns = map[net.Conn]bool{}
	s.mu.Unlock()
	handler := tacplus.ServerConnHandler{Handler: tacplusHandler{server: s}, ConnConfig: tacplus.ConnConfig{Mux: s.singleConnect, Secret: []byte(s.Key), Log: s.discard}}
	server := tacplus.Server{Log: s.discard, ServeConn: func(c net.Conn) {
		if s.open(c) {
			handler.Serve(c)
			s.mu.Lock()
			delete(s.conns, c)
			s.mu.Unlock()
		}
	}}
	s.running.Go(func() {
		if err := server.Serve(l); !errors.Is(err, net.ErrClosed) {
			s.t.Errorf("partner: tacplus: %v", err)
		}
	})
}

// open reports whether the server runs. If not, it closes the connection.
func (s *TacplusServer) open(c net.Conn) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.conns == nil {
		_ = c.Close()
		return false
	}
	s.conns[c] = true
	return true
}

func (*TacplusServer) discard(...any) {}

// Kill ends it and its connections. It does nothing if it does not run.
func (s *TacplusServer) Kill() {
	if s.listener == nil {
		return
	}
	_ = s.listener.Close()
	s.running.Wait()
	s.listener = nil
	s.mu.Lock()
	defer s.mu.Unlock()
	for c := range s.conns {
		_ = c.Close()
	}
	s.conns = nil
}

// Answer changes the status of its answers. It stores records only with SUCCESS, as at the start.
func (s *TacplusServer) Answer(status uint8) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.status = status
}

// Records returns the records that it stored, in order.
func (s *TacplusServer) Records() []TacplusRecord {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.records)
}

// Received returns how many requests it received, whatever it answered.
func (s *TacplusServer) Received() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.received
}

// tacplusHandler stores accounting records; it gets no other requests.
type tacplusHandler struct {
	tacplus.RequestHandler
	server *TacplusServer
}

// HandleAcctRequest implements tacplus.RequestHandler.
func (h tacplusHandler) HandleAcctRequest(_ context.Context, a *tacplus.AcctRequest, _ *tacplus.ServerSession) *tacplus.AcctReply {
	s := h.server
	s.mu.Lock()
	defer s.mu.Unlock()
	s.received++
	if s.status == tacplus.AcctStatusSuccess {
		s.records = append(s.records, TacplusRecord{time.Now(), *a})
	}
	return &tacplus.AcctReply{Status: s.status}
}
