package radius

import (
	"hash/maphash"
	"math/bits"
	"net/netip"
	"sync"
	"time"
)

const (
	// logEvery is how often what is dropped of one source for one reason is logged.
	logEvery = time.Minute
	// reasonCap is how many sources and reasons a dropLog tells apart, for each counter. Whoever sends from many addresses,
	// or from forged ones, fills neither memory nor log.
	reasonCap = 32
)

// dropLog decides which dropped requests of a client, or of all unknown ones, are logged: a line a minute for each source
// and reason, so that none hides another. Those that do not fit share a line a minute. It may be used by any goroutine.
type dropLog struct {
	mu    sync.Mutex
	kinds [numCounters]*reasons // what is counted as one thing fills no other's; nil as long as there is nothing
}

// reasons is what was logged of one counter.
type reasons struct {
	last map[reason]time.Time // when each was last logged; at most reasonCap
	// oldest is a lower bound of the times in last: as long as that is not over there is nothing to remove.
	oldest time.Time
	others
}

// reason is what one line is about.
type reason struct {
	source  netip.Addr
	problem string
}

// others is what found no room, since the last line about it.
type others struct {
	logged   time.Time
	requests int
	// sources has a bit for each hash of a source: as many addresses, or a few more, if they are not thousands.
	sources [64]uint64
}

// due is what to log of a request.
type due struct {
	alone bool // a line of its own
	// A line for others: how many requests, from at least how many sources, had no line of their own.
	requests, sources int
}

// due tells what to log of a request that was dropped, and takes note of it.
func (l *dropLog) due(what counter, source netip.Addr, why error, now time.Time) due {
	k := reason{source.Unmap(), why.Error()}
	l.mu.Lock()
	defer l.mu.Unlock()
	r := l.kinds[what]
	if r == nil {
		r = &reasons{last: map[reason]time.Time{}}
		l.kinds[what] = r
	}
	last, known := r.last[k]
	switch {
	case known && now.Sub(last) < logEvery:
		return due{}
	case !known && !r.room(now):
		return r.add(k.source, now)
	}
	if len(r.last) == 0 {
		r.oldest = now
	}
	r.last[k] = now
	return due{alone: true}
}

// room reports whether one more reason fits, and removes what is over.
func (r *reasons) room(now time.Time) bool {
	if len(r.last) < reasonCap {
		return true
	}
	if now.Sub(r.oldest) < logEvery {
		return false
	}
	r.oldest = now
	for k, last := range r.last {
		if now.Sub(last) >= logEvery {
			delete(r.last, k)
		} else if last.Before(r.oldest) {
			r.oldest = last
		}
	}
	return len(r.last) < reasonCap
}

// sourceSeed keeps an attacker from choosing addresses that count as one.
var sourceSeed = maphash.MakeSeed()

// add takes a request that found no room.
func (o *others) add(source netip.Addr, now time.Time) due {
	h := maphash.Comparable(sourceSeed, source)
	o.sources[h>>6%64] |= 1 << (h % 64)
	o.requests++
	if !o.logged.IsZero() && now.Sub(o.logged) < logEvery {
		return due{}
	}
	d := due{requests: o.requests}
	for _, word := range o.sources {
		d.sources += bits.OnesCount64(word)
	}
	*o = others{logged: now}
	return d
}
