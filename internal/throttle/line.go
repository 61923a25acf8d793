package throttle

import (
	"cmp"
	"sync"
	"time"
)

// Period is the time between two lines, unless a [Line] has another.
const Period = time.Minute

// Line is one kind of line of a log. It must not be copied once it is in use.
type Line struct {
	// Every is the time between two lines at least; 0 means [Period]. It does not change.
	Every time.Duration

	mu    sync.Mutex
	place place
}

// Allow reports whether a line is to be written at this moment: the first one, and the first one after each period. If so,
// suppressed is how many were not written since the one before.
func (l *Line) Allow(now time.Time) (suppressed int, ok bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.place.allow(now, l.every())
}

// Next is the moment from which on a line is allowed. It is long past if there was none yet.
func (l *Line) Next() time.Time {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.place.last.Add(l.every())
}

func (l *Line) every() time.Duration { return cmp.Or(l.Every, Period) }

// place is what is known of one kind of line.
type place struct {
	last       time.Time // when one was allowed; zero: never
	suppressed int       // since then
}

func (p *place) allow(now time.Time, every time.Duration) (suppressed int, ok bool) {
	if p.isBusy(now, every) {
		p.suppressed++
		return 0, false
	}
	suppressed = p.suppressed
	*p = place{last: now}
	return suppressed, true
}

// isBusy reports whether the newest line is less than a period old.
func (p *place) isBusy(now time.Time, every time.Duration) bool {
	return !p.last.IsZero() && now.Sub(p.last) < every
}
