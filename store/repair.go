package store

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"path"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/cockroachdb/pebble/v2"
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

	mu       sync.Mutex
	suspects map[uint64]*suspect // by the number of the table

	running atomic.Bool
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
			_, err := s.repair(tables, s.loaded.Load())
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
				"from", fmt.Sprintf("%q", g.from), "to", fmt.Sprintf("%q", g.to), "keys_at_most", g.unreadable, "err", g.err)
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
			if err != nil {
				found = []gap{{file: t.file, from: t.smallest, to: append(bytes.Clone(t.largest), 0), err: err, unreadable: -1}}
			}
			gaps = append(gaps, found...)
		}
	}
	return gaps, nil
}

// cut takes the keys of a gap out of the engine and puts back what of them can be read.
func (s *Store) cut(g *gap) error {
	s.cutting.Lock()
	defer s.cutting.Unlock()
	if err := s.db.Flush(); err != nil { // so that all there is is in tables
		return err
	}
	b := s.db.NewBatch()
	defer func() { _ = b.Close() }()
	if err := s.putAside(b, g); err != nil {
		return err
	}
	if err := s.noteState(b, g); err != nil {
		return err
	}
	if err := b.Set([]byte{spaceCut}, appendCut(nil, g.from, g.to), nil); err != nil {
		return err
	}
	if err := s.db.Apply(b, pebble.Sync); err != nil {
		return err
	}
	return s.finishCut()
}

// appendCut appends the value of the cut under way: len(4) from to. It is empty once the keys are out.
func appendCut(b, from, to []byte) []byte {
	b = binary.BigEndian.AppendUint32(b, uint32(len(from)))
	return append(append(b, from...), to...)
}

// finishCut cuts out what is noted to be cut out, if anything, and puts back what was put aside.
func (s *Store) finishCut() error {
	value, closer, err := s.db.Get([]byte{spaceCut})
	if errors.Is(err, pebble.ErrNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	value = bytes.Clone(value)
	if err := closer.Close(); err != nil {
		return err
	}
	if len(value) > 0 {
		if n := uint64(len(value)); n < 4 || n < 4+uint64(binary.BigEndian.Uint32(value)) {
			return fmt.Errorf("cut of %d bytes: %w", n, ErrCorrupt)
		}
		from, to := value[4:4+binary.BigEndian.Uint32(value)], value[4+binary.BigEndian.Uint32(value):]
		if err := s.db.Excise(context.Background(), pebble.KeyRange{Start: from, End: to}); err != nil {
			return err
		}
		if err := s.db.Set([]byte{spaceCut}, nil, pebble.Sync); err != nil {
			return err
		}
	}
	return s.putBack()
}

// putBack moves what was put aside back to its place.
func (s *Store) putBack() error {
	b := s.db.NewBatch()
	defer func() { _ = b.Close() }()
	err := s.each(spaceCopy, func(key, value []byte) error {
		if b.Len() >= maxBatch {
			if err := s.db.Apply(b, pebble.Sync); err != nil {
				return err
			}
			b.Reset()
		}
		return errors.Join(b.Set(key[1:], value, nil), b.Delete(key, nil))
	})
	if err != nil {
		return err
	}
	if err := b.Delete([]byte{spaceCut}, nil); err != nil {
		return err
	}
	return s.db.Apply(b, pebble.Sync)
}

// putAside copies what can be read of a gap's keys.
func (s *Store) putAside(b *pebble.Batch, g *gap) error {
	levels, err := s.db.SSTables(pebble.WithKeyRangeFilter(g.from, g.to))
	if err != nil {
		return err
	}
	for _, level := range levels {
		for i := range level {
			t, err := s.openTable(&level[i])
			if err == nil {
				err = s.copyKeys(b, t, g)
			}
			t.close()
			if err != nil && !pebble.IsCorruptionError(err) && t.file != g.file {
				return err
			}
		}
	}
	return s.copyPositions(b, g)
}

// copyKeys copies the keys of a gap that a table has, as the engine says that they are.
func (s *Store) copyKeys(b *pebble.Batch, t *table, g *gap) error {
	it, err := t.points(maxKey(g.from, t.smallest), minKey(g.to, append(bytes.Clone(t.largest), 0)))
	if err != nil {
		return err
	}
	defer func() { _ = it.Close() }()
	for kv := it.First(); kv != nil; kv = it.Next() {
		key := kv.K.UserKey
		if key[0] >= spaceCut || s.isDelivered(key) {
			continue
		}
		value, closer, err := s.db.Get(key)
		switch {
		case err == nil:
			err = errors.Join(b.Set(append([]byte{spaceCopy}, key...), value, nil), closer.Close())
		case errors.Is(err, pebble.ErrNotFound):
			err = nil
		case pebble.IsCorruptionError(err):
			// No table above has the key, so this one tells the truth, if it is the damaged one.
			err = nil
			if k := kv.K.Kind(); t.file == g.file && (k == pebble.InternalKeyKindSet || k == pebble.InternalKeyKindSetWithDelete) {
				if value, _, err = kv.Value(nil); err == nil {
					err = b.Set(append([]byte{spaceCopy}, key...), value, nil)
				}
			}
		}
		if err != nil {
			return err
		}
		if b.Len() >= maxBatch {
			if err := s.db.Apply(b, pebble.Sync); err != nil {
				return err
			}
			b.Reset()
		}
	}
	return it.Error()
}

func maxKey(a, b []byte) []byte {
	if bytes.Compare(a, b) < 0 {
		return b
	}
	return a
}

func minKey(a, b []byte) []byte {
	if bytes.Compare(a, b) < 0 {
		return a
	}
	return b
}

// isDelivered says whether a key is that of a record that is known to be delivered.
func (s *Store) isDelivered(key []byte) bool {
	if key[0] != spaceRecord {
		return false
	}
	name, seq, err := parseNumberedKey(key, spaceRecord)
	if err != nil {
		return false
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	q := s.queues[name]
	return q != nil && seq < q.durable && (seq < q.low || q.nextLive(seq) != seq)
}

// copyPositions copies the positions of all queues and what else of the store's own is in memory, if
// the gap has any of it. While the store is being opened nothing is in memory yet.
func (s *Store) copyPositions(b *pebble.Batch, g *gap) error {
	if s.opening.Load() || !g.touches(spaceFormat, spaceAcked) && !g.touches(spaceDamage, spaceDamage) {
		return nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	err := b.Set([]byte{spaceCopy, spaceFormat}, appendFormat(nil, format), nil)
	for key, d := range s.damage {
		err = errors.Join(err, b.Set(append([]byte{spaceCopy}, key...), appendDamage(nil, d), nil))
	}
	for _, q := range s.queues {
		if q.next == firstSeq {
			continue
		}
		key := appendQueueKey([]byte{spaceCopy}, spaceQueue, q.name)
		var position [positionLen]byte
		putPosition(position[:], q.low, q.next) // what is on its way may be in the files already
		err = errors.Join(err, b.Set(key, position[:], nil))
		key[1] = spaceAcked
		for n, c := range q.chunks {
			var bits [bitmapLen]byte
			putBitmap(bits[:], &c.bits)
			err = errors.Join(err, b.Set(binary.BigEndian.AppendUint64(key, n), bits[:], nil))
			c.stored = true
		}
	}
	return err
}

// noteState notes that state is lost, so that the next start does not go on as if it were not.
func (s *Store) noteState(b *pebble.Batch, g *gap) error {
	if s.opening.Load() || !s.loaded.Load() || !g.touches(spaceState, spaceState) {
		return nil
	}
	d := &Damage{Records: g.unreadable, At: time.Now().UTC(), Reason: g.String()}
	s.mu.Lock()
	defer s.mu.Unlock()
	for s.damage[d.key()] != nil {
		d.First++
	}
	d.Last = d.First
	s.damage[d.key()] = d
	return b.Set([]byte(d.key()), appendDamage(nil, d), nil)
}

func (g *gap) String() string {
	n := "an unknown number of"
	if g.unreadable >= 0 {
		n = fmt.Sprintf("at most %d", g.unreadable)
	}
	return fmt.Sprintf("table %s, %s keys from %q to %q: %v", g.file, n, g.from, g.to, g.err)
}

// loseIn notes which undelivered records were in a gap.
func (s *Store) loseIn(g *gap) error {
	s.mu.Lock()
	var all []*queue
	for _, q := range s.queues {
		all = append(all, q)
	}
	s.mu.Unlock()
	reason := fmt.Errorf("table %s: %w", g.file, g.err)
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
			s.lose(q, gone, reason)
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
