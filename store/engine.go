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

// options are the engine's. What is written is read once in order (records)
// or at start (state), and overwritten or deleted soon: big blocks, no
// filters, a small cache, fast compression. Memory stays below three memtables and the cache.
func (s *Store) options() *pebble.Options {
	log := engineLog{s}
	o := &pebble.Options{
		FS:                          vfs.OnDiskFull(files{s.fsys, s.inventory}, s.diskFull),
		Logger:                      log,
		EventListener:               s.listener(),
		FormatMajorVersion:          pebble.FormatValueSeparation,
		CacheSize:                   32 << 20,
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
	// Queues are read behind their deletions; compacting for reads would only churn.
	o.Experimental.ReadSamplingMultiplier = -1
	return o
}

// memTableSize is 64 MiB: a larger one makes a restart after a kill longer; a
// smaller one is flushed more often, which commits meanwhile feel (BenchmarkLatency:
// with 32 MiB the longest took twice, with 16 MiB four times as long). A log grows
// a little larger, and the engine keeps four to write over, beside those that it
// needs: that must leave most of MaxSize.
func (s *Store) memTableSize() int64 {
	const most = 64 << 20
	if s.cfg.MaxSize == 0 {
		return most
	}
	return min(most, s.cfg.MaxSize/32)
}

// engineLog sends what the engine tells to debug level, and its fatal errors to fail.
type engineLog struct{ s *Store }

func (l engineLog) Infof(format string, args ...any)  { l.debug(format, args) }
func (l engineLog) Errorf(format string, args ...any) { l.debug(format, args) }

func (l engineLog) debug(format string, args []any) {
	if l.s.log.Enabled(context.Background(), slog.LevelDebug) {
		l.s.log.Debug("store engine", "msg", fmt.Sprintf(format, args...))
	}
}

// Fatalf must not return: the engine's state is undefined. Parking its
// goroutine, locks and all, keeps it from doing anything more.
func (l engineLog) Fatalf(format string, args ...any) {
	l.s.fail(fatal{fmt.Sprintf(format, args...), firstError(args)})
	select {}
}

// fatal is what Fatalf was told, around the error that it was told about.
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
	// backgroundPause is how long it is held up after a failure.
	backgroundPause = 100 * time.Millisecond
	// backgroundPatience is, but for tests, how long failures may follow each other without
	// a flush between them, before the store gives up: commits stall by then.
	// Failures half as long apart have nothing to do with each other.
	backgroundPatience = time.Minute
)

// background is called by the engine after background work failed.
func (s *Store) background(err error) {
	if errors.Is(err, pebble.ErrCancelledCompaction) {
		return
	}
	// A full disk is expected to have room again, and a restart would meet a
	// corrupt file again: those are waited out.
	waits := errors.Is(err, syscall.ENOSPC) || pebble.IsCorruptionError(err)
	if s.opening.Load() || !waits && s.trouble.goesOn(time.Now()) {
		s.fail(err)
		select {}
	}
	if suppressed, ok := s.backgroundLine.Allow(time.Now()); ok {
		s.log.Error("store background work failed, will be repeated", "dir", s.dir, "suppressed", suppressed, "err", err)
	}
	if pebble.IsCorruptionError(err) && s.loaded.Load() && !s.stuck.Load() {
		return // it is being cut out, for which the engine's locks are needed
	}
	time.Sleep(backgroundPause)
}

// listener logs what an operator should know, each at most once a minute.
func (s *Store) listener() *pebble.EventListener {
	var corrupt throttle.Line
	return &pebble.EventListener{
		BackgroundError: s.background,
		FlushEnd: func(info pebble.FlushInfo) {
			if info.Err == nil {
				s.trouble.ends()
			}
		},
		// The default is fatal, and a restart would meet the same file again.
		// Reads of it get the error; all else goes on, and what is damaged is cut out.
		DataCorruption: func(info pebble.DataCorruptionInfo) {
			s.suspect(info.Path)
			if suppressed, ok := corrupt.Allow(time.Now()); ok {
				s.log.Error("store file corrupt", "file", info.Path, "suppressed", suppressed, "err", info.Details)
			}
		},
		WriteStallBegin: func(info pebble.WriteStallBeginInfo) {
			s.log.Debug("store engine stalls", "reason", info.Reason)
		},
	}
}

// trouble is the time since which background work fails.
type trouble struct {
	patience time.Duration // backgroundPatience
	mu       sync.Mutex
	since    time.Time
	last     time.Time
}

func (t *trouble) goesOn(now time.Time) (tooLong bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.since.IsZero() || now.Sub(t.last) > t.patience/2 {
		t.since = now
	}
	t.last = now
	return now.Sub(t.since) >= t.patience
}

func (t *trouble) ends() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.since = time.Time{}
}
