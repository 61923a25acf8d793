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

// What goes on while another NAS is measured.
const (
	whileSteady   = "no NAS flaps"
	whileFlapping = "one NAS flaps"
)

var flapContenders = []string{whileSteady, whileFlapping}

// The rows of the table of flaps that are only theirs.
const (
	flapsSent     = "requests of the NAS that flaps"
	flapsAnswered = "of them answered"
)

// measureFlaps measures a NAS while another one starts again and again, in each run on a new state.
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
	d, p, err := stand.StartFilled(ctx, n.Host, n.sizes.flapRows, n.sizes.nases)
	if err != nil {
		return nil, nil, err
	}
	defer os.RemoveAll(d.Dir)
	defer p.Kill()
	other := &nasload.Traffic{Member: nasload.Other, Rate: besideFlaps, What: nasload.Other.Usual}
	replies := other.Send(ctx, d.Port, n.sizes.requests)
	steady = latencies(replies, time.Time{}, time.Now())

	flaps := make(chan []nasload.Reply, 1)
	sending, stop := context.WithCancel(ctx)
	defer stop()
	go func() {
		t := &nasload.Traffic{Member: nasload.Flapping, Rate: 2 * flapRate, What: nasload.Flapping.Flap}
		flaps <- t.Send(sending, d.Port, math.MaxInt)
	}()
	replies = other.Send(ctx, d.Port, n.sizes.requests)
	flapping = latencies(replies, time.Time{}, time.Now())
	stop()
	l := latencies(<-flaps, time.Time{}, time.Now())
	flapping[flapsSent], flapping[flapsAnswered] = l[otherRequests], l[otherRequests]-l[otherNever]
	return steady, flapping, p.Ended()
}
