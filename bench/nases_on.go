package main

import (
	"context"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"sync"
	"time"

	"aaasess/accounting"
	"aaasess/bench/nasload"
	"aaasess/bench/report"
	"aaasess/bench/snmpclient"
	"aaasess/bench/stand"
	"aaasess/sessions"
	"aaasess/store"
)

// The periods in which the other NAS is measured.
const (
	whileQuiet    = "before the Accounting-Ons"
	whileAnswered = "until the last On is answered"
	whileClosing  = "until the last row is gone"
)

var meanwhileContenders = []string{whileQuiet, whileAnswered, whileClosing}

// The metrics of the table of Accounting-Ons.
const (
	onsSent          = "Accounting-Ons"
	onsAnswered      = "answered"
	onsRetransmitted = "retransmitted"
	onsLast          = "time until the last is answered"
	onsP50           = "latency of an On, p50"
	onsRows          = "rows of these NASes"
	onsGone          = "time until the last row is gone and its stop is recorded"
	onsCPU           = "CPU time of the daemon until then"
	onsOneStop       = "rows with exactly one stop record, after kill -9"
	onsOtherStops    = "rows with no stop record or several"
)

// rowsLimit is the maximum time until the rows of all NASes are gone.
const rowsLimit = 10 * time.Minute

// measureOns sends the Accounting-Ons of all NASes at once. Each run has a new state.
func (n *nasesBench) measureOns(ctx context.Context) (ons, meanwhile report.Series, err error) {
	ons, meanwhile = report.Series{}, report.Series{}
	for run := 1; run <= n.sizes.runs; run++ {
		n.progress(fmt.Sprintf("Accounting-On, run %d of %d", run, n.sizes.runs))
		s, others, err := n.measureOn(ctx)
		if err != nil {
			return nil, nil, fmt.Errorf("bench: Accounting-On, run %d of %d: %w", run, n.sizes.runs, err)
		}
		ons[stand.OursSpooling] = append(ons[stand.OursSpooling], s)
		for i, c := range meanwhileContenders {
			meanwhile[c] = append(meanwhile[c], others[i])
		}
	}
	return ons, meanwhile, nil
}

func (n *nasesBench) measureOn(ctx context.Context) (ons report.Sample, others []report.Sample, err error) {
	d, p, err := stand.StartWithState(ctx, n.Host, n.sizes.rows, n.sizes.nases)
	if err != nil {
		return nil, nil, err
	}
	defer os.RemoveAll(d.Dir)
	defer p.Kill()
	other := &nasload.Traffic{NAS: nasload.Other, Rate: n.sizes.rate, Request: nasload.Other.StartOrInterim}
	calls, err := n.prepareOns(d.Port)
	if err != nil {
		return nil, nil, err
	}
	quiet := other.Send(ctx, d.Port, int(n.sizes.quiet.Seconds()*other.Rate))
	cpu, err := p.CPUTime()
	if err != nil {
		return nil, nil, err
	}
	began := time.Now()

	meanwhile := make(chan []nasload.Reply, 1)
	sending, stop := context.WithCancel(ctx)
	defer stop()
	go func() { meanwhile <- other.Send(sending, d.Port, math.MaxInt) }()
	ons, answered := sendOns(calls)
	gone, err := n.awaitGone(ctx, d.SNMP, func() int { return 1 + int(time.Since(began).Seconds()*other.Rate/2) + len(quiet)/2 }, p)
	if err != nil {
		return nil, nil, err
	}
	after, err := p.CPUTime()
	if err != nil {
		return nil, nil, err
	}
	stop()
	replies := <-meanwhile
	// Until the last row is gone.
	if _, err := n.awaitGone(ctx, d.SNMP, func() int { return 1 + (other.First+1)/2 }, p); err != nil {
		return nil, nil, err
	}
	ons[onsGone], ons[onsCPU] = gone.Sub(began).Seconds(), (after - cpu).Seconds()
	p.Kill()
	if err := n.countStops(filepath.Join(d.Dir, "state"), ons); err != nil {
		return nil, nil, err
	}
	others = []report.Sample{
		latencies(quiet, time.Time{}, began), latencies(replies, began, answered), latencies(replies, began, gone),
	}
	return ons, others, nil
}

// prepareOns prepares the Accounting-On of each NAS.
func (n *nasesBench) prepareOns(port uint16) ([]nasload.Call, error) {
	calls := make([]nasload.Call, n.sizes.nases)
	for i := range calls {
		var err error
		if calls[i], err = nasload.NASNumber(i).Prepare(port, nasload.NASNumber(i).On(0)); err != nil {
			return nil, err // the process ends, and its sockets with it
		}
	}
	return calls, nil
}

// sendOns sends the Accounting-Ons of all NASes, and returns when each is answered or given up.
func sendOns(calls []nasload.Call) (report.Sample, time.Time) {
	var wg sync.WaitGroup
	replies := make([]nasload.Reply, len(calls))
	began := time.Now()
	for i, c := range calls {
		wg.Go(func() { replies[i] = c.Send(began) })
	}
	wg.Wait()
	answered := time.Now()
	l := latencies(replies, began, answered)
	return report.Sample{
		onsSent: l[otherRequests], onsAnswered: l[otherRequests] - l[otherNever], onsRetransmitted: l[otherRetransmitted],
		onsLast: l[otherMax] / 1000, onsP50: l[otherP50],
	}, answered
}

// awaitGone waits until the daemon has at most as many rows as the other NAS can have started.
// others returns that number.
func (n *nasesBench) awaitGone(ctx context.Context, port uint16, others func() int, p *stand.Process) (time.Time, error) {
	ctx, cancel := context.WithTimeout(ctx, rowsLimit)
	defer cancel()
	client := snmpclient.New(port)
	client.Timeout = 5 * time.Second
	if err := client.Connect(); err != nil {
		return time.Time{}, err
	}
	defer client.Close()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		rows, err := snmpclient.Entries(client)
		if err == nil && rows <= others() {
			return time.Now(), nil
		}
		if err := p.Ended(); err != nil {
			return time.Time{}, err
		}
		select {
		case <-ctx.Done():
			return time.Time{}, fmt.Errorf("waiting for the rows to go, %d are left (%v): %w", rows, err, context.Cause(ctx))
		case <-tick.C:
		}
	}
}

// countStops counts the stop records that a killed daemon has left in the queue of its group.
func (n *nasesBench) countStops(folder string, out report.Sample) (err error) {
	st, err := store.Open(folder, store.Config{})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, st.Close()) }()
	stops := make([]int, n.sizes.rows)
	var entries []store.Entry
	for from := uint64(0); ; from = entries[len(entries)-1].Seq + 1 {
		if entries, err = st.Read(accounting.Group("isp").Queue(), from, 4096, entries[:0]); err != nil {
			return err
		}
		if len(entries) == 0 {
			break
		}
		for _, e := range entries {
			r, err := accounting.ParseRecord(e.Data)
			if err != nil {
				return err
			}
			if i, ok := nasload.RequestNumber(r.Attrs); ok && i < len(stops) && r.Type == sessions.Stop {
				stops[i]++
			}
		}
	}
	out[onsRows], out[onsOneStop], out[onsOtherStops] = float64(len(stops)), 0, 0
	for _, count := range stops {
		if count == 1 {
			out[onsOneStop]++
		} else {
			out[onsOtherStops]++
		}
	}
	return nil
}
