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
	// For how many requests recent and older have room, without what recent has grown since the last
	// rotation: the memory of a map never shrinks.
	recentRoom, olderRoom int
	since                 time.Time // when recent began; zero before the first request
}

func newGenerations[V any](span time.Duration) generations[V] {
	return generations[V]{span: span, recent: map[requestKey]V{}}
}

// rotate retires recent when it is too old or full. It reports whether it has.
func (g *generations[V]) rotate(full bool, now time.Time) (rotated bool) {
	if g.since.IsZero() {
		g.since = now
	}
	switch age := now.Sub(g.since); {
	case age >= 2*g.span:
		g.reset(map[requestKey]V{}, now)
	case age >= g.span || full:
		// The memory of the older map is used again, unless it is much too large. A new map has the size of
		// the recent one, so it need not grow under load.
		n := len(g.recent)
		next, room := g.older, g.olderRoom
		if next == nil || room > 2*n+64 {
			next, room = make(map[requestKey]V, n), n
		} else {
			clear(next)
		}
		g.older, g.olderRoom = g.recent, max(g.recentRoom, n)
		g.recent, g.recentRoom, g.since = next, room, now
	default:
		return false
	}
	return true
}

// reset forgets everything but some requests.
func (g *generations[V]) reset(kept map[requestKey]V, now time.Time) {
	g.recent, g.recentRoom, g.older, g.olderRoom, g.since = kept, 0, nil, 0, now
}

// find returns what is remembered of a request.
func (g *generations[V]) find(k requestKey) (v V, known bool) {
	if v, known = g.recent[k]; !known {
		v, known = g.older[k]
	}
	return v, known
}
