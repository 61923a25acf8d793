package radius

import (
	"fmt"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"aaasess/internal/radius"
	"aaasess/internal/retry"
)

// BenchmarkGroup sends records through a group to a responder in this process, which shares the
// CPUs, so it measures the cost of both ends. The window is kept full.
func BenchmarkGroup(b *testing.B) {
	for _, window := range []int{64, 1024} {
		b.Run(fmt.Sprintf("window=%d", window), func(b *testing.B) {
			conn := listen(b)
			defer conn.Close()
			_ = conn.SetReadBuffer(4 << 20)
			go echo(conn, testSecret)
			g := startGroup(b, Config{
				MaxInFlight: window,
				Servers:     []Server{{Addr: conn.LocalAddr().(*net.UDPAddr).AddrPort(), Secret: testSecret}},
			})
			rec := testRecord(1, time.Now())
			rec.Attrs += radius.Attributes(radius.AppendAttribute(nil, radius.Class, strings.Repeat("c", 200)))
			room := make(chan struct{}, window)
			var wg sync.WaitGroup
			done := func(err error) {
				if err != nil {
					b.Error(err)
				}
				<-room
				wg.Done()
			}
			b.ReportAllocs()
			for b.Loop() {
				room <- struct{}{}
				wg.Add(1)
				g.Send(rec, retry.Progress{}, done)
			}
			wg.Wait()
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "records/s")
			b.Logf("%+v", g.Stats())
		})
	}
}
