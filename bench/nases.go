package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"time"

	"aaasess/bench/nasload"
	"aaasess/bench/report"
	"aaasess/bench/stand"
)

// nasesSizes is how much the section on many NASes does.
type nasesSizes struct {
	runs     int
	nases    int           // that say Accounting-On at once, and that have all sessions
	rows     int           // sessions that they have then
	flapRows int           // sessions of the NASes while another one flaps
	quiet    time.Duration // how long the other NAS is measured while nobody says On
	rate     float64       // its requests a second, around the Accounting-Ons
	requests int           // of it, while one flaps and while none does
}

// The NAS that flaps, and what another one asks meanwhile.
const (
	flapRate    = 20  // times a second: a start, an Accounting-On
	besideFlaps = 100 // requests a second of the other NAS
)

// nasesFlags adds the section's flags; what they say is there after the flags are parsed.
func nasesFlags(flags *flag.FlagSet) func(quick bool) (nasesSizes, error) {
	s := nasesSizes{quiet: 5 * time.Second, rate: 400, requests: 500}
	flags.IntVar(&s.runs, "nases-runs", 3, "`runs` of the section on many NASes")
	flags.IntVar(&s.nases, "nases", 1000, "`NASes` that say Accounting-On at once")
	flags.IntVar(&s.rows, "nases-rows", 400_000, "`sessions` of these NASes")
	flags.IntVar(&s.flapRows, "flap-rows", 1_000_000, "`sessions` of the others while one NAS flaps")
	return func(quick bool) (nasesSizes, error) {
		if quick {
			s.runs, s.nases, s.rows, s.flapRows, s.quiet, s.requests = 1, 50, 5000, 5000, 500*time.Millisecond, 50
		}
		if min(s.runs, s.rows, s.flapRows) < 1 || s.nases < 2 || s.nases > 1<<16 || max(s.rows, s.flapRows) >= nasload.FirstOfFlaps {
			return s, fmt.Errorf("bench: the section nases wants 2 to %d NASes and 1 to %d sessions", 1<<16, nasload.FirstOfFlaps-1)
		}
		return s, nil
	}
}

// nasesBench is what a run of the section has built.
type nasesBench struct {
	stand.Host
	sizes    nasesSizes
	progress func(what string)
}

// runNASes is the section on what one NAS, or many at once, can do to another.
func runNASes(ctx context.Context, b *bench) (report.Section, error) {
	sizes := b.config.nases
	text := report.Section{Title: "Many NASes", Intro: nasesIntro, Unpinned: true, Runs: sizes.runs}
	dir, err := os.MkdirTemp(b.host.Dir, "nases-")
	if err != nil {
		return text, err
	}
	n := &nasesBench{Host: stand.Host{CPUs: fmt.Sprintf("0-%d", stand.OnlineCPUs()-1), Dir: dir, Env: b.host.Env}, sizes: sizes}
	n.progress = func(what string) { fmt.Fprintf(b.progress, "nases: %s\n", what) }
	if err := stand.BuildDaemon(ctx, dir); err != nil {
		return text, err
	}
	ons, latencies, err := n.measureOns(ctx)
	if err != nil {
		return text, err
	}
	flaps, err := n.measureFlaps(ctx)
	text.Comparisons = []report.Comparison{
		{Title: onsTitle(sizes), Note: n.onsNote(), Contenders: []string{stand.OursSpooling}, Series: ons, Metrics: onsTable},
		{
			Title: "Another NAS meanwhile", Note: n.meanwhileNote(), Contenders: meanwhileContenders, Series: latencies, Metrics: latencyTable,
			Pairs: []report.Pair{{Num: whileAnswered, Den: whileQuiet}, {Num: whileClosing, Den: whileQuiet}},
		},
		{
			Title: "One NAS that flaps", Note: n.flapNote(), Contenders: flapContenders, Series: flaps, Metrics: flapTable,
			Pairs: []report.Pair{{Num: whileFlapping, Den: whileSteady}},
		},
	}
	return text, err
}
