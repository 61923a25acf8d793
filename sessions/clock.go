package sessions

import "time"

// Boot tells which boot of the host this is, so that a table that is loaded can tell how long it was away whatever has
// become of the host's clock meanwhile. Its zero value says that this is not known.
type Boot struct {
	ID     string        // of this boot, as /proc/sys/kernel/random/boot_id has it
	Uptime time.Duration // since the boot, at the moment when the table was made
}

// clock is the table's own: it agrees with the host's at first, and never steps, also across restarts. Whatever is
// compared about sessions is compared by it. It is set once, before it is read by several goroutines.
type clock struct {
	wall         func() time.Time
	elapsed      func() time.Duration // nil: as wall's monotonic reading has it
	boot         Boot
	setAt        time.Time     // when it was set, by the host's clock
	elapsedAtSet time.Duration // elapsed then
	base         Stamp         // what it said then
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

// read is the host's clock, and how long it is since this one was set.
func (c *clock) read() (wall time.Time, since time.Duration) {
	wall = c.wall()
	if c.elapsed != nil {
		return wall, c.elapsed() - c.elapsedAtSet
	}
	return wall, wall.Sub(c.setAt)
}

// now is the time on the table's clock.
func (c *clock) now() Stamp {
	_, since := c.read()
	return c.base.Add(since)
}

// of is the time on the table's clock of a moment by the host's, and that of now.
func (c *clock) fromHost(t time.Time) (at, now Stamp) {
	wall, since := c.read()
	now = c.base.Add(since)
	return now.Add(-wall.Sub(t)), now // by the monotonic readings, if both have one
}

// date is the moment by the host's clock of a time on the table's.
func (c *clock) date(at Stamp) time.Time {
	wall, since := c.read()
	return wall.Round(0).Add(at.Sub(c.base.Add(since)))
}

// anchor is a moment by all clocks, kept with the table's state. The boot's ID is kept as a hash.
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

// hash is 0 if the boot is not known.
func (b Boot) hash() uint64 {
	if b.ID == "" {
		return 0
	}
	return max(1, fnv(fnvBasis, b.ID))
}

// resume sets the clock on from where a table before had it: by the time since the boot, or, after another boot, by the
// host's clock if that has gone on. newest is the latest time that the state has.
func (c *clock) resume(a anchor, newest Stamp) {
	if a.table.IsZero() { // state of before there was this clock
		c.base = max(c.base, newest)
		return
	}
	away := time.Duration(c.setAt.UnixNano() - a.wall)
	if b := c.boot.hash(); b != 0 && b == a.boot {
		away = c.boot.Uptime - a.uptime
	}
	c.base = a.table.Add(max(0, away))
}
