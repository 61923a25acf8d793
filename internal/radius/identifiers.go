package radius

// IdentifiersPerSocket is the number of identifiers for requests from one socket to one peer (RFC
// 2865 section 3).
const IdentifiersPerSocket = 256

// IdentifierPool has the free identifiers for one peer, for one or more sockets: number n is
// identifier n%256 of socket n/256. The identifier that was released longest ago is allocated
// first. So a late answer matches no request, and a peer does not mistake a new request for a
// retransmission (RFC 5080 section 2.2.2). The zero value is empty; see [IdentifierPool.Grow]. It
// is not safe for concurrent use.
type IdentifierPool struct {
	ring  []int32 // large enough for all numbers; the free ones begin at first
	first int
	free  int
}

// Grow adds the identifiers of one more socket.
func (p *IdentifierPool) Grow() {
	ring := make([]int32, 0, len(p.ring)+IdentifiersPerSocket)
	for i := range p.free {
		ring = append(ring, p.ring[(p.first+i)%len(p.ring)])
	}
	for n := range IdentifiersPerSocket {
		ring = append(ring, int32(len(p.ring)+n))
	}
	p.first, p.free = 0, len(ring)
	p.ring = ring[:cap(ring)]
}

// Allocate returns the number that was released longest ago, or false if all are in use.
func (p *IdentifierPool) Allocate() (n int, ok bool) {
	if p.free == 0 {
		return 0, false
	}
	n = int(p.ring[p.first])
	p.first = (p.first + 1) % len(p.ring)
	p.free--
	return n, true
}

// Release frees an allocated number.
func (p *IdentifierPool) Release(n int) {
	p.ring[(p.first+p.free)%len(p.ring)] = int32(n)
	p.free++
}
