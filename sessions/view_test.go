package sessions

import (
	"fmt"
	"sync"
	"testing"

	"aaasess/internal/radius"
)

// batchJournal is a journal whose changes are durable when the test says so.
type batchJournal struct {
	noJournal
	afterBatch func()
}

func (j *batchJournal) AfterBatch(fn func()) { j.afterBatch = fn }

// TestViewWhenRead: batches without a reader copy no part of the tree; the first reader after a batch sees
// it, and a view never changes.
func TestViewWhenRead(t *testing.T) {
	journal := &batchJournal{}
	tb := New(Config{}, journal)
	start := func(second int) {
		apply(t, tb, withTimestamp(event(Start, second), uint32(1000*second+1)))
	}
	empty, epoch := tb.View(), tb.rows.epoch
	start(0)
	if tb.View() != empty {
		t.Error("what is in no batch yet is in a view")
	}
	journal.afterBatch()
	start(100)
	journal.afterBatch()
	if tb.rows.epoch != epoch {
		t.Error("a view was made that nobody reads")
	}
	for range viewEvery {
		journal.afterBatch()
	}
	if tb.rows.epoch != epoch+1 {
		t.Errorf("%d views were made after many batches", tb.rows.epoch-epoch)
	}
	one := tb.View()
	if again := tb.View(); one == empty || again != one || one.Len() == 0 {
		t.Errorf("%d sessions; the same view: %v", one.Len(), again == one)
	}
	n, newest := one.Len(), one.Get(tb.last)
	apply(t, tb, event(Interim, 160))
	if tb.View() != one {
		t.Error("what is in no batch yet is in a later view")
	}
	journal.afterBatch()
	if two := tb.View(); one.Len() != n || one.Get(tb.last) != newest || two.Get(tb.last) == newest || empty.Len() != 0 {
		t.Error("a view has changed, or the next one has not")
	}
}

// TestViewHasWhatIsDurable: a reader who has heard that a change is durable sees it, with any number of
// readers and batches at the same time.
func TestViewHasWhatIsDurable(t *testing.T) {
	journal := newConcurrentJournal(t)
	tb := New(Config{}, journal)
	var all sync.WaitGroup
	for w := range 8 {
		all.Go(func() {
			for i := range 2000 {
				ev := event(Start, 0)
				ev.AcctSessionID = fmt.Sprint(w, "-", i)
				ev.Attrs = attrs(radius.AcctSessionID, ev.AcctSessionID)
				done := make(chan struct{})
				if err := tb.Apply(ev, func(error) { close(done) }); err != nil {
					t.Error(err)
					return
				}
				<-done
				if v := tb.View(); v.Total > uint64(v.Len()) || v.Len() <= i {
					t.Errorf("%d sessions of %d", v.Len(), v.Total)
					return
				}
			}
		})
	}
	all.Wait()
}

// concurrentJournal makes changes durable in batches, on a goroutine of its own.
type concurrentJournal struct {
	batchJournal
	queue chan func(error)
}

func newConcurrentJournal(t *testing.T) *concurrentJournal {
	j := &concurrentJournal{queue: make(chan func(error), 64)}
	ended := make(chan struct{})
	t.Cleanup(func() {
		close(j.queue)
		<-ended
	})
	go func() {
		defer close(ended)
		for done := range j.queue {
			batch := []func(error){done}
			for len(j.queue) > 0 {
				batch = append(batch, <-j.queue)
			}
			j.afterBatch()
			for _, done := range batch {
				done(nil)
			}
		}
	}()
	return j
}

func (j *concurrentJournal) Commit(_ Change, done func(error)) { j.queue <- done }
