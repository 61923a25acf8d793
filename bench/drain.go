package main

import (
	"context"
	"fmt"
	"os"
	"time"

	"aaasess/bench/nasload"
	"aaasess/bench/report"
	"aaasess/bench/stand"
	"aaasess/internal/freeport"
)

// The metrics of the table of backlogs.
const (
	drained         = "records delivered, from the first arrival to the last"
	drainFirst      = "time from the return of the server to the first arrival"
	drainDuplicates = "records that arrived twice"
	drainedSize     = "records in the backlog"
)

// drainIdle is the time without an arrival after which a backlog counts as stuck. It is longer than
// any wait between attempts.
const drainIdle = 90 * time.Second

var drainContenders = []string{stand.PeerReader, stand.OursSpooling}

// measureDrain fills a backlog while there is no server, then starts the server and measures the
// delivery.
func (a *accountingBench) measureDrain(ctx context.Context, who string) (out report.Sample, err error) {
	r := &stand.Relay{}
	defer r.Close()
	if r.Dir, err = os.MkdirTemp(a.Dir, "relay-"); err != nil {
		return nil, err
	}
	if r.Port, err = freeport.UDP(); err != nil {
		return nil, err
	}
	upstream, err := freeport.UDP()
	if err != nil {
		return nil, err
	}
	records := a.sizes.backlog
	if who == stand.PeerReader {
		records = a.sizes.reader
		r.Server, err = stand.StartFreeRADIUS(ctx, a.Host, r.Dir, stand.WritesDetail, r.Port, 0)
	} else {
		r.Server, err = stand.Daemon{Dir: r.Dir, Port: r.Port, Upstream: upstream}.Start(ctx, a.Host)
	}
	if err != nil {
		return nil, err
	}
	if err := a.fillBacklog(ctx, r, records); err != nil {
		return nil, err
	}

	returned := time.Now()
	if r.Upstream, err = stand.StartAcknowledger(ctx, a.Host, upstream, stand.LargeBuffer); err != nil {
		return nil, err
	}
	if who == stand.PeerReader {
		if err := r.RestartAsReader(ctx, a.Host, upstream); err != nil {
			return nil, err
		}
	}
	got, err := r.Upstream.Await(ctx, int64(records), drainIdle)
	if err != nil {
		return nil, err
	}
	if got.Distinct < int64(records) {
		return nil, fmt.Errorf("%d of %d records arrived", got.Distinct, records)
	}
	out = report.Sample{
		drainedSize: float64(records), drainDuplicates: float64(got.Duplicates),
		drained: float64(records) / time.Duration(got.Last-got.First).Seconds(),
	}
	if who != stand.PeerReader { // the reader starts only after the server
		out[drainFirst] = max(0, time.Unix(0, got.First).Sub(returned).Seconds())
	}
	return out, nil
}

// fillBacklog sends records until the contender has answered all of them.
func (a *accountingBench) fillBacklog(ctx context.Context, r *stand.Relay, records int) error {
	if err := stand.AwaitAnswer(ctx, r.Port, r.Server); err != nil {
		return err
	}
	got, err := a.Send(ctx, a.requests, r.Port, stand.Load{Count: records, InFlight: stand.InFlight, Timeout: nasload.Timeout, Tries: nasload.Tries})
	if err == nil && got.Answered < records {
		err = fmt.Errorf("%d of %d requests answered", got.Answered, records)
	}
	return err
}
