package sessions

import (
	"fmt"
	"testing"

	"pgregory.net/rapid"

	"aaasess/internal/radius"
)

// TestCountersNeverFall: a power cut never takes back what a reader has seen of the counters. What
// was answered is counted for the next reader.
func TestCountersNeverFall(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		d := newSlowDisk()
		tb := New(Config{}, d)
		var seen, answered Counters
		decided, begun := Counters{}, 0
		least := func(is, than Counters) bool {
			return is.Total >= than.Total && is.HighWater >= than.HighWater && is.Disconnected >= than.Disconnected
		}
		look := func() {
			is := tb.View().Counters
			if !least(is, seen) || !least(is, answered) {
				rt.Fatalf("%+v, seen before %+v, answered %+v", is, seen, answered)
			}
			seen = is
		}
		answer := func(counted Counters) func(error) {
			return func(err error) {
				if err == nil {
					answered = counted
					look()
				}
			}
		}
		live := func() (ids []ID) {
			for s := ceiling(tb.rows.root, 1); s != nil; s = ceiling(tb.rows.root, s.ID+1) {
				ids = append(ids, s.ID)
			}
			return ids
		}
		apply := func(typ EventType, sid string) {
			ev := event(typ, 0)
			ev.AcctSessionID, ev.Attrs = sid, attrs(radius.AcctSessionID, sid)
			// An event that changes no counter may be an empty change. Its done then says nothing
			// of a refused change before it.
			var done func(error)
			if typ == Start {
				decided.Total++
				decided.HighWater = max(decided.HighWater, uint32(len(live())+1))
				done = answer(decided)
			}
			if err := tb.Apply(ev, done); err != nil {
				rt.Fatal(err)
			}
		}
		one := func(rt *rapid.T) ID {
			ids := live()
			if len(ids) == 0 {
				rt.Skip("no row")
			}
			return rapid.SampledFrom(ids).Draw(rt, "row")
		}
		rt.Repeat(map[string]func(*rapid.T){
			"start":   func(*rapid.T) { begun++; apply(Start, fmt.Sprint(begun)) },
			"interim": func(rt *rapid.T) { apply(Interim, tb.rows.get(one(rt)).AcctSessionID()) },
			"stop":    func(rt *rapid.T) { apply(Stop, tb.rows.get(one(rt)).AcctSessionID()) },
			"disconnect": func(rt *rapid.T) {
				id := one(rt)
				var done func(error)
				if tb.rows.get(id).State == Active {
					decided.Disconnected++
					done = answer(decided)
				}
				if _, err := tb.Disconnect([]ID{id}, done); err != nil {
					rt.Fatal(err)
				}
			},
			"a change is refused": func(*rapid.T) {
				d.refuses = func(Change) bool { return true }
				defer func() { d.refuses = func(Change) bool { return false } }()
				begun++
				apply(Start, fmt.Sprint(begun))
			},
			"the disk writes": func(rt *rapid.T) { d.write(rapid.IntRange(0, len(d.queue)).Draw(rt, "changes")) },
			"power cut": func(*rapid.T) {
				var err error
				if tb, err = d.powerCut(Config{}); err != nil {
					rt.Fatal(err)
				}
				decided = tb.counters
			},
			"": func(*rapid.T) { look() },
		})
		d.writeAll()
		apply(Start, "the last")
		d.writeAll()
		if is := tb.View().Counters; is != tb.counters || is != decided {
			rt.Fatalf("%+v in the end, decided %+v and %+v", is, tb.counters, decided)
		}
	})
}
