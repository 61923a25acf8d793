package store

import (
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
)

// TestBrokenDisk breaks the disk under a working store. The process lives on, every change is
// answered, and what was reported durable is on the disk.
func TestBrokenDisk(t *testing.T) {
	disk := NewDisk()
	s := open(t, disk, Config{})
	commit(t, s, Change{Puts: []Put{put("k", "v")}, Appends: appends("q", "durable")})
	disk.Break(syscall.EIO)

	var order []int
	results := make(chan error, 100)
	for i := range 100 {
		s.Commit(Change{Puts: []Put{put("k", "lost")}}, func(err error) {
			order = append(order, i)
			results <- err
		})
	}
	<-s.Failed()
	for i := range 100 {
		if err := <-results; !errors.Is(err, ErrFailed) || !errors.Is(err, syscall.EIO) {
			t.Fatalf("pending change %d: %v, want ErrFailed and the cause", i, err)
		}
	}
	for i := range 100 {
		if order[i] != i {
			t.Fatalf("callback %d is that of change %d", i, order[i])
		}
	}
	_, readErr := s.Read("q", 0, 1, nil)
	for what, err := range map[string]error{
		"Err":       s.Err(),
		"Accepting": s.Accepting(),
		"Commit":    commitErr(s, Change{Puts: []Put{put("k", "later")}}),
		"Read":      readErr,
		"Load":      s.Load(func(_, _ []byte) error { return nil }),
		"Close":     s.Close(),
	} {
		if !errors.Is(err, ErrFailed) {
			t.Errorf("%s after the failure: %v", what, err)
		}
	}
	if err := commitErr(s, Change{}); !errors.Is(err, ErrClosed) {
		t.Errorf("Commit after Close: %v", err)
	}
	if _, err := Open("state", Config{Disk: disk}); err == nil {
		t.Error("the directory of a dead engine can be opened")
	}

	again := open(t, disk.PowerCut(0, nil), Config{})
	equal(t, "state", map[string]string{"k": "v"}, state(t, again))
	equal(t, "queue", []string{"1:durable"}, read(t, again, "q"))
}

// TestBreakUnderLoad breaks the disk during many commits. Each callback runs once, and every change
// whose callback saw nil survives.
func TestBreakUnderLoad(t *testing.T) {
	disk := NewDisk()
	s := open(t, disk, Config{})
	const workers = 8
	var durable [workers]int
	var answered atomic.Int64
	var all sync.WaitGroup
	for w := range workers {
		all.Go(func() {
			for i := 1; ; i++ {
				err := commitErr(s, Change{Puts: []Put{put(fmt.Sprint(w), fmt.Sprint(i))}, Appends: appends(fmt.Sprint(w), fmt.Sprint(i))})
				if err != nil {
					return
				}
				durable[w] = i
				if answered.Add(1) == 500 {
					disk.Break(syscall.EIO)
				}
			}
		})
	}
	all.Wait()
	if err := s.Close(); !errors.Is(err, ErrFailed) {
		t.Errorf("Close: %v", err)
	}
	again := open(t, disk.PowerCut(0, nil), Config{})
	kept := state(t, again)
	for w := range workers {
		records := read(t, again, fmt.Sprint(w))
		want := ""
		if len(records) > 0 {
			want = fmt.Sprint(len(records))
		}
		if len(records) < durable[w] || kept[fmt.Sprint(w)] != want {
			t.Errorf("worker %d: %d durable, then %d records and state %q", w, durable[w], len(records), kept[fmt.Sprint(w)])
		}
	}
}

// TestIdleFailure: the engine fails while nothing waits for it.
func TestIdleFailure(t *testing.T) {
	s := open(t, NewDisk(), Config{})
	cause := errors.New("manifest")
	go engineLog{s}.Fatalf("it failed: %v", cause) // blocked for ever, like the engine's own
	<-s.Failed()
	if err := s.Err(); !errors.Is(err, cause) || !errors.Is(err, ErrFailed) {
		t.Errorf("got %v", err)
	}
	for range 3 {
		if err := commitErr(s, Change{Puts: []Put{put("k", "v")}}); !errors.Is(err, ErrFailed) {
			t.Errorf("Commit: %v", err)
		}
	}
	if err := s.Close(); !errors.Is(err, ErrFailed) {
		t.Errorf("Close: %v", err)
	}
}

// TestConcurrent runs committers, a reader per queue and observers at the same time. All records
// are delivered once and in order.
func TestConcurrent(t *testing.T) {
	disk := NewDisk()
	s := open(t, disk, Config{})
	const workers, each = 4, 500
	var all sync.WaitGroup
	for w := range workers {
		queue := fmt.Sprintf("q%d", w)
		all.Go(func() {
			for i := range each {
				if err := s.Accepting(); err != nil {
					t.Error(err)
				}
				s.Commit(Change{Appends: appends(queue, fmt.Sprint(i)), Puts: []Put{put(queue, fmt.Sprint(i))}}, func(err error) {
					if err != nil {
						t.Error(err)
					}
				})
			}
		})
		all.Go(func() { deliver(t, s, queue, each) })
	}
	all.Go(func() {
		for len(s.Queues()) < workers {
			if err := s.Load(func(_, _ []byte) error { return nil }); err != nil {
				t.Error(err)
			}
		}
	})
	all.Wait()
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	for _, info := range open(t, disk, Config{}).Queues() {
		if info.Len != 0 || info.NextSeq != each+1 {
			t.Errorf("after reopening: %+v", info)
		}
	}
}

// deliver reads and removes n records, alternating between both ways.
func deliver(t *testing.T, s *Store, queue string, n int) {
	appended := s.Appended(queue)
	var entries []Entry
	next := uint64(firstSeq)
	for next <= uint64(n) {
		var err error
		entries, err = s.Read(queue, next, 10, entries[:0])
		if err != nil {
			t.Error(err)
			return
		}
		if len(entries) == 0 {
			<-appended
			continue
		}
		var acks []Ack
		for _, e := range entries {
			if e.Seq != next || string(e.Data) != fmt.Sprint(next-1) {
				t.Errorf("%s: record %d %q, want %d", queue, e.Seq, e.Data, next)
				return
			}
			acks = append(acks, Ack{queue, e.Seq})
			next++
		}
		if next%2 == 0 {
			s.Discard(acks)
			continue
		}
		s.Commit(Change{Acks: acks}, func(err error) {
			if err != nil {
				t.Error(err)
			}
		})
	}
}

func TestBackgroundFailures(t *testing.T) {
	tr := backgroundFailures{patience: backgroundPatience}
	start := time.Now()
	for _, tt := range []struct {
		name  string
		after time.Duration
		flush bool // before
		want  bool
	}{
		{"first", 0, false, false},
		{"half way", backgroundPatience / 2, false, false},
		{"still patient", backgroundPatience - 1, false, false},
		{"too long", backgroundPatience, false, true},
		{"a flush between", backgroundPatience + 1, true, false},
		{"half way again", backgroundPatience + backgroundPatience/2 + 1, false, false},
		{"counted from the next", 2*backgroundPatience + 1, false, true},
		{"much later", 9 * backgroundPatience, false, false},
	} {
		if tt.flush {
			tr.succeeded()
		}
		if got := tr.failed(start.Add(tt.after)); got != tt.want {
			t.Errorf("%s: %v, want %v", tt.name, got, tt.want)
		}
	}
}

// TestFailWhileCallbacksRun: the changes of a durable batch get their answer if the engine fails while their
// callbacks run, and later changes are refused after that.
func TestFailWhileCallbacksRun(t *testing.T) {
	s := open(t, NewDisk(), Config{})
	running, release, done := make(chan struct{}), make(chan struct{}), make(chan error, 2)
	s.Commit(Change{Puts: []Put{put("k", "first")}}, func(err error) {
		close(running)
		<-release
		done <- err
	})
	<-running
	s.Commit(Change{Puts: []Put{put("k", "second")}}, func(err error) { done <- err })
	s.fail(errors.New("test"))
	time.Sleep(10 * time.Millisecond) // only so that a refusal that comes too early is seen
	close(release)
	if err := <-done; err != nil {
		t.Errorf("the first change: %v", err)
	}
	if err := <-done; !errors.Is(err, ErrFailed) {
		t.Errorf("the second change: %v", err)
	}
}

// TestRefusedBatch: if the engine has failed while the writer was in it, and comes back, the changes are
// not answered a second time.
func TestRefusedBatch(t *testing.T) {
	s := newStore("state", Config{Disk: NewDisk()})
	if s.finishBatch(&batch{waiters: []waiter{{done: func(error) { t.Error("answered again") }}}}) {
		t.Error("the writer goes on")
	}
}

// TestCommitAfterFailure: a change that comes after the failure is refused even if the writer has not noticed
// the failure yet. It is not in the engine's batch, which may be empty, and an empty batch is durable.
func TestCommitAfterFailure(t *testing.T) {
	s := open(t, NewDisk(), Config{})
	commit(t, s, Change{Puts: []Put{put("k", "v")}}) // its batch takes the next change too
	s.finishing.Lock()                               // so that nobody takes the change
	s.fail(errors.New("test"))
	done := make(chan error, 2)
	s.Commit(Change{Puts: []Put{put("k", "v")}}, func(err error) { done <- err })
	s.mu.Lock()
	for _, w := range s.filling.waiters {
		if !errors.Is(w.err, ErrFailed) {
			t.Errorf("the writer would answer %v", w.err)
		}
	}
	s.mu.Unlock()
	s.finishing.Unlock()
	if err := <-done; !errors.Is(err, ErrFailed) {
		t.Errorf("%v", err)
	}
	if _ = s.Close(); len(done) > 0 {
		t.Error("answered twice")
	}
}

// blockedStore is a store whose writer is in the engine with a change "a", and in which "b" waits. The order
// of the answers is added to the result; resume lets the writer come back.
func blockedStore(t *testing.T) (s *Store, order *[]string, resume func()) {
	s = open(t, NewDisk(), Config{})
	s.cutting.Lock()
	order = &[]string{}
	for _, name := range []string{"a", "b"} {
		s.Commit(Change{Puts: []Put{put(name, "v")}}, func(err error) {
			*order = append(*order, fmt.Sprint(name, " refused: ", errors.Is(err, ErrFailed)))
		})
		for name == "a" {
			s.mu.Lock()
			isWriting := s.writing != nil
			s.mu.Unlock()
			if isWriting {
				break
			}
			time.Sleep(time.Millisecond)
		}
	}
	return s, order, s.cutting.Unlock
}

// TestRefuseInOrder: if the engine fails and never comes back, all changes are refused in their order: those
// of the batch that is being written, of full batches, and of the one that is being filled.
func TestRefuseInOrder(t *testing.T) {
	s, order, resume := blockedStore(t)
	defer resume()
	s.mu.Lock()
	s.seal() // as if it were full
	s.mu.Unlock()
	s.Commit(Change{Puts: []Put{put("c", "v")}}, func(error) { *order = append(*order, "c") })
	s.fail(errors.New("test"))
	_ = s.Close()
	if got := fmt.Sprint(*order); got != "[a refused: true b refused: true c]" {
		t.Error(got)
	}
}

// TestWriterComesBack: if it comes back, nothing is answered a second time, and later changes are refused.
func TestWriterComesBack(t *testing.T) {
	s, order, resume := blockedStore(t)
	s.fail(errors.New("test"))
	for s.pending.Load() > 0 {
		time.Sleep(time.Millisecond)
	}
	resume()
	time.Sleep(10 * time.Millisecond) // only so that a second answer is seen
	s.Commit(Change{}, func(error) { *order = append(*order, "c") })
	_ = s.Close()
	if got := fmt.Sprint(*order); got != "[a refused: true b refused: true c]" {
		t.Error(got)
	}
	if durable, finished := s.Batches(); durable != finished {
		t.Errorf("%d batches durable, %d finished", durable, finished)
	}
}
