package store

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"syscall"
	"time"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/sstable"
	"github.com/cockroachdb/pebble/v2/vfs"

	"aaasess/internal/throttle"
)

// options returns the options of the engine. Records are read once, in order; state is read at the
// start; both are overwritten or deleted soon. So: large blocks, no filters, a small cache, fast
// compression. Memory stays below three memtables and the cache.
func (s *Store) options() *pebble.Options {
	log := engineLog{s}
	o := &pebble.Options{
		FS:                          vfs.OnDiskFull(s.files(), s.diskFull),
		Logger:                      log,
		EventListener:               s.listener(),
		FormatMajorVersion:          pebble.FormatValueSeparation,
		CacheSize:                   8 << 20,
		MaxOpenFiles:                512,
		MemTableSize:                uint64(s.memTableSize()),
		MemTableStopWritesThreshold: 3,
		L0CompactionThreshold:       8,
		L0StopWritesThreshold:       64,
		LBaseMaxBytes:               256 << 20,
		BytesPerSync:                1 << 20,
		CompactionConcurrencyRange:  func() (int, int) { return 1, 2 },
	}
	o.TargetFileSizes[0] = 8 << 20
	o.FlushSplitBytes = o.TargetFileSizes[0]
	for i := range o.Levels {
		o.Levels[i].BlockSize = 32 << 10
		o.Levels[i].Compression = func() *sstable.CompressionProfile { return sstable.FastestCompression }
	}
	// Queues are read behind their deletions, so compactions that are triggered by reads bring
	// nothing.
	o.Experimental.ReadSamplingMultiplier = -1
	return o
}

// memTableSize returns 64 MiB, or less if MaxSize is small. A larger memtable makes a restart after
// a kill slower. A smaller one is flushed more often, which delays commits (BenchmarkLatency: the
// longest delay was twice as long with 32 MiB, four times with 16 MiB, before flushes were spread). A log grows a little larger
// than a memtable, and the engine keeps four logs for reuse besides those that it needs. All this
// must leave most of MaxSize free.
func (s *Store) memTableSize() int64 {
	const most = 64 << 20
	if s.cfg.MaxSize == 0 {
		return most
	}
	return min(most, s.cfg.MaxSize/32)
}

// engineLog sends the engine's messages to debug level and its fatal errors to Store.fail.
type engineLog struct{ s *Store }

func (l engineLog) Infof(format string, args ...any)  { l.debug(format, args) }
func (l engineLog) Errorf(format string, args ...any) { l.debug(format, args) }

func (l engineLog) debug(format string, args []any) {
	if l.s.log.Enabled(context.Background(), slog.LevelDebug) {
		l.s.log.Debug("store engine", "text", fmt.Sprintf(format, args...))
	}
}

// Fatalf must not return, because the engine's state is undefined. It blocks the engine's
// goroutine, with its locks, so that the engine does nothing more.
func (l engineLog) Fatalf(format string, args ...any) {
	l.s.fail(fatal{fmt.Sprintf(format, args...), firstError(args)})
	select {}
}

// fatal is the message of a Fatalf call. It wraps the error among the arguments.
type fatal struct {
	text  string
	cause error
}

func (e fatal) Error() string { return e.text }
func (e fatal) Unwrap() error { return e.cause }

func firstError(args []any) error {
	for _, a := range args {
		if err, ok := a.(error); ok {
			return err
		}
	}
	return nil
}

// The engine repeats failed background work at once and without end.
const (
	// backgroundPause is how long the engine is made to wait after a failure.
	backgroundPause = 100 * time.Millisecond
	// backgroundPatience is how long failures may continue, without a flush that succeeds between
	// them, before the store fails (tests use less). Commits have stalled by then. Failures more
	// than half as long apart are unrelated.
	backgroundPatience = time.Minute
)

// backgroundError is called by the engine after background work failed.
func (s *Store) backgroundError(err error) {
	if errors.Is(err, pebble.ErrCancelledCompaction) {
		return
	}
	// A full disk may have space again, and a restart would find a corrupt file again. So for these
	// the store waits and does not fail.
	waits := errors.Is(err, syscall.ENOSPC) || pebble.IsCorruptionError(err)
	if s.opening.Load() || !waits && s.backgroundFailures.failed(time.Now()) {
		s.fail(err)
		select {}
	}
	if suppressed, ok := s.backgroundLine.Allow(time.Now()); ok {
		s.log.Error("store background work failed; will retry", "dir", s.dir, "suppressed", suppressed, "err", err)
	}
	if pebble.IsCorruptionError(err) && s.loaded.Load() && !s.stuck.Load() {
		return // the damage is being cut out, which needs the engine's locks
	}
	time.Sleep(backgroundPause)
}

// listener logs what an operator should know, each at most once a minute.
func (s *Store) listener() *pebble.EventListener {
	var corrupt throttle.Line
	return &pebble.EventListener{
		BackgroundError: s.backgroundError,
		FlushBegin:      s.pacer.flushBegins,
		WALCreated:      s.pacer.logCreated,
		FlushEnd: func(info pebble.FlushInfo) {
			if info.Err == nil {
				s.pacer.flushEnded(info)
				s.backgroundFailures.succeeded()
			}
		},
		CompactionEnd: s.pacer.compacted,
		// The default is fatal, and a restart would meet the same file again.
		// Reads of it get the error; all else goes on, and what is damaged is cut out.
		DataCorruption: func(info pebble.DataCorruptionInfo) {
			s.addSuspect(info.Path)
			if suppressed, ok := corrupt.Allow(time.Now()); ok {
				s.log.Error("store file corrupt", "file", info.Path, "suppressed", suppressed, "err", info.Details)
			}
		},
		WriteStallBegin: func(info pebble.WriteStallBeginInfo) {
			s.pacer.stalls(info)
			s.log.Debug("store engine stalls", "reason", info.Reason)
		},
		WriteStallEnd: s.pacer.goesOn,
	}
}

// backgroundFailures measures how long background work has been failing.
type backgroundFailures struct {
	patience time.Duration // backgroundPatience
	mu       sync.Mutex
	since    time.Time
	last     time.Time
}

func (f *backgroundFailures) failed(now time.Time) (tooLong bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.since.IsZero() || now.Sub(f.last) > f.patience/2 {
		f.since = now
	}
	f.last = now
	return now.Sub(f.since) >= f.patience
}

func (f *backgroundFailures) succeeded() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.since = time.Time{}
}
