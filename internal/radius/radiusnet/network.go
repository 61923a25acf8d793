package radiusnet

import (
	"cmp"
	"fmt"
	"net"
	"net/netip"
	"sync"
	"time"

	"aaasess/internal/radius/client"
)

// Network has servers and the sockets that reach them. Its methods may be called from any
// goroutine.
type Network struct {
	seed    uint64
	started time.Time
	watch   func(Arrival)

	mu         sync.Mutex // guards the fields below
	hosts      map[netip.AddrPort]*Host
	sockets    map[netip.AddrPort]*socket
	opened     int
	port       uint16 // the last one that was allocated
	arrivals   []Arrival
	faults     []error
	lost       int
	deliveries deliveryQueue
}

// Addresses of sockets without a local address (RFC 5737, RFC 3849).
var (
	anyIPv4 = netip.AddrFrom4([4]byte{198, 51, 100, 1})
	anyIPv6 = netip.AddrFrom16([16]byte{0x20, 0x01, 0x0d, 0xb8, 15: 1})
)

// New creates a network without servers. The same seed gives the same random behaviour.
func New(seed uint64) *Network {
	n := &Network{
		seed: seed, started: time.Now(), port: 49151,
		hosts: map[netip.AddrPort]*Host{}, sockets: map[netip.AddrPort]*socket{},
	}
	n.deliveries.network = n
	return n
}

// Watch calls f with each request that arrives at a server, instead of storing it for Arrivals. It
// must be called before any arrives. f is called from several goroutines, but sequentially for one
// server, and must not call the servers.
func (n *Network) Watch(f func(Arrival)) { n.watch = f }

// Add adds a server to the network. It panics if the address is in use.
func (n *Network) Add(s Server) *Host {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.hosts[s.Addr] != nil {
		panic(fmt.Sprintf("radiusnet: server %s: address %v is taken", s.Name, s.Addr))
	}
	s.Name = cmp.Or(s.Name, s.Addr.String())
	h := &Host{network: n, Server: s, link: s.Link, salt: mix(n.seed, []byte(s.Addr.String()))}
	n.hosts[s.Addr] = h
	return h
}

// Arrivals returns all requests that arrived at servers, in order.
func (n *Network) Arrivals() []Arrival {
	n.mu.Lock()
	defer n.mu.Unlock()
	return append([]Arrival(nil), n.arrivals...)
}

// maxFaults is how many faults are stored.
const maxFaults = 100

// Faults returns the problems of requests that were not valid, or not for the purpose of their
// server, at most the first hundred. Servers do not answer them.
func (n *Network) Faults() []error {
	n.mu.Lock()
	defer n.mu.Unlock()
	return append([]error(nil), n.faults...)
}

// Overflows returns how many answers were lost because a socket's queue was full.
func (n *Network) Overflows() int {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.lost
}

// Sockets returns how many sockets are open, and how many were opened in total.
func (n *Network) Sockets() (open, ever int) {
	n.mu.Lock()
	defer n.mu.Unlock()
	return len(n.sockets), n.opened
}

// Listen opens a socket, for client.OverUDP.
func (n *Network) Listen(network string, laddr netip.AddrPort) (client.Socket, error) {
	addr := laddr.Addr()
	switch {
	case addr.IsValid():
	case network == "udp6":
		addr = anyIPv6
	default:
		addr = anyIPv4
	}
	if addr.Unmap().Is4() != (network == "udp4") {
		return nil, fmt.Errorf("radiusnet: listen %s %v: %w", network, laddr, net.UnknownNetworkError(network))
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	local := netip.AddrPortFrom(addr, laddr.Port())
	for tries := 0; laddr.Port() == 0; tries++ {
		if tries > 1<<16 {
			return nil, fmt.Errorf("radiusnet: listen %s %v: no port is free", network, laddr)
		}
		n.port = max(1024, n.port+1)
		if local = netip.AddrPortFrom(addr, n.port); n.sockets[local] == nil && n.hosts[local] == nil {
			break
		}
	}
	if n.sockets[local] != nil || n.hosts[local] != nil {
		return nil, fmt.Errorf("radiusnet: listen %s %v: address is taken", network, laddr)
	}
	s := newSocket(n, local)
	n.sockets[local] = s
	n.opened++
	return s, nil
}

// socketAt returns the socket with an address, or nil.
func (n *Network) socketAt(addr netip.AddrPort) *socket {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.sockets[addr]
}

func (n *Network) hostAt(addr netip.AddrPort) *Host {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.hosts[addr]
}

// arrived stores a request or passes it to the function of Watch.
func (n *Network) arrived(a Arrival) {
	if n.watch != nil {
		n.watch(a)
		return
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	n.arrivals = append(n.arrivals, a)
}

func (n *Network) fault(err error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if len(n.faults) < maxFaults {
		n.faults = append(n.faults, err)
	}
}
