package store

import (
	"errors"
	"fmt"
	"io/fs"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
)

const (
	// diskFullPause slows down the engine's retries once the ballast is gone.
	diskFullPause = 100 * time.Millisecond
	// diskFullHold is how long new events are refused after the disk was full. The disk may report
	// free space although it is full (a quota, no inodes).
	diskFullHold = 10 * time.Second
	ballastName  = "ballast"
)

// diskFull is called by the engine's file system when a write finds no space. Other writes wait
// until it returns. Then the failed write is tried once more.
func (s *Store) diskFull() {
	s.space.full.Lock()
	s.space.full.last = time.Now()
	s.space.full.Unlock()
	if s.space.diskShort.CompareAndSwap(false, true) {
		s.log.Error("store refuses new events: disk is full", "dir", s.dir)
	}
	if s.dropBallast() {
		return
	}
	if s.opening.Load() {
		s.fail(fmt.Errorf("disk full while opening: %w", ErrNoSpace))
		select {} // the engine would retry without end
	}
	time.Sleep(diskFullPause)
}

// ballastSize returns the size of the ballast, at most MinFree. The ballast is dropped when less
// than a quarter of MinFree is free. That alone must not free enough space to accept new events
// again.
func (s *Store) ballastSize() int64 {
	if s.cfg.MinFree > 0 {
		return min(s.cfg.Ballast, s.cfg.MinFree)
	}
	return s.cfg.Ballast
}

// makeBallast creates the ballast file if it is missing and there is space for it.
func (s *Store) makeBallast() {
	s.space.ballast.Lock()
	defer s.space.ballast.Unlock()
	if s.space.ballast.there || s.cfg.Ballast < 0 {
		return
	}
	if free, ok := s.free(); ok && free-s.ballastSize() < s.cfg.MinFree/4*5 {
		return
	}
	if err := s.writeBallast(); err != nil {
		s.log.Warn("store cannot create its ballast file", "dir", s.dir, "err", err)
		_ = s.fsys.Remove(s.fsys.PathJoin(s.dir, ballastName))
		return
	}
	s.space.ballast.there = true
}

func (s *Store) writeBallast() error {
	f, err := s.fsys.Create(s.fsys.PathJoin(s.dir, ballastName), vfs.WriteCategoryUnspecified)
	if err != nil {
		return err
	}
	return errors.Join(f.Preallocate(0, s.ballastSize()), f.Sync(), f.Close())
}

// dropBallast removes the ballast file, and reports whether there was one.
func (s *Store) dropBallast() bool {
	s.space.ballast.Lock()
	defer s.space.ballast.Unlock()
	was := s.space.ballast.there
	s.space.ballast.there = false
	err := s.fsys.Remove(s.fsys.PathJoin(s.dir, ballastName))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		s.log.Warn("store cannot remove its ballast file", "dir", s.dir, "err", err)
	}
	return was && err == nil
}
