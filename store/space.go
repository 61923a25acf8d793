package store

import (
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

const (
	// spaceInterval and spaceBytes are how often the space is checked: after a time, and after so
	// many bytes of changes (fewer if MaxSize is small).
	spaceInterval = time.Second
	spaceBytes    = 8 << 20
	// warningHold is how long space must be sufficient before the warning ends. It may change
	// several times while delivered records are compacted.
	warningHold = 10 * time.Second
)

// spaceWatcher watches the free disk space and what the store takes of it.
type spaceWatcher struct {
	// New events are refused while one of these is set.
	diskShort atomic.Bool // too little is free
	oversize  atomic.Bool // the store takes too much

	seen       atomic.Pointer[Space] // what the last check found
	free, size warning               // owned by the watcher

	unchecked   int64        // bytes written since the last request of a check; owned by the writer
	checkAfter  int64        // bytes after which the space is checked again; owned by the writer
	uncompacted atomic.Int64 // bytes written since the state was last compacted

	check   chan struct{} // requests a check
	stop    chan struct{}
	ended   chan struct{} // closed when the watcher ends
	reclaim reclaimer

	ballast struct {
		sync.Mutex
		there bool
	}
	full struct {
		sync.Mutex
		last time.Time // when the disk was full
	}
}

// Space is the space of the disk and of the store, in bytes, at most a second old.
type Space struct {
	Free    int64 // free space on the disk; -1 if unknown
	Size    int64 // taken by the engine's files and log, without the ballast
	MinFree int64 // Config.MinFree
	MaxSize int64 // Config.MaxSize, 0 for no limit
	// WarnFree, WarnSize: Warning is set while Free is below or Size is above. 0 for no limit.
	WarnFree, WarnSize int64
	// AcceptFree, AcceptSize: once new events are refused, they are accepted again when Free is at
	// least and Size is at most this. 0 for no limit.
	AcceptFree, AcceptSize int64
	// FreeWarning is set while Free is below WarnFree, SizeWarning while Size is above WarnSize, each
	// for ten more seconds after that. Warning is set while one of them is.
	FreeWarning, SizeWarning, Warning bool
	// Accepting is why new events are refused now: an error that wraps an error of Store.Accepting.
	// It is nil if they are accepted.
	Accepting error
}

func (w *spaceWatcher) init(maxSize int64) {
	w.checkAfter = spaceBytes
	if maxSize > 0 {
		w.checkAfter = min(spaceBytes, maxSize/64)
	}
	w.check = make(chan struct{}, 1)
	w.reclaim.idle = make(chan struct{}, 1)
	w.reclaim.idle <- struct{}{}
	w.stop = make(chan struct{})
	w.ended = make(chan struct{})
}

func (s *Store) startWatch() {
	go func() {
		defer close(s.space.ended)
		t := time.NewTicker(spaceInterval)
		defer t.Stop()
		for {
			select {
			case <-t.C:
			case <-s.space.check:
			case <-s.space.stop:
				return
			}
			s.checkSpace()
			s.startReclaim(time.Now())
			s.startRepair(time.Now())
		}
	}()
}

func (s *Store) stopWatch() {
	close(s.space.stop)
	<-s.space.ended
}

// hasRoomFor reports whether events would still be accepted if the store took n bytes more.
func (s *Store) hasRoomFor(n int64) bool {
	now := s.space.seen.Load()
	return (now.Free < 0 || now.Free-n >= now.AcceptFree) && (now.AcceptSize == 0 || now.Size+n <= now.AcceptSize)
}

// written counts the bytes that the writer writes, and triggers a space check now and then.
func (s *Store) written(n int64) {
	s.space.uncompacted.Add(n)
	if s.space.unchecked += n; s.space.unchecked < s.space.checkAfter {
		return
	}
	s.space.unchecked = 0
	select {
	case s.space.check <- struct{}{}:
	default:
	}
}

// free returns the free space in bytes; false if the disk does not report it.
func (s *Store) free() (int64, bool) {
	u, err := s.fsys.GetDiskUsage(s.dir)
	if err != nil {
		return 0, false
	}
	return int64(min(u.AvailBytes, 1<<62)), true
}

// size returns the space that the files take on the disk, without the ballast. It includes logs
// that are allocated ahead and tables that wait for removal.
func (s *Store) size() int64 {
	names, err := s.fsys.List(s.dir)
	if err != nil {
		return 0
	}
	sum := int64(0)
	for _, name := range names {
		if name == ballastName {
			continue
		}
		info, err := s.fsys.Stat(s.fsys.PathJoin(s.dir, name))
		if err != nil {
			continue // gone since
		}
		if st, ok := info.Sys().(*syscall.Stat_t); ok {
			sum += st.Blocks * 512
			continue
		}
		sum += info.Size()
	}
	return sum
}

// checkRoomToOpen returns an error if opening could fill the disk. The engine writes its log into
// tables, and retries without end if it cannot.
func (s *Store) checkRoomToOpen() error {
	free, ok := s.free()
	if need := s.cfg.MinFree / 4; ok && free < need {
		return fmt.Errorf("%w: %d bytes free, %d needed to open", ErrNoSpace, free, need)
	}
	return nil
}

// checkSpace refuses or accepts new events, and warns, depending on the free space and the size.
// One goroutine calls it at a time.
func (s *Store) checkSpace() {
	now := s.cfg.limits()
	now.Free, now.Size = -1, s.size()
	if free, ok := s.free(); ok {
		now.Free = free
	}
	refused := s.refuses()
	s.checkWarning(&now)
	if now.Free >= 0 {
		s.checkFree(now.Free)
	}
	s.checkSize(now.Size)
	if refused && !s.refuses() {
		s.log.Warn("store accepts new events again", "dir", s.dir, "free", now.Free, "size", now.Size)
		s.makeBallast()
	}
	now.FreeWarning, now.SizeWarning, now.Warning = s.space.free.on, s.space.size.on, s.space.warned()
	s.pacer.short.Store(now.Warning || s.refuses())
	s.space.seen.Store(&now)
}

// AcceptingMoves reports whether a record may be moved from one queue to another. It is like
// Accepting, but while new events are refused for lack of space, moves may use half of MinFree and
// an eighth more than MaxSize. Moves help to free space: a moved record may be delivered, and takes
// no extra space in the end.
func (s *Store) AcceptingMoves() error {
	err := s.Accepting()
	if !errors.Is(err, ErrNoSpace) {
		return err
	}
	switch now := s.space.seen.Load(); {
	case now == nil || !s.isFullOver(),
		now.Free >= 0 && now.Free < now.MinFree/2,
		now.MaxSize > 0 && now.Size > now.MaxSize/8*9:
		return err
	}
	return nil
}

// refuses reports whether new events are refused for lack of space.
func (s *Store) refuses() bool { return s.space.diskShort.Load() || s.space.oversize.Load() }

// limits returns the limits of Space.
func (c *Config) limits() Space {
	minFree := max(c.MinFree, 0)
	return Space{
		MinFree: minFree, AcceptFree: minFree / 4 * 5, WarnFree: 2 * minFree,
		MaxSize: c.MaxSize, AcceptSize: c.MaxSize / 10 * 9, WarnSize: c.MaxSize / 5 * 4,
	}
}

func (s *Store) checkFree(free int64) {
	switch {
	case free < s.cfg.MinFree:
		if s.space.diskShort.CompareAndSwap(false, true) {
			s.log.Error("store refuses new events: disk space is short",
				"dir", s.dir, "free", free, "min_free", s.cfg.MinFree)
		}
		// The next write may fail, and then no retry helps.
		if free < s.cfg.MinFree/4 {
			s.dropBallast()
		}
	case free >= s.cfg.limits().AcceptFree && s.space.diskShort.Load() && s.isFullOver():
		s.space.diskShort.Store(false)
	}
}

func (s *Store) checkSize(size int64) {
	limit := s.cfg.MaxSize
	switch {
	case limit == 0:
	case size > limit:
		if s.space.oversize.CompareAndSwap(false, true) {
			s.log.Error("store refuses new events: it has reached its maximum size",
				"dir", s.dir, "size", size, "max_size", limit)
		}
	case size <= s.cfg.limits().AcceptSize:
		s.space.oversize.Store(false)
	}
}

// warning is a warning about space.
type warning struct {
	on   bool
	last time.Time // when space was last short enough to warn
}

// set turns the warning on if space is short, and off if it has been sufficient for warningHold.
func (w *warning) set(short bool, now time.Time) {
	if short {
		w.on, w.last = true, now
	} else if w.last.Add(warningHold).Before(now) {
		w.on = false
	}
}

// warned reports what Space.Warning says. Only the watcher calls it.
func (w *spaceWatcher) warned() bool { return w.free.on || w.size.on }

// checkWarning warns once, before events are refused.
func (s *Store) checkWarning(now *Space) {
	before, at := s.space.warned(), time.Now()
	s.space.free.set(now.Free >= 0 && now.Free < now.WarnFree, at)
	s.space.size.set(now.MaxSize > 0 && now.Size > now.WarnSize, at)
	what := []any{"dir", s.dir, "free", now.Free, "min_free", now.MinFree, "size", now.Size, "max_size", now.MaxSize}
	switch after := s.space.warned(); {
	case after && !before:
		s.log.Warn("store is running out of space", what...)
	case before && !after:
		s.log.Warn("store has enough space again", what...)
	}
}

// Space returns the result of the watcher's last check. It reads memory only.
func (s *Store) Space() Space {
	now := *s.space.seen.Load()
	now.Accepting = s.Accepting()
	switch {
	case now.Accepting != ErrNoSpace:
	case s.space.oversize.Load():
		now.Accepting = fmt.Errorf("%w: the store takes %d octets, its limit is %d; accepted again at %d", ErrNoSpace, now.Size, now.MaxSize, now.AcceptSize)
	default:
		now.Accepting = fmt.Errorf("%w: %d octets are free, %d are required; accepted again at %d", ErrNoSpace, now.Free, now.MinFree, now.AcceptFree)
	}
	return now
}

func (s *Store) isFullOver() bool {
	s.space.full.Lock()
	defer s.space.full.Unlock()
	return s.space.full.last.IsZero() || time.Since(s.space.full.last) >= diskFullHold
}
