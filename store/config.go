package store

import (
	"cmp"
	"log/slog"
	"time"
)

// Config says how a store behaves; its zero value is the default.
type Config struct {
	// MinFree is the free disk space, in bytes, below which new events are
	// refused; a quarter more is needed to accept again. 0 means 256 MiB; a
	// negative number refuses none. Open needs a quarter of it.
	MinFree int64
	// MaxSize is the disk space, in bytes, that the store may take, its log
	// included, the ballast not; above it new events are refused until it is
	// below nine tenths. What was accepted is written all the same, and the
	// engine needs some room to tidy up, so it may be passed by a few per cent.
	// 0 means no limit; less than 16 MiB counts as 16 MiB.
	MaxSize int64
	// Ballast is the size, in bytes, of a file that is given back when the
	// disk is full, so that what was accepted can still be written. 0 means
	// 64 MiB; a negative number makes none. It is no larger than MinFree.
	Ballast int64
	// MaxPending is how many changes may wait for the disk before Accepting
	// answers ErrBusy. 0 means 65536.
	MaxPending int
	// AcceptLoss has Open and Load give up what can't be read of the state and of the log, and say
	// in the log what that is, where they would refuse with ErrDamaged. Load must then come before
	// the first Commit.
	AcceptLoss bool
	// Logger gets what an operator should know, and at debug level what the
	// engine tells. nil means no log.
	Logger *slog.Logger
	// Disk is where the files are. nil means the operating system; tests put
	// a disk here that can be full, fail, or lose its power.
	Disk *Disk
}

const (
	defaultMinFree    = 256 << 20
	defaultBallast    = 64 << 20
	defaultMaxPending = 65536

	// leastMaxSize is the smallest MaxSize: the logs alone need some.
	leastMaxSize = 16 << 20

	// maxBatch is the size from which changes go into the next batch.
	maxBatch = 4 << 20
	// maxChange is the largest change; with maxBatch it stays below the size
	// from which the engine treats a batch as a table of its own.
	maxChange = 16 << 20
	// lazyDelay is how long discarded records wait for a commit to ride with.
	// They are promised to be durable within a second, and cost a sync of their
	// own then: on a store without commits at most two a second.
	lazyDelay = 500 * time.Millisecond
)

func (c Config) withDefaults() Config {
	c.MinFree = cmp.Or(c.MinFree, defaultMinFree)
	if c.MaxSize != 0 {
		c.MaxSize = max(c.MaxSize, leastMaxSize)
	}
	c.Ballast = cmp.Or(c.Ballast, defaultBallast)
	c.MaxPending = cmp.Or(max(0, c.MaxPending), defaultMaxPending)
	c.Logger = cmp.Or(c.Logger, slog.New(slog.DiscardHandler))
	return c
}
