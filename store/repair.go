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
	"time"

	"aaasess/internal/shortage"
)

// A damaged block of a table makes every read and every compaction fail that reaches it. So the
// keys that the block may hold are cut out of all levels of the engine. Keys that can still be read
// are copied before and restored after, so a crash in between loses nothing.

// repairs is the state of repairing damaged tables.
type repairs struct {
	// cutting is held for reading to write batches or read records, and for writing to cut keys
	// out. No lock of the store is held when it is acquired.
	cutting sync.RWMutex
	// State was cut out at this Open or Load; only used before other goroutines know the store.
	lossAccepted bool
	loaded       atomic.Bool // Load has succeeded, so the caller has the state in memory

	repairing sync.Mutex // held during a repair; only one runs at a time
	mu        sync.Mutex
	suspects  map[uint64]*suspect // by table number

	running atomic.Bool
	stuck   atomic.Bool // the last repair did not cut all damage out
}

// suspect is a table that the engine could not read.
type suspect struct {
	next time.Time     // when to check it
	wait time.Duration // until the check after that
}

// maxRepairWait is the longest time between two attempts to cut out the same damage.
const maxRepairWait = time.Minute

// addSuspect notes a table that the engine could not read. It is called with the engine's locks
// held.
func (s *Store) addSuspect(file string) {
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
	case s.space.check <- struct{}{}:
	default:
	}
}

// dueSuspects returns the tables to check now.
func (s *Store) dueSuspects(now time.Time) (tables []uint64) {
	s.repairs.mu.Lock()
	defer s.repairs.mu.Unlock()
	for n, t := range s.suspects {
		if !now.Before(t.next) {
			tables = append(tables, n)
			t.next = now.Add(t.wait)
			t.wait = min(2*t.wait, maxRepairWait)
		}
	}
	return tables
}

func (s *Store) clearSuspect(n uint64) {
	s.repairs.mu.Lock()
	defer s.repairs.mu.Unlock()
	delete(s.suspects, n)
}

// startRepair checks and repairs damaged tables, if there are any, on a goroutine that Close waits
// for.
func (s *Store) startRepair(now time.Time) {
	if s.space.diskShort.Load() || s.running.Load() {
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
	s.readers.Add(1)
	s.mu.Unlock()
	s.running.Store(true)
	go func() {
		defer s.running.Store(false)
		err := s.callEngine(func() error {
			defer s.readers.Done()
			left, err := s.repair(tables, s.loaded.Load())
			s.stuck.Store(err != nil || len(left) > 0)
			return err
		})
		if err != nil && !errors.Is(err, ErrFailed) {
			s.log.Error("store cannot cut damaged keys out; will retry", "dir", s.dir, "err", err)
		}
	}()
}

// repair cuts the unreadable keys of some tables out of the engine. Unless state is set, a gap that
// may hold more than records is left as it is and returned.
func (s *Store) repair(tables []uint64, state bool) (left []gap, err error) {
	s.repairing.Lock()
	defer s.repairing.Unlock()
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
			s.log.Error("store has cut out unreadable keys", "dir", s.dir, "file", g.file,
				"from", fmt.Sprintf("%q", g.from), "to", fmt.Sprintf("%q", g.to), "keys_at_most", g.unreadable, "err", plainError(g.err))
		}
		if rest == 0 {
			s.clearSuspect(n)
		}
	}
	for i := range cut {
		if err := s.markLostIn(&cut[i]); err != nil {
			return nil, err
		}
	}
	return left, nil
}

// gapsOf finds the unreadable parts of a table, as far as the engine uses it.
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
			case shortage.Is(err):
				return nil, err
			case errors.Is(err, fs.ErrNotExist) && !s.isInUse(n):
				// A compaction has rewritten it; if that meets damage, the new table becomes a suspect.
				return nil, nil
			case err != nil:
				found = []gap{{file: t.file, from: t.smallest, to: append(bytes.Clone(t.largest), 0), err: err, unreadable: -1}}
			}
			gaps = append(gaps, found...)
		}
	}
	return gaps, nil
}

// isInUse reports whether the engine still uses a table. It returns true if that is not known.
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

// plainError returns the text of an error without what the engine adds for its own reports.
func plainError(err error) string {
	return strings.ReplaceAll(err.Error(), "\n<corruption detail carrier>", "")
}

// markLostIn marks the undelivered records of a gap as lost.
func (s *Store) markLostIn(g *gap) error {
	s.mu.Lock()
	var all []*queue
	for _, q := range s.queues {
		all = append(all, q)
	}
	s.mu.Unlock()
	for _, q := range all {
		from, to := firstSeqFrom(q, g.from), firstSeqFrom(q, g.to)
		for from < to {
			s.mu.Lock()
			runs := q.live(from, 1024, nil)
			s.mu.Unlock()
			if len(runs) == 0 {
				break
			}
			from = runs[len(runs)-1].to
			_, gone, _, err := s.readRuns(q, runs, 0)
			if err != nil {
				return err
			}
			for i, seq := range gone {
				if seq >= to {
					gone = gone[:i]
					break
				}
			}
			s.markLost(q, gone, "table "+g.file+": "+plainError(g.err))
		}
	}
	return nil
}

// firstSeqFrom returns the sequence number of the queue's first record at or after a key.
func firstSeqFrom(q *queue, key []byte) uint64 {
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
