package interim

import (
	"cmp"
	"context"
	"slices"
	"sync/atomic"
	"time"

	"aaasess/sessions"
)

// Policy says how often a [Maker] makes interims.
type Policy struct {
	// Minimum is the shortest time between two interims that are made for a session; above 0.
	Minimum time.Duration
	// Period returns how often interims are made for a session; 0 means never. A period below
	// Minimum counts as Minimum. It is called often for each row, so it must be quick.
	Period func(*sessions.Session) time.Duration
}

// Maker makes interim records for the sessions of a table whose NASes send none. It is a task.
type Maker struct {
	table   *sessions.Table
	policy  atomic.Pointer[Policy]
	changed chan struct{}
	ready   chan struct{}
	records atomic.Uint64
}

const (
	// maxWindow is the longest time between two looks at all rows.
	maxWindow = 30 * time.Second
	// tick is how long the Maker sleeps at least before it commits records. What becomes due meanwhile
	// shares their commit.
	tick = 100 * time.Millisecond
	// chunk is how many records are made before others have the table again.
	chunk = 128
	// maxLate is how late a record may be because the disk is slow. After that it is left out, so the
	// records that are late make no long burst.
	maxLate = 10 * time.Second
)

// New returns a Maker for a table.
func New(t *sessions.Table, p Policy) *Maker {
	m := &Maker{table: t, changed: make(chan struct{}, 1), ready: make(chan struct{})}
	m.policy.Store(&p)
	return m
}

// SetPolicy changes the policy. Then no interims are made for the time Minimum. Otherwise a session
// could get one by the old policy and, right after it, one by the new policy.
func (m *Maker) SetPolicy(p Policy) {
	m.policy.Store(&p)
	select {
	case m.changed <- struct{}{}:
	default:
	}
}

// Records returns how many interims were made.
func (m *Maker) Records() uint64 { return m.records.Load() }

// String names the task for a log.
func (m *Maker) String() string { return "interim records" }

// Ready is closed when Run has begun.
func (m *Maker) Ready() <-chan struct{} { return m.ready }

// Run makes interims until ctx is done. Call it once. It makes none for the time Minimum, as after
// SetPolicy, because the daemon may have run before with another policy.
func (m *Maker) Run(ctx context.Context) error {
	close(m.ready)
	for ctx.Err() == nil {
		m.runPolicy(ctx, m.policy.Load())
	}
	return nil
}

// runPolicy makes interims by one policy, until it changes or ctx is done.
func (m *Maker) runPolicy(ctx context.Context, p *Policy) {
	length := min(maxWindow, p.Minimum/2)
	from := m.table.Clock().Add(p.Minimum)
	if !m.sleepUntil(ctx, from) {
		return
	}
	for {
		until := from.Add(length)
		if !m.runWindow(ctx, p.dueBetween(m.table.View(), from, until)) || !m.sleepUntil(ctx, until) {
			return
		}
		// If the host was asleep, what was due meanwhile is left out.
		from = max(until, m.table.Clock().Add(-maxLate))
	}
}

// runWindow makes the interims of a window. It returns false if ctx is done or the policy has
// changed.
func (m *Maker) runWindow(ctx context.Context, w window) bool {
	for len(w) > 0 {
		if !m.sleepUntil(ctx, max(w[0].at, m.table.Clock().Add(tick))) {
			return false
		}
		for len(w) > 0 && w[0].at <= m.table.Clock() {
			var due []sessions.DueInterim
			if due, w = w.split(m.table.Clock()); len(due) > 0 && !m.commit(ctx, due) {
				return false
			}
		}
	}
	return true
}

// commit makes interims and waits until they are durable, so a slow disk slows the Maker down. If
// the journal accepts nothing now, there are none; the next interims of these sessions tell more.
// It returns false if ctx is done.
func (m *Maker) commit(ctx context.Context, due []sessions.DueInterim) bool {
	m.table.RefreshLinks()
	durable := make(chan error, 1)
	n, err := m.table.MakeInterims(due, func(err error) { durable <- err })
	if err != nil {
		return true
	}
	select {
	case err = <-durable:
	case <-ctx.Done():
		return false
	}
	if err == nil {
		m.records.Add(uint64(n))
	}
	return true
}

// sleepUntil waits until a moment. It returns false if ctx is done or the policy has changed.
func (m *Maker) sleepUntil(ctx context.Context, at sessions.Stamp) bool {
	timer := time.NewTimer(at.Sub(m.table.Clock()))
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-m.changed:
		return false
	case <-ctx.Done():
		return false
	}
}

// window has what is due in a window, ordered by time.
type window []dueSession

type dueSession struct {
	at sessions.Stamp
	sessions.DueInterim
}

// dueBetween returns what is due at or after from and before until.
func (p *Policy) dueBetween(v *sessions.View, from, until sessions.Stamp) (w window) {
	for s := range v.All() {
		if !s.WantsInterims() {
			continue
		}
		period := p.Period(s)
		if period <= 0 {
			continue
		}
		period = max(period, p.Minimum)
		at, quiet := nextDue(s.ID, period, from), p.quiet(period)
		if at < until && s.Quiet(at) >= quiet {
			w = append(w, dueSession{at, sessions.DueInterim{ID: s.ID, Quiet: quiet}})
		}
	}
	slices.SortFunc(w, func(a, b dueSession) int { return cmp.Compare(a.at, b.at) })
	return w
}

// quiet returns how long there must have been no record of a session before an interim is made: half
// its period, so that the first one comes a period after the start on average, and at least the
// minimum.
func (p *Policy) quiet(period time.Duration) time.Duration { return max(period/2, p.Minimum) }

// split returns what is due now, at most a chunk, and what is left. What is too late is in neither.
func (w window) split(now sessions.Stamp) (due []sessions.DueInterim, left window) {
	for len(w) > 0 && w[0].at < now.Add(-maxLate) {
		w = w[1:]
	}
	for len(w) > 0 && len(due) < chunk && w[0].at <= now {
		due = append(due, w[0].DueInterim)
		w = w[1:]
	}
	return due, w
}
