package store

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"time"

	"github.com/cockroachdb/pebble/v2"

	"aaasess/internal/shortage"
)

// cut removes the keys of a gap from the engine and restores those that can be read.
func (s *Store) cut(g *gap) error {
	s.cutting.Lock()
	defer s.cutting.Unlock()
	defer s.pacer.wait()() // because commits wait too
	if err := s.flush(g); err != nil {
		return err
	}
	// The copies must not be cut out, so their first byte is above the gap.
	c := &cut{prefix: max(prefixCut, g.to[0]+1), Batch: s.db.NewBatch()}
	defer func() { _ = c.Close() }()
	if err := s.saveCopies(c, g); err != nil {
		return err
	}
	if err := s.noteLostState(c, g); err != nil {
		return err
	}
	if err := c.Set([]byte{c.prefix, cutNote}, appendCut(nil, g.from, g.to), nil); err != nil {
		return err
	}
	if err := s.db.Apply(c.Batch, pebble.Sync); err != nil {
		return err
	}
	refused, err := s.finishCut()
	if err != nil {
		s.fail(err) // the next Open restores the copies, before anything overwrites the keys
		return err
	}
	return refused
}

// cut is what is written before keys are cut out, under a first byte of its own: copies of the keys
// to restore, then a note of the keys to cut out. The note is empty once that is done.
type cut struct {
	*pebble.Batch
	prefix byte
}

// Second octets of its keys.
const (
	cutNote = 0 // -> len(4) from to
	cutCopy = 1 // key -> value
)

func appendCut(b, from, to []byte) []byte {
	b = binary.BigEndian.AppendUint32(b, uint32(len(from)))
	return append(append(b, from...), to...)
}

func parseCut(value []byte) (from, to []byte, err error) {
	if len(value) < 4 || uint64(binary.BigEndian.Uint32(value)) >= uint64(len(value)-4) {
		return nil, nil, fmt.Errorf("cut of %d octets: %w", len(value), ErrCorrupt)
	}
	n := 4 + binary.BigEndian.Uint32(value)
	return bytes.Clone(value[4:n]), bytes.Clone(value[n:]), nil
}

func (c *cut) copy(key, value []byte) error {
	return c.Set(append([]byte{c.prefix, cutCopy}, key...), value, nil)
}

// flush writes the keys of a gap that are in memory to tables. Outside of Open it uses a
// compaction, which may then fail on the damage. The engine's own flush would end the process if it
// cannot start a new log.
func (s *Store) flush(g *gap) (err error) {
	if s.opening.Load() {
		return s.db.Flush()
	}
	ctx, cancel := s.stopContext()
	defer cancel()
	defer func() {
		if v := recover(); v != nil {
			s.fail(asError(v))
			err = s.Err()
		}
	}()
	if err = s.db.Compact(ctx, g.from, g.to, false); pebble.IsCorruptionError(err) {
		return nil
	}
	return err
}

// finishCut cuts out the noted keys, if there are any, and restores the copies. If the engine
// refuses the cut, everything stays as it was.
func (s *Store) finishCut() (refused, err error) {
	prefix, from, to, err := s.pendingCut()
	if err != nil || prefix == 0 {
		return nil, err
	}
	if from != nil {
		refused = s.db.Excise(context.Background(), pebble.KeyRange{Start: from, End: to})
	}
	if from == nil && to == nil || refused != nil { // nothing was cut out, so the copies are not needed
		return refused, s.db.DeleteRange([]byte{prefix}, []byte{prefix + 1}, pebble.Sync)
	}
	if from != nil {
		if err := s.db.Set([]byte{prefix, cutNote}, nil, pebble.Sync); err != nil {
			return nil, err
		}
	}
	return nil, s.restoreCopies(prefix)
}

// restoreCopies moves the copies back to their keys.
func (s *Store) restoreCopies(prefix byte) error {
	b := s.db.NewBatch()
	defer func() { _ = b.Close() }()
	err := s.eachKey(prefix, func(key, value []byte) error {
		if b.Len() >= maxBatch {
			if err := s.db.Apply(b, pebble.Sync); err != nil {
				return err
			}
			b.Reset()
		}
		if key[1] != cutCopy {
			return nil
		}
		return errors.Join(b.Set(key[2:], value, nil), b.Delete(key, nil))
	})
	if err != nil {
		return err
	}
	if err := b.Delete([]byte{prefix, cutNote}, nil); err != nil {
		return err
	}
	return s.db.Apply(b, pebble.Sync)
}

// pendingCut returns the cut that is in progress: its first byte, 0 if there is none, and the keys
// to cut out. from is nil if they are cut out already. to is nil too if no note was written yet.
func (s *Store) pendingCut() (prefix byte, from, to []byte, err error) {
	it, err := s.db.NewIter(&pebble.IterOptions{LowerBound: []byte{prefixCut}})
	if err != nil {
		return 0, nil, nil, err
	}
	if it.First() {
		prefix = it.Key()[0]
		note, err := it.ValueAndErr()
		if err != nil {
			return 0, nil, nil, errors.Join(err, it.Close())
		}
		switch key := it.Key(); {
		case len(key) != 2 || key[1] != cutNote:
		case len(note) == 0:
			to = []byte{}
		default:
			from, to, err = parseCut(note)
			if err != nil {
				return 0, nil, nil, errors.Join(err, it.Close())
			}
		}
	}
	return prefix, from, to, it.Close()
}

// saveCopies copies the readable keys of a gap.
func (s *Store) saveCopies(c *cut, g *gap) error {
	levels, err := s.db.SSTables(pebble.WithKeyRangeFilter(g.from, g.to))
	if err != nil {
		return err
	}
	for _, level := range levels {
		for i := range level {
			t, err := s.openTable(&level[i])
			if err == nil {
				err = s.copyKeys(c, t, g)
			}
			t.close()
			if err != nil && !pebble.IsCorruptionError(err) && (t.file != g.file || shortage.Is(err)) {
				return err
			}
		}
	}
	return s.copyPositions(c, g)
}

// copyKeys copies the keys of a gap that a table has, with the values that the engine returns.
func (s *Store) copyKeys(c *cut, t *table, g *gap) error {
	it, err := t.points(maxKey(g.from, t.smallest), minKey(g.to, append(bytes.Clone(t.largest), 0)))
	if err != nil {
		return err
	}
	defer func() { _ = it.Close() }()
	for kv := it.First(); kv != nil; kv = it.Next() {
		key := kv.K.UserKey
		if key[0] >= prefixCut || s.isDelivered(key) {
			continue
		}
		value, closer, err := s.db.Get(key)
		switch {
		case err == nil:
			err = errors.Join(c.copy(key, value), closer.Close())
		case errors.Is(err, pebble.ErrNotFound):
			err = nil
		case pebble.IsCorruptionError(err):
			// No table above has the key, so the value in this table is current, if this is the
			// damaged table.
			err = nil
			if k := kv.K.Kind(); t.file == g.file && (k == pebble.InternalKeyKindSet || k == pebble.InternalKeyKindSetWithDelete) {
				if value, _, err = kv.Value(nil); err == nil {
					err = c.copy(key, value)
				}
			}
		}
		if err != nil {
			return err
		}
		if c.Len() >= maxBatch {
			if err := s.db.Apply(c.Batch, pebble.Sync); err != nil {
				return err
			}
			c.Reset()
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

// isDelivered reports whether a key belongs to a record that is known to be delivered.
func (s *Store) isDelivered(key []byte) bool {
	if key[0] != prefixRecord {
		return false
	}
	name, seq, err := parseNumberedKey(key, prefixRecord)
	if err != nil {
		return false
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	q := s.queues[name]
	return q != nil && seq < q.durable && (seq < q.low || q.nextLive(seq) != seq)
}

// copyPositions copies the positions of all queues, and the rest of the store's own data in memory,
// if the gap contains any of it. While the store is being opened, nothing is in memory yet.
func (s *Store) copyPositions(c *cut, g *gap) error {
	if s.opening.Load() || !g.touches(prefixFormat, prefixAcked) && !g.touches(prefixDamage, prefixDamage) {
		return nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	err := c.copy([]byte{prefixFormat}, appendFormat(nil, format))
	for key, d := range s.damage {
		err = errors.Join(err, c.copy([]byte(key), appendDamage(nil, d)))
	}
	for _, q := range s.queues {
		if q.next == firstSeq {
			continue
		}
		key := appendQueueKey(nil, prefixQueue, q.name)
		var position [positionLen]byte
		putPosition(position[:], q.low, q.next) // records on their way to the disk may already be in the files
		err = errors.Join(err, c.copy(key, position[:]))
		key[0] = prefixAcked
		for n, chunk := range q.chunks {
			var bits [bitmapLen]byte
			putBitmap(bits[:], &chunk.bits)
			err = errors.Join(err, c.copy(binary.BigEndian.AppendUint64(key, n), bits[:]))
			chunk.stored = true
		}
	}
	return err
}

// noteLostState records, outside the gap, that state is lost, so that the next Open fails instead
// of going on without it.
func (s *Store) noteLostState(c *cut, g *gap) error {
	if s.opening.Load() || !s.loaded.Load() || !g.touches(prefixState, prefixState) {
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
	return c.copy([]byte(d.key()), appendDamage(nil, d))
}
