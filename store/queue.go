package store

import "math/bits"

const (
	firstSeq   = 1
	chunkSeqs  = 4096 // sequence numbers per bitmap chunk
	chunkWords = chunkSeqs / 64
	// trimStep is how far low advances before a range of records is deleted. Many small range
	// tombstones would slow down every read.
	trimStep = chunkSeqs
	// farAck is the distance above low from which an acknowledged record is deleted individually,
	// because the range deletion that follows low may be days away.
	farAck = 2 * chunkSeqs
)

// queue is the position of one queue. Store.mu guards it.
//
//	trimmed <= low <= durable <= next
//
// Records in [trimmed,low) are delivered and wait for a range deletion. Records in [durable,next)
// are on their way to the disk and not readable yet.
type queue struct {
	name    string
	records []byte // key of a record without its sequence number

	low, durable, next, trimmed uint64

	// Records below reclaimed have left the disk. ackedAbove counts the acknowledgements above low
	// since then. sweep makes the next batch delete everything that is delivered. See reclaim.go.
	reclaimed, ackedAbove uint64
	sweep                 bool

	holes         uint64            // acknowledged records at or above low
	chunks        map[uint64]*chunk // by seq/chunkSeqs; only chunks with a hole
	changedChunks []uint64          // chunks to write with the filling batch, each once
	goneChunks    []uint64          // chunks to delete with the filling batch

	touched  *batch // the filling batch, if it must contain this queue's position
	appended chan struct{}
	tail     tail
}

// chunk records which of 4096 records are acknowledged. Bits below the queue's low mean nothing.
type chunk struct {
	bits    [chunkWords]uint64
	holes   int // bits set at or above low
	changed bool
	stored  bool // its key is on disk, or in a batch on its way there
}

func newQueue(name string) *queue {
	return &queue{
		name:    name,
		records: appendQueueKey(nil, prefixRecord, name),
		low:     firstSeq, durable: firstSeq, next: firstSeq, reclaimed: firstSeq,
		chunks:   make(map[uint64]*chunk),
		appended: make(chan struct{}, 1),
	}
}

// length returns the number of undelivered, durable records.
func (q *queue) length() uint64 { return q.durable - q.low - q.holes }

func (c *chunk) has(seq uint64) bool {
	return c.bits[seq%chunkSeqs/64]&(1<<(seq%64)) != 0
}

// ack marks a durable record as delivered. It returns false if the record was delivered already or
// is not durable.
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
	q.ackedAbove++
	if !c.changed {
		c.changed = true
		q.changedChunks = append(q.changedChunks, n)
	}
	return true
}

// advance moves low past the holes that it has reached.
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
				q.goneChunks = append(q.goneChunks, n)
			}
		}
	}
}

// restore adds a chunk that was read from disk. It returns false if the chunk acknowledges records
// that do not exist.
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
		q.goneChunks = append(q.goneChunks, n)
		return true
	}
	q.holes += uint64(c.holes)
	q.chunks[n] = c
	return true
}

// acked calls fn for the acknowledged records from low to limit.
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

// nextLive returns the first number at or above seq whose bit is not set.
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

// nextAcked returns the first number at or above seq whose bit is set, at most limit.
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
