package interim

import (
	"fmt"
	"net/netip"
	"testing"
	"time"

	"aaasess/internal/radius"
	"aaasess/sessions"
	"aaasess/sessions/sessionstest"
)

// BenchmarkWindow measures a look at a million rows for what is due within half a minute, with a
// period of ten minutes.
func BenchmarkWindow(b *testing.B) {
	const n = 1_000_000
	j := sessionstest.NewJournal()
	defer j.Close()
	table := sessions.New(sessions.Config{}, j)
	begun := time.Now().Add(-time.Hour)
	for i := range n {
		sid := fmt.Sprintf("%016X", i)
		a := radius.AppendAttribute(nil, radius.UserName, fmt.Sprintf("user%07d@isp.example", i))
		a = radius.AppendUint32(radius.AppendAttribute(a, radius.AcctSessionID, sid), radius.NASPort, uint32(i))
		a = radius.AppendAttribute(a, radius.Class, "0123456789abcdef")
		ev := sessions.Event{
			Type: sessions.Start, NAS: sessions.NAS{Addr: netip.AddrFrom4([4]byte{192, 0, 2, byte(i % 20)})}, AcctSessionID: sid,
			Kind: sessions.Network, At: begun, Attrs: radius.Attributes(a),
		}
		if err := table.Apply(ev, nil); err != nil {
			b.Fatal(err)
		}
	}
	for table.View().Len() < n {
		time.Sleep(10 * time.Millisecond)
	}
	// As policy.Plan.InterimPeriod, without its list.
	p := Policy{Minimum: time.Minute, Period: func(s *sessions.Session) time.Duration {
		seconds, _ := s.Attrs.Uint32(radius.AcctInterimInterval)
		return time.Duration(seconds)*time.Second + 10*time.Minute
	}}
	v, from, due := table.View(), table.Clock(), 0
	b.ReportAllocs()
	for b.Loop() {
		due = len(p.dueBetween(v, from, from.Add(maxWindow)))
	}
	b.ReportMetric(float64(due), "due")
}
