package main

import (
	"context"
	"fmt"
	"os/exec"
	"strconv"
	"strings"

	"aaasess/bench/report"
)

// The in-process benchmarks that stand in docs/benchmarks.md: name of the benchmark, what it is
// called there.
const (
	casnPackage  = "aaasess/mib/casn"
	smallTable   = "1,000 sessions"
	largeTable   = "1,000,000 sessions"
	nextTime     = "GetNext of one cell"
	nextAllocs   = "GetNext of one cell, allocations"
	getTime      = "Get of one cell of a random session"
	sessionBytes = "memory for each session"
)

// figures says where a figure of "go test -bench" goes.
var figures = []struct {
	benchmark, unit string
	table, name     string
}{
	{"BenchmarkGetNext/rows=1000", "ns/op", smallTable, nextTime},
	{"BenchmarkGetNext/rows=1000", "allocs/op", smallTable, nextAllocs},
	{"BenchmarkGetNext/rows=1000000", "ns/op", largeTable, nextTime},
	{"BenchmarkGetNext/rows=1000000", "allocs/op", largeTable, nextAllocs},
	{"BenchmarkGet", "ns/op", largeTable, getTime},
	{"BenchmarkMemory", "B/session", largeTable, sessionBytes},
}

// runInProcess is the section on the table and the module without a network.
func runInProcess(ctx context.Context, b *bench) (report.Section, error) {
	text := report.Section{
		Title: "In process", Unpinned: true,
		Intro: "The Go benchmarks of mib/casn: the module over a session table, no master agent. Limits: 1,000 ns, no allocation, 600 B.",
	}
	s := report.Series{}
	for range b.config.runs {
		fmt.Fprintln(b.progress, "in process")
		out, err := exec.CommandContext(ctx, "go", "test", "-run", "^$", "-bench", "GetNext|Get$|Memory", casnPackage).Output()
		if err != nil {
			return text, fmt.Errorf("bench: go test %s: %w: %s", casnPackage, err, out)
		}
		for table, got := range parseFigures(string(out)) {
			s[table] = append(s[table], got)
		}
	}
	text.Comparisons = []report.Comparison{{
		Title: "Table and module", Contenders: []string{smallTable, largeTable}, Series: s,
		Metrics: []report.Metric{{Name: nextTime, Unit: "ns"}, {Name: nextAllocs, Unit: "1"}, {Name: getTime, Unit: "ns"}, {Name: sessionBytes, Unit: "B"}},
	}}
	return text, nil
}

// parseFigures takes the figures out of what "go test -bench" prints, by table.
func parseFigures(out string) map[string]report.Sample {
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
				got[f.table][f.name] = value
			}
		}
	}
	return got
}
