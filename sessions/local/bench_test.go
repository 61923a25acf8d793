package local

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"

	"aaasess/internal/radius"
	localreport "aaasess/sessions/local/report"
)

const benchReport = `{"source":"bench","session":"%016X","user":"user0000001@isp.example","address":"10.1.2.3","callingStation":"02-00-00-00-00-01","nasPort":7,` +
	`"attributes":[{"name":"Framed-Protocol","value":"PPP"},{"name":"Class","value":"0x30313233343536373839616263646566"},{"name":"NAS-Port-Type","value":"Ethernet"}]}`

// BenchmarkDecode is what a report costs before the table.
func BenchmarkDecode(b *testing.B) {
	body := []byte(fmt.Sprintf(benchReport, 1))
	b.ReportAllocs()
	for b.Loop() {
		r, err := decode(body)
		if err != nil {
			b.Fatal(err)
		}
		t := translation{Report: &r, verb: localreport.Start, names: radius.Standard(), nasID: "h"}
		if t.event(); t.fault != nil {
			b.Fatal(t.fault)
		}
	}
}

// BenchmarkStart is a start without HTTP and the store.
func BenchmarkStart(b *testing.B) {
	w := newWorld(b)
	b.ReportAllocs()
	i := 0
	for b.Loop() {
		i++
		r := httptest.NewRequest(http.MethodPost, localreport.Start.Path(), strings.NewReader(fmt.Sprintf(benchReport, i)))
		if answer := w.serveAs(ann, r); answer.Code != http.StatusOK {
			b.Fatal(answer.Body)
		}
	}
}

// BenchmarkSocket is a start over the socket, without the store, from 16 clients.
func BenchmarkSocket(b *testing.B) {
	w := asRoot(newWorld(b))
	c := w.serve()
	c.Transport.(*http.Transport).MaxIdleConnsPerHost = 16
	b.ReportAllocs()
	b.SetParallelism(8)
	var n atomic.Int64
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			if code, body := post(b, c, localreport.Start, []byte(fmt.Sprintf(benchReport, n.Add(1)))); code != http.StatusOK {
				b.Error(body)
				return
			}
		}
	})
}
