package sessions_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"pgregory.net/rapid"

	"aaasess/internal/radius"
	"aaasess/sessions"
)

// TestMaxProperty sends events of few names to a table with a maximum and with memory that is short
// at times. There are never more rows than the maximum; a stop is always answered, and so is what
// needs no new row; what was answered has a record or is a copy of one; what was refused has none.
func TestMaxProperty(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		short, refused := false, 0
		limit := rapid.IntRange(1, 5).Draw(rt, "max")
		f := newFixture(t, sessions.Config{
			Max: limit, MemoryShort: func() bool { return short }, Refused: func(error) { refused++ },
		})
		refusals := 0
		send := func(typ sessions.EventType, sid string, octets uint64) {
			hasRow := false
			for s := range f.View().All() {
				hasRow = hasRow || s.AcctSessionID() == sid
			}
			before, full := len(f.journal.Notices()), short || f.View().Len() >= limit
			f.now = f.now.Add(time.Second)
			ev := sessions.Event{
				Type: typ, NAS: nas1, AcctSessionID: sid, Kind: sessions.Network, At: f.now, EventTimestamp: uint32(f.now.Unix()),
				Attrs: radius.Attributes(radius.AppendAttribute(nil, radius.AcctSessionID, sid)),
				Usage: sessions.Usage{InputOctets: octets}, Sent: sessions.InputOctets,
			}
			answered := make(chan error, 1)
			err := f.Apply(ev, func(err error) { answered <- err })
			if err == nil {
				err = <-answered
			}
			after := len(f.journal.Notices())
			switch {
			case errors.Is(err, sessions.ErrMax), errors.Is(err, sessions.ErrMemory):
				refusals++
				if typ == sessions.Stop || hasRow || !full {
					rt.Fatalf("%v of %s with row %v is refused, rows %d, memory short %v: %v", typ, sid, hasRow, f.View().Len(), short, err)
				}
				if after != before {
					rt.Fatalf("a refused %v of %s has a record", typ, sid)
				}
			case err != nil:
				rt.Fatal(err)
			case after == before: // each event is different from all before
				rt.Fatalf("%v of %s is answered, and has no record", typ, sid)
			}
			if n := f.View().Len(); n > limit {
				rt.Fatalf("%d rows, at most %d are allowed", n, limit)
			}
		}
		octets := uint64(0)
		sid := func(rt *rapid.T) string { return fmt.Sprint("s", rapid.IntRange(0, 9).Draw(rt, "name")) }
		rt.Repeat(map[string]func(*rapid.T){
			"start":   func(rt *rapid.T) { send(sessions.Start, sid(rt), 0) },
			"interim": func(rt *rapid.T) { octets++; send(sessions.Interim, sid(rt), octets) },
			"stop":    func(rt *rapid.T) { octets++; send(sessions.Stop, sid(rt), octets) },
			"memory":  func(*rapid.T) { short = !short },
			"on":      func(*rapid.T) { f.now = f.now.Add(time.Second); f.accountingOn(t, nas1) },
			"": func(rt *rapid.T) {
				got := f.Refusals()
				if n := int(got.Max + got.Memory); n != refusals || n != refused {
					rt.Fatalf("%+v, %d calls of Refused, want %d", got, refused, refusals)
				}
			},
		})
	})
}

// TestMaxCalls: calls have the same maximum as rows, and neither takes a place of the other.
func TestMaxCalls(t *testing.T) {
	f := newFixture(t, sessions.Config{Max: 1})
	for i, want := range []error{nil, nil, sessions.ErrMax, sessions.ErrMax} {
		kind, name := []sessions.Kind{sessions.Resource, sessions.Network}[i%2], fmt.Sprint(i)
		ev := sessions.Event{
			Type: sessions.Start, NAS: nas1, AcctSessionID: name, Kind: kind, At: f.now,
			Attrs: radius.Attributes(radius.AppendAttribute(nil, radius.AcctSessionID, name)),
		}
		if err := f.Apply(ev, nil); !errors.Is(err, want) {
			t.Errorf("%s %s: %v, want %v", kind, name, err, want)
		}
	}
}

// TestMaxAfterRestart: rows beyond a smaller maximum stay, and there is a new one only when enough
// of them have ended.
func TestMaxAfterRestart(t *testing.T) {
	f := newFixture(t, sessions.Config{})
	for i := range 3 {
		f.send(t, sessions.Start, fmt.Sprint("a", i), 0)
	}
	f.waitForCommits(t)
	g := newFixture(t, sessions.Config{Max: 2})
	if err := g.Load(f.journal.Load); err != nil {
		t.Fatal(err)
	}
	for i, want := range []error{sessions.ErrMax, sessions.ErrMax, nil} {
		ev := sessions.Event{Type: sessions.Start, NAS: nas1, AcctSessionID: "new", Kind: sessions.Network, At: g.now, Attrs: "\x2c\x05new"}
		if err := g.Apply(ev, nil); !errors.Is(err, want) {
			t.Errorf("with %d ended: %v, want %v", i, err, want)
		}
		if i < 2 {
			g.send(t, sessions.Stop, fmt.Sprint("a", i), 1)
		}
	}
	if got := g.Refusals(); got != (sessions.Refusals{Max: 2}) || g.Max() != 2 {
		t.Errorf("%+v of %d", got, g.Max())
	}
}
