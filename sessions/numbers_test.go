package sessions

import (
	"fmt"
	"net/netip"
	"testing"

	"aaasess/internal/radius"
)

// TestReserve: reserved numbers are durable before they are given, also where the numbers wrap, and no
// other session gets one.
func TestReserve(t *testing.T) {
	for _, from := range []ID{0, 1<<32 - numbersLeft - 1, 1<<32 - numberBlock, 1<<32 - 2, 1 << 31} {
		t.Run(from.String(), func(t *testing.T) {
			d := newSlowDisk()
			tb := New(Config{}, d)
			tb.SetLastID(from)
			if _, ok := tb.Reserve(); ok {
				t.Fatal("a number without SetReserving")
			}
			tb.SetReserving(true)
			if _, ok := tb.Reserve(); ok {
				t.Fatal("a number that is not durable")
			}
			d.writeAll()
			seen := map[ID]bool{}
			missed := 0
			for i := range 3 * numberBlock {
				id, ok := tb.Reserve()
				if !ok {
					d.writeAll()
					missed++
					continue
				}
				if id == 0 || seen[id] {
					t.Fatalf("number %d", id)
				}
				if seen[id] = true; i%3 != 0 {
					tb.Release(id)
				}
			}
			if missed > 6 || len(tb.numbers.reserved) == 0 {
				t.Errorf("%d times no number was durable, %d are reserved", missed, len(tb.numbers.reserved))
			}
			again, err := d.powerCut(Config{})
			if err != nil {
				t.Fatal(err)
			}
			for i := range 3 {
				apply(t, again, eventOf(fmt.Sprint("s", i), Start, 0))
			}
			for _, s := range again.allLive() {
				if seen[s.ID] {
					t.Errorf("number %d again", s.ID)
				}
			}
		})
	}
}

// TestReserveAfterOneOffs: records without a session take numbers too. The block that one of them begins
// is durable with it.
func TestReserveAfterOneOffs(t *testing.T) {
	d := newSlowDisk()
	d.route = func(*Session) string { return "route" }
	tb := New(Config{}, d)
	tb.SetReserving(true)
	d.writeAll()
	failed := OneOff{
		Kind: Network, Unstarted: AuthenticationFailed, NAS: NAS{Addr: netip.MustParseAddr("192.0.2.1")},
		Attrs: radius.Attributes(radius.AppendAttribute(nil, radius.UserName, "mallory")),
	}
	for range numberBlock {
		if _, err := tb.Record(failed, nil); err != nil {
			t.Fatal(err)
		}
		d.writeAll()
	}
	if _, ok := tb.Reserve(); !ok {
		t.Errorf("no number behind %d", tb.last)
	}
}

// TestNotReserving: without SetReserving, and after it was switched off, no number is skipped over a
// restart.
func TestNotReserving(t *testing.T) {
	d := newSlowDisk()
	tb := New(Config{}, d)
	tb.SetReserving(true)
	d.writeAll()
	if id, ok := tb.Reserve(); !ok || id != 1 {
		t.Fatal(id, ok)
	}
	tb.SetReserving(false)
	apply(t, tb, eventOf("a", Start, 0))
	d.writeAll()
	again, err := d.powerCut(Config{})
	if err != nil || again.last != 2 {
		t.Errorf("last %d, %v", again.last, err)
	}
}

// TestReservedAfterWrap: neither a session nor another login gets a number that is reserved.
func TestReservedAfterWrap(t *testing.T) {
	d := newSlowDisk()
	tb := New(Config{}, d)
	tb.SetReserving(true)
	d.writeAll()
	for want := ID(1); want <= 3; want++ {
		if id, ok := tb.Reserve(); !ok || id != want {
			t.Fatal(id, ok)
		}
	}
	tb.SetLastID(1<<32 - 1)
	tb.Release(2)
	apply(t, tb, eventOf("a", Start, 0))
	apply(t, tb, eventOf("b", Start, 0))
	if tb.rows.get(2) == nil || tb.rows.get(4) == nil || tb.rows.n != 2 {
		t.Errorf("rows %v", tb.allLive())
	}
	if err := tb.Invariants(); err != nil {
		t.Error(err)
	}
}

// TestSetUpNotReserved: no row appears under a number that is not reserved any more. If one disappears,
// the next view is without it.
func TestSetUpNotReserved(t *testing.T) {
	d := newSlowDisk()
	tb := New(Config{}, d)
	tb.SetReserving(true)
	d.writeAll()
	id, _ := tb.Reserve()
	row := func() *Session { return &Session{ID: id, Kind: Network, NAS: &NAS{}} }
	tb.SetUp(row())
	d.writeAll()
	if tb.View().Entry(id) == nil || tb.View().Entries() != 1 {
		t.Fatal("no row")
	}
	if tb.Release(id); len(d.queue) != 0 {
		t.Error("something is written for that")
	}
	if tb.View().Entry(id) != nil {
		t.Error("the row stays")
	}
	tb.SetUp(row())
	d.writeAll()
	if v := tb.View(); v.Entry(id) != nil || v.Total != 1 {
		t.Errorf("a row under a number that is not reserved; %+v", v.Counters)
	}
}

// TestRecordOfReserved: a record gets the number that was reserved.
func TestRecordOfReserved(t *testing.T) {
	d := newSlowDisk()
	d.route = func(s *Session) string { return "somewhere" }
	tb := New(Config{}, d)
	tb.SetReserving(true)
	d.writeAll()
	id, _ := tb.Reserve()
	apply(t, tb, eventOf("a", Start, 0))
	ev := eventOf("b", Stop, 0)
	got, err := tb.Record(OneOff{ID: id, Kind: Network, Unstarted: AuthenticationFailed, NAS: ev.NAS, At: at(0), Attrs: attrs(radius.UserName, "bob"), Admission: &Admission{Upstream: "own"}}, nil)
	if err != nil || got != id || tb.last != 2 {
		t.Errorf("number %d, last %d, %v", got, tb.last, err)
	}
	d.writeAll()
}
