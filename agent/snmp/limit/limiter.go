package limit

import (
	"encoding/binary"
	"hash/maphash"
	"math"
	"math/bits"
	"net/netip"
	"sync"
	"sync/atomic"
)

const (
	ways = 4    // buckets in a set
	sets = 4096 // a power of two
	// maxAmount bounds rate, burst and cost, so that no sum of two in billionths exceeds an int64.
	maxAmount = math.MaxInt32
	// unit is one token. Levels are counted in billionths: a rate in tokens per second is the same
	// number of billionths per nanosecond, so that refilling is a multiplication and nothing is rounded.
	unit = 1_000_000_000
)

// Limiter is a token bucket for each source address. The zero value does not work: see [New].
type Limiter struct {
	rate atomic.Pointer[rate] // nil: no limit
	seed maphash.Seed
	sets []set
}

type rate struct {
	perSecond int64 // tokens, or billionths of them per nanosecond
	full      int64 // billionths of tokens
}

type set struct {
	mu      sync.Mutex
	buckets [ways]bucket
	_       [24]byte // two cache lines: neighbours do not slow each other down
}

// bucket belongs to the source with this tag; the mutex of its set guards it.
type bucket struct {
	tag   uint64 // of the source; 0: never used
	level int64  // billionths of tokens when last looked at; below 0 after a cost above the burst
	last  int64  // when it was last looked at, allowed or not
}

// New makes a limiter for each source: perSecond tokens in a second, and at most burst at once. Both
// are limited to 2^31-1. A burst below 1 counts as 1; one below the greatest cost works, but makes debts,
// see [Limiter.Allow]. A perSecond of 0 or less means no limit.
func New(perSecond, burst int) *Limiter {
	l := &Limiter{seed: maphash.MakeSeed(), sets: make([]set, sets)}
	l.SetRate(perSecond, burst)
	return l
}

// SetRate changes the limit as [New] describes it, for calls of Allow that begin later. Sources keep
// what they have, up to the new burst.
func (l *Limiter) SetRate(perSecond, burst int) {
	if perSecond <= 0 {
		l.rate.Store(nil)
		return
	}
	l.rate.Store(&rate{
		perSecond: int64(min(perSecond, maxAmount)),
		full:      int64(min(max(burst, 1), maxAmount)) * unit,
	})
}

// Allow takes n tokens from the bucket of src, all or none of them, and reports whether it has. If n is
// above the burst a full bucket is enough, and the rest is a debt that must be paid before anything else
// is allowed: the rate holds on average. An n of 0 or less is always allowed.
//
// now is nanoseconds of a monotonic clock with any zero. A now that is earlier than one seen before, as
// concurrent callers have it, counts as no time since.
func (l *Limiter) Allow(src netip.Addr, n int, now int64) bool {
	r := l.rate.Load()
	if r == nil || n <= 0 {
		return true
	}
	tag := l.tag(src)
	s := &l.sets[tag%sets]
	cost := int64(min(n, maxAmount)) * unit

	s.mu.Lock()
	b := s.bucket(tag, r, now)
	ok := b.take(cost, r, now)
	s.mu.Unlock()
	return ok
}

// tag stands for a source: two of them share one by a chance of 2^-64 that nobody can steer without the
// seed. It is never 0.
func (l *Limiter) tag(src netip.Addr) uint64 {
	var key [9]byte
	if src = src.Unmap(); src.Is4() {
		a := src.As4()
		key[0] = 4
		copy(key[1:], a[:])
	} else {
		a := src.As16()
		key[0] = 6
		binary.LittleEndian.PutUint64(key[1:], binary.LittleEndian.Uint64(a[:8]))
	}
	return max(maphash.Bytes(l.seed, key[:]), 1)
}

// bucket is the one of the source, which gets one if it has none.
func (s *set) bucket(tag uint64, r *rate, now int64) *bucket {
	victim := &s.buckets[0]
	for i := range s.buckets {
		b := &s.buckets[i]
		if b.tag == tag {
			return b
		}
		if b.tag == 0 {
			*b = bucket{tag: tag, level: r.full, last: now}
			return b // used ones are always in front
		}
		if b.last < victim.last {
			victim = b
		}
	}
	victim.tag = tag // the level stays: tokens come by time, never by a change of hands
	return victim
}

// take refills the bucket for the time that has passed, and takes the cost if it may.
func (b *bucket) take(cost int64, r *rate, now int64) bool {
	if elapsed := now - b.last; elapsed > 0 {
		b.last = now
		missing := r.full - b.level
		if hi, gain := bits.Mul64(uint64(elapsed), uint64(r.perSecond)); hi == 0 && int64(gain) >= 0 && int64(gain) < missing {
			b.level += int64(gain)
		} else {
			b.level = r.full
		}
	}
	b.level = min(b.level, r.full) // the burst may have become smaller
	if b.level < min(cost, r.full) {
		return false
	}
	b.level -= cost
	return true
}
