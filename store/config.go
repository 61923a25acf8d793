package store

import (
	"cmp"
	"log/slog"
	"time"
)

// Config sets how a store behaves. Its zero value is the default.
type Config struct {
	// MinFree is the free disk space, in bytes, below which new events are refused. They are
	// accepted again when a quarter more is free. 0 means 256 MiB; a negative number means that
	// free space does not matter. Open needs a quarter of MinFree.
	MinFree int64
	// MaxSize is the disk space, in bytes, that the store may take, with its log but without the
	// ballast. Above it new events are refused until the size is below nine tenths of MaxSize.
	// Changes that were accepted are still written, and compactions need some space, so the store
	// may exceed MaxSize by a few per cent. 0 means no limit; less than 16 MiB counts as 16 MiB.
	MaxSize int64
	// Ballast is the size, in bytes, of a file that is removed when the disk is full, so that
	// accepted changes can still be written. 0 means 64 MiB; a negative number means no ballast. It
	// is never larger than MinFree.
	Ballast int64
	// MaxPending is how many changes may wait for the disk before Accepting returns ErrBusy. 0
	// means 65536.
	MaxPending int
	// AcceptLoss makes Open and Load discard the parts of the state and of the log that cannot be
	// read, and log them. Without it they fail with ErrDamaged. With it, Load must come before the
	// first Commit.
	AcceptLoss bool
	// Logger gets messages for operators, and the messages of the engine at debug level. nil means
	// no log.
	Logger *slog.Logger
	// Beside are the names of the daemon's other files in the directory. A directory that has files
	// with other names than these and the store's is not closed to other users: it may be a wrong
	// one, such as /etc.
	Beside []string
	// Disk is where the files are. nil means the file system of the operating system. Tests set a
	// disk that can be full, fail, or lose power.
	Disk *Disk
}

// DefaultMinFree is the default of [Config].MinFree, in bytes.
const DefaultMinFree = 256 << 20

const (
	defaultBallast    = 64 << 20
	defaultMaxPending = 65536

	// minMaxSize is the smallest MaxSize, because the logs alone need some space.
	minMaxSize = 16 << 20

	// maxBatch is the size from which further changes go into the next batch.
	maxBatch = 4 << 20
	// maxChange is the largest change. Together with maxBatch it stays below the size from which
	// the engine treats a batch as a table of its own.
	maxChange = 16 << 20
	// maxLatest is the largest put with Put.Latest, which counts only when its batch is sealed.
	maxLatest = 64 << 10
	// discardDelay is how long discarded records wait for a commit that can take them along. They
	// must be durable within a second, and cost a sync of their own then: on a store without
	// commits at most two a second.
	discardDelay = 500 * time.Millisecond
	// patience is how long a [Change.Patient] waits for another change. It is a few syncs long.
	patience = 10 * time.Millisecond
)

func (c Config) withDefaults() Config {
	c.MinFree = cmp.Or(c.MinFree, DefaultMinFree)
	if c.MaxSize != 0 {
		c.MaxSize = max(c.MaxSize, minMaxSize)
	}
	c.Ballast = cmp.Or(c.Ballast, defaultBallast)
	c.MaxPending = cmp.Or(max(0, c.MaxPending), defaultMaxPending)
	c.Logger = cmp.Or(c.Logger, slog.New(slog.DiscardHandler))
	return c
}
