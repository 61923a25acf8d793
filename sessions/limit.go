package sessions

import (
	"errors"
	"sync/atomic"
)

// limits refuses starts and interims that would add a row beyond Config.Max, or while memory is
// short. It never refuses stops and the events of sessions that have a row.
type limits struct {
	max             int
	memoryShort     func() bool
	refused         func(error)
	byMax, byMemory atomic.Uint64
}

// Refusals counts the starts and interims that were refused because they would have made a row.
type Refusals struct {
	Max    uint64 // because of Config.Max
	Memory uint64 // because of Config.MemoryShort
}

// Refusals returns how many starts and interims were refused since New.
func (t *Table) Refusals() Refusals {
	return Refusals{Max: t.limits.byMax.Load(), Memory: t.limits.byMemory.Load()}
}

// Max returns Config.Max.
func (t *Table) Max() int { return t.limits.max }

// admit returns why a table with n rows gets no further one, or nil.
func (l *limits) admit(n int) error {
	switch {
	case l.max > 0 && n >= l.max:
		return ErrMax
	case l.memoryShort != nil && l.memoryShort():
		return ErrMemory
	}
	return nil
}

// report counts an event that was not applied, and tells Config.Refused. The caller does not hold
// the table's lock.
func (l *limits) report(err error) {
	switch {
	case errors.Is(err, ErrMax):
		l.byMax.Add(1)
	case errors.Is(err, ErrMemory):
		l.byMemory.Add(1)
	default:
		return
	}
	if l.refused != nil {
		l.refused(err)
	}
}
