package statechange

import "time"

// The limits of the notifications of one thing.
const (
	// Burst is how many may be told at once.
	Burst = 10
	// Every is the time after which one more may be told.
	Every = time.Minute
)

// Limiter decides which changes are told: changes C of things that have the keys K and are good or bad, as
// a server is up or dead. It only computes: it has no clock and no lock. The zero Limiter is ready.
//
//	         tell: the bucket has a token
//	      .---------------------------------.
//	      v                                 |
//	told = present --- change, no token --> told != present, held back
//	      ^                                 |
//	      |  another change, back again     |
//	      '---------------------------------+
//	      '------- Due: a token is back ----'
type Limiter[K comparable, C any] struct {
	things map[K]*told[C]
	// Suppressed counts the changes that were held back and will never be told, because the next change
	// came before they could be.
	Suppressed uint64
}

// told is what managers know of a thing.
type told[C any] struct {
	// full is when the thing's bucket of [Burst] tokens is full again, if none is taken until then.
	full   time.Time
	bad    bool // the state that was told last
	change C    // to the present state; only if held
	held   bool // the present state is not told: it is the opposite of bad
}

// tokenAt returns when the bucket has a token.
func (t *told[C]) tokenAt() time.Time { return t.full.Add(-(Burst - 1) * Every) }

// tell takes a token, and notes that a state is told.
func (t *told[C]) tell(bad bool, now time.Time) {
	if t.full.Before(now) {
		t.full = now
	}
	t.full, t.bad = t.full.Add(Every), bad
	t.drop()
}

// drop forgets the change that is held back.
func (t *told[C]) drop() {
	var none C
	t.change, t.held = none, false
}

// Change handles a change of a thing to bad or good. It reports whether it is told now.
func (l *Limiter[K, C]) Change(key K, bad bool, c C, now time.Time) (tell bool) {
	t := l.things[key]
	if t == nil {
		if l.things == nil {
			l.things = map[K]*told[C]{}
		}
		t = &told[C]{}
		l.things[key] = t
	}
	if t.held {
		l.Suppressed++
		t.drop()
	}
	switch {
	case !now.Before(t.tokenAt()):
		t.tell(bad, now)
		return true
	case bad == t.bad: // managers believe this already
		l.Suppressed++
	default:
		t.change, t.held = c, true
	}
	return false
}

// Due returns the changes that were held back and are told now. It forgets things of which it would
// remember nothing that matters: the next change of one whose bucket is full is told in any case.
func (l *Limiter[K, C]) Due(now time.Time) (tell []C) {
	for key, t := range l.things {
		switch {
		case t.held && !now.Before(t.tokenAt()):
			tell = append(tell, t.change)
			t.tell(!t.bad, now)
		case !t.held && !now.Before(t.full):
			delete(l.things, key)
		}
	}
	return tell
}

// All returns the changes that are held back, which are told now whatever the limit is.
func (l *Limiter[K, C]) All(now time.Time) (tell []C) {
	for _, t := range l.things {
		if t.held {
			tell = append(tell, t.change)
			t.tell(!t.bad, now)
		}
	}
	return tell
}

// Next returns when Due has something to tell; zero means never, unless something changes.
func (l *Limiter[K, C]) Next() (at time.Time) {
	for _, t := range l.things {
		if token := t.tokenAt(); t.held && (at.IsZero() || token.Before(at)) {
			at = token
		}
	}
	return at
}

// Held returns how many things have a change that is held back.
func (l *Limiter[K, C]) Held() (n int) {
	for _, t := range l.things {
		if t.held {
			n++
		}
	}
	return n
}

// Skip handles a change of a thing that is not told whatever the limit is. What is held back is not told
// either. Managers still believe what they were told last.
func (l *Limiter[K, C]) Skip(key K) {
	t := l.things[key]
	if t == nil {
		return
	}
	if t.held {
		l.Suppressed++
	}
	t.drop()
}

// NotTold handles that a change of Due to bad or good was not told after all: managers still believe the
// opposite.
func (l *Limiter[K, C]) NotTold(key K, bad bool) {
	if t := l.things[key]; t != nil {
		t.bad = !bad
	}
}
