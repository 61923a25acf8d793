package radiusnet

import (
	"net"
	"net/netip"
	"sync"
)

// QueueLen is how many datagrams a socket holds for its reader; more are lost.
const QueueLen = 4096

// socket is one end of the network: a client.Socket.
type socket struct {
	network *Network
	local   netip.AddrPort

	mu     sync.Mutex // guards what follows
	came   *sync.Cond
	queue  []datagram // from head on
	head   int
	closed bool
}

// datagram is octets that wait to be read.
type datagram struct {
	octets []byte
	from   netip.AddrPort
}

func newSocket(n *Network, local netip.AddrPort) *socket {
	s := &socket{network: n, local: local}
	s.came = sync.NewCond(&s.mu)
	return s
}

// ReadFromUDPAddrPort waits for a datagram. What does not fit into b is cut off.
func (s *socket) ReadFromUDPAddrPort(b []byte) (int, netip.AddrPort, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for s.head == len(s.queue) && !s.closed {
		s.came.Wait()
	}
	if s.closed {
		return 0, netip.AddrPort{}, net.ErrClosed
	}
	d := s.queue[s.head]
	s.queue[s.head] = datagram{}
	s.head++
	if s.head == len(s.queue) {
		s.queue, s.head = s.queue[:0], 0
	}
	return copy(b, d.octets), d.from, nil
}

// WriteToUDPAddrPort sends a datagram. If nobody is there it is lost without an error.
func (s *socket) WriteToUDPAddrPort(b []byte, to netip.AddrPort) (int, error) {
	s.mu.Lock()
	closed := s.closed
	s.mu.Unlock()
	if closed {
		return 0, net.ErrClosed
	}
	if h := s.network.hostAt(to); h != nil {
		h.request(b, s.local)
	}
	return len(b), nil
}

// Close ends the reader. A second one is an error.
func (s *socket) Close() error {
	s.mu.Lock()
	defer func() {
		s.mu.Unlock()
		s.network.mu.Lock()
		defer s.network.mu.Unlock()
		if s.network.sockets[s.local] == s {
			delete(s.network.sockets, s.local)
		}
	}()
	if s.closed {
		return net.ErrClosed
	}
	s.closed, s.queue = true, nil
	s.head = 0
	s.came.Broadcast()
	return nil
}

// put takes a datagram for the reader; the octets are the socket's from now on.
func (s *socket) put(octets []byte, from netip.AddrPort) {
	s.mu.Lock()
	full := len(s.queue)-s.head >= QueueLen
	if !full && !s.closed {
		if s.head >= QueueLen { // a reader that never is quite done
			s.queue = append(s.queue[:0], s.queue[s.head:]...)
			s.head = 0
		}
		s.queue = append(s.queue, datagram{octets, from})
		s.came.Signal()
	}
	s.mu.Unlock()
	if full {
		s.network.mu.Lock()
		defer s.network.mu.Unlock()
		s.network.lost++
	}
}
