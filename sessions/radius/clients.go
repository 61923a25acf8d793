package radius

import (
	"cmp"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"sync"
	"sync/atomic"

	"aaasess/internal/radius"
	"aaasess/internal/throttle"
)

// DisconnectPort is where a NAS listens for Disconnect-Requests (RFC 5176 section 2.3).
const DisconnectPort = 3799

// Client is a NAS, or a network of them, that may send us accounting and that we may send
// Disconnect-Requests.
type Client struct {
	// Name is for logs and statistics; the prefix if it is empty.
	Name string
	// Prefix is the source addresses. Of the clients that match the longest prefix counts; host
	// bits are ignored.
	Prefix netip.Prefix
	// Secret must not be empty.
	Secret radius.Secret
	// DisconnectSecret is that of Disconnect-Requests and their answers; Secret if it is empty.
	DisconnectSecret radius.Secret
	// DisconnectPort is the UDP port for Disconnect-Requests; DisconnectPort if it is 0.
	DisconnectPort uint16
	// DisconnectAddr is where Disconnect-Requests go instead of the NAS's source address (a NAS
	// behind a proxy). It may be invalid: the source address.
	DisconnectAddr netip.Addr
	// DisconnectSource is the address of this host that Disconnect-Requests leave from, of the family of
	// their destination. If it is invalid: the address that the NAS sends its accounting to.
	DisconnectSource netip.Addr
	// DisconnectAttributes is what identifies a session in the first Disconnect-Request for it, in this order;
	// DefaultProfile if it is empty. An attribute's name stands for what the NAS sent of the session, which is left
	// out if it sent nothing; "NAME = VALUE" is this value. Event-Timestamp is now and Message-Authenticator is
	// computed. A NAS that refuses it is asked with more or less, see ladder.
	DisconnectAttributes []string
	// Dictionary has the names of DisconnectAttributes; nil is the standard one.
	Dictionary *radius.Dictionary
}

// client is a Client in use.
type client struct {
	Client
	profile profile
	stats   *clientStats
	owns    func(netip.Addr) bool // whether a source address is this client's: its prefix is the longest
}

// clientStats outlives a reload: it belongs to the prefix.
type clientStats struct {
	counters counters
	logged   dropLog

	// What a Disconnector logs: an answer with a wrong authenticator, and that the source address of its
	// requests is not this host's.
	forged, lost throttle.Line
}

// clientSet is an immutable list of clients, found by longest prefix. Nil has none.
type clientSet struct {
	list   []*client // in the order given
	bits   []int     // the lengths that prefixes have, of both families, longest first
	lookup map[netip.Prefix]*client
}

// currentClients is the clients in use. Reading them takes no lock.
type currentClients struct {
	atomic.Pointer[clientSet]
	replacing sync.Mutex // one at a time
}

// replace puts others in place, all or, with an error, none.
func (c *currentClients) replace(list []Client) error {
	c.replacing.Lock()
	defer c.replacing.Unlock()
	set, err := newClientSet(list, c.Load())
	if err != nil {
		return err
	}
	c.Store(set)
	return nil
}

// newClientSet checks a list of clients. Those whose prefix is in old keep its counters.
func newClientSet(list []Client, old *clientSet) (*clientSet, error) {
	s := &clientSet{lookup: make(map[netip.Prefix]*client, len(list))}
	for _, given := range list {
		c, err := newClient(given)
		if err != nil {
			return nil, fmt.Errorf("radius: client %q: %w", clientName(given), err)
		}
		if other := s.lookup[c.Prefix]; other != nil {
			return nil, fmt.Errorf("radius: client %q: %v is already client %q", c.Name, c.Prefix, other.Name)
		}
		if old != nil && old.lookup[c.Prefix] != nil {
			c.stats = old.lookup[c.Prefix].stats
		}
		c.owns = func(addr netip.Addr) bool { return s.find(addr) == c }
		s.list = append(s.list, c)
		s.lookup[c.Prefix] = c
		s.bits = append(s.bits, c.Prefix.Bits())
	}
	slices.Sort(s.bits)
	slices.Reverse(s.bits)
	s.bits = slices.Compact(s.bits)
	return s, nil
}

func newClient(c Client) (*client, error) {
	c.Name = clientName(c)
	switch {
	case !c.Prefix.IsValid():
		return nil, errors.New("no address")
	case c.Prefix.Addr().Is4In6():
		return nil, fmt.Errorf("%v: write IPv4 addresses as such", c.Prefix)
	case c.Secret == "":
		return nil, errors.New("no secret")
	}
	c.Prefix = c.Prefix.Masked()
	c.DisconnectPort = cmp.Or(c.DisconnectPort, DisconnectPort)
	c.DisconnectSecret = cmp.Or(c.DisconnectSecret, c.Secret)
	c.DisconnectAddr, c.DisconnectSource = c.DisconnectAddr.Unmap(), c.DisconnectSource.Unmap()
	to := cmp.Or(c.DisconnectAddr, c.Prefix.Addr())
	if from := c.DisconnectSource; from.IsValid() && from.Is4() != to.Is4() {
		return nil, fmt.Errorf("disconnect requests cannot go from %v to %v", from, to)
	}
	c.Dictionary = cmp.Or(c.Dictionary, radius.Standard())
	p, err := newProfile(c.Dictionary, c.DisconnectAttributes)
	if err != nil {
		return nil, err
	}
	return &client{Client: c, profile: p, stats: &clientStats{}}, nil
}

func clientName(c Client) string {
	if c.Name == "" {
		return c.Prefix.String()
	}
	return c.Name
}

// find is the client that a source address belongs to, or nil.
func (s *clientSet) find(addr netip.Addr) *client {
	if s == nil {
		return nil
	}
	addr = addr.Unmap().WithZone("") // a Prefix has no zone
	for _, bits := range s.bits {
		p, err := addr.Prefix(bits)
		if err != nil {
			continue // longer than an IPv4 address
		}
		if c := s.lookup[p]; c != nil {
			return c
		}
	}
	return nil
}
