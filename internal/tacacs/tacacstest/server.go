package tacacstest

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"sync"
	"syscall"
	"time"

	"aaasess/internal/tacacs"
)

// Server is an accounting server.
type Server struct {
	key     tacacs.Key
	running sync.WaitGroup // its goroutines

	mu       sync.Mutex
	behavior Behavior
	changed  chan struct{} // closed and replaced when anything below has changed
	stopped  bool
	listener net.Listener // nil in memory and while it is stopped
	addr     string       // of the listener, "" in memory
	conns    map[*conn]bool
	accepted int
	arrivals []Arrival
	problems []error
}

// Arrival is a request that arrived.
type Arrival struct {
	At         time.Time
	Connection int // its number, from 1
	Header     tacacs.Header
	Request    tacacs.AcctRequest
	// Acknowledged: the client was told that the record is stored. It may not have read that.
	Acknowledged bool
}

// New returns a server in memory, whose clients have this key.
func New(key tacacs.Key) *Server {
	return &Server{key: key, changed: make(chan struct{}), conns: map[*conn]bool{}}
}

// Listen makes it listen on a free TCP port of 127.0.0.1. Call it once.
func (s *Server) Listen() error { return s.listen("127.0.0.1:0") }

// Addr returns host and port where it listens, also while it is stopped.
func (s *Server) Addr() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.addr
}

func (s *Server) listen(addr string) error {
	l, err := net.Listen("tcp", addr)
	if err != nil {
		return fmt.Errorf("tacacstest: %w", err)
	}
	s.mu.Lock()
	s.listener, s.addr = l, l.Addr().String()
	s.mu.Unlock()
	s.running.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return // Stop closed it
			}
			s.serve(c)
		}
	})
	return nil
}

// Stop kills it: all connections are closed, and new ones are refused. It returns when all its
// goroutines have ended.
func (s *Server) Stop() {
	s.mu.Lock()
	s.stopped = true
	if s.listener != nil {
		_ = s.listener.Close()
		s.listener = nil
	}
	for c := range s.conns {
		c.close()
	}
	s.notify()
	s.mu.Unlock()
	s.running.Wait()
}

// Start starts it again after Stop, on the same port.
func (s *Server) Start() error {
	s.mu.Lock()
	s.stopped = false
	addr := s.addr
	s.mu.Unlock()
	if addr == "" {
		return nil
	}
	return s.listen(addr)
}

// Set changes what it does with the requests that it reads from now on.
func (s *Server) Set(b Behavior) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.behavior = b
	s.notify()
}

// notify wakes who waits for a change. The caller holds the mutex.
func (s *Server) notify() {
	close(s.changed)
	s.changed = make(chan struct{})
}

// Dial connects in memory; it is a client.Dial.
func (s *Server) Dial(context.Context, string, netip.Addr) (net.Conn, error) {
	near, far := net.Pipe()
	if !s.serve(far) {
		return nil, fmt.Errorf("tacacstest: %w", syscall.ECONNREFUSED)
	}
	return near, nil
}

// Network has servers in memory by host and port.
type Network map[string]*Server

// Dial connects to one of them; it is a client.Dial. There is no route to an unknown address.
func (n Network) Dial(ctx context.Context, address string, local netip.Addr) (net.Conn, error) {
	s := n[address]
	if s == nil {
		return nil, fmt.Errorf("tacacstest: %s: %w", address, syscall.EHOSTUNREACH)
	}
	return s.Dial(ctx, address, local)
}

// serve serves a connection in a goroutine. It returns false if the server is stopped; then the
// connection is closed.
func (s *Server) serve(nc net.Conn) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.stopped {
		_ = nc.Close()
		return false
	}
	s.accepted++
	c := &conn{Conn: nc, server: s, number: s.accepted, done: make(chan struct{}), writing: make(chan struct{}, 1), sessions: map[uint32]bool{}}
	s.conns[c] = true
	s.notify()
	s.running.Go(func() {
		c.run()
		c.close()
		s.mu.Lock()
		defer s.mu.Unlock()
		delete(s.conns, c)
		s.notify()
	})
	return true
}

// Open returns how many connections are open.
func (s *Server) Open() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.conns)
}

// Accepted returns how many connections were ever open.
func (s *Server) Accepted() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.accepted
}

// Arrivals returns the requests that arrived, in order.
func (s *Server) Arrivals() []Arrival {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.arrivals)
}

// Acknowledged returns the requests that it acknowledged, in the order in which they arrived.
func (s *Server) Acknowledged() []Arrival {
	return slices.DeleteFunc(s.Arrivals(), func(a Arrival) bool { return !a.Acknowledged })
}

// Problems returns what clients did that RFC 8907 does not allow.
func (s *Server) Problems() []error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.problems)
}

func (s *Server) problem(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.problems = append(s.problems, err)
	s.notify()
}

// Await returns when the condition holds. It asks again whenever anything has happened. If ctx ends
// first, it returns its error.
func (s *Server) Await(ctx context.Context, condition func() bool) error {
	for {
		_, changed := s.current()
		if condition() {
			return nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return fmt.Errorf("tacacstest: %w", context.Cause(ctx))
		}
	}
}

// current returns the behavior, and a channel that is closed when anything has changed.
func (s *Server) current() (Behavior, <-chan struct{}) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.behavior, s.changed
}

// arrived stores a request and returns its index.
func (s *Server) arrived(a Arrival) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.arrivals = append(s.arrivals, a)
	s.notify()
	return len(s.arrivals) - 1
}

// acknowledge sets whether a request is acknowledged.
func (s *Server) acknowledge(index int, yes bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.arrivals[index].Acknowledged = yes
	s.notify()
}
