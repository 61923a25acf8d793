package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"
)

// measureLimit bounds one walk.
const measureLimit = 10 * time.Minute

// How much is asked where not the whole table is.
const (
	sampleCells = 200_000
	getCount    = 5_000
)

// The names of what is measured, as they stand in the table.
const (
	walkOne   = "walk, one column a request (snmpbulkwalk -Cr50)"
	walkAll   = "walk, seven columns a request (gosnmp, 14 repetitions)"
	sampleOne = "200,000 cells from random rows, one column a request"
	sampleAll = "200,000 cells from random rows, seven columns a request"
	getOne    = "GET of one cell (libnetsnmp client), p50"
	getGo     = "GET of one cell (gosnmp client), p50"
	getCPU    = "GET of one cell (libnetsnmp client), CPU time without the client's"
)

// perCPU names a rate by the CPU time that servers and client used together: what others do on the
// machine at the time counts little there.
func perCPU(name string) string { return name + ", by CPU time" }

// perServerCPU names a rate by the CPU time of the servers alone.
func perServerCPU(name string) string { return name + ", by CPU time without the client's" }

var (
	tableMetrics = []metric{
		{walkOne, "cells/s"},
		{perCPU(walkOne), "cells/CPU s"},
		{walkAll, "cells/s"},
		{perCPU(walkAll), "cells/CPU s"},
		{getOne, "µs"},
		{getGo, "µs"},
	}
	rateMetrics = []metric{
		{sampleOne, "cells/s"},
		{perCPU(sampleOne), "cells/CPU s"},
		{sampleAll, "cells/s"},
		{perCPU(sampleAll), "cells/CPU s"},
		{getOne, "µs"},
		{getGo, "µs"},
	}
	peerPairs = []pair{
		{peerOurs, peerContainer},
		{peerOurs, peerCanned},
		{peerOurs, peerCannedYield},
		{peerContainer, peerCanned},
		{peerCannedYield, peerCanned},
	}
)

const snmpIntro = `casnActiveTable served through net-snmp's snmpd by an AgentX subagent: "container" is a C subagent on
libnetsnmp's container table, "canned" a C subagent that answers without a look-up (the limit of what a subagent
with a blocking read can reach; "canned-yield" gives way before it blocks), "ours" this project's packages. One snmpd,
one subagent and one client at a time. GETs are timed by two clients: one in Go spends time in its own runtime when
the scheduler preempts it within a system call, which depends on the agent's timing.`

// runSNMP is the section on AgentX behind snmpd: the peers by table size, then
// our own rate by table size.
func runSNMP(ctx context.Context, b *bench) (sectionText, error) {
	text := sectionText{title: "SNMP walks through snmpd (AgentX)", intro: snmpIntro}
	programs, err := buildPeers(ctx, b.host.dir, b.config.peers)
	if err != nil {
		return text, err
	}
	for _, rows := range b.config.sizes {
		s, err := interleave(ctx, b.config.runs, b.config.peers, func(ctx context.Context, peer string) (sample, error) {
			return b.measure(ctx, peer, programs[peer], rows, measureTable)
		})
		if err != nil {
			return text, err
		}
		text.comparisons = append(text.comparisons, comparison{
			title: rowsName(rows), contenders: b.config.peers, series: s,
			pairs: pairsAmong(b.config.peers, peerPairs), metrics: tableMetrics,
		})
	}
	if program := programs[peerOurs]; program != "" && len(b.config.rateSizes) > 0 {
		c, err := b.compareSizes(ctx, program)
		if err != nil {
			return text, err
		}
		text.comparisons = append(text.comparisons, c)
	}
	return text, nil
}

// compareSizes measures our subagent with tables of different sizes; the
// ratios are to the first size.
func (b *bench) compareSizes(ctx context.Context, program string) (comparison, error) {
	c := comparison{title: "Ours by table size", metrics: rateMetrics}
	rowsOf := make(map[string]int)
	for i, rows := range b.config.rateSizes {
		name := rowsName(rows)
		rowsOf[name] = rows
		c.contenders = append(c.contenders, name)
		if i > 0 {
			c.pairs = append(c.pairs, pair{name, c.contenders[0]})
		}
	}
	var err error
	c.series, err = interleave(ctx, b.config.runs, c.contenders, func(ctx context.Context, name string) (sample, error) {
		return b.measure(ctx, peerOurs, program, rowsOf[name], measureStretches)
	})
	return c, err
}

func rowsName(rows int) string { return count(rows) + " rows" }

// measure opens a stand for one subagent and runs what on it.
func (b *bench) measure(ctx context.Context, peer, program string, rows int,
	what func(context.Context, *stand, sample) error,
) (sample, error) {
	fmt.Fprintf(b.progress, "%s, %s\n", rowsName(rows), peer)
	s, err := openStand(ctx, b.host, program, rows)
	if err != nil {
		return nil, err
	}
	defer s.Close()
	out := make(sample)
	return out, what(ctx, s, out)
}

// measureTable measures whole walks and the latency of a GET.
func measureTable(ctx context.Context, s *stand, out sample) error {
	want := s.rows * columnCount
	if err := measureRate(ctx, s, out, walkOne, want, s.bulkwalk); err != nil {
		return err
	}
	if err := measureRate(ctx, s, out, walkAll, want, s.clientMode(modeTable, want)); err != nil {
		return err
	}
	return measureLatency(ctx, s, out)
}

// measureStretches measures stretches from random rows and the latency of a GET.
func measureStretches(ctx context.Context, s *stand, out sample) error {
	if err := measureRate(ctx, s, out, sampleOne, sampleCells, s.clientMode(modeSampleOne, sampleCells)); err != nil {
		return err
	}
	if err := measureRate(ctx, s, out, sampleAll, sampleCells, s.clientMode(modeSampleAll, sampleCells)); err != nil {
		return err
	}
	return measureLatency(ctx, s, out)
}

// measureRate runs a walk that has to give at least want cells, and notes cells per
// second on the clock, by the CPU time of all processes, and by that of the servers.
func measureRate(ctx context.Context, s *stand, out sample, name string, want int,
	walk func(context.Context) (measurement, error),
) error {
	ctx, cancel := context.WithTimeout(ctx, measureLimit)
	defer cancel()
	before, err := s.servers()
	if err != nil {
		return err
	}
	m, err := walk(ctx)
	if err != nil {
		return err
	}
	after, err := s.servers()
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

func measureLatency(ctx context.Context, s *stand, out sample) error {
	ctx, cancel := context.WithTimeout(ctx, measureLimit)
	defer cancel()
	m, err := s.clientMode(modeGet, getCount)(ctx)
	if err != nil {
		return err
	}
	out[getGo] = float64(m.P50) / float64(time.Microsecond)
	before, err := s.servers()
	if err != nil {
		return err
	}
	var b strings.Builder
	_, err = s.run(ctx, &b, "env", "MIBS=", filepath.Join(s.host.dir, getter),
		fmt.Sprint(s.port), fmt.Sprint(s.rows), fmt.Sprint(getCount))
	if err != nil {
		return err
	}
	after, err := s.servers()
	if err != nil {
		return err
	}
	out[getCPU] = float64(after-before) / float64(time.Microsecond) / getCount
	nanoseconds, err := strconv.ParseFloat(strings.TrimSpace(b.String()), 64)
	out[getOne] = nanoseconds / float64(time.Microsecond)
	return err
}

// clientMode runs our own client, see client.go; args are further ones.
func (s *stand) clientMode(mode string, count int, args ...string) func(context.Context) (measurement, error) {
	return func(ctx context.Context) (m measurement, err error) {
		self, err := os.Executable()
		if err != nil {
			return m, err
		}
		var out strings.Builder
		all := append([]string{
			clientCommand, "-mode", mode,
			"-port", fmt.Sprint(s.port), "-rows", fmt.Sprint(s.rows), "-count", fmt.Sprint(count),
		}, args...)
		_, err = s.run(ctx, &out, self, all...)
		if err != nil {
			return m, err
		}
		return m, json.Unmarshal([]byte(out.String()), &m)
	}
}

// bulkwalk runs snmpbulkwalk over the table.
func (s *stand) bulkwalk(ctx context.Context) (measurement, error) {
	return s.bulkwalkAs(ctx, "-v2c", "-c", "public")
}

// bulkwalkAs is bulkwalk with the arguments that tell who asks. Its output goes to a file, whose last
// line has the number of cells.
func (s *stand) bulkwalkAs(ctx context.Context, who ...string) (m measurement, err error) {
	f, err := os.Create(s.walkFile())
	if err != nil {
		return m, err
	}
	defer f.Close()
	program, err := exec.LookPath("snmpbulkwalk")
	if err != nil {
		return m, err
	}
	args := append(slices.Clone(who), "-t", "20", "-r", "0", "-On", "-Cp", "-Cr50",
		fmt.Sprintf("127.0.0.1:%d", s.port), strings.TrimSuffix(casnEntry, ".1"))
	used, err := s.run(ctx, f, program, args...)
	if err != nil {
		return m, err
	}
	lines := tail(f.Name())
	_, count, _ := strings.Cut(lines, "Variables found: ")
	m.Cells, err = strconv.Atoi(strings.TrimSpace(count))
	m.Wall, m.CPU = used.wall, used.cpu
	return m, err
}

// walkFile is where the last snmpbulkwalk's output lies.
func (s *stand) walkFile() string { return filepath.Join(s.dir, fmt.Sprintf("walk-%d.txt", s.port)) }
