package stale

import (
	"cmp"
	"context"
	"log/slog"
	"sync/atomic"
	"time"

	"aaasess/internal/radius"
	"aaasess/sessions"
	"aaasess/sessions/silence"
)

// Policy returns when the sessions of a NAS are stale. It is called often, from the Closer's
// goroutine.
type Policy func(*sessions.NAS) silence.Limits

// Config configures a Closer.
type Config struct {
	Table  *sessions.Table
	Policy Policy
	Log    *slog.Logger
	// BeatEvery is how often the table's clock of silences is advanced. The rows are looked at after as
	// many beats as are half a minute by default. 0 means [silence.BeatEvery].
	BeatEvery time.Duration
}

// Closer ends the stale sessions of a table. It is a task.
type Closer struct {
	table  *sessions.Table
	policy atomic.Pointer[Policy]
	log    *slog.Logger
	beat   time.Duration
	ready  chan struct{}
	ended  atomic.Uint64
}

const (
	// beatsPerLook is how many beats of the table's silence.Clock are between two looks at all rows.
	beatsPerLook = int(30 * time.Second / silence.BeatEvery)
	// chunk is how many sessions are ended before others have the table again.
	chunk = 128
	// pause is the least time between two chunks.
	pause = 100 * time.Millisecond
)

// New returns a Closer for a table.
func New(cfg Config) *Closer {
	c := &Closer{table: cfg.Table, log: cfg.Log, beat: cmp.Or(cfg.BeatEvery, silence.BeatEvery), ready: make(chan struct{})}
	c.SetPolicy(cfg.Policy)
	return c
}

// SetPolicy changes the policy. It holds from the next look.
func (c *Closer) SetPolicy(p Policy) { c.policy.Store(&p) }

// Ended returns how many sessions were ended.
func (c *Closer) Ended() uint64 { return c.ended.Load() }

// String names the task for a log.
func (c *Closer) String() string { return "stale sessions" }

// Ready is closed when Run has begun.
func (c *Closer) Ready() <-chan struct{} { return c.ready }

// Run ends stale sessions until ctx is done. Call it once, when NASes can be heard. A look that is due
// before the sessions of the last one have ended is left out.
func (c *Closer) Run(ctx context.Context) error {
	close(c.ready)
	c.table.BeatHearing()
	beat := time.NewTicker(c.beat)
	defer beat.Stop()
	var stale []sessions.StaleSession
	next := make(chan struct{}, 1) // has a value when the next chunk can be ended
	for beats := 1; ; {
		select {
		case <-ctx.Done():
			return nil
		case <-beat.C:
			c.table.BeatHearing()
			if beats++; beats >= beatsPerLook && len(stale) == 0 {
				beats = 0
				if stale = c.look(); len(stale) > 0 {
					next <- struct{}{}
				}
			}
		case <-next:
			n := min(len(stale), chunk)
			now := stale[:n]
			if stale = stale[n:]; len(stale) == 0 {
				c.end(now, func() {})
			} else {
				c.end(now, func() { time.AfterFunc(pause, func() { next <- struct{}{} }) })
			}
		}
	}
}

// look returns the sessions that are stale now.
func (c *Closer) look() (stale []sessions.StaleSession) {
	policy, now := *c.policy.Load(), c.table.HeardTime()
	var nas *sessions.NAS // of the session before, mostly the same as the next
	var limits silence.Limits
	for s := range c.table.View().All() {
		if s.NAS != nas {
			nas, limits = s.NAS, policy(s.NAS)
		}
		if limits == (silence.Limits{}) {
			continue
		}
		granted, _ := s.Granted().Uint32(radius.AcctInterimInterval)
		if limits.Stale(s.Silence, now, time.Duration(granted)*time.Second) {
			stale = append(stale, sessions.StaleSession{ID: s.ID, Heard: s.Silence.Heard})
		}
	}
	return stale
}

// end ends sessions, and calls done when that is durable, so a slow disk slows the Closer down. If the
// journal accepts nothing now, the next look finds them again.
func (c *Closer) end(stale []sessions.StaleSession, done func()) {
	now := c.table.HeardTime()
	ended, err := c.table.EndStale(stale, func(error) { done() })
	if err != nil {
		done()
		return
	}
	c.ended.Add(uint64(len(ended)))
	for _, s := range ended {
		c.log.Info("session is stale, making the stop record", "session", s.ID.String(), "user", s.User(), "nas", s.NAS.String(),
			"silent", (now - min(now, s.Silence.Heard)).Duration())
	}
}
