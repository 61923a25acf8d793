package store

import (
	"bytes"
	"encoding/binary"
	"slices"
	"time"

	"github.com/cockroachdb/pebble/v2"
)

// batch holds the changes that share one write. It is filled under Store.mu, then belongs to the writer.
type batch struct {
	ops     *pebble.Batch
	latest  []Put // copies of the puts with Put.Latest, one for each key; seal adds them to ops
	waiters []waiter
	queues  []*queue // queues whose position changed
	marks   []uint64 // next of each of queues when the batch was sealed
	urgency urgency
}

// urgency is how soon a batch must be written.
type urgency uint8

// The urgencies, in order.
const (
	idle         urgency = iota // it is empty
	onlyDiscards                // after discardDelay
	patient                     // after patience
	urgent                      // at once
)

// delay is how long a batch of this urgency, which is not idle, may wait.
func (u urgency) delay() time.Duration {
	switch u {
	case onlyDiscards:
		return discardDelay
	case patient:
		return patience
	}
	return 0
}

// raise makes a batch at least as urgent. It reports whether it was less urgent before.
func (b *batch) raise(u urgency) bool {
	if u <= b.urgency {
		return false
	}
	b.urgency = u
	return true
}

// waiter is one call of Commit. err is set if the change itself was refused.
type waiter struct {
	done func(error)
	err  error
}

// maxRetained is how much memory an idle batch keeps.
const maxRetained = maxBatch + maxBatch/2

// fillingBatch returns the batch that takes new changes.
func (s *Store) fillingBatch() *batch {
	if s.filling == nil {
		if n := len(s.idle); n > 0 {
			s.filling, s.idle = s.idle[n-1], s.idle[:n-1]
		} else {
			s.filling = &batch{ops: s.db.NewBatch(pebble.WithMaxRetainedSizeBytes(maxRetained))}
		}
	}
	return s.filling
}

// recycle keeps a finished batch for later.
func (s *Store) recycle(b *batch) {
	b.ops.Reset()
	b.latest = b.latest[:0]
	clear(b.waiters)
	b.waiters, b.queues, b.marks, b.urgency = b.waiters[:0], b.queues[:0], b.marks[:0], idle
	if len(s.idle) < 4 {
		s.idle = append(s.idle, b)
	}
}

// encode adds a checked change to the batch.
func (s *Store) encode(b *batch, c *Change) {
	for i := range c.Puts {
		if p := &c.Puts[i]; p.Latest {
			b.setLatest(p)
		} else {
			b.put(p)
		}
	}
	for i := range c.Appends {
		a := &c.Appends[i]
		q := s.queue(a.Queue)
		if a.Seq != nil {
			*a.Seq = q.next
		}
		b.append(q, a.Data)
	}
	for i := range c.Acks {
		s.ack(b, c.Acks[i])
	}
}

func (b *batch) put(p *Put) {
	if p.Value == nil {
		op := b.ops.DeleteDeferred(1 + len(p.Key))
		op.Key[0] = prefixState
		copy(op.Key[1:], p.Key)
		return
	}
	op := b.ops.SetDeferred(1+len(p.Key), len(p.Value))
	op.Key[0] = prefixState
	copy(op.Key[1:], p.Key)
	copy(op.Value, p.Value)
}

// setLatest keeps a copy of a put. A later put of the same key in this batch overwrites it.
func (b *batch) setLatest(p *Put) {
	i := slices.IndexFunc(b.latest, func(l Put) bool { return bytes.Equal(l.Key, p.Key) })
	if i < 0 {
		i = len(b.latest)
		b.latest = slices.Grow(b.latest, 1)[:i+1] // with the memory of an earlier batch
		b.latest[i].Key = append(b.latest[i].Key[:0], p.Key...)
	}
	l := &b.latest[i]
	if p.Value == nil {
		l.Value = nil
		return
	}
	if l.Value == nil {
		l.Value = []byte{} // an empty value is not a deletion
	}
	l.Value = append(l.Value[:0], p.Value...)
}

func (b *batch) append(q *queue, data []byte) {
	op := b.ops.SetDeferred(len(q.records)+8, len(data))
	binary.BigEndian.PutUint64(op.Key[copy(op.Key, q.records):], q.next)
	copy(op.Value, data)
	q.tail.append(q.next, data)
	q.next++
	b.touch(q)
}

// touch makes seal write the queue's position with this batch.
func (b *batch) touch(q *queue) {
	if q.touched != b {
		q.touched = b
		b.queues = append(b.queues, q)
	}
}

func (s *Store) ack(b *batch, a Ack) {
	q := s.queues[a.Queue]
	if q == nil || !q.ack(a.Seq) {
		return
	}
	b.touch(q)
	if a.Seq >= q.low+farAck {
		b.remove(q, a.Seq)
	}
}

func (b *batch) remove(q *queue, seq uint64) {
	op := b.ops.DeleteDeferred(len(q.records) + 8)
	binary.BigEndian.PutUint64(op.Key[copy(op.Key, q.records):], seq)
}

// queue returns the named queue. The first call creates it.
func (s *Store) queue(name string) *queue {
	q := s.queues[name]
	if q == nil {
		q = newQueue(name)
		s.queues[name] = q
	}
	return q
}

// seal finishes the batch that is being filled: it adds the newest values of some keys and the
// positions of its queues, and hands it to the writer.
func (s *Store) seal() {
	b := s.filling
	for i := range b.latest {
		b.put(&b.latest[i])
	}
	for _, q := range b.queues {
		b.position(q)
		b.marks = append(b.marks, q.next)
		q.touched = nil
	}
	s.sealed = append(s.sealed, b)
	s.filling = nil
}

func (b *batch) position(q *queue) {
	key := appendQueueKey(make([]byte, 0, 2+maxName+8), prefixQueue, q.name)
	op := b.ops.SetDeferred(len(key), positionLen)
	copy(op.Key, key)
	putPosition(op.Value, q.low, q.next)

	key[0] = prefixAcked
	for _, n := range q.goneChunks {
		key := binary.BigEndian.AppendUint64(key, n)
		op := b.ops.DeleteDeferred(len(key))
		copy(op.Key, key)
	}
	for _, n := range q.changedChunks {
		c := q.chunks[n]
		if c == nil || !c.changed {
			continue // low has passed the chunk since
		}
		key := binary.BigEndian.AppendUint64(key, n)
		op := b.ops.SetDeferred(len(key), bitmapLen)
		copy(op.Key, key)
		putBitmap(op.Value, &c.bits)
		c.changed, c.stored = false, true
	}
	q.goneChunks, q.changedChunks = q.goneChunks[:0], q.changedChunks[:0]

	if q.sweep && q.isSparse() {
		q.acked(q.low+farAck, func(seq uint64) { b.remove(q, seq) })
	}
	if q.low-q.trimmed >= trimStep || q.sweep && q.low > q.trimmed {
		n := len(q.records)
		op := b.ops.DeleteRangeDeferred(n+8, n+8)
		binary.BigEndian.PutUint64(op.Key[copy(op.Key, q.records):], q.trimmed)
		binary.BigEndian.PutUint64(op.Value[copy(op.Value, q.records):], q.low)
		q.trimmed = q.low
	}
}
