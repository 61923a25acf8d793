package dae

import (
	"context"
	"maps"
	"net/netip"
	"slices"
	"sync"

	"aaasess/internal/radius"
)

// peer is the state of one destination of Disconnect-Requests.
type peer struct {
	slots   chan struct{}             // one element for each identifier in use
	free    radius.IdentifierPool     // identifiers of one socket
	pending map[uint8]*pendingRequest // requests that were sent, by identifier
	nas     *nas                      // its statistics; nil: nothing was sent
}

// peerTable allocates identifiers for each peer. A peer is never removed: a NAS would mistake an
// identifier that is reused too soon for a retransmission. There are as many peers as NASes.
type peerTable struct {
	mu    sync.Mutex
	peers map[netip.AddrPort]*peer
	nases nasTable
}

func (t *peerTable) init() { t.peers, t.nases.max = map[netip.AddrPort]*peer{}, maxNASes }

// acquire allocates an identifier. It waits until one is free or ctx ends.
func (t *peerTable) acquire(ctx context.Context, addr netip.AddrPort) (uint8, error) {
	t.mu.Lock()
	p := t.peers[addr]
	if p == nil {
		p = &peer{slots: make(chan struct{}, radius.IdentifiersPerSocket), pending: map[uint8]*pendingRequest{}}
		p.free.Grow()
		t.peers[addr] = p
	}
	t.mu.Unlock()

	select {
	case p.slots <- struct{}{}:
	case <-ctx.Done():
		return 0, ctx.Err()
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	n, _ := p.free.Allocate() // slots guarantees a free identifier
	return uint8(n), nil
}

// register records a request as sent, so that find returns it.
func (t *peerTable) register(addr netip.AddrPort, identifier uint8, f *pendingRequest) {
	t.mu.Lock()
	defer t.mu.Unlock()
	p := t.peers[addr]
	p.pending[identifier] = f
	f.nas = t.nases.enter(p, addr, f.nasIdentifier)
}

// find returns the request that an answer belongs to, or nil, and the NAS that it is from, or nil if
// nothing was sent to that.
func (t *peerTable) find(addr netip.AddrPort, identifier uint8) (*pendingRequest, *nas) {
	t.mu.Lock()
	defer t.mu.Unlock()
	p := t.peers[addr]
	if p == nil {
		return nil, nil
	}
	return p.pending[identifier], p.nas
}

// appendNASes appends what the mutex guards of all NASes to list. It returns the NASes.
func (t *peerTable) appendNASes(list *[]NASStats) []*nas {
	t.mu.Lock()
	defer t.mu.Unlock()
	*list = slices.Grow(*list, len(t.nases.list))
	for _, n := range t.nases.list {
		*list = append(*list, NASStats{Identifier: n.identifier})
	}
	return slices.Clone(t.nases.list)
}

// inFlight returns the requests in flight to an address.
func (t *peerTable) inFlight(addr netip.AddrPort) []*pendingRequest {
	t.mu.Lock()
	defer t.mu.Unlock()
	p := t.peers[addr]
	if p == nil {
		return nil
	}
	return slices.Collect(maps.Values(p.pending))
}

// release frees an identifier.
func (t *peerTable) release(addr netip.AddrPort, identifier uint8) {
	t.mu.Lock()
	p := t.peers[addr]
	p.free.Release(int(identifier))
	if f := p.pending[identifier]; f != nil {
		t.nases.leave(f.nas)
		delete(p.pending, identifier)
	}
	t.mu.Unlock()
	<-p.slots
}
