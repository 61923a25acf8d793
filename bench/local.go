package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"aaasess/bench/localload"
	"aaasess/bench/nasload"
	"aaasess/bench/report"
	"aaasess/bench/stand"
)

// localClients is the number of clients of the local socket, and of RADIUS requests in flight.
const localClients = 16

// The contenders of the section local.
const (
	startsLocal  = "local socket"
	startsRADIUS = "RADIUS"
)

var localContenders = []string{startsRADIUS, startsLocal}

const (
	localP50 = "latency, p50"
	localP99 = "latency, p99"
)

var localTable = []report.Metric{{Name: answeredRate, Unit: "1/s"}, {Name: localP50, Unit: "µs"}, {Name: localP99, Unit: "µs"}, {Name: serverCPU, Unit: "ms"}}

// The processes that start a session.
const (
	startProcess   = "aaasess session start"
	startProcesses = 200 // in a run
	startP50       = "time of a process, p50"
	startP99       = "time of a process, p99"
)

var startTable = []report.Metric{{Name: startP50, Unit: "ms"}, {Name: startP99, Unit: "ms"}}

func startNote() string {
	return fmt.Sprintf(`A hook runs "aaasess session start" once for each login. Here it runs %d times a run, one process after
the other. The time is that of the whole process, and includes the daemon's answer, which comes when the
session is on disk. The goal is under 15 ms.`, startProcesses)
}

const localIntro = `Sessions start, with the same attributes either way: 16 clients of the local socket report them over
HTTP, one connection each, and a NAS sends Accounting-Requests, with 16 in flight. Each is answered when the
session and its accounting record are on disk; the server that gets the records never answers. Load
generators and daemon share all CPUs. The goal is 10,000 starts a second over the socket, and at least
half the rate of RADIUS.`

// runLocal compares starts over the local socket with those over RADIUS.
func runLocal(ctx context.Context, b *bench) (report.Section, error) {
	text := report.Section{Title: "Sessions of this host", Unpinned: true, Intro: localIntro}
	dir, err := os.MkdirTemp(b.host.Dir, "local-")
	if err != nil {
		return text, err
	}
	h := b.host
	h.Dir, h.CPUs = dir, fmt.Sprintf("0-%d", stand.OnlineCPUs()-1)
	requests := filepath.Join(dir, "requests")
	for _, prepare := range []func() error{
		func() error { return stand.BuildAccounting(ctx, dir) }, func() error { return stand.BuildDaemon(ctx, dir) },
		func() error { return stand.BuildCommand(ctx, dir) },
		func() error { return nasload.WriteRequests(requests, b.config.starts) },
	} {
		if err := prepare(); err != nil {
			return text, err
		}
	}
	s, err := report.Interleave(ctx, b.config.runs, localContenders, func(ctx context.Context, who string) (report.Sample, error) {
		fmt.Fprintf(b.progress, "local: %s\n", who)
		return measureLocal(ctx, h, who, requests, b.config.starts)
	})
	text.Comparisons = []report.Comparison{{
		Title: "Durable starts from 16 clients", Contenders: localContenders, Series: s, Metrics: localTable,
		Pairs: []report.Pair{{Num: startsLocal, Den: startsRADIUS}},
	}}
	if err != nil {
		return text, err
	}
	s, err = report.Interleave(ctx, b.config.runs, []string{startProcess}, func(ctx context.Context, who string) (report.Sample, error) {
		fmt.Fprintf(b.progress, "local: %s\n", who)
		return measureStart(ctx, h)
	})
	text.Comparisons = append(text.Comparisons, report.Comparison{
		Title: "A process for each start", Note: startNote(), Contenders: []string{startProcess}, Series: s, Metrics: startTable,
	})
	return text, err
}

// measureStart starts sessions at a new daemon, with a process for each.
func measureStart(ctx context.Context, h stand.Host) (report.Sample, error) {
	r, err := stand.OpenRelay(ctx, h, stand.OursSpooling, stand.LargeBuffer)
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(r.Dir)
	defer r.Close()
	took, err := r.StartSessions(ctx, h, startProcesses)
	if err != nil {
		return nil, err
	}
	slices.Sort(took)
	return report.Sample{startP50: milliseconds(took[len(took)/2]), startP99: milliseconds(took[len(took)*99/100])}, nil
}

// measureLocal starts n sessions at a new daemon.
func measureLocal(ctx context.Context, h stand.Host, who, requests string, n int) (report.Sample, error) {
	r, err := stand.OpenRelay(ctx, h, stand.OursSpooling, stand.LargeBuffer)
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(r.Dir)
	defer r.Close()
	before, err := r.Server.CPUTime()
	if err != nil {
		return nil, err
	}
	out := report.Sample{}
	if who == startsRADIUS {
		got, err := h.Send(ctx, requests, r.Port, stand.Load{Count: n, InFlight: localClients, Timeout: nasload.Timeout, Tries: nasload.Tries})
		if err != nil {
			return nil, err
		}
		out[answeredRate], out[localP50], out[localP99] = got.Rate(), microseconds(got.P50), microseconds(got.P99)
	} else {
		got, err := localload.Send(ctx, filepath.Join(r.Dir, stand.LocalSocket), localClients, n)
		if err != nil {
			return nil, err
		}
		out[answeredRate], out[localP50], out[localP99] = float64(n)/got.Took.Seconds(), microseconds(got.P50), microseconds(got.P99)
	}
	after, err := r.Server.CPUTime()
	out[serverCPU] = (after - before).Seconds() * 1000 / float64(n) * 10_000
	return out, err
}
