package store

import (
	"context"
	"errors"
	"fmt"

	"github.com/cockroachdb/pebble/v2"
)

// ReleaseMemory frees the memory of the memtables of a store at rest. After much traffic there are
// two of 64 MiB: the one that takes changes, and one that the engine keeps for reuse. New ones
// replace them; they use memory only as they fill. What the first holds is written to a table.
// Commits wait while the engine starts a new log, three times. If the memtables have less than 64
// MiB, or the disk has no room for the table, nothing happens. It returns early when ctx is done.
func (s *Store) ReleaseMemory(ctx context.Context) error {
	s.mu.Lock()
	if s.closed || s.refuses() {
		s.mu.Unlock()
		return nil
	}
	s.readers.Add(1)
	s.mu.Unlock()
	err := s.callEngine(func() error {
		defer s.readers.Done()
		if m := s.db.Metrics().MemTable; m.Size+m.ZombieSize >= 64<<20 && s.hasRoomFor(int64(m.Size)) {
			return s.replaceMemtables(ctx)
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("store: release memory: %w", err)
	}
	return nil
}

// replaceMemtables makes the engine drop the memtable in use and the one that it keeps. The engine
// uses the kept one next, and keeps the last that is given up. So an iterator holds each until new
// ones are in use: after three flushes there are two, and the second is given up last.
func (s *Store) replaceMemtables(ctx context.Context) (err error) {
	var held []*pebble.Iterator
	defer func() {
		if v := recover(); v != nil { // it cannot start a new log, and may hold its locks
			s.fail(asError(v))
			err = s.Err()
			return
		}
		for _, it := range held {
			err = errors.Join(err, it.Close())
		}
	}()
	for range 3 {
		it, err := s.db.NewIter(nil)
		if err != nil {
			return err
		}
		held = append(held, it)
		flushed, err := s.db.AsyncFlush() // Close must not wait for a full disk
		if err != nil {
			return err
		}
		select {
		case <-flushed:
		case <-ctx.Done(): // on a full disk the engine tries again without end
			return nil
		case <-s.space.stop:
			return nil
		}
	}
	return nil
}
