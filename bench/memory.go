package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"aaasess/bench/nasload"
	"aaasess/bench/report"
	"aaasess/bench/stand"
)

// The metrics of the table of memory.
const (
	memoryLoaded    = "VmRSS after the starts"
	memoryRestarted = "VmRSS after a restart"
)

// memorySizes configures the measurement of memory.
type memorySizes struct {
	sessions int
	quiet    time.Duration // between the last record, or the start, and the measurement
}

func (a *accountingBench) compareMemory(ctx context.Context) (report.Comparison, error) {
	contenders := []string{stand.OursRelaying}
	s, err := report.Interleave(ctx, a.sizes.runs, contenders, func(ctx context.Context, _ string) (report.Sample, error) {
		a.progress("memory")
		return a.measureMemory(ctx)
	})
	return report.Comparison{Title: "Memory", Contenders: contenders, Series: s, Note: a.memoryNote(), Metrics: memoryTable}, err
}

// measureMemory lets a NAS start all sessions, waits until the server has their records, and
// measures the daemon's memory; then again after a restart.
func (a *accountingBench) measureMemory(ctx context.Context) (report.Sample, error) {
	n := a.sizes.memory.sessions
	requests := filepath.Join(a.Dir, "memory-requests")
	defer os.Remove(requests)
	if err := nasload.WriteRequests(requests, n); err != nil {
		return nil, err
	}
	r, err := stand.OpenRelay(ctx, a.Host, stand.OursRelaying, stand.LargeBuffer)
	if err != nil {
		return nil, err
	}
	defer r.Close()
	defer os.RemoveAll(r.Dir)
	sent, err := a.Send(ctx, requests, r.Port, stand.Load{Count: n, InFlight: stand.InFlight, Timeout: nasload.Timeout, Tries: nasload.Tries})
	if err != nil {
		return nil, err
	}
	got, err := r.Upstream.Await(ctx, int64(n), drainIdle)
	if err != nil || sent.Answered < n || got.Distinct < int64(n) {
		return nil, errors.Join(err, fmt.Errorf("%d requests, %d answered, %d records arrived", n, sent.Answered, got.Distinct))
	}
	out := report.Sample{}
	if out[memoryLoaded], err = a.residentAfter(ctx, r.Server); err != nil {
		return nil, err
	}
	if err := r.RestartDaemon(ctx, a.Host); err != nil {
		return nil, err
	}
	out[memoryRestarted], err = a.residentAfter(ctx, r.Server)
	return out, err
}

// residentAfter returns the resident memory of a process, in MiB, after the quiet time.
func (a *accountingBench) residentAfter(ctx context.Context, p *stand.Process) (float64, error) {
	select {
	case <-ctx.Done():
		return 0, context.Cause(ctx)
	case <-time.After(a.sizes.memory.quiet):
	}
	if err := p.Ended(); err != nil {
		return 0, err
	}
	memory := stand.FieldOf(fmt.Sprintf("/proc/%d/status", p.PID()), "VmRSS", ":")
	kilobytes, err := strconv.ParseFloat(strings.TrimSuffix(memory, " kB"), 64)
	return kilobytes / 1024, err
}
