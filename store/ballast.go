package store

import (
	"errors"
	"fmt"
	"io/fs"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
)

const (
	// diskFullPause slows the engine's attempts down once the ballast is gone.
	diskFullPause = 100 * time.Millisecond
	// diskFullHold is how long new events are refused after the disk was
	// full, though it may report free space (a quota, no inodes).
	diskFullHold = 10 * time.Second
	ballastName  = "ballast"
)

// diskFull is called by the engine's file system when a write finds no space.
// Other writes wait for its return, then the failed one is tried once more.
func (s *Store) diskFull() {
	s.full.Lock()
	s.full.last = time.Now()
	s.full.Unlock()
	if s.diskShort.CompareAndSwap(false, true) {
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
