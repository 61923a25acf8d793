package radiusnet

import (
	"net"
	"net/netip"
	"sync"
)

// QueueLen is how many datagrams a socket queues; further ones are lost.
const QueueLen = 4096

// socket is one end of the network; it implements client.Socket.
type socket struct {
	network *Network
	local   netip.AddrPort

	mu      sync.Mutex // guards the fields below
	arrived *sync.Cond
	queue   []datagram // the unread ones start at head
	head    int
	closed  bool
}

// datagram is a received datagram that waits to be read.
type datagram struct {
	octets []byte
	from   netip.AddrPort
}

func newSocket(n *Network, local netip.AddrPort) *socket {
	s := &socket{network: n, local: local}
	s.arrived = sync.NewCond(&s.mu)
	return s
}

// ReadFromUDPAddrPort waits for a datagram. Octets that do not fit into b are cut off.
func (s *socket) ReadFromUDPAddrPort(b []byte) (int, netip.AddrPort, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for s.head == len(s.queue) && !s.closed {
		s.arrived.Wait()
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

// WriteToUDPAddrPort sends a datagram. Without a receiver it is lost, and there is no error.
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

// Close makes the reader return. A second Close is an error.
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
	s.arrived.Broadcast()
	return nil
}

// enqueue queues a datagram for the reader; the socket owns the octets from now on.
func (s *socket) enqueue(octets []byte, from netip.AddrPort) {
	s.mu.Lock()
	full := len(s.queue)-s.head >= QueueLen
	if !full && !s.closed {
		if s.head >= QueueLen { // the queue is never empty: move its contents to the front
			s.queue = append(s.queue[:0], s.queue[s.head:]...)
			s.head = 0
		}
		s.queue = append(s.queue, datagram{octets, from})
		s.arrived.Signal()
	}
	s.mu.Unlock()
	if full {
		s.network.mu.Lock()
		defer s.network.mu.Unlock()
		s.network.lost++
	}
}
