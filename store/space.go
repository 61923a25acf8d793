package store

import (
	"errors"
	"fmt"
	"io/fs"
	"sync"
	"sync/atomic"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
)

const (
	// spaceInterval and spaceBytes are how often free space is looked at:
	// after a time, and after so many bytes of changes.
	spaceInterval = time.Second
	spaceBytes    = 8 << 20
	// diskFullPause slows the engine's attempts down once the ballast is gone.
	diskFullPause = 100 * time.Millisecond
	// diskFullHold is how long new events are refused after the disk was
	// full, though it may report free space (a quota, no inodes).
	diskFullHold = 10 * time.Second
	ballastName  = "ballast"
)

// space watches the free disk space.
type space struct {
	fsys    vfs.FS // where the files are, without what reacts to a full disk
	opening atomic.Bool
	noSpace atomic.Bool // new events are refused
	fresh   int64       // bytes written since the last nudge; the writer's
	nudge   chan struct{}
	stop    chan struct{}
	watched chan struct{} // closed when the watcher ends

	ballast struct {
		sync.Mutex
		there bool
	}
	full struct {
		sync.Mutex
		last time.Time // when the disk was full
	}
}

func (p *space) init(cfg Config) {
	p.fsys = vfs.Default
	if cfg.Disk != nil {
		p.fsys = cfg.Disk.fsys
	}
	p.nudge = make(chan struct{}, 1)
	p.stop = make(chan struct{})
	p.watched = make(chan struct{})
}

func (s *Store) startWatch() {
	go func() {
		defer close(s.watched)
		t := time.NewTicker(spaceInterval)
		defer t.Stop()
		for {
			select {
			case <-t.C:
			case <-s.nudge:
			case <-s.stop:
				return
			}
			s.checkSpace()
		}
	}()
}

func (s *Store) stopWatch() {
	close(s.stop)
	<-s.watched
}

// written counts what the writer writes and has the space looked at now and then.
func (s *Store) written(n int64) {
	if s.fresh += n; s.fresh < spaceBytes {
		return
	}
	s.fresh = 0
	select {
	case s.nudge <- struct{}{}:
	default:
	}
}

// free is the free space in bytes; false if the disk doesn't tell.
func (s *Store) free() (int64, bool) {
	u, err := s.fsys.GetDiskUsage(s.dir)
	if err != nil {
		return 0, false
	}
	return int64(min(u.AvailBytes, 1<<62)), true
}

// roomToOpen is an error if opening could fill the disk: the engine writes
// what its log holds into tables, and tries again without end if it can't.
func (s *Store) roomToOpen() error {
	free, ok := s.free()
	if need := s.cfg.MinFree / 4; ok && free < need {
		return fmt.Errorf("%w: %d bytes free, %d needed to open", ErrNoSpace, free, need)
	}
	return nil
}

// checkSpace refuses or accepts new events by the free space.
func (s *Store) checkSpace() {
	free, ok := s.free()
	if !ok || s.cfg.MinFree < 0 && !s.noSpace.Load() {
		return
	}
	enough := max(s.cfg.MinFree, 0) / 4 * 5
	switch {
	case free < s.cfg.MinFree:
		if s.noSpace.CompareAndSwap(false, true) {
			s.log.Error("store refuses new events: disk space is short",
				"dir", s.dir, "free", free, "min_free", s.cfg.MinFree)
		}
		// So little is left that the next write may fail where no retry helps.
		if free < s.cfg.MinFree/4 {
			s.dropBallast()
		}
	case free >= enough && s.noSpace.Load() && s.fullIsOver():
		s.noSpace.Store(false)
		s.log.Warn("store accepts new events again", "dir", s.dir, "free", free)
		s.makeBallast()
	}
}

func (s *Store) fullIsOver() bool {
	s.full.Lock()
	defer s.full.Unlock()
	return s.full.last.IsZero() || time.Since(s.full.last) >= diskFullHold
}

// diskFull is called by the engine's file system when a write finds no space.
// Other writes wait for its return, then the failed one is tried once more.
func (s *Store) diskFull() {
	s.full.Lock()
	s.full.last = time.Now()
	s.full.Unlock()
	if s.noSpace.CompareAndSwap(false, true) {
		s.log.Error("store refuses new events: disk is full", "dir", s.dir)
	}
	if s.dropBallast() {
		return
	}
	if s.opening.Load() {
		s.fail(fmt.Errorf("disk full while opening: %w", ErrNoSpace))
		select {} // the engine would try for ever
	}
	time.Sleep(diskFullPause)
}

// ballastSize is the size of the ballast, at most MinFree: when free space is below a quarter of
// MinFree and the ballast is dropped, that alone must not make the space with which new events are
// accepted again.
func (s *Store) ballastSize() int64 {
	if s.cfg.MinFree > 0 {
		return min(s.cfg.Ballast, s.cfg.MinFree)
	}
	return s.cfg.Ballast
}

// makeBallast makes the ballast file if it is missing and there is room for it.
func (s *Store) makeBallast() {
	s.ballast.Lock()
	defer s.ballast.Unlock()
	if s.ballast.there || s.cfg.Ballast < 0 {
		return
	}
	if free, ok := s.free(); ok && free-s.ballastSize() < s.cfg.MinFree/4*5 {
		return
	}
	if err := s.writeBallast(); err != nil {
		s.log.Warn("store has no ballast", "dir", s.dir, "err", err)
		_ = s.fsys.Remove(s.fsys.PathJoin(s.dir, ballastName))
		return
	}
	s.ballast.there = true
}

func (s *Store) writeBallast() error {
	f, err := s.fsys.Create(s.fsys.PathJoin(s.dir, ballastName), vfs.WriteCategoryUnspecified)
	if err != nil {
		return err
	}
	return errors.Join(f.Preallocate(0, s.ballastSize()), f.Sync(), f.Close())
}

// dropBallast gives the ballast back, and reports whether there was one.
func (s *Store) dropBallast() bool {
	s.ballast.Lock()
	defer s.ballast.Unlock()
	was := s.ballast.there
	s.ballast.there = false
	err := s.fsys.Remove(s.fsys.PathJoin(s.dir, ballastName))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		s.log.Warn("store can't give its ballast back", "dir", s.dir, "err", err)
	}
	return was && err == nil
}
