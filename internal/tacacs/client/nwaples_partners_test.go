//go:build partners

package client_test

import (
	"context"
	"net"
	"sync"
	"testing"

	"github.com/nwaples/tacplus"

	"aaasess/internal/tacacs"
)

// BenchmarkNwaples measures the client of nwaples/tacplus with 16 connections, with the server and
// the requests of BenchmarkSend.
func BenchmarkNwaples(b *testing.B) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	var serving sync.WaitGroup
	serving.Go(func() { acknowledge(l) })
	var clients [16]*tacplus.Client
	for i := range clients {
		clients[i] = &tacplus.Client{Addr: l.Addr().String(), ConnConfig: tacplus.ConnConfig{Mux: true, Secret: []byte(testKey)}}
	}
	r := (&benchRequest{}).Accounting(benchTime)
	request := tacplus.AcctRequest{Flags: byte(tacacs.AcctFlagStop), User: r.User, Port: r.Port, RemAddr: r.RemAddr, Arg: r.Args}
	work := make(chan struct{})
	var workers sync.WaitGroup
	for i := range benchInFlight {
		workers.Go(func() {
			for range work {
				reply, err := clients[i%len(clients)].SendAcctRequest(context.Background(), &request)
				if err != nil || reply.Status != byte(tacacs.StatusSuccess) {
					b.Error(reply, err)
				}
			}
		})
	}
	b.ReportAllocs()
	for b.Loop() {
		work <- struct{}{}
	}
	close(work)
	workers.Wait()
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "records/s")
	for _, c := range clients {
		c.Close()
	}
	_ = l.Close()
	serving.Wait()
}
