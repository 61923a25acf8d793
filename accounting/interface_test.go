package accounting

import (
	"net/netip"
	"testing"
	"time"

	"aaasess/internal/radius"
	"aaasess/sessions"
	"aaasess/sessions/sessionstest"
)

// TestInterimOfInterface: an interim that we make has what the interface of its session has counted, though
// the program that reported the session has told no counters.
func TestInterimOfInterface(t *testing.T) {
	journal := sessionstest.NewJournal()
	defer journal.Close()
	table := sessions.New(sessions.Config{}, journal)
	sessionstest.Await(t, func(done func(error)) error {
		return table.Apply(sessions.Event{
			Type: sessions.Start, NAS: sessions.NAS{Addr: netip.MustParseAddr("192.0.2.1")}, AcctSessionID: "a", Kind: sessions.Network, At: time.Now(),
			Attrs:   radius.Attributes(radius.AppendAttribute(nil, radius.AcctSessionID, "a")),
			IfIndex: 7, Link: &sessions.Link{Host: 1, Traffic: sessions.Traffic{1000, 0, 0, 0}},
		}, done)
	})
	table.Refreshed(table.BeginRefresh(), 1, []sessions.Sample{{IfIndex: 7, Traffic: sessions.Traffic{1000 + 5<<32 + 6, 70, 8, 9}}})
	sessionstest.Await(t, func(done func(error)) error {
		_, err := table.MakeInterims([]sessions.DueInterim{{ID: 1}}, done)
		return err
	})
	attrs, _ := Compose(nil, &journal.Notices()[1])
	for typ, want := range map[radius.Type]uint32{
		radius.AcctInputOctets: 6, radius.AcctInputGigawords: 5, radius.AcctOutputOctets: 70, radius.AcctInputPackets: 8, radius.AcctOutputPackets: 9,
	} {
		if got, _ := radius.Attributes(attrs).Uint32(typ); got != want {
			t.Errorf("%v: %d, want %d", typ, got, want)
		}
	}
}
