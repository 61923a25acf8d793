package stale

import (
	"fmt"
	"log/slog"
	"net/netip"
	"testing"
	"time"

	"aaasess/internal/radius"
	"aaasess/sessions"
	"aaasess/sessions/sessionstest"
	"aaasess/sessions/silence"
)

// BenchmarkLook looks at a million rows of a hundred NASes, none of them stale. This is done every half
// minute.
func BenchmarkLook(b *testing.B) {
	journal := sessionstest.NewJournal()
	defer journal.Close()
	table := sessions.New(sessions.Config{}, journal)
	for i := range 1_000_000 {
		sid := fmt.Sprint(i)
		ev := sessions.Event{
			Type: sessions.Start, NAS: sessions.NAS{Addr: netip.AddrFrom4([4]byte{192, 0, 2, byte(i % 100)})}, AcctSessionID: sid, Kind: sessions.Network,
			At: time.Now(), Attrs: radius.Attributes(radius.AppendAttribute(nil, radius.AcctSessionID, sid)),
		}
		if err := table.Apply(ev, nil); err != nil {
			b.Fatal(err)
		}
	}
	sessionstest.Await(b, func(done func(error)) error { return table.Clear(nil, done) })
	c := New(Config{Table: table, Policy: always(silence.Limits{Intervals: 3, MaxAge: time.Hour}), Log: slog.New(slog.DiscardHandler)})
	for b.Loop() {
		if stale := c.look(); len(stale) > 0 {
			b.Fatalf("%d are stale", len(stale))
		}
	}
}
