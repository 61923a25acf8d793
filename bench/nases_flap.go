package main

import (
	"context"
	"fmt"
	"math"
	"os"
	"time"

	"aaasess/bench/nasload"
	"aaasess/bench/report"
	"aaasess/bench/stand"
)

// The states in which the other NAS is measured.
const (
	whileSteady   = "no NAS flaps"
	whileFlapping = "one NAS flaps"
)

var flapContenders = []string{whileSteady, whileFlapping}

// The metrics of the NAS that flaps.
const (
	flapsSent     = "requests of the NAS that flaps"
	flapsAnswered = "answered requests of the NAS that flaps"
)

// measureFlaps measures one NAS while another restarts again and again. Each run has a new state.
func (n *nasesBench) measureFlaps(ctx context.Context) (report.Series, error) {
	s := report.Series{}
	for run := 1; run <= n.sizes.runs; run++ {
		n.progress(fmt.Sprintf("a NAS that flaps, run %d of %d", run, n.sizes.runs))
		steady, flapping, err := n.measureFlap(ctx)
		if err != nil {
			return nil, fmt.Errorf("bench: a NAS that flaps, run %d of %d: %w", run, n.sizes.runs, err)
		}
		s[whileSteady], s[whileFlapping] = append(s[whileSteady], steady), append(s[whileFlapping], flapping)
	}
	return s, nil
}

func (n *nasesBench) measureFlap(ctx context.Context) (steady, flapping report.Sample, err error) {
	d, p, err := stand.StartWithState(ctx, n.Host, n.sizes.flapRows, n.sizes.nases)
	if err != nil {
		return nil, nil, err
	}
	defer os.RemoveAll(d.Dir)
	defer p.Kill()
	other := &nasload.Traffic{NAS: nasload.Other, Rate: besideFlaps, Request: nasload.Other.StartOrInterim}
	replies := other.Send(ctx, d.Port, n.sizes.requests)
	steady = latencies(replies, time.Time{}, time.Now())

	flaps := make(chan []nasload.Reply, 1)
	sending, stop := context.WithCancel(ctx)
	defer stop()
	go func() {
		t := &nasload.Traffic{NAS: nasload.Flapping, Rate: 2 * flapRate, Request: nasload.Flapping.StartOrOn}
		flaps <- t.Send(sending, d.Port, math.MaxInt)
	}()
	replies = other.Send(ctx, d.Port, n.sizes.requests)
	flapping = latencies(replies, time.Time{}, time.Now())
	stop()
	l := latencies(<-flaps, time.Time{}, time.Now())
	flapping[flapsSent], flapping[flapsAnswered] = l[otherRequests], l[otherRequests]-l[otherNever]
	return steady, flapping, p.Ended()
}
