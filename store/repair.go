package store

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

// A damaged block of a table makes every read and every compaction fail that
// comes across it. So the keys that it may hold are cut out of the engine, at
// all levels; what can be read of them otherwise is put aside before and put
// back after, so that a crash between loses nothing.

// repairs is what is known of damaged tables.
type repairs struct {
	// cutting is held for reading by whoever writes batches or reads records, for writing while
	// keys are cut out. No lock of the store is held when it is taken.
	cutting sync.RWMutex
	gaveUp  bool        // state was cut out since the start; before other goroutines know the store
	loaded  atomic.Bool // Load has succeeded: what is lost of the state now is known to the caller

	one      sync.Mutex // held by the one repair
	mu       sync.Mutex
	suspects map[uint64]*suspect // by the number of the table

	running atomic.Bool
	stuck   atomic.Bool // the last repair did not cut all out
}

// suspect is a table that the engine could not read.
type suspect struct {
	next time.Time     // when it is to be looked at
	wait time.Duration // after that
}

// repairMost is the longest time between two attempts to cut a damage out.
const repairMost = time.Minute

// suspect takes note of a table that the engine could not read. It is called with the engine's locks held.
func (s *Store) suspect(file string) {
	name, ok := strings.CutSuffix(path.Base(file), ".sst")
	n, err := strconv.ParseUint(name, 10, 64)
	if !ok || err != nil {
		return
	}
	s.repairs.mu.Lock()
	if s.suspects[n] == nil {
		s.suspects[n] = &suspect{wait: time.Second}
	}
	s.repairs.mu.Unlock()
	select {
	case s.nudge <- struct{}{}:
	default:
	}
}

// dueSuspects are the tables to look at now.
func (s *Store) dueSuspects(now time.Time) (tables []uint64) {
	s.repairs.mu.Lock()
	defer s.repairs.mu.Unlock()
	for n, t := range s.suspects {
		if !now.Before(t.next) {
			tables = append(tables, n)
			t.next = now.Add(t.wait)
			t.wait = min(2*t.wait, repairMost)
		}
	}
	return tables
}

func (s *Store) clearSuspect(n uint64) {
	s.repairs.mu.Lock()
	defer s.repairs.mu.Unlock()
	delete(s.suspects, n)
}

// startRepair looks at damaged tables, if there are any, on a goroutine that Close waits for.
func (s *Store) startRepair(now time.Time) {
	if s.diskShort.Load() || s.running.Load() {
		return
	}
	tables := s.dueSuspects(now)
	if len(tables) == 0 {
		return
	}
	s.mu.Lock()
	if s.closed || s.hasFailed() {
		s.mu.Unlock()
		return
	}
	s.reading.Add(1)
	s.mu.Unlock()
	s.running.Store(true)
	go func() {
		defer s.running.Store(false)
		err := s.engine(func() error {
			defer s.reading.Done()
			left, err := s.repair(tables, s.loaded.Load())
			s.stuck.Store(err != nil || len(left) > 0)
			return err
		})
		if err != nil && !errors.Is(err, ErrFailed) {
			s.log.Error("store cannot cut damage out, will be repeated", "dir", s.dir, "err", err)
		}
	}()
}

// repair cuts what is unreadable of some tables out of the engine. Unless state is set, a gap with
// anything but records is left as it is, and returned.
func (s *Store) repair(tables []uint64, state bool) (left []gap, err error) {
	s.one.Lock()
	defer s.one.Unlock()
	var cut []gap
	for _, n := range tables {
		gaps, err := s.gapsOf(n)
		if err != nil {
			return nil, err
		}
		rest := 0
		for i := range gaps {
			g := &gaps[i]
			if !g.isRecords() && !state {
				left = append(left, *g)
				rest++
				continue
			}
			if err := s.cut(g); err != nil {
				return nil, fmt.Errorf("table %s: %w", g.file, err)
			}
			cut = append(cut, *g)
			s.log.Error("store cut unreadable keys out", "dir", s.dir, "file", g.file,
				"from", fmt.Sprintf("%q", g.from), "to", fmt.Sprintf("%q", g.to), "keys_at_most", g.unreadable, "err", plainError(g.err))
		}
		if rest == 0 {
			s.clearSuspect(n)
		}
	}
	for i := range cut {
		if err := s.loseIn(&cut[i]); err != nil {
			return nil, err
		}
	}
	return left, nil
}

// gapsOf looks for what is unreadable in what the engine uses of a table.
func (s *Store) gapsOf(n uint64) (gaps []gap, err error) {
	levels, err := s.db.SSTables()
	if err != nil {
		return nil, err
	}
	for _, level := range levels {
		for i := range level {
			if uint64(level[i].BackingSSTNum) != n {
				continue
			}
			t, err := s.openTable(&level[i])
			var found []gap
			if err == nil {
				found, err = t.walk()
			}
			t.close()
			switch {
			case isPassing(err):
				return nil, err
			case errors.Is(err, fs.ErrNotExist) && !s.isInUse(n):
				return nil, nil // a compaction has rewritten it meanwhile; should that meet damage, it is a suspect again
			case err != nil:
				found = []gap{{file: t.file, from: t.smallest, to: append(bytes.Clone(t.largest), 0), err: err, unreadable: -1}}
			}
			gaps = append(gaps, found...)
		}
	}
	return gaps, nil
}

// isPassing says whether an error is one of the moment, and says nothing about the file.
func isPassing(err error) bool {
	return errors.Is(err, syscall.EMFILE) || errors.Is(err, syscall.ENFILE) || errors.Is(err, syscall.ENOMEM)
}

// isInUse says whether the engine still uses a table; true if that cannot be told.
func (s *Store) isInUse(n uint64) bool {
	levels, err := s.db.SSTables()
	for _, level := range levels {
		for i := range level {
			if uint64(level[i].BackingSSTNum) == n {
				return true
			}
		}
	}
	return err != nil
}

func (g *gap) String() string {
	n := "an unknown number of"
	if g.unreadable >= 0 {
		n = fmt.Sprintf("at most %d", g.unreadable)
	}
	return fmt.Sprintf("table %s, %s keys from %q to %q: %v", g.file, n, g.from, g.to, plainError(g.err))
}

// plainError is the text of an error without what the engine adds for its own reports.
func plainError(err error) string {
	return strings.ReplaceAll(err.Error(), "\n<corruption detail carrier>", "")
}

// loseIn notes which undelivered records were in a gap.
func (s *Store) loseIn(g *gap) error {
	s.mu.Lock()
	var all []*queue
	for _, q := range s.queues {
		all = append(all, q)
	}
	s.mu.Unlock()
	for _, q := range all {
		from, to := seqIn(q, g.from), seqIn(q, g.to)
		for from < to {
			s.mu.Lock()
			runs := q.live(from, 1024, nil)
			s.mu.Unlock()
			if len(runs) == 0 {
				break
			}
			from = runs[len(runs)-1].to
			_, gone, _, err := s.readRuns(q, runs)
			if err != nil {
				return err
			}
			for i, seq := range gone {
				if seq >= to {
					gone = gone[:i]
					break
				}
			}
			s.lose(q, gone, "table "+g.file+": "+plainError(g.err))
		}
	}
	return nil
}

// seqIn is the number of the queue's first record at or after a key.
func seqIn(q *queue, key []byte) uint64 {
	switch n := len(q.records); {
	case bytes.Compare(key, q.records) <= 0:
		return 0
	case !bytes.HasPrefix(key, q.records):
		return ^uint64(0)
	default:
		seq := eightBytes(key[n:])
		if len(key) > n+8 {
			seq++
		}
		return seq
	}
}
