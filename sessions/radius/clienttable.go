package radius

import (
	"fmt"
	"net/netip"
	"sync"
	"sync/atomic"

	"aaasess/internal/prefixtable"
)

// ClientTable finds the client of an address, by the longest prefix. V is what its user keeps for each
// client. Reading takes no lock. The zero value is an empty table.
type ClientTable[V any] struct {
	current   atomic.Pointer[clientSet[V]]
	replacing sync.Mutex // one at a time
}

// clientSet is an immutable list of clients.
type clientSet[V any] struct {
	list   []V      // in the order given
	names  []string // of them
	lookup prefixtable.Table[int]
}

// Replace replaces all clients. enter returns what the table keeps for a client, which has its
// defaults: owns reports whether an address is this client's, and before is what the table has kept
// for its prefix until now, or the zero value. After an error, nothing has changed.
func (t *ClientTable[V]) Replace(list []Client, enter func(c Client, owns func(netip.Addr) bool, before V) (V, error)) error {
	t.replacing.Lock()
	defer t.replacing.Unlock()
	set, old := &clientSet[V]{}, t.current.Load()
	for i, c := range list {
		c.Name = clientName(c)
		given, err := c.withDefaults()
		if err == nil {
			err = set.add(i, given, old, enter)
		}
		if err != nil {
			return fmt.Errorf("radius: client %q: %w", c.Name, err)
		}
	}
	t.current.Store(set)
	return nil
}

// add adds the i-th client.
func (s *clientSet[V]) add(i int, c Client, old *clientSet[V], enter func(Client, func(netip.Addr) bool, V) (V, error)) error {
	if other, added := s.lookup.Add(c.Prefix, i); !added {
		return fmt.Errorf("%v is already client %q", c.Prefix, s.names[other])
	}
	var before V
	if old != nil {
		if j, ok := old.lookup.Get(c.Prefix); ok {
			before = old.list[j]
		}
	}
	owns := func(addr netip.Addr) bool {
		j, ok := s.lookup.Find(addr)
		return ok && j == i
	}
	v, err := enter(c, owns, before)
	s.list, s.names = append(s.list, v), append(s.names, c.Name)
	return err
}

// Find returns what the table keeps for the client with an address, or the zero value.
func (t *ClientTable[V]) Find(addr netip.Addr) (v V) {
	s := t.current.Load()
	if s == nil {
		return v
	}
	if i, ok := s.lookup.Find(addr); ok {
		return s.list[i]
	}
	return v
}

// All returns what the table keeps for each client, in the order given. The caller must not change the
// list.
func (t *ClientTable[V]) All() []V {
	s := t.current.Load()
	if s == nil {
		return nil
	}
	return s.list
}
