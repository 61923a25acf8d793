package statechange

import (
	"time"

	"aaasess/internal/servers"
)

// The limits of the notifications of one server.
const (
	// Burst is how many may be told at once.
	Burst = 10
	// Every is the time after which one more may be told.
	Every = time.Minute
)

// Limiter decides which changes of servers are told. It only computes: it has no clock and no lock. The
// zero Limiter is ready.
//
//	         tell: the bucket has a token
//	      .---------------------------------.
//	      v                                 |
//	told = present --- change, no token --> told != present, held back
//	      ^                                 |
//	      |  another change, back again     |
//	      '---------------------------------+
//	      '------- Due: a token is back ----'
type Limiter struct {
	servers map[servers.Key]*told
	// Suppressed counts the changes that were held back and will never be told, because the next change
	// came before they could be.
	Suppressed uint64
}

// told is what managers know of a server.
type told struct {
	// full is when the server's bucket of [Burst] tokens is full again, if none is taken until then.
	full time.Time
	dead bool           // the state that was told last
	held servers.Change // the present state, which is not told; Name is "" if there is none
}

// tokenAt returns when the bucket has a token.
func (t *told) tokenAt() time.Time { return t.full.Add(-(Burst - 1) * Every) }

// tell takes a token, and notes that a state is told.
func (t *told) tell(dead bool, now time.Time) {
	if t.full.Before(now) {
		t.full = now
	}
	t.full, t.dead, t.held = t.full.Add(Every), dead, servers.Change{}
}

// Change handles a change. It reports whether it is told now.
func (l *Limiter) Change(c servers.Change, now time.Time) (tell bool) {
	t := l.servers[c.Key()]
	if t == nil {
		if l.servers == nil {
			l.servers = map[servers.Key]*told{}
		}
		t = &told{}
		l.servers[c.Key()] = t
	}
	if t.held.Name != "" {
		l.Suppressed++
		t.held = servers.Change{}
	}
	switch {
	case !now.Before(t.tokenAt()):
		t.tell(c.Dead, now)
		return true
	case c.Dead == t.dead: // managers believe this already
		l.Suppressed++
	default:
		t.held = c
	}
	return false
}

// Due returns the changes that were held back and are told now. It forgets servers of which it would
// remember nothing that matters: the next change of one whose bucket is full is told in any case.
func (l *Limiter) Due(now time.Time) (tell []servers.Change) {
	for key, t := range l.servers {
		switch {
		case t.held.Name != "" && !now.Before(t.tokenAt()):
			tell = append(tell, t.held)
			t.tell(t.held.Dead, now)
		case t.held.Name == "" && !now.Before(t.full):
			delete(l.servers, key)
		}
	}
	return tell
}

// All returns the changes that are held back, which are told now whatever the limit is.
func (l *Limiter) All(now time.Time) (tell []servers.Change) {
	for _, t := range l.servers {
		if t.held.Name != "" {
			tell = append(tell, t.held)
			t.tell(t.held.Dead, now)
		}
	}
	return tell
}

// Next returns when Due has something to tell; zero means never, unless something changes.
func (l *Limiter) Next() (at time.Time) {
	for _, t := range l.servers {
		if token := t.tokenAt(); t.held.Name != "" && (at.IsZero() || token.Before(at)) {
			at = token
		}
	}
	return at
}

// Held returns how many servers have a change that is held back.
func (l *Limiter) Held() (n int) {
	for _, t := range l.servers {
		if t.held.Name != "" {
			n++
		}
	}
	return n
}

// Skip handles a change that is not told whatever the limit is. What is held back is not told either.
// Managers still believe what they were told last.
func (l *Limiter) Skip(c servers.Change) {
	t := l.servers[c.Key()]
	if t == nil {
		return
	}
	if t.held.Name != "" {
		l.Suppressed++
	}
	t.held = servers.Change{}
}

// NotTold handles that a change of Due was not told after all: managers still believe the opposite.
func (l *Limiter) NotTold(c servers.Change) {
	if t := l.servers[c.Key()]; t != nil {
		t.dead = !c.Dead
	}
}
