package delivery

import (
	"testing"
	"time"

	"aaasess/accounting"
)

// TestRest: while no method takes records, the search for superseded interims and the reading of a long
// queue rest after each batch, and go on later.
func TestRest(t *testing.T) {
	const records = 5 * scanBatch
	d, q := longQueue(t, records, Held)
	q.scan.cursor = 1 // the first sequence number
	now := d.created
	if err := d.read(now); err != nil { // isBlocked needs records in memory
		t.Fatal(err)
	}
	now = now.Add(time.Hour)
	for _, part := range []struct {
		name     string
		batch    uint64
		position func() uint64
		do       func(now time.Time) error
		end      uint64
	}{
		{"read", readBatch, func() uint64 { return q.cursor }, d.read, 3*readBatch + 1}, // until half of what may be loaded is
		{"search", scanBatch, func() uint64 { return q.scan.cursor }, func(now time.Time) error { return d.supersede(q, now) }, records + 1},
	} {
		q.scan.more = part.name == "search" // otherwise nextDue is the search's
		before := part.position()
		for {
			for range 3 { // only the first may go on
				if err := part.do(now); err != nil {
					t.Fatal(err)
				}
			}
			at := part.position()
			if at == before {
				break
			}
			if at-before > part.batch {
				t.Errorf("%s: %d records at once", part.name, at-before)
			}
			d.placed = false // as after dispatch
			if due := d.nextDue(now); due == 0 || due == time.Hour {
				t.Errorf("%s: goes on after %v", part.name, due)
			}
			before, now = at, now.Add(time.Hour)
		}
		if before != part.end {
			t.Errorf("%s: ended at record %d, want %d", part.name, before, part.end)
		}
	}
	if got, want := q.count.Superseded, uint64(records/4); got != want {
		t.Errorf("%d superseded, want %d", got, want)
	}
}

// TestNoRest: reading does not rest while a method is available, and a rest ends when one is again.
func TestNoRest(t *testing.T) {
	for _, tt := range []struct {
		name   string
		hold   Hold
		others []accounting.MethodName
	}{
		{"the method takes all", Open, nil},
		{"another method takes some", Away, []accounting.MethodName{accounting.Local}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			d, q := longQueue(t, 4*readBatch, tt.hold, tt.others...)
			if err := d.read(d.created); err != nil {
				t.Fatal(err)
			}
			if q.cursor <= 2*readBatch {
				t.Errorf("read until record %d", q.cursor)
			}
		})
	}
	t.Run("available again", func(t *testing.T) {
		d, q := longQueue(t, 4*readBatch, Held)
		for range 3 {
			if err := d.read(d.created); err != nil {
				t.Fatal(err)
			}
		}
		if q.cursor != readBatch+1 {
			t.Errorf("held: read until record %d", q.cursor)
		}
		d.SetHold(accounting.Group("radius"), Open)
		d.collect(t.Context())
		if err := d.read(d.created); err != nil || q.cursor <= 2*readBatch {
			t.Errorf("open: read until record %d, %v", q.cursor, err)
		}
	})
}
