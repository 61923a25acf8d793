package store

import (
	"bytes"
	"context"
	"errors"
	"time"
)

// The engine frees the space of deleted records when it next compacts. It may never have a reason
// to compact: while new events are refused, nothing is written. So when space is short, the store
// compacts ranges of delivered records.
const (
	// reclaimPause is the shortest time from the end of one reclaim to the next.
	reclaimPause = 2 * time.Second
	// minReclaim and maxReclaim bound how many delivered records justify a compaction: a sixteenth
	// of the remaining records, between these limits. When a queue is empty, any number does.
	minReclaim = 64
	maxReclaim = trimStep
)

// reclaimer is the state of reclaiming space. The watcher owns it while idle holds the token,
// otherwise the goroutine of the reclaim does.
type reclaimer struct {
	idle chan struct{} // holds a token while no reclaim runs
	last time.Time     // when the last reclaim ended
}

// span is the keys [from,to) to compact. done records that they were compacted; until then they are
// still to do.
type span struct {
	from, to []byte
	done     func()
}

// startReclaim starts to reclaim the space of delivered records, if space is short and there are
// enough of them. It uses a goroutine that Close waits for.
func (s *Store) startReclaim(now time.Time) {
	r := &s.space.reclaim
	if !s.space.warned() && !s.refuses() {
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
		err := s.callEngine(func() error {
			defer s.readers.Done()
			return s.runReclaim()
		})
		if err != nil && !errors.Is(err, ErrClosed) && !errors.Is(err, ErrFailed) {
			if suppressed, ok := s.backgroundLine.Allow(time.Now()); ok {
				s.log.Error("store cannot reclaim space; will retry", "dir", s.dir, "suppressed", suppressed, "err", err)
			}
		}
		r.last = time.Now()
		r.idle <- struct{}{}
	}()
}

// beginReclaim makes the next batch delete the delivered records. It returns false if there are too
// few, or if the store is closed.
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
			s.fillingBatch().touch(q)
		}
	}
	if worth {
		s.readers.Add(1)
	}
	return worth
}

func (q *queue) isWorthReclaiming() bool {
	gone := q.low - q.reclaimed
	worth := min(max(q.length()/16, minReclaim), maxReclaim)
	return gone >= worth || gone > 0 && q.low == q.next || q.isSparse()
}

// isSparse reports whether so many records above low were delivered that a rewrite of the others is
// worth its cost.
func (q *queue) isSparse() bool {
	return q.ackedAbove >= minReclaim && q.ackedAbove >= q.length()/8
}

// isStateStale reports whether the state must be compacted. Overwritten values may make the store
// too large, and while it refuses events nothing else makes the engine compact them. A full disk
// alone is no reason, because the compaction may fail there.
func (s *Store) isStateStale() bool {
	return s.space.oversize.Load() && s.space.uncompacted.Load() > s.cfg.MaxSize/8
}

func (s *Store) runReclaim() error {
	// This commit carries the range deletions. They are in the engine once it is durable.
	durable := make(chan error, 1)
	s.Commit(Change{}, func(err error) { durable <- err })
	if err := <-durable; err != nil {
		return err
	}
	ctx, cancel := s.stopContext()
	defer cancel()
	spans := s.reclaimable()
	if s.isStateStale() {
		n := s.space.uncompacted.Load()
		spans = append(spans, span{[]byte{prefixState}, []byte{prefixEnd}, func() { s.space.uncompacted.Add(-n) }})
	}
	for _, r := range spans {
		if err := s.compact(ctx, r); err != nil {
			if ctx.Err() != nil {
				return nil // the next process does it
			}
			return err
		}
		r.done()
	}
	return nil
}

// stopContext returns a context that is done when the watcher is stopped.
func (s *Store) stopContext() (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancel(context.Background())
	go func() {
		select {
		case <-s.space.stop:
			cancel()
		case <-ctx.Done():
		}
	}()
	return ctx, cancel
}

// compact compacts a span table by table. The rewritten keys take space until the old tables are
// removed, so each step must be small. It first writes the keys in memory to tables; the engine
// panics when it cannot start a new log then.
func (s *Store) compact(ctx context.Context, r span) (err error) {
	defer s.pacer.wait()() // because new events are refused, or will be soon
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

// reclaimable returns the spans of keys that are worth a compaction.
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
		trimmed, scattered := q.trimmed, q.ackedAbove
		done := func() {
			s.mu.Lock()
			defer s.mu.Unlock()
			q.reclaimed = trimmed
			q.ackedAbove -= min(scattered, q.ackedAbove)
		}
		if to > q.reclaimed {
			spans = append(spans, span{recordKey(q.records, q.reclaimed), recordKey(q.records, to), done})
		}
	}
	return spans
}

// sizeSample is how many records of a queue QueueSizes reads.
const sizeSample = 4096

// QueueSizes returns Queues with Bytes: the octets of the records of each. If a queue has more than
// sizeSample records, Bytes is estimated from the oldest ones. It reads these records, so call it
// rarely, not for every event.
func (s *Store) QueueSizes() ([]QueueInfo, error) {
	infos := s.Queues()
	for i := range infos {
		q := &infos[i]
		entries, err := s.Read(q.Name, q.FirstSeq, int(min(q.Len, sizeSample)), nil)
		if err != nil {
			return nil, err
		}
		for _, e := range entries {
			q.Bytes += uint64(len(e.Data))
		}
		if n := uint64(len(entries)); n == sizeSample && q.Len > n {
			q.Bytes = uint64(float64(q.Bytes) / float64(n) * float64(q.Len))
		}
	}
	return infos, s.Err()
}
