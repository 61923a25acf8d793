package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"aaasess/internal/freeport"
)

// The rows of the table of backlogs.
const (
	drained     = "records from the first arrival to the last"
	drainFirst  = "from the return of the server to the first arrival"
	drainTwice  = "records that arrived twice"
	drainedSize = "records in the backlog"
)

// drainIdle is how long nothing may arrive until a backlog is held to be stuck: longer than any wait between
// attempts.
const drainIdle = 90 * time.Second

var drainContenders = []string{peerReader, oursSpooling}

// measureDrain makes a backlog while there is no server, and has it delivered to one.
func (a *accountingBench) measureDrain(ctx context.Context, who string) (out sample, err error) {
	r := &relay{}
	defer r.Close()
	if r.dir, err = os.MkdirTemp(a.dir, "relay-"); err != nil {
		return nil, err
	}
	if r.port, err = freeport.UDP(); err != nil {
		return nil, err
	}
	upstream, err := freeport.UDP()
	if err != nil {
		return nil, err
	}
	records := a.sizes.backlog
	if who == peerReader {
		records = a.sizes.reader
		r.server, err = startFreeRADIUS(ctx, a.host, r.dir, writesDetail, r.port, 0)
	} else {
		r.server, err = daemon{dir: r.dir, port: r.port, upstream: upstream}.start(ctx, a.host)
	}
	if err != nil {
		return nil, err
	}
	if err := a.fillBacklog(ctx, r, records); err != nil {
		return nil, err
	}

	returned := time.Now()
	if r.upstream, err = startAcknowledger(ctx, a.host, upstream, ampleBuffer); err != nil {
		return nil, err
	}
	if who == peerReader {
		if err := r.becomeReader(ctx, a.host, upstream); err != nil {
			return nil, err
		}
	}
	got, err := r.upstream.await(ctx, int64(records), drainIdle)
	if err != nil {
		return nil, err
	}
	if got.Distinct < int64(records) {
		return nil, fmt.Errorf("%d of %d records arrived", got.Distinct, records)
	}
	out = sample{
		drainedSize: float64(records), drainTwice: float64(got.Duplicates),
		drained: float64(records) / time.Duration(got.Last-got.First).Seconds(),
	}
	if who != peerReader { // it was not there when the server came
		out[drainFirst] = max(0, time.Unix(0, got.First).Sub(returned).Seconds())
	}
	return out, nil
}

// fillBacklog has the server take records.
func (a *accountingBench) fillBacklog(ctx context.Context, r *relay, records int) error {
	if err := awaitAnswer(ctx, r.port, r.server); err != nil {
		return err
	}
	got, err := a.send(ctx, a.requests, r.port, load{count: records, inFlight: inFlight, timeout: nasTimeout, tries: nasTries})
	if err == nil && got.Answered < records {
		err = fmt.Errorf("%d of %d requests answered", got.Answered, records)
	}
	return err
}

// becomeReader ends the FreeRADIUS that wrote a detail file, and starts one that reads it.
func (r *relay) becomeReader(ctx context.Context, h host, upstream uint16) (err error) {
	r.server.stop()
	spool := filepath.Join(r.dir, "spool")
	if err := errors.Join(os.MkdirAll(spool, 0o700), os.Rename(filepath.Join(r.dir, "detail"), filepath.Join(spool, "detail"))); err != nil {
		return err
	}
	r.server, err = startFreeRADIUS(ctx, h, r.dir, readsDetail, r.port, upstream)
	return err
}
