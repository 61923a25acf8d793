package interim

import (
	"net/netip"
	"testing"
	"time"

	"aaasess/internal/radius"
	"aaasess/sessions"
	"aaasess/sessions/sessionstest"
)

// TestCountersAreCurrent: for each of our interims, the interface of the session is read at that moment.
func TestCountersAreCurrent(t *testing.T) {
	inBubble(t, always(10*time.Minute), func(b *bubble) {
		read := map[time.Time]bool{}
		b.table.SetRefresher(func() { read[time.Now().Round(time.Second)] = true })
		sessionstest.Await(t, func(done func(error)) error {
			return b.table.Apply(sessions.Event{
				Type: sessions.Start, NAS: sessions.NAS{Addr: netip.MustParseAddr("192.0.2.1")}, AcctSessionID: "a", Kind: sessions.Network, At: time.Now(),
				Attrs: radius.Attributes(radius.AppendAttribute(nil, radius.AcctSessionID, "a")), IfIndex: 7, Link: &sessions.Link{Host: 1},
			}, done)
		})
		began := time.Now()
		time.Sleep(time.Hour)
		all, _ := b.interims(began)
		for _, at := range all {
			if !read[at.Round(time.Second)] {
				t.Errorf("nothing was read for the interim at %v", at)
			}
		}
		if len(all) < 5 {
			t.Errorf("%d interims in an hour", len(all))
		}
	})
}
