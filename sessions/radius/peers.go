package radius

import (
	"context"
	"maps"
	"net/netip"
	"slices"
	"sync"

	"aaasess/sessions"

	"aaasess/internal/radius"
)

// flight is a Disconnect-Request that waits for its answer.
type flight struct {
	client  *client
	request radius.Authenticator
	answer  chan sessions.Outcome // room for one
}

// end gives a flight its outcome; false if it has one.
func (f *flight) end(out sessions.Outcome) bool {
	select {
	case f.answer <- out:
		return true
	default:
		return false
	}
}

// peer is an address that Disconnect-Requests go to.
type peer struct {
	slots   chan struct{}         // one for each identifier in use
	free    radius.IdentifierPool // of one socket
	flights map[uint8]*flight     // those that were sent
}

// peerTable is the identifiers in use, by peer. A peer stays in it for good, so that an identifier
// is not used again soon: a NAS may take that for a retransmission. There are as many as NASes.
type peerTable struct {
	mu    sync.Mutex
	peers map[netip.AddrPort]*peer
}

func (t *peerTable) init() { t.peers = map[netip.AddrPort]*peer{} }

// acquire takes an identifier; it waits for one if all are in use.
func (t *peerTable) acquire(ctx context.Context, addr netip.AddrPort) (uint8, error) {
	t.mu.Lock()
	p := t.peers[addr]
	if p == nil {
		p = &peer{slots: make(chan struct{}, radius.IdentifiersPerSocket), flights: map[uint8]*flight{}}
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
	n, _ := p.free.Take() // slots leaves one free
	return uint8(n), nil
}

// fly puts a request on its way: find finds it.
func (t *peerTable) fly(addr netip.AddrPort, identifier uint8, f *flight) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.peers[addr].flights[identifier] = f
}

// find is the request that an answer belongs to, or nil.
func (t *peerTable) find(addr netip.AddrPort, identifier uint8) *flight {
	t.mu.Lock()
	defer t.mu.Unlock()
	p := t.peers[addr]
	if p == nil {
		return nil
	}
	return p.flights[identifier]
}

// all is the requests on their way to an address.
func (t *peerTable) all(addr netip.AddrPort) []*flight {
	t.mu.Lock()
	defer t.mu.Unlock()
	p := t.peers[addr]
	if p == nil {
		return nil
	}
	return slices.Collect(maps.Values(p.flights))
}

// release gives an identifier back.
func (t *peerTable) release(addr netip.AddrPort, identifier uint8) {
	t.mu.Lock()
	p := t.peers[addr]
	p.free.Release(int(identifier))
	delete(p.flights, identifier)
	t.mu.Unlock()
	<-p.slots
}
