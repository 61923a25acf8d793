package radius

// IdentifiersPerSocket is how many requests from one socket to one peer their identifiers tell apart (RFC 2865 section 3).
const IdentifiersPerSocket = 256

// IdentifierPool is the identifiers to one peer that no request uses, of one or more sockets: number n is identifier n%256
// of socket n/256. The one that has rested longest is taken first: so a stray answer meets nobody, and no peer takes a new
// request for a retransmission of an old one (RFC 5080 section 2.2.2). The zero value has none; see [IdentifierPool.Grow].
// Its owner guards it.
type IdentifierPool struct {
	ring  []int32 // with room for all numbers; those that are free begin at first
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

// Take takes the number out that was released longest ago; false if all are in use.
func (p *IdentifierPool) Take() (n int, ok bool) {
	if p.free == 0 {
		return 0, false
	}
	n = int(p.ring[p.first])
	p.first = (p.first + 1) % len(p.ring)
	p.free--
	return n, true
}

// Release gives a number back that was taken.
func (p *IdentifierPool) Release(n int) {
	p.ring[(p.first+p.free)%len(p.ring)] = int32(n)
	p.free++
}
