package store

import (
	"fmt"
	"time"

	"github.com/cockroachdb/pebble/v2"
)

// Accepting says whether a new event may be decided: nil, ErrBusy, ErrNoSpace,
// ErrFailed or ErrClosed. It costs a few atomic reads. After nil, the Commit
// that follows is not refused for want of room, so the limit may be passed by
// as many changes as there are callers.
func (s *Store) Accepting() error {
	switch {
	case s.stopped.Load():
		return ErrClosed
	case s.hasFailed():
		return s.Err()
	case s.refuses():
		return ErrNoSpace
	case s.pending.Load() >= int64(s.cfg.MaxPending):
		return ErrBusy
	}
	return nil
}

// Commit makes a change durable, as part of the next batch, without waiting
// for the disk. The change's slices may be reused when Commit returns.
//
// done runs once, on the store's goroutine, in the order of the Commit calls:
// with nil when the change is durable, with an error that wraps ErrInvalid or
// ErrFailed otherwise. It must not block: the callbacks after it wait. Only
// after Close it runs with ErrClosed on a goroutine of its own.
// A change that got ErrFailed may be there after a restart all the same.
func (s *Store) Commit(c Change, done func(error)) {
	err := c.check()
	s.mu.Lock()
	if s.closed {
		s.mu.Unlock()
		go done(ErrClosed)
		return
	}
	b := s.filling()
	if err == nil && !s.hasFailed() {
		s.encode(b, &c)
	}
	b.waiters = append(b.waiters, waiter{done, err})
	s.pending.Add(1)
	if b.ops.Len() >= maxBatch {
		s.seal()
	}
	poke := s.asleep
	s.asleep = false
	s.mu.Unlock()
	if poke {
		s.poke()
	}
}

// Discard removes delivered records. They are gone for Read and Queues at
// once, and durably with the next commit; if none comes within half a second,
// with a write of their own. A crash before that brings them back.
func (s *Store) Discard(acks []Ack) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed || s.hasFailed() {
		return
	}
	b := s.filling()
	for _, a := range acks {
		s.ack(b, a)
	}
	if b.ops.Len() >= maxBatch {
		s.seal()
	}
	if s.asleep {
		s.asleep = false
		s.poke()
	}
}

// AfterBatch sets a function that runs after each durable batch of changes,
// before their callbacks. To be called once, before the first Commit.
func (s *Store) AfterBatch(fn func()) { s.after = fn }

func (s *Store) poke() {
	select {
	case s.wake <- struct{}{}:
	default:
	}
}

// write is the writer's goroutine. The engine may park it for ever when it fails.
func (s *Store) write() {
	defer s.poke() // the committer must not miss a wake-up that ended here
	timer := time.NewTimer(lazyDelay)
	timer.Stop()
	armed, lazy := false, false // lazy: the delay of discarded records has passed
	for !s.hasFailed() {
		b, rest := s.take(lazy)
		lazy = false
		switch {
		case b != nil:
			if err := s.apply(b); err != nil {
				s.fail(err)
				return
			}
			select {
			case s.applied <- b:
			case <-s.failed:
				return
			}
			continue
		case rest == nothingMore:
			close(s.applied)
			return
		case rest == discards && !armed:
			armed = true
			timer.Reset(lazyDelay)
		}
		select {
		case <-s.wake:
		case <-timer.C:
			armed, lazy = false, true
		case <-s.failed:
			return
		}
	}
}

// remainder is why take gave no batch.
type remainder int

const (
	nothing     remainder = iota
	discards              // only discarded records, which can wait
	nothingMore           // the store is closing
)

// take returns the next batch to apply, if there is one to apply now.
func (s *Store) take(lazy bool) (*batch, remainder) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.sealed) == 0 && s.open != nil && s.open.isDue(lazy || s.closed) {
		s.seal()
	}
	if len(s.sealed) > 0 {
		b := s.sealed[0]
		s.sealed[0] = nil
		s.sealed = s.sealed[1:]
		s.flight = append(s.flight, b)
		return b, nothing
	}
	if s.closed {
		return nil, nothingMore
	}
	s.asleep = true
	if s.open != nil && len(s.open.queues) > 0 {
		return nil, discards
	}
	return nil, nothing
}

// isDue says whether the batch must be written: it has changes, or discarded
// records that waited long enough.
func (b *batch) isDue(lazy bool) bool {
	return len(b.waiters) > 0 || lazy && len(b.queues) > 0
}

// apply writes a batch. The engine panics when it can't start a new log.
func (s *Store) apply(b *batch) (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = asError(r)
		}
	}()
	s.cutting.RLock()
	defer s.cutting.RUnlock()
	s.written(int64(b.ops.Len()))
	return s.db.Apply(b.ops, pebble.Sync)
}

// asError turns what the engine panicked with into an error.
func asError(r any) error {
	if err, ok := r.(error); ok {
		return err
	}
	return fmt.Errorf("engine: %v", r)
}

// commit is the committer's goroutine.
func (s *Store) commit() {
	defer close(s.committed)
	for {
		select {
		case b, ok := <-s.applied:
			if !ok {
				return
			}
			s.finish(b)
		case <-s.failed:
			s.refuse()
			return
		}
	}
}

// finish makes a durable batch visible and runs its callbacks.
func (s *Store) finish(b *batch) {
	s.mu.Lock()
	for i, q := range b.queues {
		if q.durable < b.marks[i] {
			q.durable = b.marks[i]
			select {
			case q.appended <- struct{}{}:
			default:
			}
		}
	}
	s.flight = s.flight[:copy(s.flight, s.flight[1:])]
	s.mu.Unlock()

	if len(b.waiters) > 0 {
		s.pending.Add(-int64(len(b.waiters)))
		if s.after != nil {
			s.after()
		}
		for _, w := range b.waiters {
			w.done(w.err)
		}
	}
	s.mu.Lock()
	s.recycle(b)
	s.mu.Unlock()
}

// refuse answers everything pending after a failure, then everything that
// still comes until Close. What the writer has reported durable before is answered so.
func (s *Store) refuse() {
	for reported := true; reported; {
		select {
		case b, ok := <-s.applied:
			if reported = ok; ok {
				s.finish(b)
			}
		default:
			reported = false
		}
	}
	for {
		s.mu.Lock()
		all := append(s.flight, s.sealed...)
		if s.open != nil {
			all = append(all, s.open)
		}
		s.flight, s.sealed, s.open = nil, nil, nil
		closed := s.closed
		s.asleep = true
		s.mu.Unlock()
		for _, b := range all {
			s.pending.Add(-int64(len(b.waiters)))
			for _, w := range b.waiters {
				if w.err == nil {
					w.err = s.Err()
				}
				w.done(w.err)
			}
		}
		if closed && len(all) == 0 {
			return
		}
		if len(all) == 0 {
			<-s.wake
		}
	}
}
