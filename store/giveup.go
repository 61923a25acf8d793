package store

import (
	"bytes"
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/cockroachdb/pebble/v2"
)

// giveUp is called when state cannot be read, which err says. With Config.AcceptLoss it cuts out what is damaged, so that
// reading goes on without it; else, or if there is nothing to cut out, it returns an error that says what would be lost.
func (s *Store) giveUp(err error) error {
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
	s.gaveUp = true
	if _, err := s.repair(tables, true); err != nil {
		return lossError(err)
	}
	return nil
}

// lossError is an error that wraps ErrDamaged and is not mistaken for one of reading again.
func lossError(err error) error { return fmt.Errorf("%w: %s", ErrDamaged, plainError(err)) }

// restoreDamage loads what was noted of damage. State that was lost in the last life refuses the start.
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
		return lossError(fmt.Errorf("state, since %s: %s", d.At, d.Reason))
	}
	s.log.Error("store goes on without lost state, as accepted", "dir", s.dir, "since", d.At, "err", d.Reason)
	return s.db.Delete(key, pebble.Sync)
}

// restorePositions makes positions for queues that have records but have lost theirs: all records that are there
// are undelivered.
func (s *Store) restorePositions() error {
	it, err := s.db.NewIter(&pebble.IterOptions{LowerBound: []byte{spaceRecord}, UpperBound: []byte{spaceState}})
	if err != nil {
		return err
	}
	for ok := it.First(); ok; {
		name, first, err := parseNumberedKey(it.Key(), spaceRecord)
		if err != nil {
			return errors.Join(err, it.Close())
		}
		end := bytes.Clone(it.Key())
		for i := len(end) - 8; i < len(end); i++ {
			end[i] = 0xff
		}
		if s.queues[name] == nil && it.SeekLT(end) {
			q := s.queue(name)
			_, last, err := parseNumberedKey(it.Key(), spaceRecord)
			if err != nil {
				return errors.Join(err, it.Close())
			}
			q.low, q.next, q.durable = max(first, firstSeq), last+1, last+1
			s.filling().touch(q)
			s.log.Error("store has lost the position of a queue, what is left of it is delivered again", "dir", s.dir,
				"queue", name, "first", q.low, "last", last)
		}
		ok = it.SeekGE(end)
	}
	return it.Close()
}
