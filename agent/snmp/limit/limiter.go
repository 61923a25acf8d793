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
	// maxAmount limits rate, burst and cost, so that the sum of two levels in billionths fits an
	// int64.
	maxAmount = math.MaxInt32
	// unit is one token. Levels are in billionths of a token: a rate in tokens per second equals
	// the same number of billionths per nanosecond, so refilling is a multiplication without
	// rounding.
	unit = 1_000_000_000
)

// Limiter is a token bucket for each source address. Create it with [New]; the zero value does not
// work.
type Limiter struct {
	rate atomic.Pointer[rate] // nil means no limit
	seed maphash.Seed
	sets []set
}

type rate struct {
	perSecond int64 // tokens per second, which is billionths of a token per nanosecond
	full      int64 // burst in billionths of a token
}

type set struct {
	mu      sync.Mutex
	buckets [ways]bucket
	_       [24]byte // two cache lines, so that neighbouring sets do not slow each other down
}

// bucket belongs to the source with this tag. The mutex of its set guards it.
type bucket struct {
	tag   uint64 // of the source; 0 means unused
	level int64  // billionths of a token at the time last; negative after a cost above the burst
	last  int64  // time of the last Allow, whether it succeeded or not
}

// New creates a limiter that allows each source perSecond tokens a second, and at most burst at
// once. Both are capped at 2^31-1. A burst below 1 counts as 1. A burst below the greatest cost
// works, but causes debts, see [Limiter.Allow]. A perSecond of 0 or less means no limit.
func New(perSecond, burst int) *Limiter {
	l := &Limiter{seed: maphash.MakeSeed(), sets: make([]set, sets)}
	l.SetRate(perSecond, burst)
	return l
}

// SetRate changes the limit, as [New] describes it, for later calls of Allow. Sources keep their
// tokens, up to the new burst.
func (l *Limiter) SetRate(perSecond, burst int) {
	l.rate.Store(newRate(perSecond, burst))
}

// newRate returns nil for no limit.
func newRate(perSecond, burst int) *rate {
	if perSecond <= 0 {
		return nil
	}
	return &rate{
		perSecond: int64(min(perSecond, maxAmount)),
		full:      int64(min(max(burst, 1), maxAmount)) * unit,
	}
}

// Allow spends n tokens of src, all or none, and reports whether it did. If n is above the burst, a
// full bucket is enough and the rest becomes a debt: nothing is allowed until it is paid, so the
// average rate holds. An n of 0 or less is always allowed.
//
// now is in nanoseconds of a monotonic clock with any zero point. If now is earlier than in an
// earlier call, as can happen with concurrent callers, no time has passed.
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
	ok := b.spend(cost, r, now)
	s.mu.Unlock()
	return ok
}

// Total is one token bucket for all sources together. It may be used from any number of goroutines.
// Create it with [NewTotal]; the zero value has no limit.
type Total struct {
	rate   atomic.Pointer[rate] // nil means no limit
	mu     sync.Mutex
	bucket bucket // its tag is 1 once it is in use
}

// NewTotal creates a bucket that is full. The amounts are those of [New].
func NewTotal(perSecond, burst int) *Total {
	t := &Total{}
	t.SetRate(perSecond, burst)
	return t
}

// SetRate is [Limiter.SetRate] for the one bucket.
func (t *Total) SetRate(perSecond, burst int) { t.rate.Store(newRate(perSecond, burst)) }

// Allow is [Limiter.Allow] for the one bucket.
func (t *Total) Allow(n int, now int64) bool {
	r := t.rate.Load()
	if r == nil || n <= 0 {
		return true
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.bucket.tag == 0 {
		t.bucket = bucket{tag: 1, level: r.full, last: now}
	}
	return t.bucket.spend(int64(min(n, maxAmount))*unit, r, now)
}

// tag identifies a source. Two sources share a tag with a chance of 2^-64, which nobody can
// increase without the seed. It is never 0.
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

// bucket returns the bucket of the source. If there is none, it assigns one.
func (s *set) bucket(tag uint64, r *rate, now int64) *bucket {
	oldest := &s.buckets[0]
	for i := range s.buckets {
		b := &s.buckets[i]
		if b.tag == tag {
			return b
		}
		if b.tag == 0 {
			*b = bucket{tag: tag, level: r.full, last: now}
			return b // unused buckets are always last
		}
		if b.last < oldest.last {
			oldest = b
		}
	}
	oldest.tag = tag // the level stays: tokens come only with time, not with a new owner
	return oldest
}

// spend refills the bucket for the elapsed time, then subtracts the cost if the level allows it.
func (b *bucket) spend(cost int64, r *rate, now int64) bool {
	if elapsed := now - b.last; elapsed > 0 {
		b.last = now
		missing := r.full - b.level
		if hi, refill := bits.Mul64(uint64(elapsed), uint64(r.perSecond)); hi == 0 && int64(refill) >= 0 && int64(refill) < missing {
			b.level += int64(refill)
		} else {
			b.level = r.full
		}
	}
	b.level = min(b.level, r.full) // the burst may have been reduced
	if b.level < min(cost, r.full) {
		return false
	}
	b.level -= cost
	return true
}
