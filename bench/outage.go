package main

import (
	"context"
	"fmt"
	"time"

	"aaasess/bench/nasload"
	"aaasess/bench/report"
	"aaasess/bench/stand"

	"golang.org/x/sync/errgroup"
)

// The metrics of the table of the outage.
const (
	outageSent          = "requests"
	outageLost          = "requests never answered"
	outageSlow          = "requests answered after more than 50 ms"
	outageLongest       = "longest latency"
	outageRetransmitted = "requests retransmitted"
	outageArrived       = "records that arrived at the server"
	outageDuplicates    = "records that arrived twice"
)

var outageContenders = []string{stand.PeerProxy, stand.PeerRobust, stand.OursRelaying}

// outage is the load on the contenders and the schedule of their servers.
type outage struct {
	rate                  float64       // requests per second
	before, length, after time.Duration // the server runs, is stopped, runs again
	timeout               time.Duration // after which a NAS retransmits
	idle                  time.Duration // without an arrival, after which counting ends
}

// total returns how many requests are sent.
func (o outage) total() int { return int((o.before + o.length + o.after).Seconds() * o.rate) }

// measureOutages measures all contenders at the same time, because the load is small and the outage
// long. Each has its own server.
func (a *accountingBench) measureOutages(ctx context.Context, contenders []string) (report.Series, error) {
	g, ctx := errgroup.WithContext(ctx)
	results := make([]report.Sample, len(contenders))
	for i, who := range contenders {
		g.Go(func() (err error) {
			if results[i], err = a.measureOutage(ctx, who); err != nil {
				return fmt.Errorf("bench: outage, %s: %w", who, err)
			}
			return nil
		})
	}
	if err := g.Wait(); err != nil {
		return nil, err
	}
	s := report.Series{}
	for i, who := range contenders {
		s[who] = []report.Sample{results[i]}
	}
	return s, nil
}

func (a *accountingBench) measureOutage(ctx context.Context, who string) (report.Sample, error) {
	o := a.sizes.outage
	r, err := stand.OpenRelay(ctx, a.Host, who, 0)
	if err != nil {
		return nil, err
	}
	defer r.Close()
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error { return r.Upstream.Pause(ctx, o.before, o.length) })
	var got stand.LoadResult
	g.Go(func() (err error) {
		got, err = a.Send(ctx, a.requests, r.Port, stand.Load{Count: o.total(), Rate: o.rate, Timeout: o.timeout, Tries: nasload.Tries})
		return err
	})
	if err := g.Wait(); err != nil {
		return nil, err
	}
	all, err := r.Upstream.Await(context.WithoutCancel(ctx), int64(o.total()), o.idle)
	if err != nil {
		return nil, err
	}
	return report.Sample{
		outageSent: float64(got.Sent), outageLost: float64(got.GivenUp), outageSlow: float64(got.Over),
		outageLongest: float64(got.Max) / float64(time.Millisecond), outageRetransmitted: float64(got.Retransmissions),
		outageArrived: float64(all.Distinct), outageDuplicates: float64(all.Duplicates),
	}, nil
}
