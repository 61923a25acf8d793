package store

import "math/bits"

const (
	firstSeq   = 1
	chunkSeqs  = 4096 // sequence numbers per bitmap chunk
	chunkWords = chunkSeqs / 64
	// trimStep is how far low moves before a range of records is deleted:
	// many small range tombstones would slow every read down.
	trimStep = chunkSeqs
	// farAck is the distance above low from which an acknowledged record is
	// deleted by itself, since the range deletion that follows low may be days away.
	farAck = 2 * chunkSeqs
)

// queue is the position of one queue, guarded by Store.mu.
//
//	trimmed <= low <= durable <= next
//
// Records in [trimmed,low) are delivered and wait for a range deletion; those
// in [durable,next) are on their way to the disk and not readable yet.
type queue struct {
	name    string
	records []byte // key of a record without its sequence number

	low, durable, next, trimmed uint64

	// What was delivered below reclaimed has left the disk; since then so many
	// above low were acknowledged. sweep has all that is delivered deleted with
	// the next batch. See reclaim.go.
	reclaimed, scattered uint64
	sweep                bool

	holes   uint64            // acknowledged records at or above low
	chunks  map[uint64]*chunk // of seq/chunkSeqs; only those with a hole
	changed []uint64          // chunks to write with the batch being filled, each once
	gone    []uint64          // chunks to delete with it

	touched  *batch // the batch being filled, if it must hold this queue's position
	appended chan struct{}
}

// chunk holds which of 4096 records are acknowledged. Bits below the queue's low mean nothing.
type chunk struct {
	bits    [chunkWords]uint64
	holes   int // bits set at or above low
	changed bool
	stored  bool // a key exists on disk, or in a batch on its way there
}

func newQueue(name string) *queue {
	return &queue{
		name:    name,
		records: appendQueueKey(nil, spaceRecord, name),
		low:     firstSeq, durable: firstSeq, next: firstSeq, reclaimed: firstSeq,
		chunks:   make(map[uint64]*chunk),
		appended: make(chan struct{}, 1),
	}
}

// length is the number of undelivered, durable records.
func (q *queue) length() uint64 { return q.durable - q.low - q.holes }

func (c *chunk) has(seq uint64) bool {
	return c.bits[seq%chunkSeqs/64]&(1<<(seq%64)) != 0
}

// ack marks a durable record as delivered, and reports whether it wasn't yet.
func (q *queue) ack(seq uint64) bool {
	if seq < q.low || seq >= q.durable {
		return false
	}
	if seq == q.low {
		q.low++
		q.advance()
		return true
	}
	n := seq / chunkSeqs
	c := q.chunks[n]
	if c == nil {
		c = new(chunk)
		q.chunks[n] = c
	}
	if c.has(seq) {
		return false
	}
	c.bits[seq%chunkSeqs/64] |= 1 << (seq % 64)
	c.holes++
	q.holes++
	q.scattered++
	if !c.changed {
		c.changed = true
		q.changed = append(q.changed, n)
	}
	return true
}

// advance moves low over the holes that it has reached.
func (q *queue) advance() {
	for q.low < q.durable {
		n := q.low / chunkSeqs
		c := q.chunks[n]
		if c == nil || !c.has(q.low) {
			return
		}
		c.holes--
		q.holes--
		q.low++
		if c.holes == 0 {
			delete(q.chunks, n)
			if c.stored {
				q.gone = append(q.gone, n)
			}
		}
	}
}

// restore takes a chunk read from disk; false if it acknowledges records that don't exist.
func (q *queue) restore(n uint64, words *[chunkWords]uint64) bool {
	c := &chunk{bits: *words, stored: true}
	for i, w := range words {
		for ; w != 0; w &= w - 1 {
			seq := n*chunkSeqs + uint64(i)*64 + uint64(bits.TrailingZeros64(w))
			if seq >= q.next {
				return false
			}
			if seq >= q.low {
				c.holes++
			}
		}
	}
	if c.holes == 0 {
		q.gone = append(q.gone, n)
		return true
	}
	q.holes += uint64(c.holes)
	q.chunks[n] = c
	return true
}

// acked calls fn for the acknowledged records at or above low and below limit.
func (q *queue) acked(limit uint64, fn func(seq uint64)) {
	limit = min(limit, q.durable)
	for seq := q.low; seq < limit; {
		if c := q.chunks[seq/chunkSeqs]; c == nil {
			seq += chunkSeqs - seq%chunkSeqs
			continue
		} else if c.has(seq) {
			fn(seq)
		}
		seq++
	}
}

// run is the sequence numbers [from,to).
type run struct{ from, to uint64 }

// live appends the runs that hold the first limit undelivered records at or above from.
func (q *queue) live(from uint64, limit int, runs []run) []run {
	seq := max(from, q.low)
	for left := uint64(max(limit, 0)); seq < q.durable && left > 0; {
		start := q.nextLive(seq)
		if start >= q.durable {
			break
		}
		end := min(q.nextAcked(start, min(q.durable, start+left)), q.durable)
		left -= end - start
		runs = append(runs, run{start, end})
		seq = end
	}
	return runs
}

// nextLive is the first number at or above seq whose bit is not set.
func (q *queue) nextLive(seq uint64) uint64 {
	for seq < q.durable {
		c := q.chunks[seq/chunkSeqs]
		if c == nil {
			return seq
		}
		if c.holes == chunkSeqs {
			seq += chunkSeqs - seq%chunkSeqs
			continue
		}
		if w := ^c.bits[seq%chunkSeqs/64] >> (seq % 64); w != 0 {
			return seq + uint64(bits.TrailingZeros64(w))
		}
		seq += 64 - seq%64
	}
	return seq
}

// nextAcked is the first number at or above seq whose bit is set, at most limit.
func (q *queue) nextAcked(seq, limit uint64) uint64 {
	for seq < limit {
		c := q.chunks[seq/chunkSeqs]
		if c == nil {
			seq += chunkSeqs - seq%chunkSeqs
			continue
		}
		if w := c.bits[seq%chunkSeqs/64] >> (seq % 64); w != 0 {
			seq += uint64(bits.TrailingZeros64(w))
			break
		}
		seq += 64 - seq%64
	}
	return min(seq, limit)
}
