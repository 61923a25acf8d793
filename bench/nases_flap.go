package main

import (
	"context"
	"fmt"
	"math"
	"os"
	"time"
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
func (n *nasesBench) measureFlaps(ctx context.Context) (series, error) {
	s := series{}
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

func (n *nasesBench) measureFlap(ctx context.Context) (steady, flapping sample, err error) {
	d, p, err := n.startFull(ctx, n.sizes.flapRows)
	if err != nil {
		return nil, nil, err
	}
	defer os.RemoveAll(d.dir)
	defer p.kill()
	other := &traffic{member: otherNAS, rate: besideFlaps, what: otherNAS.usual}
	replies := other.send(ctx, d.port, n.sizes.requests)
	steady = latencies(replies, time.Time{}, time.Now())

	flaps := make(chan []reply, 1)
	sending, stop := context.WithCancel(ctx)
	defer stop()
	go func() {
		t := &traffic{member: flappingNAS, rate: 2 * flapRate, what: flappingNAS.flap}
		flaps <- t.send(sending, d.port, math.MaxInt)
	}()
	replies = other.send(ctx, d.port, n.sizes.requests)
	flapping = latencies(replies, time.Time{}, time.Now())
	stop()
	l := latencies(<-flaps, time.Time{}, time.Now())
	flapping[flapsSent], flapping[flapsAnswered] = l[otherRequests], l[otherRequests]-l[otherNever]
	return steady, flapping, p.ended()
}
