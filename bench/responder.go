package main

import (
	"context"
	"fmt"
	"runtime"
	"slices"
	"strings"

	"aaasess/bench/report"
	"aaasess/bench/snmpclient"
	"aaasess/bench/stand"
)

// The metrics that only responders have.
const (
	walkOneSecure = "v3 authPriv walk, one column a request (snmpbulkwalk -Cr50)"
	walkAllSecure = "v3 authPriv walk, seven columns a request (gosnmp, 14 repetitions)"
	walkTogether  = "walk, seven columns a request (gosnmp, 14 repetitions), all clients together"
)

// atOnce is the number of clients in the comparison of several clients.
const atOnce = 4

var (
	responderMetrics = append(append(
		walkMetrics(walkOne, walkAll), report.Metric{Name: getOne, Unit: "µs"}, report.Metric{Name: getGo, Unit: "µs"}, report.Metric{Name: getCPU, Unit: "µs"}),
		walkMetrics(walkOneSecure, walkAllSecure)...)
	togetherMetrics = walkMetrics(walkTogether)
	responderPairs  = []report.Pair{
		{Num: stand.PeerOurs, Den: stand.PeerInSNMPD},
		{Num: stand.PeerOurs, Den: stand.PeerInSNMPDNext},
		{Num: stand.PeerOurs, Den: stand.PeerCannedUDP},
		{Num: stand.PeerCannedUDP, Den: stand.PeerInSNMPD},
	}
)

// walkMetrics returns three metrics for each rate: by the clock, by the CPU time of all processes,
// and by that of the responder.
func walkMetrics(names ...string) (m []report.Metric) {
	for _, name := range names {
		m = append(m, report.Metric{Name: name, Unit: "cells/s"}, report.Metric{Name: perCPU(name), Unit: "cells/CPU s"}, report.Metric{Name: perServerCPU(name), Unit: "cells/CPU s"})
	}
	return m
}

const responderIntro = `These responders serve casnActiveTable without AgentX. One responder and one client run at a time.

- "insnmpd" is a C module inside net-snmp's snmpd (dlmod), in the fastest form that we found. Its
  handler finds rows by arithmetic and fills the repetitions of a GetBulkRequest itself. snmpd loads no
  other modules, and libwrap has no files to read.
- "insnmpd-next" is the same, but snmpd makes the repetitions, as it does for nearly all modules.
- "cannedudp" is a C program that answers GET, GETNEXT and GETBULK with prepared variable bindings: the
  limit of UDP and client.
- "ours" is the packages of this project.

SNMPv3 uses HMAC-96-SHA and AES-128. Two clients time GETs, as above. The client spends more time on a
cell than any responder, so the responders differ most in the rows by CPU time of the server.`

// runResponder measures SNMP without a master: the responders by table size, then several clients.
func runResponder(ctx context.Context, b *bench) (report.Section, error) {
	text := report.Section{Title: responderTitle, Intro: responderIntro}
	programs, err := stand.BuildResponders(ctx, b.host.Dir, b.config.responders)
	if err != nil {
		return text, err
	}
	for _, rows := range b.config.sizes {
		s, err := report.Interleave(ctx, b.config.runs, b.config.responders, func(ctx context.Context, name string) (report.Sample, error) {
			return b.measureResponder(ctx, b.host, name, programs[name], rows, func(ctx context.Context, s *stand.Stand, out report.Sample) error {
				return measureResponderTable(ctx, s, out, stand.HasSNMPv3(name))
			})
		})
		if err != nil {
			return text, err
		}
		text.Comparisons = append(text.Comparisons, report.Comparison{
			Title: rowsName(rows), Contenders: b.config.responders, Series: s,
			Pairs: report.PairsAmong(b.config.responders, responderPairs), Metrics: responderMetrics,
		})
	}
	if len(b.config.sizes) == 0 {
		return text, nil
	}
	c, err := b.compareClients(ctx, programs, slices.Max(b.config.sizes))
	text.Comparisons = append(text.Comparisons, c)
	return text, err
}

// measureResponder opens a stand for one responder and calls what with it.
func (b *bench) measureResponder(ctx context.Context, h stand.Host, name, program string, rows int,
	what func(context.Context, *stand.Stand, report.Sample) error,
) (report.Sample, error) {
	fmt.Fprintf(b.progress, "%s, %s\n", rowsName(rows), name)
	s, err := stand.OpenResponder(ctx, h, name, program, rows)
	if err != nil {
		return nil, err
	}
	defer s.Close()
	out := make(report.Sample)
	return out, what(ctx, s, out)
}

// measureResponderTable measures the same as measureTable, and walks with SNMPv3 if secure is set.
func measureResponderTable(ctx context.Context, s *stand.Stand, out report.Sample, secure bool) error {
	if err := measureTable(ctx, s, out); err != nil || !secure {
		return err
	}
	want := s.Rows * snmpclient.ColumnCount
	err := measureRate(ctx, s, out, walkOneSecure, want, func(ctx context.Context) (snmpclient.Measurement, error) {
		return s.BulkwalkAs(ctx, snmpclient.AsUser...)
	})
	if err != nil {
		return err
	}
	return measureRate(ctx, s, out, walkAllSecure, want, s.ClientMode(snmpclient.ModeTable, want, "-v3"))
}

func clientsNote(cpus int) string {
	return fmt.Sprintf(`Responder and clients share all %d CPUs. The number after a name is the number of clients: "ours-%d" is
ours with %d clients. Each client walks the whole table.`, cpus, atOnce, atOnce)
}

// compareClients measures each responder with one client and with several, on all CPUs.
func (b *bench) compareClients(ctx context.Context, programs map[string]string, rows int) (report.Comparison, error) {
	one, many := "-1", fmt.Sprintf("-%d", atOnce)
	c := report.Comparison{
		Title: fmt.Sprintf("%d clients at once, %s", atOnce, rowsName(rows)), Metrics: togetherMetrics,
		Note: clientsNote(runtime.NumCPU()),
	}
	var ratios []report.Pair
	for _, name := range b.config.responders {
		c.Contenders = append(c.Contenders, name+one, name+many)
		ratios = append(ratios, report.Pair{Num: name + many, Den: name + one})
	}
	for _, p := range report.PairsAmong(b.config.responders, responderPairs) {
		ratios = append(ratios, report.Pair{Num: p.Num + many, Den: p.Den + many})
	}
	c.Pairs = ratios
	h := b.host
	cpus, err := stand.UsableCPUs()
	if err != nil {
		return c, err
	}
	h.CPUs = cpus
	c.Series, err = report.Interleave(ctx, b.config.runs, c.Contenders, func(ctx context.Context, contender string) (report.Sample, error) {
		name, isOne := strings.CutSuffix(contender, one)
		clients := 1
		if !isOne {
			name, clients = strings.TrimSuffix(contender, many), atOnce
		}
		return b.measureResponder(ctx, h, name, programs[name], rows, func(ctx context.Context, s *stand.Stand, out report.Sample) error {
			want := rows * snmpclient.ColumnCount * clients
			return measureRate(ctx, s, out, walkTogether, want, s.Together(clients, snmpclient.ModeTable, rows*snmpclient.ColumnCount))
		})
	})
	return c, err
}
