package store

import (
	"fmt"
	"time"

	"github.com/cockroachdb/pebble/v2"
)

// Accepting reports whether a new event may be processed: nil, ErrBusy, ErrNoSpace, ErrFailed or
// ErrClosed. It costs a few atomic reads. After nil, the following Commit is not refused for lack
// of space, so as many changes as there are callers may exceed the limit.
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

// Commit makes a change durable, as part of the next batch, without waiting for the disk. The
// caller may reuse the slices of the change when Commit returns.
//
// done runs once, on a goroutine of the store, in the order of the Commit calls. Its error is nil
// when the change is durable; otherwise it wraps ErrInvalid or ErrFailed. done must not block,
// because later callbacks and the next write wait for it. After Close, done runs with ErrClosed on a
// goroutine of its own. A change that got ErrFailed may still be there after a restart.
func (s *Store) Commit(c Change, done func(error)) {
	err := c.check()
	s.mu.Lock()
	if s.closed {
		s.mu.Unlock()
		go done(ErrClosed)
		return
	}
	b := s.fillingBatch()
	if err == nil {
		if err = s.Err(); err == nil { // an empty batch of a failed engine would become durable
			s.encode(b, &c)
		}
	}
	b.waiters = append(b.waiters, waiter{done, err})
	s.pending.Add(1)
	s.added(b, c.urgency())
	s.mu.Unlock()
}

// added is called after something was added to the batch that is being filled. It wakes the writer
// if that must hear of it. The caller holds the mutex.
func (s *Store) added(b *batch, u urgency) {
	poke := b.raise(u)
	if b.ops.Len() >= maxBatch {
		s.seal()
		poke = true
	}
	if poke && s.asleep {
		s.asleep = false
		s.wakeWriter()
	}
}

// Discard removes delivered records. Read and Queues omit them at once. They are removed durably
// with the next commit or, if none comes within half a second, with a write of their own. A crash
// before that brings them back.
func (s *Store) Discard(acks []Ack) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed || s.hasFailed() {
		return
	}
	b := s.fillingBatch()
	for _, a := range acks {
		s.ack(b, a)
	}
	if len(b.queues) > 0 {
		s.added(b, onlyDiscards)
	}
}

// AfterBatch sets a function that runs after each durable batch of changes, before their callbacks.
// Call it once, before the first Commit.
func (s *Store) AfterBatch(fn func()) { s.afterBatch = fn }

func (s *Store) wakeWriter() {
	select {
	case s.wake <- struct{}{}:
	default:
	}
}

// write is the writer's goroutine. When the engine fails, it may block this goroutine for ever.
func (s *Store) write() {
	defer s.wakeWriter() // refuseAfterFailure may need a wake-up that this goroutine has received
	timer := time.NewTimer(discardDelay)
	timer.Stop()
	armed, due := idle, urgent // armed: the timer is that of this urgency; due: what is written now
	for !s.hasFailed() {
		b, rest := s.nextBatch(due)
		due = urgent
		switch {
		case b != nil:
			armed = idle // it took along what the timer was for
			timer.Stop()
			if err := s.apply(b); err != nil {
				s.fail(err)
				return
			}
			if !s.finishBatch(b) {
				return
			}
			continue
		case rest == closing:
			close(s.drained)
			return
		case rest > armed:
			armed = rest
			timer.Reset(rest.delay())
		}
		select {
		case <-s.wake:
		case <-timer.C:
			armed, due = idle, armed
		case <-s.failed:
			return
		}
	}
}

// closing is what nextBatch returns beside no batch when the store is closing.
const closing = urgent

// nextBatch returns the next batch to apply: a full one, or the one that is being filled if it is at
// least as urgent as due. If there is none, it returns the urgency of what waits, or closing.
func (s *Store) nextBatch(due urgency) (*batch, urgency) {
	s.mu.Lock()
	defer s.mu.Unlock()
	waits := idle
	if s.filling != nil {
		waits = s.filling.urgency
	}
	if len(s.sealed) == 0 && waits != idle && (waits >= due || s.closed) {
		s.seal()
	}
	if len(s.sealed) > 0 {
		b := s.sealed[0]
		s.sealed[0] = nil
		s.sealed = s.sealed[1:]
		s.writing = b
		return b, idle
	}
	if s.closed {
		return nil, closing
	}
	s.asleep = true
	return nil, waits
}

// apply writes a batch. The engine panics when it cannot start a new log.
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

// asError converts the value of an engine panic into an error.
func asError(r any) error {
	if err, ok := r.(error); ok {
		return err
	}
	return fmt.Errorf("engine: %v", r)
}

// finishBatch makes a durable batch visible and runs its callbacks. The next write waits for them: that takes
// less time than waking another goroutine. It returns false if refuseAfterFailure has answered the batch.
func (s *Store) finishBatch(b *batch) bool {
	s.finishing.Lock()
	defer s.finishing.Unlock()
	s.mu.Lock()
	if s.writing != b {
		s.mu.Unlock()
		return false
	}
	s.writing = nil
	for i, q := range b.queues {
		if q.durable < b.marks[i] {
			q.durable = b.marks[i]
			select {
			case q.appended <- struct{}{}:
			default:
			}
		}
	}
	s.mu.Unlock()
	s.durable.Add(1)

	if len(b.waiters) > 0 {
		s.pending.Add(-int64(len(b.waiters)))
		if s.afterBatch != nil {
			s.afterBatch()
		}
		for _, w := range b.waiters {
			w.done(w.err)
		}
	}
	s.finished.Add(1)
	s.mu.Lock()
	s.recycle(b)
	s.mu.Unlock()
	return true
}

// Batches returns how many batches of changes became durable since Open, and of how many of them
// the callbacks have run. If finished is less than durable and does not grow, a callback blocks.
func (s *Store) Batches() (durable, finished uint64) {
	finished = s.finished.Load() // first, so that it is never more than durable
	return s.durable.Load(), finished
}

// refuseAfterFailure answers every change that is pending when the engine fails, and every later one until
// Close. Callbacks that run at that moment end first. Without a failure it only waits for the writer's end.
func (s *Store) refuseAfterFailure() {
	defer close(s.answered)
	select {
	case <-s.drained:
		return
	case <-s.failed:
	}
	for {
		s.finishing.Lock()
		s.mu.Lock()
		all := s.sealed
		if s.writing != nil {
			all = append([]*batch{s.writing}, all...)
		}
		if s.filling != nil {
			all = append(all, s.filling)
		}
		s.writing, s.sealed, s.filling = nil, nil, nil
		closed := s.closed
		s.asleep = true
		s.mu.Unlock()
		s.finishing.Unlock()
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
