package sessions

import (
	"fmt"
	"testing"

	"aaasess/internal/radius"
)

// BenchmarkApply measures the decision of events: of many sessions the starts, the interims and the
// stops.
func BenchmarkApply(b *testing.B) {
	for _, typ := range []EventType{Start, Interim, Stop} {
		b.Run(typ.String(), func(b *testing.B) {
			events := make([]Event, 3*10_000)
			for i := range events {
				typ := []EventType{Start, Interim, Stop}[i/10_000]
				sid := fmt.Sprintf("%016X", i%10_000)
				ev := event(typ, i/10_000, radius.FramedIPAddress, 0x0a000000+i%10_000, radius.CallingStationID, fmt.Sprintf("02-00-00-%06X", i%10_000), radius.Class, "0123456789abcdef", radius.NASIdentifier, "nas-1")
				_, others := split(ev.Attrs, radius.AcctSessionID)
				ev.AcctSessionID, ev.Attrs = sid, others+attrs(radius.AcctSessionID, sid)
				ev = withTimestamp(withUsage(ev, uint64(i), uint32(i/10_000)), uint32(1e9+i/10_000))
				events[i] = ev
			}
			tb := New(Config{}, discardJournal{})
			run := func(typ EventType) {
				for i := range events {
					if events[i].Type == typ {
						_ = tb.Apply(events[i], nil)
					}
				}
			}
			b.ReportAllocs()
			for b.Loop() {
				b.StopTimer()
				tb = New(Config{}, discardJournal{})
				for _, before := range []EventType{Start, Interim} {
					if before == typ {
						break
					}
					run(before)
				}
				b.StartTimer()
				run(typ)
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/10_000, "ns/event")
		})
	}
}
