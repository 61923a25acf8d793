package throttle

import (
	"cmp"
	"sync"
	"time"
)

// Period is the default time between two lines.
const Period = time.Minute

// Line limits one kind of log line. It must not be copied after first use.
type Line struct {
	// Every is the minimum time between two lines; 0 means [Period]. It must not change after first
	// use.
	Every time.Duration

	mu    sync.Mutex
	state state
}

// Allow reports whether a line may be written now: the first one, and the first one after each
// period. If so, suppressed is the number of lines suppressed since the previous one.
func (l *Line) Allow(now time.Time) (suppressed int, ok bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.state.allow(now, l.every())
}

// Next returns the time from which a line is allowed. If there was no line yet, it is in the past.
func (l *Line) Next() time.Time {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.state.last.Add(l.every())
}

func (l *Line) every() time.Duration { return cmp.Or(l.Every, Period) }

// state is the state of one kind of line.
type state struct {
	last       time.Time // time of the last allowed line; zero means never
	suppressed int       // since then
}

func (s *state) allow(now time.Time, every time.Duration) (suppressed int, ok bool) {
	if s.isBusy(now, every) {
		s.suppressed++
		return 0, false
	}
	suppressed = s.suppressed
	*s = state{last: now}
	return suppressed, true
}

// isBusy reports whether the last line is less than a period old.
func (s *state) isBusy(now time.Time, every time.Duration) bool {
	return !s.last.IsZero() && now.Sub(s.last) < every
}
