package dae

import (
	"context"
	"maps"
	"net/netip"
	"slices"
	"sync"

	"aaasess/internal/radius"
)

// pendingRequest is a request that waits for its answer.
type pendingRequest struct {
	client  *client
	code    radius.Code // of the request
	request radius.Authenticator
	answer  chan response // capacity 1
}

// end sets the outcome of a request. It returns false if the request already has one.
func (p *pendingRequest) end(r response) bool {
	r.request = p.request
	select {
	case p.answer <- r:
		return true
	default:
		return false
	}
}

// peer is the state of one destination of Disconnect-Requests.
type peer struct {
	slots   chan struct{}             // one element for each identifier in use
	free    radius.IdentifierPool     // identifiers of one socket
	pending map[uint8]*pendingRequest // requests that were sent, by identifier
}

// peerTable allocates identifiers for each peer. A peer is never removed: a NAS would mistake an
// identifier that is reused too soon for a retransmission. There are as many peers as NASes.
type peerTable struct {
	mu    sync.Mutex
	peers map[netip.AddrPort]*peer
}

func (t *peerTable) init() { t.peers = map[netip.AddrPort]*peer{} }

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
	t.peers[addr].pending[identifier] = f
}

// find returns the request that an answer belongs to, or nil.
func (t *peerTable) find(addr netip.AddrPort, identifier uint8) *pendingRequest {
	t.mu.Lock()
	defer t.mu.Unlock()
	p := t.peers[addr]
	if p == nil {
		return nil
	}
	return p.pending[identifier]
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
	delete(p.pending, identifier)
	t.mu.Unlock()
	<-p.slots
}
