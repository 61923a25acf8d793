package store

import (
	"bytes"
	"context"
	"errors"
	"time"
)

// The engine gives the space of deleted records back when it next has reason
// to compact, which it may never have: while new events are refused nothing is
// written. So when space is short, ranges that were delivered are compacted.
const (
	// reclaimPause is the least time from the end of one to the next.
	reclaimPause = 2 * time.Second
	// reclaimLeast and reclaimMost are how many delivered records are worth it:
	// a sixteenth of what is left, between these. The last ones always are.
	reclaimLeast = 64
	reclaimMost  = trimStep
)

// reclaimer is the state of giving space back. Its fields are the watcher's
// while idle, the goroutine's between.
type reclaimer struct {
	idle chan struct{} // holds a token while none runs
	last time.Time     // when the last one ended
}

// span is the keys [from,to). done takes note that they were compacted; until then it is still to do.
type span struct {
	from, to []byte
	done     func()
}

// startReclaim gives back the space of what was delivered, if space is short
// and there is something, on a goroutine that Close waits for.
func (s *Store) startReclaim(now time.Time) {
	r := &s.reclaim
	if !s.warned && !s.refuses() {
		return
	}
	select {
	case <-r.idle:
	default:
		return
	}
	if now.Sub(r.last) < reclaimPause || !s.beginReclaim() {
		r.idle <- struct{}{}
		return
	}
	go func() {
		err := s.engine(func() error {
			defer s.reading.Done()
			return s.runReclaim()
		})
		if err != nil && !errors.Is(err, ErrClosed) && !errors.Is(err, ErrFailed) {
			if suppressed, ok := s.backgroundLine.Allow(time.Now()); ok {
				s.log.Error("store cannot give space back, will be repeated", "dir", s.dir, "suppressed", suppressed, "err", err)
			}
		}
		r.last = time.Now()
		r.idle <- struct{}{}
	}()
}

// beginReclaim has what was delivered deleted with the next batch. False means
// that it is not worth it, or the store is closed.
func (s *Store) beginReclaim() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed || s.hasFailed() {
		return false
	}
	worth := s.isStateStale()
	for _, q := range s.queues {
		if q.isWorthReclaiming() {
			worth = true
			q.sweep = true
			s.filling().touch(q)
		}
	}
	if worth {
		s.reading.Add(1)
	}
	return worth
}

func (q *queue) isWorthReclaiming() bool {
	gone := q.low - q.reclaimed
	worth := min(max(q.length()/16, reclaimLeast), reclaimMost)
	return gone >= worth || gone > 0 && q.low == q.next || q.isSparse()
}

// isSparse says whether so many records above low were delivered that it is
// worth writing the others anew.
func (q *queue) isSparse() bool {
	return q.scattered >= reclaimLeast && q.scattered >= q.length()/8
}

// isStateStale says whether the state must be compacted: overwritten values
// may be what makes the store too large, and while it refuses events nothing else
// would have the engine look for them. Not on a full disk, where it may fail.
func (s *Store) isStateStale() bool {
	return s.oversize.Load() && s.churn.Load() > s.cfg.MaxSize/8
}

func (s *Store) runReclaim() error {
	// The range deletions ride with this, and are in the engine when it is durable.
	durable := make(chan error, 1)
	s.Commit(Change{}, func(err error) { durable <- err })
	if err := <-durable; err != nil {
		return err
	}
	ctx, cancel := s.untilStop()
	defer cancel()
	spans := s.reclaimable()
	if s.isStateStale() {
		n := s.churn.Load()
		spans = append(spans, span{[]byte{spaceState}, []byte{spaceEnd}, func() { s.churn.Add(-n) }})
	}
	for _, r := range spans {
		if err := s.compact(ctx, r); err != nil {
			if ctx.Err() != nil {
				return nil // the next life does it
			}
			return err
		}
		r.done()
	}
	return nil
}

// untilStop is a context that is done when the watcher is to end.
func (s *Store) untilStop() (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancel(context.Background())
	go func() {
		select {
		case <-s.stop:
			cancel()
		case <-ctx.Done():
		}
	}()
	return ctx, cancel
}

// compact compacts a span table by table: what is written anew takes room
// until the old tables are gone, so that must not be much at a time.
// It writes out what is in memory first; the engine panics when it can't start a new log then.
func (s *Store) compact(ctx context.Context, r span) (err error) {
	defer func() {
		if v := recover(); v != nil {
			s.fail(asError(v))
			err = s.Err()
		}
	}()
	levels, err := s.db.SSTables()
	if err != nil {
		return err
	}
	from := r.from
	for _, table := range levels[len(levels)-1] {
		cut := append([]byte{}, table.Largest.UserKey...)
		if bytes.Compare(from, cut) >= 0 || bytes.Compare(cut, r.to) >= 0 {
			continue
		}
		if err := s.db.Compact(ctx, from, cut, false); err != nil {
			return err
		}
		from = cut
	}
	return s.db.Compact(ctx, from, r.to, false)
}

// reclaimable takes the spans of keys that are worth a compaction.
func (s *Store) reclaimable() []span {
	s.mu.Lock()
	defer s.mu.Unlock()
	var spans []span
	for _, q := range s.queues {
		if !q.sweep {
			continue
		}
		q.sweep = false
		to := q.trimmed
		if q.isSparse() {
			to = q.durable
		}
		trimmed, scattered := q.trimmed, q.scattered
		done := func() {
			s.mu.Lock()
			defer s.mu.Unlock()
			q.reclaimed = trimmed
			q.scattered -= min(scattered, q.scattered)
		}
		if to > q.reclaimed {
			spans = append(spans, span{recordKey(q.records, q.reclaimed), recordKey(q.records, to), done})
		}
	}
	return spans
}

// QueueSizes is Queues with the space that each takes on the disk. It reads
// the engine's tables: ask once in a while, not for every event. Records that
// are only in the log yet are not counted, nor is what waits to be given back.
func (s *Store) QueueSizes() ([]QueueInfo, error) {
	infos := s.Queues()
	s.mu.Lock()
	if s.closed {
		s.mu.Unlock()
		return nil, ErrClosed
	}
	s.reading.Add(1)
	s.mu.Unlock()
	sizes := make([]uint64, len(infos))
	err := s.engine(func() error {
		defer s.reading.Done()
		for i, q := range infos {
			prefix := appendQueueKey(nil, spaceRecord, q.Name)
			from, to := recordKey(prefix, q.FirstSeq), recordKey(prefix, q.NextSeq)
			var err error
			if sizes[i], err = s.db.EstimateDiskUsage(from, to); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return nil, readError("queue sizes", err)
	}
	for i := range infos {
		infos[i].Bytes = sizes[i]
	}
	return infos, nil
}
