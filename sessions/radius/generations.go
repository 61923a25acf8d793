package radius

import (
	"net/netip"
	"time"

	"aaasess/internal/radius"
)

// requestKey identifies a datagram (RFC 5080 section 2.2.2). It contains no pointer, so the garbage
// collector does not scan the keys.
type requestKey struct {
	auth radius.Authenticator
	sourceKey
}

// sourceKey is what a NAS may use for one request at a time: its port and an identifier.
type sourceKey struct {
	addr       [16]byte
	port       uint16
	identifier byte
}

func keyOf(p radius.Packet, from netip.AddrPort) requestKey {
	return requestKey{p.Authenticator(), sourceKey{from.Addr().As16(), from.Port(), p.Identifier()}}
}

// generations remembers something about each request, in two maps. The recent map collects requests
// for a span; then it is kept as the older map for as long again. So a request is remembered for at
// least one span and less than two. A full generation is retired early.
type generations[V any] struct {
	span          time.Duration
	recent, older map[requestKey]V
	since         time.Time // when recent began; zero before the first request
}

func newGenerations[V any](span time.Duration) generations[V] {
	return generations[V]{span: span, recent: map[requestKey]V{}}
}

// rotate retires recent when it is too old or full. It reports whether recent is a new map.
func (g *generations[V]) rotate(full bool, now time.Time) (rotated bool) {
	if g.since.IsZero() {
		g.since = now
	}
	switch age := now.Sub(g.since); {
	case age >= 2*g.span:
		g.recent, g.older, g.since = map[requestKey]V{}, nil, now
	case age >= g.span || full:
		// The old size is a good capacity: the map need not grow under load.
		g.recent, g.older, g.since = make(map[requestKey]V, len(g.recent)), g.recent, now
	default:
		return false
	}
	return true
}

// find returns what is remembered of a request.
func (g *generations[V]) find(k requestKey) (v V, known bool) {
	if v, known = g.recent[k]; !known {
		v, known = g.older[k]
	}
	return v, known
}
