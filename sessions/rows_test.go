package sessions

import (
	"fmt"
	"maps"
	"slices"
	"testing"
	"time"

	"aaasess/internal/radius"

	"pgregory.net/rapid"
)

// TestRowsAgainstMap makes the same random changes to the tree and to a map, takes snapshots, and
// compares each snapshot with the map of its time.
func TestRowsAgainstMap(t *testing.T) {
	ids := rapid.OneOf(
		rapid.Uint32Range(1, 200),
		rapid.Uint32Range(1<<32-100, 1<<32-1),
		rapid.Uint32Range(1, 1<<32-1),
		rapid.SampledFrom([]uint32{63, 64, 65, 4095, 4096, 1<<30 - 1, 1 << 30, 1<<31 + 1}),
	)
	rapid.Check(t, func(t *rapid.T) {
		r := rows{epoch: 1}
		model := map[ID]*Session{}
		type frozen struct {
			root  *node
			model map[ID]*Session
		}
		var taken []frozen
		t.Repeat(map[string]func(*rapid.T){
			"put": func(t *rapid.T) {
				s := &Session{ID: ID(ids.Draw(t, "id")), Kind: rapid.SampledFrom([]Kind{Network, Exec, Connection, 200}).Draw(t, "kind")}
				r.put(s)
				model[s.ID] = s
			},
			"remove": func(t *rapid.T) {
				id := ID(ids.Draw(t, "id"))
				if len(model) > 0 && rapid.Bool().Draw(t, "present") {
					id = rapid.SampledFrom(slices.Sorted(maps.Keys(model))).Draw(t, "which")
				}
				r.remove(id)
				delete(model, id)
			},
			"freeze": func(*rapid.T) { taken = append(taken, frozen{r.snapshot(), maps.Clone(model)}) },
			"": func(t *rapid.T) {
				if r.n != len(model) {
					t.Fatalf("n is %d, the map has %d", r.n, len(model))
				}
				var kinds [Command + 1]int
				for _, s := range model {
					if s.Kind != 200 {
						kinds[s.Kind]++
					}
				}
				if r.kinds != kinds {
					t.Fatalf("kinds are %d, the map has %d", r.kinds, kinds)
				}
				for _, f := range append(taken, frozen{r.root, model}) {
					compareWalk(t, f.root, f.model)
				}
			},
		})
	})
}

func compareWalk(t *rapid.T, root *node, model map[ID]*Session) {
	sorted := slices.Sorted(maps.Keys(model))
	var all []ID
	for s := range (&View{root: root}).All() {
		all = append(all, s.ID)
	}
	if !slices.Equal(sorted, all) {
		t.Fatalf("All yields %d, want %d", all, sorted)
	}
	var back []ID
	for s := range (&View{root: root}).Backward() {
		back = append(back, s.ID)
	}
	if slices.Reverse(back); !slices.Equal(sorted, back) {
		t.Fatalf("Backward yields the reverse of %d, want %d", back, sorted)
	}
	for s := range (&View{root: root}).All() {
		if s.ID != sorted[0] {
			t.Fatal("All goes on")
		}
		break
	}
	for s := range (&View{root: root}).Backward() {
		if s.ID != sorted[len(sorted)-1] {
			t.Fatal("Backward goes on")
		}
		break
	}
	s := ceiling(root, 0)
	for _, id := range sorted {
		if s == nil || s != model[id] {
			t.Fatalf("walk: at %d found %+v", id, s)
		}
		if find(root, id) != s {
			t.Fatalf("find(%d) differs from the walk", id)
		}
		if id == 1<<32-1 {
			return
		}
		s = ceiling(root, id+1)
	}
	if s != nil {
		t.Fatalf("the walk continues to %d", s.ID)
	}
	if find(root, 12345678) != model[12345678] {
		t.Fatal("find returns a session that does not exist")
	}
}

func millionRows() *rows {
	r := &rows{epoch: 1}
	for i := range 1_000_000 {
		r.put(&Session{ID: ID(i + 1)})
	}
	return r
}

func BenchmarkCeiling(b *testing.B) {
	root := millionRows().snapshot()
	b.ReportAllocs()
	id := ID(0)
	for b.Loop() {
		if s := ceiling(root, id+1); s != nil {
			id = s.ID
		} else {
			id = 0
		}
	}
}

// BenchmarkPut replaces rows of a million, with a snapshot after every 64, as in a busy table.
func BenchmarkPut(b *testing.B) {
	r := millionRows()
	b.ReportAllocs()
	n := uint32(0)
	for b.Loop() {
		n = n*1664525 + 1013904223
		r.put(&Session{ID: ID(n%1_000_000 + 1)})
		if n%64 == 0 {
			r.snapshot()
		}
	}
}

// TestNumbersOfCalls: when the numbers have wrapped, those of live calls are not given again.
func TestNumbersOfCalls(t *testing.T) {
	tb := New(Config{}, discardJournal{})
	for i := range 2 {
		call := event(Start, i)
		call.Kind, call.AcctSessionID = Resource, fmt.Sprint(i)
		call.Attrs = attrs(radius.AcctSessionID, call.AcctSessionID)
		if err := tb.Apply(call, nil); err != nil {
			t.Fatal(err)
		}
	}
	tb.last = 1<<32 - 1
	if id, err := tb.nextID(); id != 3 || err != nil {
		t.Errorf("number %d, %v", id, err)
	}
}

// TestUsersBeforeCalls: the first call of a NAS costs nothing for users who began long before it.
func TestUsersBeforeCalls(t *testing.T) {
	tb := New(Config{}, discardJournal{})
	add := func(kind Kind, i int, at time.Time) {
		t.Helper()
		ev := event(Start, i)
		ev.Kind, ev.AcctSessionID, ev.At = kind, fmt.Sprint(i), at
		ev.Attrs = attrs(radius.AcctSessionID, ev.AcctSessionID)
		if err := tb.Apply(ev, nil); err != nil {
			t.Fatal(err)
		}
	}
	now := event(Start, 0).At
	for i := range 100 {
		add(Network, i, now.Add(-time.Hour))
	}
	add(Network, 100, now.Add(-usersBefore+time.Minute)) // the clocks of the host are not exact
	add(Resource, 200, now)
	want := lineIndex{}
	want.add(tb.rows.get(101))
	if !maps.Equal(tb.calls.users, want) {
		t.Errorf("%d names, want %d", len(tb.calls.users), len(want))
	}
}
