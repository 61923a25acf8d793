package store

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// naiveQueue is the simplest implementation of a queue.
type naiveQueue struct {
	next  uint64
	acked map[uint64]bool
}

func (m *naiveQueue) live(from uint64, limit int) []uint64 {
	var seqs []uint64
	for seq := max(from, firstSeq); seq < m.next && len(seqs) < limit; seq++ {
		if !m.acked[seq] {
			seqs = append(seqs, seq)
		}
	}
	return seqs
}

// TestQueueModel acknowledges records in and out of order, over several chunks. Now and then it
// converts the queue to its stored form and back.
func TestQueueModel(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		q := newQueue("q")
		m := &naiveQueue{next: firstSeq, acked: map[uint64]bool{}}
		t.Repeat(map[string]func(*rapid.T){
			"append": func(t *rapid.T) {
				n := rapid.SampledFrom([]uint64{1, 63, 64, 4095, 4096, 9000}).Draw(t, "n")
				if m.next > 40_000 {
					t.Skip("enough")
				}
				m.next += n
				q.next += n
				q.durable = q.next
			},
			"ack one": func(t *rapid.T) {
				seq := rapid.Uint64Range(0, m.next+1).Draw(t, "seq")
				ackBoth(t, q, m, seq)
			},
			"ack range": func(t *rapid.T) {
				seq := rapid.Uint64Range(0, m.next).Draw(t, "seq")
				n := rapid.SampledFrom([]uint64{2, 64, 65, 4097}).Draw(t, "n")
				step := rapid.SampledFrom([]uint64{1, 2}).Draw(t, "step")
				for end := seq + n; seq < end; seq += step {
					ackBoth(t, q, m, seq)
				}
			},
			"ack low": func(t *rapid.T) {
				for range rapid.IntRange(1, 300).Draw(t, "n") {
					ackBoth(t, q, m, q.low)
				}
			},
			"store": func(t *rapid.T) { q = storedQueue(t, q) },
			"": func(t *rapid.T) {
				from := rapid.Uint64Range(0, m.next+1).Draw(t, "from")
				limit := rapid.SampledFrom([]int{-1, 0, 1, 64, 5000}).Draw(t, "limit")
				if diff := cmp.Diff(m.live(from, limit), seqsOf(q.live(from, limit, nil))); diff != "" {
					t.Fatalf("live(%d, %d) (-want +got):\n%s", from, limit, diff)
				}
				if want := m.next - firstSeq - uint64(len(m.acked)); q.length() != want {
					t.Fatalf("length %d, want %d", q.length(), want)
				}
			},
		})
	})
}

func ackBoth(t *rapid.T, q *queue, m *naiveQueue, seq uint64) {
	want := seq >= firstSeq && seq < m.next && !m.acked[seq]
	if got := q.ack(seq); got != want {
		t.Fatalf("ack(%d) = %v, want %v", seq, got, want)
	}
	if want {
		m.acked[seq] = true
	}
}

func seqsOf(runs []run) []uint64 {
	var seqs []uint64
	for _, r := range runs {
		for seq := r.from; seq < r.to; seq++ {
			seqs = append(seqs, seq)
		}
	}
	return seqs
}

func storedQueue(t *rapid.T, q *queue) *queue {
	back := newQueue(q.name)
	back.low, back.durable, back.next = q.low, q.next, q.next
	for n, c := range q.chunks {
		if !back.restore(n, &c.bits) {
			t.Fatalf("chunk %d refused", n)
		}
	}
	return back
}

func TestQueueRestoreRefuses(t *testing.T) {
	q := newQueue("q")
	q.next, q.durable = 10, 10
	if q.restore(0, &[chunkWords]uint64{1 << 10}) {
		t.Error("a bit for a record that never was is accepted")
	}
	if !q.restore(0, &[chunkWords]uint64{1 << 9}) {
		t.Error("a bit for the last record is refused")
	}
}
