package store

import (
	"bytes"
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/cockroachdb/pebble/v2"
)

// acceptLoss is called when state cannot be read; err says why. With Config.AcceptLoss it cuts out
// the damage, so that the caller can read on. Without it, or if there is nothing to cut out, it
// returns an error that says what would be lost.
func (s *Store) acceptLoss(err error) error {
	s.repairs.mu.Lock()
	tables := slices.Sorted(maps.Keys(s.suspects))
	s.repairs.mu.Unlock()
	what := err
	var all []gap
	for _, n := range tables {
		gaps, err := s.gapsOf(n)
		if err != nil {
			return err
		}
		for i := range gaps {
			what = fmt.Errorf("%w; %s", what, &gaps[i])
		}
		all = append(all, gaps...)
	}
	if !s.cfg.AcceptLoss || len(all) == 0 {
		return lossError(what)
	}
	s.lossAccepted = true
	if _, err := s.repair(tables, true); err != nil {
		return lossError(err)
	}
	return nil
}

// lossError returns an error that wraps ErrDamaged. It contains err as text only, so that it is not
// taken for another read error.
func lossError(err error) error { return fmt.Errorf("%w: %s", ErrDamaged, plainError(err)) }

// restoreDamage loads a recorded Damage. If an earlier process lost state, Open fails.
func (s *Store) restoreDamage(key, value []byte) error {
	d, err := parseDamage(key, value)
	if err != nil {
		return err
	}
	if d.Queue != "" {
		s.damage[string(key)] = d
		return nil
	}
	if !s.cfg.AcceptLoss {
		return lossError(fmt.Errorf("state was lost at %s: %s", d.At, d.Reason))
	}
	s.log.Error("store continues without lost state, as --accept-loss allows", "dir", s.dir, "since", d.At, "err", d.Reason)
	return s.db.Delete(key, pebble.Sync)
}

// restorePositions creates positions for queues that have records but lost their position. All of
// their records count as undelivered.
func (s *Store) restorePositions() error {
	it, err := s.db.NewIter(&pebble.IterOptions{LowerBound: []byte{prefixRecord}, UpperBound: []byte{prefixState}})
	if err != nil {
		return err
	}
	for ok := it.First(); ok; {
		name, first, err := parseNumberedKey(it.Key(), prefixRecord)
		if err != nil {
			return errors.Join(err, it.Close())
		}
		end := bytes.Clone(it.Key())
		for i := len(end) - 8; i < len(end); i++ {
			end[i] = 0xff
		}
		if s.queues[name] == nil && it.SeekLT(end) {
			q := s.queue(name)
			_, last, err := parseNumberedKey(it.Key(), prefixRecord)
			if err != nil {
				return errors.Join(err, it.Close())
			}
			q.low, q.next, q.durable = max(first, firstSeq), last+1, last+1
			s.fillingBatch().touch(q)
			s.log.Error("store lost the position of a queue; all its remaining records are delivered again", "dir", s.dir,
				"queue", name, "first", q.low, "last", last)
		}
		ok = it.SeekGE(end)
	}
	return it.Close()
}
