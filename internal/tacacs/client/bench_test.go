package client_test

import (
	"context"
	"sync"
	"testing"
	"time"

	"aaasess/internal/retry"
	"aaasess/internal/tacacs"
	tacclient "aaasess/internal/tacacs/client"
	"aaasess/internal/tacacs/tacacstest"
)

// benchRequest is the record of an example, without arguments of its own.
type benchRequest struct {
	b    *testing.B
	done func()
}

var benchArgs = []string{
	"task_id=13", "timezone=UTC", "service=ppp", "protocol=ip", "addr=10.1.1.2", "start_time=1004712345", "bytes_in=2844", "bytes_out=1682",
	"paks_in=36", "paks_out=24", "elapsed_time=57", "disc-cause=1", "nas-rx-speed=33600", "nas-tx-speed=33600",
}

func (r *benchRequest) Accounting(time.Time) tacacs.AcctRequest {
	return tacacs.AcctRequest{Flags: tacacs.AcctFlagStop, User: "alice@example.net", Port: "Async5", RemAddr: "5551234/5555678", Args: benchArgs}
}

func (r *benchRequest) Record() any { return r }

func (r *benchRequest) Session() string { return "" }

func (r *benchRequest) Done(_ string, err error) {
	if err != nil {
		r.b.Error(err)
	}
	r.done()
}

// BenchmarkSend measures records a second over loopback, with the server in the same process.
func BenchmarkSend(b *testing.B) {
	for name, member := range map[string]tacclient.Member{
		"1-connection":   {SingleConnection: true, Connections: 1},
		"4-connections":  {SingleConnection: true, Connections: 4},
		"one-per-record": {Connections: 16},
	} {
		b.Run(name, func(b *testing.B) {
			s := tacacstest.New(testKey)
			if err := s.Listen(); err != nil {
				b.Fatal(err)
			}
			defer s.Stop()
			member.Identity = tacclient.Identity{Host: "127.0.0.1", Port: portOf(b, s), Key: testKey}
			member.Schedule = retry.Schedule{Timeout: time.Minute}
			g, err := tacclient.New(tacclient.Config{}).NewGroup(tacclient.GroupConfig{Members: []tacclient.Member{member}})
			if err != nil {
				b.Fatal(err)
			}
			var running, inFlight sync.WaitGroup
			running.Go(func() { _ = g.Run(context.Background()) })
			<-g.Ready()
			room := make(chan struct{}, 1000)
			done := func() { <-room; inFlight.Done() }
			b.ReportAllocs()
			for b.Loop() {
				room <- struct{}{}
				inFlight.Add(1)
				g.Send(&benchRequest{b, done}, start)
			}
			inFlight.Wait()
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "records/s")
			_ = g.Close()
			running.Wait()
		})
	}
}
