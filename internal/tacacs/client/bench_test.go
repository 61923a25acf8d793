package client_test

import (
	"bufio"
	"context"
	"net"
	"sync"
	"testing"
	"time"

	"aaasess/internal/retry"
	"aaasess/internal/tacacs"
	tacclient "aaasess/internal/tacacs/client"
)

// benchRequest is the record of an example, without arguments of its own.
type benchRequest struct {
	b    *testing.B
	done func()
}

// benchInFlight is how many requests are in flight, benchTime the time of the records.
const benchInFlight = 1000

var benchTime = time.Unix(1_700_000_000, 0)

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

// acknowledge answers all requests that come on a listener with SUCCESS, as fast as it can, until the
// listener is closed.
func acknowledge(l net.Listener) {
	var conns sync.WaitGroup
	defer conns.Wait()
	for {
		c, err := l.Accept()
		if err != nil {
			return
		}
		conns.Go(func() {
			defer func() { _ = c.Close() }()
			r := bufio.NewReaderSize(c, 1<<16)
			w := bufio.NewWriterSize(c, 1<<16)
			for {
				head, err := r.Peek(tacacs.HeaderLen)
				if err != nil {
					return
				}
				h, err := tacacs.ParseHeader(head)
				if err != nil {
					return
				}
				if _, err := r.Discard(tacacs.HeaderLen + int(h.Length)); err != nil {
					return
				}
				body := [5]byte{4: byte(tacacs.StatusSuccess)}
				h.Seq, h.Length = 2, 5
				tacacs.Obfuscate(body[:], h, testKey)
				_, _ = w.Write(append(tacacs.AppendHeader(nil, h), body[:]...))
				if r.Buffered() == 0 && w.Flush() != nil {
					return
				}
			}
		})
	}
}

// BenchmarkSend measures records a second over loopback, with a server in the same process that
// only acknowledges.
func BenchmarkSend(b *testing.B) {
	for _, tt := range []struct {
		name   string
		member tacclient.Member
	}{
		{"1-connection", tacclient.Member{SingleConnection: true, Connections: 1}},
		{"4-connections", tacclient.Member{SingleConnection: true, Connections: 4}},
		{"one-per-record", tacclient.Member{Connections: 16}},
	} {
		b.Run(tt.name, func(b *testing.B) {
			l, err := net.Listen("tcp", "127.0.0.1:0")
			if err != nil {
				b.Fatal(err)
			}
			var running, inFlight sync.WaitGroup
			running.Go(func() { acknowledge(l) })
			m := tt.member
			m.Identity = tacclient.Identity{Host: "127.0.0.1", Port: l.Addr().(*net.TCPAddr).AddrPort().Port(), Key: testKey}
			m.Schedule = retry.Schedule{Timeout: time.Minute}
			g, err := tacclient.New(tacclient.Config{}).NewGroup(tacclient.GroupConfig{Members: []tacclient.Member{m}})
			if err != nil {
				b.Fatal(err)
			}
			running.Go(func() { _ = g.Run(context.Background()) })
			<-g.Ready()
			room := make(chan struct{}, benchInFlight)
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
			_ = l.Close()
			running.Wait()
		})
	}
}
