package throttle

import (
	"sync"
	"time"
)

// MaxKeys is how many keys of a [Lines] have a state of their own at a time.
const MaxKeys = 32

// Lines limits one kind of log line for each key, for example for each sender. Each key may have
// one line in each [Period], so no key hides another. Only [MaxKeys] keys have a state of their
// own, and all others share one. So senders with many or forged addresses fill neither memory nor
// log. A key's state may be reused for another key a Period after its last line; its number of
// suppressed lines is lost then.
type Lines[K comparable] struct {
	mu  sync.Mutex
	own map[K]state // at most MaxKeys
	// oldest is a lower bound of the times in own: until it is a Period ago, no state can be
	// reused.
	oldest time.Time
	shared state
}

// Verdict is the decision of [Lines.Allow].
type Verdict struct {
	// Write reports whether the line may be written.
	Write bool
	// Shared reports that the key has no state of its own. The line stands for all such keys.
	Shared bool
	// Suppressed is the number of suppressed lines of the key, or of all keys without a state,
	// since the previous line. It is 0 if Write is false.
	Suppressed int
}

// Allow decides whether a line of a key may be written now.
func (l *Lines[K]) Allow(key K, now time.Time) (v Verdict) {
	l.mu.Lock()
	defer l.mu.Unlock()
	s, known := l.own[key]
	if !known && !l.hasRoom(now) {
		v.Shared = true
		v.Suppressed, v.Write = l.shared.allow(now, Period)
		return v
	}
	v.Suppressed, v.Write = s.allow(now, Period)
	switch {
	case l.own == nil:
		l.own, l.oldest = map[K]state{}, now
	case len(l.own) == 0:
		l.oldest = now
	}
	l.own[key] = s
	return v
}

// hasRoom reports whether one more key can have a state. It removes states that are older than a
// Period.
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
