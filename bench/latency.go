package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"slices"
	"time"

	"aaasess/bench/report"
	"aaasess/bench/stand"
)

// withoutCollections is like stand.OursSpooling, but collects no garbage. It shows what part of the
// latency is due to collections.
const withoutCollections = "aaasessd-nogc"

// pausesContenders are in the order in which they are measured. The result of the first determines the
// load of all.
var pausesContenders = []string{stand.PeerDetail, stand.PeerSyncer, stand.OursSpooling, withoutCollections, stand.OursNone, stand.OursRelaying}

// The metrics of the section. Those of the half load are in rates.go.
const (
	pausesFilled    = "memtables filled and flushed"
	pausesCollected = "garbage collections"
	pausesLongest   = "garbage collection, longest"
	pausesShare     = "time in garbage collections"
)

var pausesTable = slices.Concat([]report.Metric{{Name: answeredRate, Unit: "1/s"}}, halfTable, []report.Metric{
	{Name: pausesFilled, Unit: "1"},
	{Name: pausesCollected, Unit: "1"},
	{Name: pausesLongest, Unit: "ms"},
	{Name: pausesShare, Unit: "%"},
})

// pausesSizes configures the section on latency.
type pausesSizes struct {
	runs     int
	sessions []int         // that are live before the half load, one comparison each
	half     time.Duration // of the half load
}

// pausesFlags adds the section's flags. Call the returned function after the flags are parsed.
func pausesFlags(flags *flag.FlagSet) func(quick bool) (pausesSizes, error) {
	var s pausesSizes
	flags.IntVar(&s.runs, "latency-runs", 3, "interleaved `runs` of the section on latency")
	list := flags.String("latency-sessions", "300000,1000000", "live `sessions` before the half load, a list: one comparison each")
	flags.DurationVar(&s.half, "latency-time", 20*time.Second, "`time` for which the half load is sent in the section on latency")
	return func(quick bool) (pausesSizes, error) {
		if quick {
			s.runs, *list, s.half = 1, "5000", 300*time.Millisecond
		}
		if s.runs < 1 || s.half <= 0 {
			return s, errors.New("bench: the numbers and times of the section latency must be positive")
		}
		var err error
		s.sessions, err = parseSizes("-latency-sessions", *list)
		return s, err
	}
}

const pausesIntro = `This section looks for pauses: it runs long enough for several flushes of a memtable and several garbage
collections, with many live sessions. The requests and the load generator are those of the section
"Accounting". All contenders share all CPUs with the load generator.

- "freeradius-detail" answers when it has written its detail file, without fsync. It keeps no sessions.
- "syncer" answers when the octets of the request are on disk (fdatasync), and does nothing else: a small
  C program with one thread, bench/stand/peers/syncer.c. It shows what the disk and the system calls cost
  alone.
- "aaasessd" answers when session, counters and record are on disk (fdatasync). It spools its records for
  a server that never answers. "aaasessd-none" makes no records, and "aaasessd-relaying" delivers them to
  an acknowledger at the same time.
- "aaasessd-nogc" is "aaasessd" without garbage collections (GOGC=off): what it is faster is their part of
  the latency.`

func (s pausesSizes) note(sessions int) string {
	return fmt.Sprintf(`First %s sessions start, with %d requests in flight. "aaasessd-relaying" then waits until all records have
arrived. Then starts of more sessions are sent for %v at fixed times, whether or not answers arrive, at half
the rate that "freeradius-detail" reached in the same run; a late request counts its delay. The goal is a
p99 of aaasessd of at most that of "freeradius-detail" in every run, and a maximum of at most twice its. The
pauses are those of this time: a memtable is flushed each time that it is full, and a collection counts
from its begin to its end. The program runs on during both, but they need processors.`,
		report.Count(sessions), stand.InFlight, s.half)
}

// runPauses measures latencies over a long time.
func runPauses(ctx context.Context, b *bench) (report.Section, error) {
	sizes := b.config.pauses
	text := report.Section{Title: latencyTitle, Intro: pausesIntro, Unpinned: true, Runs: sizes.runs}
	for _, n := range sizes.sessions {
		c, err := b.comparePauses(ctx, n)
		if err != nil {
			return text, err
		}
		text.Comparisons = append(text.Comparisons, c)
	}
	return text, nil
}

func (b *bench) comparePauses(ctx context.Context, sessions int) (c report.Comparison, err error) {
	sizes := b.config.pauses
	with := *b
	with.config.accounting = accountingSizes{requests: sessions, half: sizes.half}
	a, err := with.openAccounting(ctx)
	if err != nil {
		return c, err
	}
	defer os.Remove(a.requests)
	s, err := report.Interleave(ctx, sizes.runs, pausesContenders, func(ctx context.Context, who string) (report.Sample, error) {
		fmt.Fprintf(b.progress, "latency, %s sessions: %s\n", report.Count(sessions), who)
		return a.measurePauses(ctx, who)
	})
	return report.Comparison{
		Title: report.Count(sessions) + " live sessions", Note: sizes.note(sessions), Contenders: pausesContenders, Series: s, Metrics: pausesTable,
		Pairs: []report.Pair{{Num: stand.OursSpooling, Den: stand.PeerDetail}, {Num: stand.OursSpooling, Den: stand.PeerSyncer}, {Num: stand.PeerSyncer, Den: stand.PeerDetail}, {Num: stand.OursNone, Den: stand.PeerDetail}, {Num: stand.OursRelaying, Den: stand.PeerDetail}},
	}, err
}

// isPeer reports whether a contender is not an aaasessd, so it has no memtables and no collections.
func isPeer(who string) bool { return who == stand.PeerDetail || who == stand.PeerSyncer }

// measurePauses starts the sessions of one contender, and then measures it at half load.
func (a *accountingBench) measurePauses(ctx context.Context, who string) (report.Sample, error) {
	h, contender := a.Host, who
	h.Env = append(slices.Clone(h.Env), stand.TraceCollections)
	if who == withoutCollections {
		h.Env, contender = append(h.Env, "GOGC=off"), stand.OursSpooling
	}
	r, err := stand.OpenRelay(ctx, h, contender, stand.LargeBuffer)
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(r.Dir)
	defer r.Close()
	out := report.Sample{}
	closed, err := a.closedLoop(ctx, r, out)
	if err != nil {
		return nil, err
	}
	if who == stand.PeerDetail {
		a.rate = min(closed.Rate()/2, mostHalfLoad)
	}
	if isPeer(who) {
		return out, a.halfLoad(ctx, r, closed, out)
	}
	return out, a.namePauses(ctx, r, out, func() error { return a.halfLoad(ctx, r, closed, out) })
}

// namePauses runs a measurement of an aaasessd, and adds its pauses meanwhile.
func (a *accountingBench) namePauses(ctx context.Context, r *stand.Relay, out report.Sample, measure func() error) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	filled := make(chan int, 1)
	go func() { filled <- r.CountLogs(ctx) }()
	from := r.Server.Age()
	err := measure()
	to := r.Server.Age()
	cancel()
	out[pausesFilled] = float64(<-filled)
	if err != nil {
		return err
	}
	all, err := r.Server.Collections()
	for name, value := range collectionsIn(all, from, to) {
		out[name] = value
	}
	return err
}

// collectionsIn summarizes the collections that began in a part of a program's life.
func collectionsIn(all []stand.Collection, from, to time.Duration) report.Sample {
	var longest, sum time.Duration
	count := 0
	for _, c := range all {
		if c.At >= from && c.At < to {
			count++
			sum += c.Took
			longest = max(longest, c.Took)
		}
	}
	return report.Sample{
		pausesCollected: float64(count), pausesLongest: milliseconds(longest), pausesShare: 100 * sum.Seconds() / (to - from).Seconds(),
	}
}
