package throttle

import (
	"sync"
	"time"
)

// MaxKeys is how many keys a [Lines] tells apart at a time.
const MaxKeys = 32

// Lines is one kind of line of a log, told apart by a key: who causes it, say. Each key has a line in each [Period], so none
// hides another. Only [MaxKeys] keys have a place of their own, so senders with many addresses, or with forged ones, fill
// neither memory nor log: what finds no place shares one. A place can be given to another key from a Period after its newest
// line on; what it had suppressed is then forgotten.
type Lines[K comparable] struct {
	mu  sync.Mutex
	own map[K]place // at most MaxKeys
	// oldest is a lower bound of the times in own: until it is a Period ago there is no place to free.
	oldest time.Time
	shared place
}

// Verdict is what [Lines.Allow] decides about a line.
type Verdict struct {
	// Write: it is to be written.
	Write bool
	// Shared: the key has no place of its own. The line stands for all keys that have none.
	Shared bool
	// Suppressed is how many lines of the key, or of the shared place, were not written since the one before. It is 0 unless
	// Write is true.
	Suppressed int
}

// Allow decides about a line of a key at this moment.
func (l *Lines[K]) Allow(key K, now time.Time) (v Verdict) {
	l.mu.Lock()
	defer l.mu.Unlock()
	p, known := l.own[key]
	if !known && !l.hasRoom(now) {
		v.Shared = true
		v.Suppressed, v.Write = l.shared.allow(now, Period)
		return v
	}
	v.Suppressed, v.Write = p.allow(now, Period)
	switch {
	case l.own == nil:
		l.own, l.oldest = map[K]place{}, now
	case len(l.own) == 0:
		l.oldest = now
	}
	l.own[key] = p
	return v
}

// hasRoom reports whether one more key finds a place, and frees those that are over.
func (l *Lines[K]) hasRoom(now time.Time) bool {
	if len(l.own) < MaxKeys {
		return true
	}
	if now.Sub(l.oldest) < Period {
		return false
	}
	l.oldest = now
	for key, p := range l.own {
		if !p.isBusy(now, Period) {
			delete(l.own, key)
		} else if p.last.Before(l.oldest) {
			l.oldest = p.last
		}
	}
	return len(l.own) < MaxKeys
}
