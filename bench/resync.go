package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"math"
	"os"
	"time"

	"aaasess/bench/nasload"
	"aaasess/bench/report"
	"aaasess/bench/stand"
)

// resyncSizes configures the section on resyncs.
type resyncSizes struct {
	runs  int
	rows  int           // sessions that the server is told of again
	rate  int           // --rate of the resync, in records a second
	quiet time.Duration // how long the other NAS is measured before the resync
	load  float64       // its requests per second before and during the resync
}

// maxResyncRate is the highest --rate of "aaasess perform resync".
const maxResyncRate = 100_000

// resyncFlags adds the section's flags. Call the returned function after the flags are parsed.
func resyncFlags(flags *flag.FlagSet) func(quick bool) (resyncSizes, error) {
	s := resyncSizes{quiet: 20 * time.Second, load: 400}
	flags.IntVar(&s.runs, "resync-runs", 3, "`runs` of the section on resyncs")
	flags.IntVar(&s.rows, "resync-rows", 1_000_000, "`sessions` that the server is told of again")
	flags.IntVar(&s.rate, "resync-rate", 40_000, "`records` a second of the resync")
	return func(quick bool) (resyncSizes, error) {
		if quick {
			s.runs, s.rows, s.rate, s.quiet = 1, 5000, 5000, 500*time.Millisecond
		}
		if min(s.runs, s.rows, s.rate) < 1 || s.rows >= nasload.FirstOfFlaps || s.rate > maxResyncRate {
			return s, fmt.Errorf("bench: the section resync needs 1 to %d sessions and 1 to %d records a second", nasload.FirstOfFlaps-1, maxResyncRate)
		}
		return s, nil
	}
}

// The periods in which the other NAS is measured.
const (
	beforeResync = "before the resync"
	duringResync = "during the resync"
)

var resyncContenders = []string{beforeResync, duringResync}

// The metrics of the section.
const (
	resyncRecords   = "sessions that were told again"
	resyncMissing   = "sessions that the server was not told of"
	resyncMade      = "records made and stored"
	resyncDelivered = "records delivered, from the first arrival to the last"
	resyncCPU       = "CPU time of the daemon per 10,000 records"
	daemonCPU       = "CPU time of the daemon"
)

var (
	resyncTable = []report.Metric{
		{Name: resyncRecords, Unit: "1"},
		{Name: resyncMissing, Unit: "1"},
		{Name: resyncMade, Unit: "1/s"},
		{Name: resyncDelivered, Unit: "1/s"},
		{Name: resyncCPU, Unit: "ms"},
	}
	besideResyncTable = append(latencyTable[:len(latencyTable):len(latencyTable)], report.Metric{Name: daemonCPU, Unit: "ms/s"})
)

const resyncIntro = `This section measures "aaasess perform resync": a server has lost its data, and the daemon tells it of
all live sessions again. The daemon starts on the state that a killed process has left, and delivers
the records of it to an acknowledger, a small Go program that answers correctly and stores nothing.
Then another acknowledger takes its place, which knows no session. NAS, daemon and acknowledger share
all CPUs. Latencies count from the time at which a request was due.`

func resyncTitle(s resyncSizes) string {
	return fmt.Sprintf("Resync of %s sessions", report.Count(s.rows))
}

func (r *resyncBench) resyncNote() string {
	return fmt.Sprintf(`The command is "aaasess perform resync isp --rate %d". It ends when the last record is stored. The
CPU time is that from the command until the last record has arrived at the server, with that for the
requests of the NAS below.`, r.sizes.rate)
}

func (r *resyncBench) besideNote() string {
	return fmt.Sprintf(`A NAS sends %g requests per second, starts and interims in turn, at fixed times whether or not answers
arrive. It is measured for %v before the resync, and then until the last record of the resync has
arrived at the server. Its records go to the same server.`, r.sizes.load, r.sizes.quiet)
}

// resyncBench holds what the measurements of the section share.
type resyncBench struct {
	stand.Host
	sizes    resyncSizes
	progress func(what string)
}

// runResync measures the rate of a resync, and how it affects the answers to a NAS.
func runResync(ctx context.Context, b *bench) (report.Section, error) {
	sizes := b.config.resync
	text := report.Section{Title: "Resync", Intro: resyncIntro, Unpinned: true, Runs: sizes.runs}
	dir, err := os.MkdirTemp(b.host.Dir, "resync-")
	if err != nil {
		return text, err
	}
	r := &resyncBench{Host: stand.Host{CPUs: fmt.Sprintf("0-%d", stand.OnlineCPUs()-1), Dir: dir, Env: b.host.Env}, sizes: sizes}
	r.progress = func(what string) { fmt.Fprintf(b.progress, "resync: %s\n", what) }
	if err := stand.BuildDaemon(ctx, dir); err != nil {
		return text, err
	}
	if err := stand.BuildCommand(ctx, dir); err != nil {
		return text, err
	}
	resyncs, beside := report.Series{}, report.Series{}
	for run := 1; run <= sizes.runs; run++ {
		r.progress(fmt.Sprintf("run %d of %d", run, sizes.runs))
		made, others, err := r.measure(ctx)
		if err != nil {
			return text, fmt.Errorf("bench: resync, run %d of %d: %w", run, sizes.runs, err)
		}
		resyncs[stand.OursRelaying] = append(resyncs[stand.OursRelaying], made)
		for i, c := range resyncContenders {
			beside[c] = append(beside[c], others[i])
		}
	}
	text.Comparisons = []report.Comparison{
		{Title: resyncTitle(sizes), Note: r.resyncNote(), Contenders: []string{stand.OursRelaying}, Series: resyncs, Metrics: resyncTable},
		{
			Title: "Answers to a NAS meanwhile", Note: r.besideNote(), Contenders: resyncContenders, Series: beside, Metrics: besideResyncTable,
			Pairs: []report.Pair{{Num: duringResync, Den: beforeResync}},
		},
	}
	return text, nil
}

// measure measures a daemon with a new state.
func (r *resyncBench) measure(ctx context.Context) (made report.Sample, others []report.Sample, err error) {
	relay, err := stand.OpenRelayWithState(ctx, r.Host, r.sizes.rows)
	if err != nil {
		return nil, nil, err
	}
	defer os.RemoveAll(relay.Dir)
	defer relay.Close()
	if got, err := relay.Upstream.Await(ctx, int64(r.sizes.rows), drainIdle); err != nil || got.Distinct < int64(r.sizes.rows) {
		return nil, nil, errors.Join(err, fmt.Errorf("%d of %d records of the state arrived", got.Distinct, r.sizes.rows))
	}
	if err := relay.ReplaceUpstream(ctx, r.Host); err != nil {
		return nil, nil, err
	}
	nas := &nasload.Traffic{NAS: nasload.Other, Rate: r.sizes.load, Request: nasload.Other.StartOrInterim}
	quiet, err := r.watch(relay.Server, func() []nasload.Reply { return nas.Send(ctx, relay.Port, int(r.sizes.quiet.Seconds()*nas.Rate)) })
	if err != nil {
		return nil, nil, err
	}
	var resyncErr error
	busy, err := r.watch(relay.Server, func() []nasload.Reply {
		sending, stop := context.WithCancel(ctx)
		replies := make(chan []nasload.Reply, 1)
		go func() { replies <- nas.Send(sending, relay.Port, math.MaxInt) }()
		made, resyncErr = r.resync(ctx, relay)
		stop()
		return <-replies
	})
	if err := errors.Join(err, resyncErr); err != nil {
		return nil, nil, err
	}
	made[resyncCPU] = busy.cpu * 1000 / made[resyncRecords] * 10_000
	return made, []report.Sample{quiet.sample(), busy.sample()}, nil
}

// period is what was measured in a period.
type period struct {
	replies   []nasload.Reply
	took, cpu float64 // in seconds; cpu is of the daemon
}

func (p *period) sample() report.Sample {
	s := latencies(p.replies, time.Time{}, time.Now())
	s[daemonCPU] = p.cpu / p.took * 1000
	return s
}

// watch measures the period until the function returns, which returns the replies to a NAS.
func (r *resyncBench) watch(daemon *stand.Process, during func() []nasload.Reply) (out period, err error) {
	before, err := daemon.CPUTime()
	if err != nil {
		return out, err
	}
	began := time.Now()
	out.replies = during()
	out.took = time.Since(began).Seconds()
	after, err := daemon.CPUTime()
	out.cpu = (after - before).Seconds()
	return out, errors.Join(err, daemon.Ended())
}

// resync has the server told of all sessions, and waits until it knows them.
func (r *resyncBench) resync(ctx context.Context, relay *stand.Relay) (report.Sample, error) {
	began := time.Now()
	records, err := relay.Resync(ctx, r.Host, r.sizes.rate)
	if err != nil {
		return nil, err
	}
	took := time.Since(began)
	got, err := relay.Upstream.Await(ctx, int64(r.sizes.rows), drainIdle)
	if err != nil {
		return nil, err
	}
	return report.Sample{
		resyncRecords: float64(records), resyncMissing: float64(int64(r.sizes.rows) - got.Distinct),
		resyncMade: float64(records) / took.Seconds(), resyncDelivered: float64(got.Distinct) / time.Duration(got.Last-got.First).Seconds(),
	}, nil
}
