package main

import (
	"context"
	"fmt"
	"os"
	"time"

	"aaasess/bench/nasload"
	"aaasess/bench/report"
	"aaasess/bench/stand"
)

// The metrics of the table of rates and latencies.
const (
	answeredRate  = "requests answered"
	arrivedRate   = "requests answered and delivered to the server"
	serverCPU     = "CPU time of the contender per 10,000 requests"
	halfRate      = "half load"
	halfP50       = "latency at half load, p50"
	halfP99       = "latency at half load, p99"
	halfMax       = "latency at half load, maximum"
	retransmitted = "requests retransmitted by the NAS"
	neverAnswered = "requests never answered"
)

// arriveIdle is the time without an arrival at the server after which the missing requests count as
// lost.
const arriveIdle = 30 * time.Second

// measureRate sends requests to one contender as fast as it answers them, then at half the rate
// that FreeRADIUS reached.
func (a *accountingBench) measureRate(ctx context.Context, who string) (out report.Sample, err error) {
	r, err := stand.OpenRelay(ctx, a.Host, who, stand.LargeBuffer)
	if err != nil {
		return nil, err
	}
	defer r.Close()
	out = report.Sample{}
	closed, err := a.closedLoop(ctx, r, out)
	if err != nil {
		return nil, err
	}
	if who == stand.PeerDetail {
		a.rate = min(closed.Rate()/2, mostHalfLoad)
	}
	return out, a.halfLoad(ctx, r, closed, out)
}

// halfLoad sends the half load to a contender that has answered the closed loop.
func (a *accountingBench) halfLoad(ctx context.Context, r *stand.Relay, closed stand.LoadResult, out report.Sample) error {
	open, err := a.Send(ctx, a.requests, r.Port, stand.Load{
		First: a.sizes.requests, Count: int(a.rate * a.sizes.half.Seconds()), Rate: a.rate, Timeout: nasload.Timeout, Tries: nasload.Tries,
	})
	out[halfRate] = a.rate
	out[halfP50], out[halfP99], out[halfMax] = microseconds(open.P50), microseconds(open.P99), microseconds(open.Max)
	out[retransmitted] = float64(closed.Retransmissions + open.Retransmissions)
	out[neverAnswered] = float64(closed.GivenUp + open.GivenUp)
	return err
}

// measureBroadcast sends requests to one contender as fast as it answers them.
func (a *accountingBench) measureBroadcast(ctx context.Context, who string) (report.Sample, error) {
	r, err := stand.OpenRelay(ctx, a.Host, who, stand.LargeBuffer)
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(r.Dir)
	defer r.Close()
	out := report.Sample{}
	got, err := a.closedLoop(ctx, r, out)
	out[retransmitted], out[neverAnswered] = float64(got.Retransmissions), float64(got.GivenUp)
	return out, err
}

func microseconds(d time.Duration) float64 { return float64(d) / float64(time.Microsecond) }

// closedLoop returns when all requests are answered and, if the contender has a server behind it,
// all have arrived there.
func (a *accountingBench) closedLoop(ctx context.Context, r *stand.Relay, out report.Sample) (got stand.LoadResult, err error) {
	n := a.sizes.requests
	before, err := r.Server.CPUTime()
	if err != nil {
		return got, err
	}
	got, err = a.Send(ctx, a.requests, r.Port, stand.Load{Count: n, InFlight: stand.InFlight, Timeout: nasload.Timeout, Tries: nasload.Tries})
	if err != nil {
		return got, err
	}
	out[answeredRate] = got.Rate()
	took := got.Took
	for _, server := range r.Behind() {
		all, err := server.Await(ctx, int64(n), arriveIdle)
		if err != nil {
			return got, err
		}
		if all.Distinct < int64(n) {
			return got, fmt.Errorf("%d of %d records arrived", all.Distinct, n)
		}
		took = max(took, time.Duration(all.Last-all.First))
		out[arrivedRate] = float64(n) / took.Seconds()
	}
	after, err := r.Server.CPUTime()
	out[serverCPU] = (after - before).Seconds() * 1000 / float64(n) * 10_000
	return got, err
}
