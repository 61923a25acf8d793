package sessions

import "testing"

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
