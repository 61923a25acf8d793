package radius

import (
	"hash/maphash"
	"math/bits"
	"net/netip"
	"sync"
	"time"

	"aaasess/internal/throttle"
)

// dropLog decides which dropped requests of a client, or of all unknown clients, are logged: one
// line a minute for each source and reason, so that none hides another. If there are too many, the
// others share one line a minute. It may be used from any goroutine.
type dropLog struct {
	mu    sync.Mutex
	kinds [numCounters]*reasons // separate for each counter; nil until the first drop
}

// reasons is the log state of one counter.
type reasons struct {
	lines throttle.Lines[reason]
	// sources has a bit for the hash of each source since the last shared line. The number of bits
	// is the number of sources, or a little less if there are fewer than thousands.
	sources [64]uint64
}

// reason identifies a line.
type reason struct {
	source  netip.Addr
	problem string
}

// due is what to log for a request.
type due struct {
	alone bool // log a line for this request
	// log a shared line: how many requests had no line of their own, from at least how many sources
	requests, sources int
}

// due records a dropped request and returns what to log for it.
func (l *dropLog) due(what counter, source netip.Addr, why error, now time.Time) due {
	source = source.Unmap()
	l.mu.Lock()
	defer l.mu.Unlock()
	r := l.kinds[what]
	if r == nil {
		r = &reasons{}
		l.kinds[what] = r
	}
	v := r.lines.Allow(reason{source, why.Error()}, now)
	if !v.Shared {
		return due{alone: v.Write}
	}
	r.addSource(source)
	if !v.Write {
		return due{}
	}
	return due{requests: v.Suppressed + 1, sources: r.countSources()}
}

// sourceSeed prevents an attacker from choosing addresses with equal hashes.
var sourceSeed = maphash.MakeSeed()

// addSource records a source of the shared line.
func (r *reasons) addSource(source netip.Addr) {
	h := maphash.Comparable(sourceSeed, source)
	r.sources[h>>6%64] |= 1 << (h % 64)
}

// countSources returns how many sources were recorded, and clears them.
func (r *reasons) countSources() (n int) {
	for _, word := range r.sources {
		n += bits.OnesCount64(word)
	}
	r.sources = [64]uint64{}
	return n
}
