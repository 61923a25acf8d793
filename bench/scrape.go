package main

import (
	"context"
	"fmt"
	"os/exec"

	"aaasess/bench/report"
)

// The contenders and metrics of the section.
const (
	sessionsLive = "1,000 servers, 1,000,000 sessions"
	serversUsed  = "1,000 servers, all in use"

	scrapeTime   = "time of a scrape"
	scrapeCPU    = "CPU time of a scrape"
	scrapeOctets = "size of a scrape"
)

// scrapeFigures are those of BenchmarkScrape, of two packages.
var scrapeFigures = []struct {
	pkg, contender string
	figures        []figure
}{
	{"aaasess/cmd/aaasessd", sessionsLive, []figure{
		{"BenchmarkScrape", "ns/op", sessionsLive, scrapeTime, 1e6},
		{"BenchmarkScrape", "cpu-ms/scrape", sessionsLive, scrapeCPU, 1},
		{"BenchmarkScrape", "octets/scrape", sessionsLive, scrapeOctets, 1e6},
	}},
	{"aaasess/cmd/aaasessd/internal/metrics", serversUsed, []figure{
		{"BenchmarkScrape", "ns/op", serversUsed, scrapeTime, 1e6},
		{"BenchmarkScrape", "octets/scrape", serversUsed, scrapeOctets, 1e6},
	}},
}

var (
	scrapeContenders = []string{sessionsLive, serversUsed}
	scrapeMetrics    = []report.Metric{{Name: scrapeTime, Unit: "ms"}, {Name: scrapeCPU, Unit: "ms"}, {Name: scrapeOctets, Unit: "MB"}}
)

const scrapeIntro = `These are Go benchmarks of /metrics without a network. The first is a daemon with its session table, whose
servers have been sent nothing; the second has only the servers, each with requests for accounting and
authentication, so their histograms too. The limit is 50 ms.`

// runScrape measures how long the answer to a Prometheus takes.
func runScrape(ctx context.Context, b *bench) (report.Section, error) {
	text := report.Section{Title: "Metrics", Unpinned: true, Intro: scrapeIntro}
	s := report.Series{}
	for range b.config.runs {
		for _, of := range scrapeFigures {
			fmt.Fprintln(b.progress, "scrape:", of.contender)
			out, err := exec.CommandContext(ctx, "go", "test", "-run", "^$", "-bench", "^BenchmarkScrape$", of.pkg).Output()
			if err != nil {
				return text, fmt.Errorf("bench: go test %s: %w: %s", of.pkg, err, out)
			}
			got := parseFigures(string(out), of.figures)[of.contender]
			if got == nil {
				return text, fmt.Errorf("bench: go test %s: no figures in %s", of.pkg, out)
			}
			s[of.contender] = append(s[of.contender], got)
		}
	}
	text.Comparisons = []report.Comparison{{Title: "A scrape", Contenders: scrapeContenders, Series: s, Metrics: scrapeMetrics}}
	return text, nil
}
