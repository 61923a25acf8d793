package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"aaasess/bench/nasload"
	"aaasess/bench/report"
	"aaasess/bench/stand"
)

// The parts of the accounting section.
const (
	partRate      = "rate"
	partBroadcast = "broadcast"
	partBacklog   = "backlog"
	partOutage    = "outage"
	partRestart   = "restart"
	partMemory    = "memory"
)

var accountingParts = []string{partRate, partBroadcast, partBacklog, partOutage, partRestart, partMemory}

// rateContenders are in the order in which they are measured. The result of the first determines
// the load of the open loop.
var rateContenders = []string{stand.PeerDetail, stand.OursSpooling, stand.OursNone, stand.PeerProxy, stand.OursRelaying, stand.PeerRadsec, stand.PeerAcknowledger}

// broadcastContenders have one group or two that get each record.
var broadcastContenders = []string{stand.OursSpooling, stand.OursBroadcast, stand.OursRelaying, stand.OursBroadcastRelaying}

// accountingSizes configures which parts of the accounting section run, and with how many requests.
type accountingSizes struct {
	parts    []string
	runs     int           // interleaved runs of each part except the outage
	requests int           // in the closed loop
	half     time.Duration // of the open loop
	backlog  int           // records that aaasessd spools
	reader   int           // records in the detail file
	outage   outage
	restart  int // number of sessions, and of records
	memory   memorySizes
}

// accountingFlags adds the section's flags. Call the returned function after the flags are parsed.
func accountingFlags(flags *flag.FlagSet) func(quick bool) (accountingSizes, error) {
	s := accountingSizes{outage: outage{before: 3 * time.Second, after: 10 * time.Second, timeout: nasload.Timeout, idle: 35 * time.Second}, memory: memorySizes{quiet: time.Minute}}
	parts := flags.String("accounting-parts", strings.Join(accountingParts, ","), "parts of the accounting section to run, a `list`")
	flags.IntVar(&s.runs, "accounting-runs", 3, "interleaved `runs` of the accounting section")
	flags.IntVar(&s.requests, "requests", 100_000, "Accounting-Requests in a `run` of the closed loop")
	flags.DurationVar(&s.half, "half", 2*time.Second, "`time` for which the half load is sent")
	flags.IntVar(&s.backlog, "backlog", 100_000, "`records` that are spooled and then delivered")
	flags.IntVar(&s.reader, "reader-backlog", 20_000, "`records` in the detail file that FreeRADIUS drains")
	flags.Float64Var(&s.outage.rate, "outage-rate", 200, "`requests` per second to each contender before, during and after an outage")
	flags.DurationVar(&s.outage.length, "outage", 20*time.Second, "`time` for which the server is stopped")
	flags.IntVar(&s.restart, "restart", 1_000_000, "`sessions`, and spooled records, for a restart")
	flags.IntVar(&s.memory.sessions, "memory", 1_000_000, "`sessions` whose memory is measured")
	return func(quick bool) (accountingSizes, error) {
		s.parts = splitList(*parts)
		if quick {
			s.runs, s.requests, s.half, s.backlog, s.reader, s.restart = 1, 5000, 300*time.Millisecond, 5000, 1000, 5000
			s.memory = memorySizes{5000, time.Second}
			s.outage = outage{
				rate: 100, before: time.Second, length: 2 * time.Second, after: time.Second,
				timeout: 500 * time.Millisecond, idle: 3 * time.Second,
			}
		}
		return s, s.check()
	}
}

func (s accountingSizes) check() error {
	for _, p := range s.parts {
		if !slices.Contains(accountingParts, p) {
			return fmt.Errorf("bench: -accounting-parts: unknown part %q; the parts are %s", p, strings.Join(accountingParts, ", "))
		}
	}
	if min(s.runs, s.requests, s.backlog, s.reader, s.restart, s.memory.sessions) < 1 || s.half <= 0 || s.outage.rate <= 0 || s.outage.length <= 0 {
		return fmt.Errorf("bench: the numbers and times of the accounting section must be positive")
	}
	return nil
}

// fileSize returns how many requests the file must hold. The closed loop uses the first ones, the
// open loop those after them. The other parts start at the beginning of the file.
func (s accountingSizes) fileSize() int {
	open := int(mostHalfLoad * s.half.Seconds())
	return max(s.requests+open, s.backlog, s.reader, s.outage.total())
}

// mostHalfLoad is the maximum number of requests per second of the open loop.
const mostHalfLoad = 50_000

// accountingBench holds what the parts of the section share.
type accountingBench struct {
	stand.Host
	progress func(what string)
	sizes    accountingSizes
	requests string  // file of nasload.WriteRequests
	rate     float64 // half of what FreeRADIUS reached with its detail file in this run
}

// openAccounting builds the programs and writes the file of requests.
func (b *bench) openAccounting(ctx context.Context) (*accountingBench, error) {
	dir, err := os.MkdirTemp(b.host.Dir, "accounting-")
	if err != nil {
		return nil, err
	}
	a := &accountingBench{Host: b.host, sizes: b.config.accounting, requests: filepath.Join(dir, "requests")}
	a.progress = func(what string) { fmt.Fprintf(b.progress, "accounting: %s\n", what) }
	a.Dir, a.CPUs = dir, fmt.Sprintf("0-%d", stand.OnlineCPUs()-1)
	if err := stand.BuildAccounting(ctx, dir); err != nil {
		return nil, err
	}
	if err := stand.BuildDaemon(ctx, dir); err != nil {
		return nil, err
	}
	return a, nasload.WriteRequests(a.requests, a.sizes.fileSize())
}

// runAccounting measures the accounting section: receiving requests, relaying them, and failures.
func runAccounting(ctx context.Context, b *bench) (report.Section, error) {
	sizes := b.config.accounting
	text := report.Section{Title: "Accounting", Unpinned: true, Runs: sizes.runs}
	text.Intro = fmt.Sprintf(accountingIntro, stand.VersionOf(ctx, "freeradius", "FreeRADIUS Version"), stand.VersionOf(ctx, "radsecproxy", "radsecproxy revision"))
	a, err := b.openAccounting(ctx)
	if err != nil {
		return text, err
	}
	parts := map[string]func(context.Context) (report.Comparison, error){
		partRate: a.compareRates, partBroadcast: a.compareBroadcasts, partBacklog: a.compareBacklogs, partOutage: a.compareOutages, partRestart: a.compareRestarts,
		partMemory: a.compareMemory,
	}
	for _, part := range sizes.parts {
		c, err := parts[part](ctx)
		if err != nil {
			return text, err
		}
		text.Comparisons = append(text.Comparisons, c)
	}
	return text, nil
}

func (a *accountingBench) compareRates(ctx context.Context) (report.Comparison, error) {
	s, err := report.Interleave(ctx, a.sizes.runs, rateContenders, func(ctx context.Context, who string) (report.Sample, error) {
		a.progress(who)
		return a.measureRate(ctx, who)
	})
	return report.Comparison{
		Title: "Requests answered", Contenders: rateContenders, Series: s, Note: a.rateNote(), Metrics: rateTable,
		Pairs: []report.Pair{{Num: stand.OursSpooling, Den: stand.PeerDetail}, {Num: stand.OursRelaying, Den: stand.PeerProxy}, {Num: stand.OursRelaying, Den: stand.PeerRadsec}, {Num: stand.OursSpooling, Den: stand.PeerAcknowledger}},
	}, err
}

func (a *accountingBench) compareBroadcasts(ctx context.Context) (report.Comparison, error) {
	s, err := report.Interleave(ctx, a.sizes.runs, broadcastContenders, func(ctx context.Context, who string) (report.Sample, error) {
		a.progress("broadcast, " + who)
		return a.measureBroadcast(ctx, who)
	})
	return report.Comparison{
		Title: "Broadcast to two groups", Contenders: broadcastContenders, Series: s, Note: a.broadcastNote(), Metrics: broadcastTable,
		Pairs: []report.Pair{{Num: stand.OursBroadcast, Den: stand.OursSpooling}, {Num: stand.OursBroadcastRelaying, Den: stand.OursRelaying}},
	}, err
}

func (a *accountingBench) compareBacklogs(ctx context.Context) (report.Comparison, error) {
	s, err := report.Interleave(ctx, a.sizes.runs, drainContenders, func(ctx context.Context, who string) (report.Sample, error) {
		a.progress("backlog, " + who)
		return a.measureDrain(ctx, who)
	})
	return report.Comparison{
		Title: "A backlog drained", Contenders: drainContenders, Series: s, Note: a.drainNote(),
		Pairs: []report.Pair{{Num: stand.OursSpooling, Den: stand.PeerReader}}, Metrics: drainTable,
	}, err
}

func (a *accountingBench) compareOutages(ctx context.Context) (report.Comparison, error) {
	a.progress("outage")
	s, err := a.measureOutages(ctx, outageContenders)
	return report.Comparison{
		Title: "An outage of the server", Contenders: outageContenders, Series: s, Note: a.outageNote(), Metrics: outageTable,
	}, err
}

func (a *accountingBench) compareRestarts(ctx context.Context) (report.Comparison, error) {
	a.progress("restart")
	s, err := a.measureRestarts(ctx)
	return report.Comparison{
		Title: "Restart after kill -9", Contenders: []string{stand.OursSpooling}, Series: s, Note: a.restartNote(), Metrics: restartTable,
	}, err
}
