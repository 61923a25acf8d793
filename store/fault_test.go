package store

import (
	"errors"
	"math/rand/v2"
	"syscall"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// TestRandomFaults makes some write or sync of the engine fail, of a log, a table or another file.
// Every change is answered once, and changes whose callback saw nil are there after the next Open.
func TestRandomFaults(t *testing.T) {
	failed, lived := 0, 0
	rapid.Check(t, func(t *rapid.T) {
		sim := newSimulation(t)
		sim.s.backgroundFailures.patience = time.Second // a minute would take too long
		fault := rapid.SampledFrom([]error{syscall.EIO, syscall.EIO, syscall.ENOSPC}).Draw(t, "fault")
		times := rapid.SampledFrom([]int64{1, 1, 3, 1 << 40}).Draw(t, "times")
		if fault == syscall.ENOSPC {
			times = 1 // the store waits while the disk stays full
		}
		sim.disk.BreakAfter(rapid.Int64Range(0, 120).Draw(t, "after"), times, fault)
		for range rapid.IntRange(1, 30).Draw(t, "steps") {
			switch rapid.IntRange(0, 4).Draw(t, "step") {
			case 0: // a table is written
				s := sim.s // the call may go on after the store has failed, and another is open by then
				_ = s.callEngine(func() error {
					return s.compact(t.Context(), span{[]byte{prefixState}, []byte{prefixEnd}, nil})
				})
			case 1:
				sim.settleFaults(t) // so that not all changes share one batch
			default:
				for range rapid.IntRange(1, 10).Draw(t, "n") {
					sim.commit(t, false)
				}
			}
		}
		sim.settleFaults(t)
		durable := sim.durable
		if err := sim.s.Close(); errors.Is(err, ErrFailed) {
			failed++
		} else {
			lived++
		}
		unsynced := rapid.SampledFrom([]int{0, 50, 100}).Draw(t, "unsynced")
		seed := rapid.Uint64().Draw(t, "seed")
		sim.reopenOn(t, sim.disk.PowerCut(unsynced, rand.New(rand.NewPCG(seed, 0))), durable)
		if err := sim.s.Close(); err != nil {
			t.Fatal(err)
		}
	})
	if failed == 0 || lived == 0 {
		t.Errorf("%d stores failed and %d went on: the test should see both", failed, lived)
	}
}

// settleFaults waits for all answers. After the first error every answer is an error.
func (sim *simulation) settleFaults(t *rapid.T) {
	for ; sim.answered < sim.started; sim.answered++ {
		switch err := <-sim.results; {
		case err == nil && sim.broken:
			t.Fatal("a change is durable behind one that is not")
		case err == nil:
			sim.durable++
		case errors.Is(err, ErrFailed):
			sim.broken = true
		default:
			t.Fatal(err)
		}
	}
}

// TestReclaimRepeated makes each of the first writes of a reclaim fail. Then the reclaim is still
// to do.
func TestReclaimRepeated(t *testing.T) {
	repeated := 0
	for after := range int64(30) {
		disk := NewDisk()
		s := open(t, disk, Config{})
		var acks []Ack
		var c Change
		for i := range 500 {
			c.Appends = append(c.Appends, Append{Queue: "q", Data: make([]byte, 1000)})
			acks = append(acks, Ack{"q", uint64(i + 1)})
		}
		commit(t, s, c)
		if err := s.db.Flush(); err != nil {
			t.Fatal(err)
		}
		s.Discard(acks)
		if !s.beginReclaim() {
			t.Fatal("not worth it")
		}
		disk.BreakAfter(after, 1, errors.New("broken"))
		err := s.callEngine(func() error { defer s.readers.Done(); return s.runReclaim() })
		disk.Break(nil)
		if s.hasFailed() {
			_ = s.Close()
			continue
		}
		again := s.beginReclaim()
		if again != (err != nil) {
			t.Errorf("write %d failed: %v, repeated: %v", after, err, again)
		}
		if again {
			repeated++
			s.readers.Done()
		}
		_ = s.Close()
	}
	if repeated == 0 {
		t.Error("none failed so that it could be repeated")
	}
}
