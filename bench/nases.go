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

// nasesSizes configures the section on many NASes.
type nasesSizes struct {
	runs     int
	nases    int           // that send Accounting-On at once; they have all sessions
	rows     int           // their sessions before the Accounting-Ons
	flapRows int           // sessions of these NASes while another NAS flaps
	quiet    time.Duration // how long the other NAS is measured before the Accounting-Ons
	rate     float64       // its requests per second before and during the Accounting-Ons
	requests int           // its requests while no NAS flaps, and again while one does
}

// The rates of the NAS that flaps and of the other NAS.
const (
	flapRate    = 20  // starts, each with an Accounting-On, per second
	besideFlaps = 100 // requests per second of the other NAS
)

// nasesFlags adds the section's flags. Call the returned function after the flags are parsed.
func nasesFlags(flags *flag.FlagSet) func(quick bool) (nasesSizes, error) {
	s := nasesSizes{quiet: 5 * time.Second, rate: 400, requests: 500}
	flags.IntVar(&s.runs, "nases-runs", 3, "`runs` of the section on many NASes")
	flags.IntVar(&s.nases, "nases", 1000, "`NASes` that send Accounting-On at once")
	flags.IntVar(&s.rows, "nases-rows", 400_000, "`sessions` of these NASes")
	flags.IntVar(&s.flapRows, "flap-rows", 1_000_000, "`sessions` of the other NASes while one NAS flaps")
	return func(quick bool) (nasesSizes, error) {
		if quick {
			s.runs, s.nases, s.rows, s.flapRows, s.quiet, s.requests = 1, 50, 5000, 5000, 500*time.Millisecond, 50
		}
		if min(s.runs, s.rows, s.flapRows) < 1 || s.nases < 2 || s.nases > 1<<16 || max(s.rows, s.flapRows) >= nasload.FirstOfFlaps {
			return s, fmt.Errorf("bench: the section nases needs 2 to %d NASes and 1 to %d sessions", 1<<16, nasload.FirstOfFlaps-1)
		}
		return s, nil
	}
}

// nasesBench holds what the measurements of the section share.
type nasesBench struct {
	stand.Host
	sizes    nasesSizes
	progress func(what string)
}

// runNASes measures how the Accounting-Ons of one NAS, or of many at once, affect another NAS.
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
