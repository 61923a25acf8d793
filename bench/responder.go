package main

import (
	"context"
	"fmt"
	"runtime"
	"slices"
	"strings"

	"golang.org/x/sync/errgroup"
	"golang.org/x/sys/unix"
)

// The names of what is measured of responders alone, as they stand in the table.
const (
	walkOneSecure = "v3 authPriv walk, one column a request (snmpbulkwalk -Cr50)"
	walkAllSecure = "v3 authPriv walk, seven columns a request (gosnmp, 14 repetitions)"
	walkTogether  = "walk, seven columns a request (gosnmp, 14 repetitions), all clients together"
)

// atOnce is how many clients there are where there are many.
const atOnce = 4

var (
	responderMetrics = append(append(
		walkMetrics(walkOne, walkAll), metric{getOne, "µs"}, metric{getGo, "µs"}, metric{getCPU, "µs"}),
		walkMetrics(walkOneSecure, walkAllSecure)...)
	togetherMetrics = walkMetrics(walkTogether)
	responderPairs  = []pair{
		{peerOurs, peerInSNMPD},
		{peerOurs, peerInSNMPDNext},
		{peerOurs, peerCannedUDP},
		{peerCannedUDP, peerInSNMPD},
	}
)

// walkMetrics are the rows of rates: on the clock, by all CPU time, by that of the responder.
func walkMetrics(names ...string) (m []metric) {
	for _, name := range names {
		m = append(m, metric{name, "cells/s"}, metric{perCPU(name), "cells/CPU s"}, metric{perServerCPU(name), "cells/CPU s"})
	}
	return m
}

const responderIntro = `casnActiveTable without AgentX. "insnmpd" is a C module inside net-snmp's snmpd (dlmod) in the fastest form found for it: a
handler that finds rows by arithmetic and fills the repetitions of a GetBulkRequest itself, no other modules, no files for libwrap to read.
"insnmpd-next" is the same but for the repetitions, which snmpd makes of it as of nearly all modules that there are. "cannedudp" is a C
program that answers GET, GETNEXT and GETBULK with prepared variable bindings (the limit of UDP and client), "ours" this project's packages.
One responder and one client at a time. v3: HMAC-96-SHA and AES-128. GETs are timed by two clients, as above. With a client that spends
longer on a cell than any responder, the rows without its CPU time tell them apart.`

// runResponder is the section on SNMP without a master: the responders by table size, then several clients.
func runResponder(ctx context.Context, b *bench) (sectionText, error) {
	text := sectionText{title: "SNMP without a master: our responder next to snmpd and to a canned responder", intro: responderIntro}
	programs, err := buildResponders(ctx, b.host.dir, b.config.responders)
	if err != nil {
		return text, err
	}
	for _, rows := range b.config.sizes {
		s, err := interleave(ctx, b.config.runs, b.config.responders, func(ctx context.Context, name string) (sample, error) {
			return b.measureResponder(ctx, b.host, name, programs[name], rows, func(ctx context.Context, s *stand, out sample) error {
				return measureResponderTable(ctx, s, out, knowsUser(name))
			})
		})
		if err != nil {
			return text, err
		}
		text.comparisons = append(text.comparisons, comparison{
			title: rowsName(rows), contenders: b.config.responders, series: s,
			pairs: pairsAmong(b.config.responders, responderPairs), metrics: responderMetrics,
		})
	}
	if len(b.config.sizes) == 0 {
		return text, nil
	}
	c, err := b.compareClients(ctx, programs, slices.Max(b.config.sizes))
	text.comparisons = append(text.comparisons, c)
	return text, err
}

// measureResponder opens a stand for one responder and runs what on it.
func (b *bench) measureResponder(ctx context.Context, h host, name, program string, rows int,
	what func(context.Context, *stand, sample) error,
) (sample, error) {
	fmt.Fprintf(b.progress, "%s, %s\n", rowsName(rows), name)
	s, err := openResponder(ctx, h, name, program, rows)
	if err != nil {
		return nil, err
	}
	defer s.Close()
	out := make(sample)
	return out, what(ctx, s, out)
}

// measureResponderTable measures what measureTable does, and with SNMPv3 if the responder has it.
func measureResponderTable(ctx context.Context, s *stand, out sample, secure bool) error {
	if err := measureTable(ctx, s, out); err != nil || !secure {
		return err
	}
	want := s.rows * columnCount
	err := measureRate(ctx, s, out, walkOneSecure, want, func(ctx context.Context) (measurement, error) {
		return s.bulkwalkAs(ctx, asUser...)
	})
	if err != nil {
		return err
	}
	return measureRate(ctx, s, out, walkAllSecure, want, s.clientMode(modeTable, want, "-v3"))
}

// compareClients measures each responder with one client and with several, on all CPUs.
func (b *bench) compareClients(ctx context.Context, programs map[string]string, rows int) (comparison, error) {
	one, many := "-1", fmt.Sprintf("-%d", atOnce)
	c := comparison{
		title: fmt.Sprintf("%d clients at once, %s", atOnce, rowsName(rows)), metrics: togetherMetrics,
		note: fmt.Sprintf(`Responder and clients share all %d CPUs; "ours-%d" is ours with that many clients, each of which walks the whole table.`,
			runtime.NumCPU(), atOnce),
	}
	var ratios []pair
	for _, name := range b.config.responders {
		c.contenders = append(c.contenders, name+one, name+many)
		ratios = append(ratios, pair{name + many, name + one})
	}
	for _, p := range pairsAmong(b.config.responders, responderPairs) {
		ratios = append(ratios, pair{p.num + many, p.den + many})
	}
	c.pairs = ratios
	h := b.host
	cpus, err := usableCPUs()
	if err != nil {
		return c, err
	}
	h.cpus = cpus
	c.series, err = interleave(ctx, b.config.runs, c.contenders, func(ctx context.Context, contender string) (sample, error) {
		name, isOne := strings.CutSuffix(contender, one)
		clients := 1
		if !isOne {
			name, clients = strings.TrimSuffix(contender, many), atOnce
		}
		return b.measureResponder(ctx, h, name, programs[name], rows, func(ctx context.Context, s *stand, out sample) error {
			want := rows * columnCount * clients
			return measureRate(ctx, s, out, walkTogether, want, s.together(clients, modeTable, rows*columnCount))
		})
	})
	return c, err
}

// together runs several clients at once. The time is from the first request of any to the last answer.
func (s *stand) together(clients int, mode string, count int) func(context.Context) (measurement, error) {
	return func(ctx context.Context) (measurement, error) {
		each := make([]measurement, clients)
		g, ctx := errgroup.WithContext(ctx)
		for i := range each {
			g.Go(func() (err error) {
				each[i], err = s.clientMode(mode, count)(ctx)
				return err
			})
		}
		err := g.Wait()
		return sum(each), err
	}
}

// sum is what several clients measured together.
func sum(each []measurement) measurement {
	m := each[0]
	end := m.Begin.Add(m.Wall)
	for _, other := range each[1:] {
		m.Cells += other.Cells
		m.CPU += other.CPU
		if other.Begin.Before(m.Begin) {
			m.Begin = other.Begin
		}
		if e := other.Begin.Add(other.Wall); e.After(end) {
			end = e
		}
	}
	m.Wall = end.Sub(m.Begin)
	return m
}

// usableCPUs are the CPUs that we may run on, as taskset takes them.
func usableCPUs() (string, error) {
	var set unix.CPUSet
	if err := unix.SchedGetaffinity(0, &set); err != nil {
		return "", fmt.Errorf("bench: CPUs: %w", err)
	}
	var list []string
	for cpu := 0; len(list) < set.Count(); cpu++ {
		if set.IsSet(cpu) {
			list = append(list, fmt.Sprint(cpu))
		}
	}
	return strings.Join(list, ","), nil
}
