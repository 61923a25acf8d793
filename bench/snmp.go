package main

import (
	"context"
	"fmt"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"aaasess/bench/report"
	"aaasess/bench/snmpclient"
	"aaasess/bench/stand"
)

// measureLimit bounds one walk.
const measureLimit = 10 * time.Minute

// The number of requests where the whole table is not walked.
const (
	sampleCells = 200_000
	getCount    = 5_000
)

// The metrics of the tables.
const (
	walkOne   = "walk, one column a request (snmpbulkwalk -Cr50)"
	walkAll   = "walk, seven columns a request (gosnmp, 14 repetitions)"
	sampleOne = "200,000 cells from random rows, one column a request"
	sampleAll = "200,000 cells from random rows, seven columns a request"
	getOne    = "GET of one cell (libnetsnmp client), p50"
	getGo     = "GET of one cell (gosnmp client), p50"
	getCPU    = "GET of one cell (libnetsnmp client), CPU time of the server"
)

// perCPU names a rate by the CPU time of servers and client together. Other programs on the machine
// affect it less than a rate by the clock.
func perCPU(name string) string { return name + ", by CPU time" }

// perServerCPU names a rate by the CPU time of the servers without the client.
func perServerCPU(name string) string { return name + ", by CPU time of the server" }

var (
	tableMetrics = []report.Metric{
		{Name: walkOne, Unit: "cells/s"},
		{Name: perCPU(walkOne), Unit: "cells/CPU s"},
		{Name: walkAll, Unit: "cells/s"},
		{Name: perCPU(walkAll), Unit: "cells/CPU s"},
		{Name: getOne, Unit: "µs"},
		{Name: getGo, Unit: "µs"},
	}
	rateMetrics = []report.Metric{
		{Name: sampleOne, Unit: "cells/s"},
		{Name: perCPU(sampleOne), Unit: "cells/CPU s"},
		{Name: sampleAll, Unit: "cells/s"},
		{Name: perCPU(sampleAll), Unit: "cells/CPU s"},
		{Name: getOne, Unit: "µs"},
		{Name: getGo, Unit: "µs"},
	}
	peerPairs = []report.Pair{
		{Num: stand.PeerOurs, Den: stand.PeerContainer},
		{Num: stand.PeerOurs, Den: stand.PeerCanned},
		{Num: stand.PeerOurs, Den: stand.PeerCannedYield},
		{Num: stand.PeerContainer, Den: stand.PeerCanned},
		{Num: stand.PeerCannedYield, Den: stand.PeerCanned},
	}
)

const snmpIntro = `An AgentX subagent serves casnActiveTable through net-snmp's snmpd. One snmpd, one subagent and one
client run at a time.

- "container" is a C subagent on libnetsnmp's container table.
- "canned" is a C subagent that answers without a look-up: the limit for a subagent with a blocking
  read. "canned-yield" is the same, but yields the CPU before it blocks.
- "ours" is the packages of this project.

Two clients time GETs. The one in Go also measures its own runtime: the scheduler may preempt it in a
system call, depending on the timing of the agent.`

// runSNMP measures AgentX behind snmpd: the peers by table size, then our own rate by table size.
func runSNMP(ctx context.Context, b *bench) (report.Section, error) {
	text := report.Section{Title: agentXTitle, Intro: snmpIntro}
	programs, err := stand.BuildPeers(ctx, b.host.Dir, b.config.peers)
	if err != nil {
		return text, err
	}
	for _, rows := range b.config.sizes {
		s, err := report.Interleave(ctx, b.config.runs, b.config.peers, func(ctx context.Context, peer string) (report.Sample, error) {
			return b.measure(ctx, peer, programs[peer], rows, measureTable)
		})
		if err != nil {
			return text, err
		}
		text.Comparisons = append(text.Comparisons, report.Comparison{
			Title: rowsName(rows), Contenders: b.config.peers, Series: s,
			Pairs: report.PairsAmong(b.config.peers, peerPairs), Metrics: tableMetrics,
		})
	}
	if program := programs[stand.PeerOurs]; program != "" && len(b.config.rateSizes) > 0 {
		c, err := b.compareSizes(ctx, program)
		if err != nil {
			return text, err
		}
		text.Comparisons = append(text.Comparisons, c)
	}
	return text, nil
}

// compareSizes measures our subagent with tables of different sizes. The ratios are to the first
// size.
func (b *bench) compareSizes(ctx context.Context, program string) (report.Comparison, error) {
	c := report.Comparison{Title: "Ours by table size", Metrics: rateMetrics}
	rowsOf := make(map[string]int)
	for i, rows := range b.config.rateSizes {
		name := rowsName(rows)
		rowsOf[name] = rows
		c.Contenders = append(c.Contenders, name)
		if i > 0 {
			c.Pairs = append(c.Pairs, report.Pair{Num: name, Den: c.Contenders[0]})
		}
	}
	var err error
	c.Series, err = report.Interleave(ctx, b.config.runs, c.Contenders, func(ctx context.Context, name string) (report.Sample, error) {
		return b.measure(ctx, stand.PeerOurs, program, rowsOf[name], measureSamples)
	})
	return c, err
}

func rowsName(rows int) string { return report.Count(rows) + " rows" }

// measure opens a stand for one subagent and calls what with it.
func (b *bench) measure(ctx context.Context, peer, program string, rows int,
	what func(context.Context, *stand.Stand, report.Sample) error,
) (report.Sample, error) {
	fmt.Fprintf(b.progress, "%s, %s\n", rowsName(rows), peer)
	s, err := stand.OpenStand(ctx, b.host, program, rows)
	if err != nil {
		return nil, err
	}
	defer s.Close()
	out := make(report.Sample)
	return out, what(ctx, s, out)
}

// measureTable measures whole walks and the latency of a GET.
func measureTable(ctx context.Context, s *stand.Stand, out report.Sample) error {
	want := s.Rows * snmpclient.ColumnCount
	if err := measureRate(ctx, s, out, walkOne, want, s.Bulkwalk); err != nil {
		return err
	}
	if err := measureRate(ctx, s, out, walkAll, want, s.ClientMode(snmpclient.ModeTable, want)); err != nil {
		return err
	}
	return measureLatency(ctx, s, out)
}

// measureSamples measures short walks from random rows and the latency of a GET.
func measureSamples(ctx context.Context, s *stand.Stand, out report.Sample) error {
	if err := measureRate(ctx, s, out, sampleOne, sampleCells, s.ClientMode(snmpclient.ModeSampleOne, sampleCells)); err != nil {
		return err
	}
	if err := measureRate(ctx, s, out, sampleAll, sampleCells, s.ClientMode(snmpclient.ModeSampleAll, sampleCells)); err != nil {
		return err
	}
	return measureLatency(ctx, s, out)
}

// measureRate runs a walk, which must return at least want cells. It records the cells per second
// of the clock, of the CPU time of all processes, and of the CPU time of the servers.
func measureRate(ctx context.Context, s *stand.Stand, out report.Sample, name string, want int,
	walk func(context.Context) (snmpclient.Measurement, error),
) error {
	ctx, cancel := context.WithTimeout(ctx, measureLimit)
	defer cancel()
	before, err := s.ServersCPU()
	if err != nil {
		return err
	}
	m, err := walk(ctx)
	if err != nil {
		return err
	}
	after, err := s.ServersCPU()
	if err != nil {
		return err
	}
	if m.Cells < want {
		return fmt.Errorf("%s: %d cells of %d", name, m.Cells, want)
	}
	out[name] = float64(m.Cells) / m.Wall.Seconds()
	out[perCPU(name)] = float64(m.Cells) / (after - before + m.CPU).Seconds()
	out[perServerCPU(name)] = float64(m.Cells) / (after - before).Seconds()
	return nil
}

func measureLatency(ctx context.Context, s *stand.Stand, out report.Sample) error {
	ctx, cancel := context.WithTimeout(ctx, measureLimit)
	defer cancel()
	m, err := s.ClientMode(snmpclient.ModeGet, getCount)(ctx)
	if err != nil {
		return err
	}
	out[getGo] = float64(m.P50) / float64(time.Microsecond)
	before, err := s.ServersCPU()
	if err != nil {
		return err
	}
	var b strings.Builder
	_, err = s.Run(ctx, &b, "env", "MIBS=", filepath.Join(s.Host.Dir, stand.Getter),
		fmt.Sprint(s.Port), fmt.Sprint(s.Rows), fmt.Sprint(getCount))
	if err != nil {
		return err
	}
	after, err := s.ServersCPU()
	if err != nil {
		return err
	}
	out[getCPU] = float64(after-before) / float64(time.Microsecond) / getCount
	nanoseconds, err := strconv.ParseFloat(strings.TrimSpace(b.String()), 64)
	out[getOne] = nanoseconds / float64(time.Microsecond)
	return err
}
