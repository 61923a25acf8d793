package store

import (
	"errors"
	"fmt"
	"testing"
)

// TestIsWorthReclaiming: a compaction must free enough space.
func TestIsWorthReclaiming(t *testing.T) {
	for _, tt := range []struct {
		name      string
		queued    uint64
		low       uint64 // everything below is delivered
		scattered uint64 // records delivered from low+1 on
		want      bool
	}{
		{"new and empty", 0, firstSeq, 0, false},
		{"nothing delivered", 1000, firstSeq, 0, false},
		{"few of few", 1000, firstSeq + 63, 0, false},
		{"more of few", 1000, firstSeq + 64, 0, true},
		{"few of many", 100_000, firstSeq + 4095, 0, false},
		{"a chunk of many", 100_000, firstSeq + 4096, 0, true},
		{"the only one", 1, firstSeq + 1, 0, true},
		{"all", 1000, firstSeq + 1000, 0, true},
		{"few behind a stuck one", 1000, firstSeq, 63, false},
		{"an eighth behind a stuck one", 1000, firstSeq, 112, true},
		{"less than that", 1000, firstSeq, 110, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			q := newQueue("q")
			q.next += tt.queued
			q.durable = q.next
			for seq := uint64(firstSeq); seq < tt.low; seq++ {
				q.ack(seq)
			}
			for i := range tt.scattered {
				q.ack(q.low + 1 + i)
			}
			if got := q.isWorthReclaiming(); got != tt.want {
				t.Errorf("got %v, want %v", got, tt.want)
			}
		})
	}
}

func TestQueueAcked(t *testing.T) {
	q := newQueue("q")
	q.next = 4 * chunkSeqs
	q.durable = q.next
	all := []uint64{2, 63, 64, 4095, 4096, 3*chunkSeqs + 5}
	for _, seq := range all {
		q.ack(seq)
	}
	for _, tt := range []struct {
		limit uint64
		want  []uint64
	}{{0, nil}, {2, nil}, {3, all[:1]}, {4096, all[:4]}, {4097, all[:5]}, {1 << 40, all}} {
		var got []uint64
		q.acked(tt.limit, func(seq uint64) { got = append(got, seq) })
		equal(t, fmt.Sprint("below ", tt.limit), tt.want, got)
	}
}

// TestReclaimFails makes each of the first writes of a compaction fail. The compaction returns an
// error or has succeeded, and the process lives on. An engine that cannot start a new log has
// failed.
func TestReclaimFails(t *testing.T) {
	cause := errors.New("broken")
	outcomes := map[bool]int{}
	for after := range int64(20) {
		disk := NewDisk()
		s := open(t, disk, Config{})
		commit(t, s, Change{Puts: []Put{put("k", "v")}})
		disk.BreakAfter(after, 1, cause)
		err := s.callEngine(func() error { return s.compact(t.Context(), span{[]byte{prefixState}, []byte{prefixEnd}, nil}) })
		if err != nil && !errors.Is(err, cause) {
			t.Errorf("write %d failed: %v", after, err)
		}
		outcomes[s.hasFailed()]++
		if err := s.Close(); err != nil && !errors.Is(err, ErrFailed) && !errors.Is(err, cause) {
			t.Errorf("write %d failed: Close: %v", after, err)
		}
		equal(t, "state", map[string]string{"k": "v"}, state(t, open(t, disk.PowerCut(0, nil), Config{})))
	}
	if outcomes[true] == 0 || outcomes[false] == 0 {
		t.Errorf("failed or not: %v, want some of both", outcomes)
	}
}
