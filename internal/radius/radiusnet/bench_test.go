package radiusnet_test

import (
	"fmt"
	"net/netip"
	"testing"
	"time"

	"aaasess/accounting"
	acctradius "aaasess/accounting/radius"
	"aaasess/internal/radius"
	"aaasess/internal/radius/client"
	"aaasess/internal/radius/radiusnet"
	"aaasess/internal/retry"
)

// BenchmarkGroup sends records through a group and this network: the cost of a record in a test.
func BenchmarkGroup(b *testing.B) {
	for _, delay := range []time.Duration{0, time.Millisecond} {
		b.Run(fmt.Sprintf("delay=%v", delay), func(b *testing.B) {
			n := radiusnet.New(1)
			n.Watch(func(radiusnet.Arrival) {})
			h := n.Add(radiusnet.Server{
				Addr: netip.MustParseAddrPort("192.0.2.1:1813"), Secret: "s", Link: radiusnet.Link{Delay: delay},
			})
			g, err := acctradius.New(client.New(client.Config{Dial: client.OverUDP(n.Listen)}), client.GroupConfig{Members: []client.Member{h.Member(retry.Schedule{})}})
			if err != nil {
				b.Fatal(err)
			}
			go func() { _ = g.Run(b.Context()) }()
			<-g.Ready()
			attrs := radius.AppendUint32(nil, radius.AcctStatusType, 1)
			attrs = radius.AppendAttribute(attrs, radius.AcctSessionID, "00000001")
			rec := &accounting.Record{At: time.Now(), Attrs: radius.Attributes(attrs)}
			room := make(chan struct{}, g.Window())
			done := func(err error) {
				if err != nil {
					b.Error(err)
				}
				<-room
			}
			b.ReportAllocs()
			for b.Loop() {
				room <- struct{}{}
				g.Send(rec, retry.Progress{}, done)
			}
			for range cap(room) {
				room <- struct{}{}
			}
		})
	}
}
