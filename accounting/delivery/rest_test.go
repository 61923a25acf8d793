package delivery

import (
	"testing"
	"time"
)

// TestRest: while no method takes records, the search for superseded interims and the reading of a long
// queue rest after each batch, and go on later.
func TestRest(t *testing.T) {
	const records = 5 * scanBatch
	d, q := heldQueue(t, records)
	q.scan.cursor = 1 // where the queue begins
	now := d.created
	if err := d.read(now); err != nil { // whether a queue is blocked is known from its records
		t.Fatal(err)
	}
	now = now.Add(time.Hour)
	for _, part := range []struct {
		name     string
		position func() uint64
		do       func(now time.Time) error
	}{
		{"search", func() uint64 { return q.scan.cursor }, func(now time.Time) error { return d.supersede(q, now) }},
		{"read", func() uint64 { return q.cursor }, d.read}, // when nothing is left to search
	} {
		before, moved := part.position(), 0
		for range records {
			for range 3 { // only the first may go on
				if err := part.do(now); err != nil {
					t.Fatal(err)
				}
			}
			at := part.position()
			if at == before {
				break
			}
			if at-before > scanBatch {
				t.Errorf("%s: %d records at once", part.name, at-before)
			}
			d.placed = false // nothing is dispatched here
			if due := d.nextDue(now); due == 0 || due > time.Minute {
				t.Errorf("%s: goes on after %v", part.name, due)
			}
			before, now = at, now.Add(time.Hour)
			moved++
		}
		if moved < 2 {
			t.Errorf("%s: %d batches", part.name, moved)
		}
	}
	if got, want := q.count.Superseded, uint64(records/4); got != want {
		t.Errorf("%d superseded, want %d", got, want)
	}
}
