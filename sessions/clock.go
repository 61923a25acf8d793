package sessions

import "time"

// Boot identifies the boot of the host. From it a loaded table knows how long it was away, even if
// the host's clock was set meanwhile. The zero value means that the boot is not known.
type Boot struct {
	ID     string        // /proc/sys/kernel/random/boot_id
	Uptime time.Duration // time since the boot when the table was made
}

// clock is the clock of a table. When the table is new, it agrees with the host's clock. It never
// steps, not even over a restart. Times of sessions are compared only by this clock. It is set
// once, before several goroutines read it.
type clock struct {
	wall         func() time.Time
	elapsed      func() time.Duration // nil: the monotonic reading of wall is used
	boot         Boot
	setAt        time.Time     // the host's time when this clock was set
	elapsedAtSet time.Duration // elapsed at that moment
	base         Stamp         // this clock's time at that moment
}

func newClock(cfg *Config) clock {
	c := clock{wall: cfg.Now, elapsed: cfg.Elapsed, boot: cfg.Boot}
	if c.wall == nil {
		c.wall = time.Now
	}
	c.setAt = c.wall()
	c.base = stampOf(c.setAt)
	if c.elapsed != nil {
		c.elapsedAtSet = c.elapsed()
	}
	return c
}

// read returns the host's time, and the time since this clock was set.
func (c *clock) read() (wall time.Time, since time.Duration) {
	wall = c.wall()
	if c.elapsed != nil {
		return wall, c.elapsed() - c.elapsedAtSet
	}
	return wall, wall.Sub(c.setAt)
}

// now returns the time on this clock.
func (c *clock) now() Stamp {
	_, since := c.read()
	return c.base.Add(since)
}

// fromHost converts a moment from the host's clock to this one. It also returns the present time.
func (c *clock) fromHost(t time.Time) (at, now Stamp) {
	wall, since := c.read()
	now = c.base.Add(since)
	return now.Add(-wall.Sub(t)), now // Sub uses the monotonic readings if both have one
}

// date converts a time on this clock to the host's clock.
func (c *clock) date(at Stamp) time.Time {
	wall, since := c.read()
	return wall.Round(0).Add(at.Sub(c.base.Add(since)))
}

// anchor is one moment on all clocks, kept with the table's state. boot is a hash of Boot.ID.
type anchor struct {
	table  Stamp
	wall   int64 // nanoseconds since 1970 by the host's clock
	uptime time.Duration
	boot   uint64
}

func (c *clock) anchor() anchor {
	wall, since := c.read()
	return anchor{table: c.base.Add(since), wall: wall.UnixNano(), uptime: c.boot.Uptime + since, boot: c.boot.hash()}
}

// hash returns 0 if the boot is not known.
func (b Boot) hash() uint64 {
	if b.ID == "" {
		return 0
	}
	return max(1, fnv(fnvBasis, b.ID))
}

// resume continues the clock that wrote the state. On the same boot of the host it adds the uptime
// since then. After a reboot it adds the time by the host's clock, unless that went back. If the
// state has no anchor, the clock begins at newest or later: newest is the latest time in the state.
func (c *clock) resume(a anchor, newest Stamp) {
	if a.table.IsZero() { // state of a version without this clock
		c.base = max(c.base, newest)
		return
	}
	away := time.Duration(c.setAt.UnixNano() - a.wall)
	if b := c.boot.hash(); b != 0 && b == a.boot {
		away = c.boot.Uptime - a.uptime
	}
	c.base = a.table.Add(max(0, away))
}
