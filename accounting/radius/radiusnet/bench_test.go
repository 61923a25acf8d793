package radiusnet_test

import (
	"fmt"
	"net/netip"
	"testing"
	"time"

	"aaasess/accounting"
	acctradius "aaasess/accounting/radius"
	"aaasess/accounting/radius/radiusnet"
	"aaasess/internal/radius"
)

// BenchmarkGroup is records through a group and this network: what a record costs a test.
func BenchmarkGroup(b *testing.B) {
	for _, delay := range []time.Duration{0, time.Millisecond} {
		b.Run(fmt.Sprintf("delay=%v", delay), func(b *testing.B) {
			n := radiusnet.New(1)
			n.Watch(func(radiusnet.Arrival) {})
			h := n.Add(radiusnet.Server{
				Addr: netip.MustParseAddrPort("192.0.2.1:1813"), Secret: "s", Link: radiusnet.Link{Delay: delay},
			})
			g, err := acctradius.New(acctradius.Config{Servers: []acctradius.Server{h.Config(accounting.Schedule{})}, Listen: n.Listen})
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
				g.Send(rec, accounting.Progress{}, done)
			}
			for range cap(room) {
				room <- struct{}{}
			}
		})
	}
}
