package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"strings"
	"time"

	"aaasess/bench/nasload"
	"aaasess/bench/report"
	"aaasess/bench/stand"

	"golang.org/x/sync/errgroup"
)

// flooded is the suffix of a contender that a flood reaches too.
const flooded = "-flooded"

// relayContenders are in the order in which they are measured. The result of the first determines the
// load of the open loop.
var relayContenders = []string{stand.PeerProxy, stand.OursAuth, stand.PeerRadsec, stand.PeerAccepter}

// floodContenders are each of them without and with a flood.
var floodContenders = []string{
	stand.PeerProxy, stand.PeerProxy + flooded, stand.OursAuth, stand.OursAuth + flooded, stand.PeerRadsec, stand.PeerRadsec + flooded,
}

// relayPairs are ours to the others.
var relayPairs = []report.Pair{{Num: stand.OursAuth, Den: stand.PeerProxy}, {Num: stand.OursAuth, Den: stand.PeerRadsec}}

// relaySizes are the numbers of the section relay.
type relaySizes struct {
	runs     int
	requests int           // in the closed loop
	half     time.Duration // of the open loop
	flood    float64       // requests a second with a wrong secret
}

// relayFlags adds the section's flags. Call the returned function after the flags are parsed.
func relayFlags(flags *flag.FlagSet) func(quick bool) (relaySizes, error) {
	var s relaySizes
	flags.IntVar(&s.runs, "relay-runs", 5, "interleaved `runs` of the section relay")
	flags.IntVar(&s.requests, "relay-requests", 100_000, "Access-Requests in a `run` of the closed loop")
	flags.DurationVar(&s.half, "relay-half", 2*time.Second, "`time` for which half load is sent to a relay")
	flags.Float64Var(&s.flood, "relay-flood", 50_000, "`requests` per second with a wrong secret")
	return func(quick bool) (relaySizes, error) {
		if quick {
			s = relaySizes{runs: 1, requests: 3000, half: 300 * time.Millisecond, flood: 10_000}
		}
		if s.runs < 1 || s.requests < stand.EAP.Requests() || s.half <= 0 || s.flood <= 0 {
			return s, fmt.Errorf("bench: the numbers and times of the section relay must be positive")
		}
		return s, nil
	}
}

// relayBench holds what the parts of the section share.
type relayBench struct {
	stand.Host
	progress func(what string)
	sizes    relaySizes
	rate     float64 // of the open loop, in requests a second
}

// openRelay builds the programs.
func (b *bench) openRelay(ctx context.Context) (*relayBench, error) {
	dir, err := os.MkdirTemp(b.host.Dir, "relay-")
	if err != nil {
		return nil, err
	}
	r := &relayBench{Host: b.host, sizes: b.config.relay}
	r.progress = func(what string) { fmt.Fprintf(b.progress, "relay: %s\n", what) }
	r.Dir, r.CPUs = dir, fmt.Sprintf("0-%d", stand.OnlineCPUs()-1)
	if err := stand.BuildLogins(ctx, dir); err != nil {
		return nil, err
	}
	return r, stand.BuildDaemon(ctx, dir)
}

// runRelay measures the relay of Access-Requests.
func runRelay(ctx context.Context, b *bench) (report.Section, error) {
	text := report.Section{Title: "Authentication relay", Unpinned: true, Runs: b.config.relay.runs}
	text.Intro = fmt.Sprintf(relayIntro, stand.VersionOf(ctx, "freeradius", "FreeRADIUS Version"), stand.VersionOf(ctx, "radsecproxy", "radsecproxy revision"))
	r, err := b.openRelay(ctx)
	if err != nil {
		return text, err
	}
	for _, compare := range []func(context.Context) (report.Comparison, error){
		func(ctx context.Context) (report.Comparison, error) {
			return r.compare(ctx, stand.PAP, "PAP", r.papNote())
		},
		func(ctx context.Context) (report.Comparison, error) {
			return r.compare(ctx, stand.EAP, "EAP of three rounds", relayEAPNote)
		},
		r.compareFloods,
	} {
		c, err := compare(ctx)
		if err != nil {
			return text, err
		}
		text.Comparisons = append(text.Comparisons, c)
	}
	return text, nil
}

// compare compares the relays with logins of one kind.
func (r *relayBench) compare(ctx context.Context, kind stand.Login, title, note string) (report.Comparison, error) {
	s, err := report.Interleave(ctx, r.sizes.runs, relayContenders, func(ctx context.Context, who string) (report.Sample, error) {
		r.progress(fmt.Sprintf("%s, %s", title, who))
		return r.measure(ctx, who, kind)
	})
	return report.Comparison{Title: title, Contenders: relayContenders, Series: s, Note: note, Metrics: relayTable, Pairs: relayPairs}, err
}

func (r *relayBench) compareFloods(ctx context.Context) (report.Comparison, error) {
	s, err := report.Interleave(ctx, r.sizes.runs, floodContenders, func(ctx context.Context, who string) (report.Sample, error) {
		r.progress("flood, " + who)
		return r.measureFlood(ctx, who)
	})
	c := report.Comparison{Title: "A flood with a wrong secret", Contenders: floodContenders, Series: s, Note: r.floodNote(), Metrics: floodTable}
	for _, who := range []string{stand.PeerProxy, stand.OursAuth, stand.PeerRadsec} {
		c.Pairs = append(c.Pairs, report.Pair{Num: who + flooded, Den: who})
	}
	return c, err
}

// measure sends logins to one contender as fast as it answers, then at half the rate that FreeRADIUS
// reached.
func (r *relayBench) measure(ctx context.Context, who string, kind stand.Login) (report.Sample, error) {
	c, err := stand.OpenAuthRelay(ctx, r.Host, who)
	if err != nil {
		return nil, err
	}
	defer c.Close()
	out := report.Sample{}
	if err := r.sendBoth(ctx, c, who, kind, out); err != nil {
		return nil, err
	}
	return out, c.Check()
}

// measureFlood does the same with a flood from another client, if the contender is one of those.
func (r *relayBench) measureFlood(ctx context.Context, who string) (report.Sample, error) {
	name, isFlooded := strings.CutSuffix(who, flooded)
	if !isFlooded {
		return r.measure(ctx, who, stand.PAP)
	}
	c, err := stand.OpenAuthRelay(ctx, r.Host, name)
	if err != nil {
		return nil, err
	}
	defer c.Close()
	out := report.Sample{}
	flood, end := context.WithCancel(ctx)
	defer end()
	var g errgroup.Group
	g.Go(func() (err error) {
		out[floodSent], err = r.Flood(flood, c.Port, r.sizes.flood)
		return err
	})
	err = r.sendBoth(ctx, c, name+flooded, stand.PAP, out)
	end()
	if err := errors.Join(err, g.Wait()); err != nil {
		return nil, err
	}
	return out, c.Check()
}

// closedLimit is the time after which a closed loop ends, whether or not all its requests are answered.
const closedLimit = 30 * time.Second

// sendBoth runs the closed loop and the open loop.
func (r *relayBench) sendBoth(ctx context.Context, c *stand.AuthRelay, who string, kind stand.Login, out report.Sample) error {
	closed, err := r.closedLoop(ctx, c, kind, out)
	if err != nil {
		return err
	}
	if who == relayContenders[0] {
		r.rate = closed.Rate() / 2
	}
	first, rate := r.sizes.requests/kind.Requests(), r.rate/float64(kind.Requests())
	open, err := r.SendLogins(ctx, kind, c.Port, stand.Load{
		First: first, Count: max(1, int(rate*r.sizes.half.Seconds())), Rate: rate, Timeout: nasload.Timeout, Tries: nasload.Tries,
	})
	out[halfRate] = r.rate
	out[halfP50], out[halfP99], out[halfMax] = microseconds(open.P50), microseconds(open.P99), microseconds(open.Max)
	out[retransmitted] = float64(closed.Retransmissions + open.Retransmissions)
	out[neverAnswered] = float64(closed.GivenUp + open.GivenUp)
	return errors.Join(err, ctx.Err())
}

// closedLoop keeps some logins unfinished until all are accepted.
func (r *relayBench) closedLoop(ctx context.Context, c *stand.AuthRelay, kind stand.Login, out report.Sample) (stand.LoadResult, error) {
	before, err := c.Server.CPUTime()
	if err != nil {
		return stand.LoadResult{}, err
	}
	limited, cancel := context.WithTimeout(ctx, closedLimit)
	defer cancel()
	got, err := r.SendLogins(limited, kind, c.Port, stand.Load{
		Count: r.sizes.requests / kind.Requests(), InFlight: stand.InFlight, Timeout: nasload.Timeout, Tries: nasload.Tries,
	})
	if err == nil && got.Answered == 0 {
		err = errors.New("bench: no request was answered")
	}
	if err != nil {
		return got, err
	}
	out[answeredRate] = got.Rate()
	after, err := c.Server.CPUTime()
	out[requestCPU] = microseconds(after-before) / float64(got.Answered)
	return got, err
}
