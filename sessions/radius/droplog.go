package radius

import (
	"hash/maphash"
	"math/bits"
	"net/netip"
	"sync"
	"time"

	"aaasess/internal/throttle"
)

// dropLog decides which dropped requests of a client, or of all unknown ones, are logged: a line a minute for each source
// and reason, so that none hides another. Those that do not fit share a line a minute. It may be used by any goroutine.
type dropLog struct {
	mu    sync.Mutex
	kinds [numCounters]*reasons // what is counted as one thing fills no other's; nil as long as there is nothing
}

// reasons is what was logged of one counter.
type reasons struct {
	lines throttle.Lines[reason]
	// sources are those of the shared line, since the last one: a bit for each hash of a source. As many bits as addresses
	// are set, or a few less, if they are not thousands.
	sources [64]uint64
}

// reason is what one line is about.
type reason struct {
	source  netip.Addr
	problem string
}

// due is what to log of a request.
type due struct {
	alone bool // a line of its own
	// A line for others: how many requests, from at least how many sources, had no line of their own.
	requests, sources int
}

// due tells what to log of a request that was dropped, and takes note of it.
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
	r.note(source)
	if !v.Write {
		return due{}
	}
	return due{requests: v.Suppressed + 1, sources: r.countSources()}
}

// sourceSeed keeps an attacker from choosing addresses that count as one.
var sourceSeed = maphash.MakeSeed()

// note counts a source of the shared line.
func (r *reasons) note(source netip.Addr) {
	h := maphash.Comparable(sourceSeed, source)
	r.sources[h>>6%64] |= 1 << (h % 64)
}

// countSources is how many sources were noted, which are then forgotten.
func (r *reasons) countSources() (n int) {
	for _, word := range r.sources {
		n += bits.OnesCount64(word)
	}
	r.sources = [64]uint64{}
	return n
}
