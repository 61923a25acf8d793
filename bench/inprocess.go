package main

import (
	"context"
	"fmt"
	"os/exec"
	"strconv"
	"strings"

	"aaasess/bench/report"
)

// The in-process benchmarks in docs/benchmarks.md, with their names there.
const (
	casnPackage  = "aaasess/mib/casn"
	smallTable   = "1,000 sessions"
	largeTable   = "1,000,000 sessions"
	nextTime     = "GetNext of one cell"
	nextAllocs   = "GetNext of one cell, allocations"
	getTime      = "Get of one cell of a random session"
	sessionBytes = "memory per session"
)

// figure is a figure of "go test -bench", and its cell in the table.
type figure struct {
	benchmark, unit string
	table, name     string
	per             float64 // the value is divided by this
}

var figures = []figure{
	{"BenchmarkGetNext/rows=1000", "ns/op", smallTable, nextTime, 1},
	{"BenchmarkGetNext/rows=1000", "allocs/op", smallTable, nextAllocs, 1},
	{"BenchmarkGetNext/rows=1000000", "ns/op", largeTable, nextTime, 1},
	{"BenchmarkGetNext/rows=1000000", "allocs/op", largeTable, nextAllocs, 1},
	{"BenchmarkGet", "ns/op", largeTable, getTime, 1},
	{"BenchmarkMemory", "B/session", largeTable, sessionBytes, 1},
}

var inProcessMetrics = []report.Metric{
	{Name: nextTime, Unit: "ns"},
	{Name: nextAllocs, Unit: "1"},
	{Name: getTime, Unit: "ns"},
	{Name: sessionBytes, Unit: "B"},
}

const inProcessIntro = `These are the Go benchmarks of mib/casn: the module on a session table, without a master agent. The
limits are 1,000 ns, no allocation and 600 B.`

// runInProcess measures the table and the module without a network.
func runInProcess(ctx context.Context, b *bench) (report.Section, error) {
	text := report.Section{
		Title: "In process", Unpinned: true,
		Intro: inProcessIntro,
	}
	s := report.Series{}
	for range b.config.runs {
		fmt.Fprintln(b.progress, "in process")
		out, err := exec.CommandContext(ctx, "go", "test", "-run", "^$", "-bench", "GetNext|Get$|Memory", casnPackage).Output()
		if err != nil {
			return text, fmt.Errorf("bench: go test %s: %w: %s", casnPackage, err, out)
		}
		for table, got := range parseFigures(string(out), figures) {
			s[table] = append(s[table], got)
		}
	}
	text.Comparisons = []report.Comparison{{
		Title: "Table and module", Contenders: []string{smallTable, largeTable}, Series: s,
		Metrics: inProcessMetrics,
	}}
	return text, nil
}

// parseFigures returns the figures in the output of "go test -bench", by table.
func parseFigures(out string, figures []figure) map[string]report.Sample {
	got := map[string]report.Sample{}
	for line := range strings.SplitSeq(out, "\n") {
		fields := strings.Fields(line)
		if len(fields) < 4 {
			continue
		}
		name := fields[0][:max(0, strings.LastIndex(fields[0], "-"))] // without GOMAXPROCS
		for i := 2; i+1 < len(fields); i += 2 {
			for _, f := range figures {
				value, err := strconv.ParseFloat(fields[i], 64)
				if f.benchmark != name || f.unit != fields[i+1] || err != nil {
					continue
				}
				if got[f.table] == nil {
					got[f.table] = report.Sample{}
				}
				got[f.table][f.name] = value / f.per
			}
		}
	}
	return got
}
