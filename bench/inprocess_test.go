package main

import (
	"testing"

	"aaasess/bench/report"

	"github.com/google/go-cmp/cmp"
)

func TestParseFigures(t *testing.T) {
	got := parseFigures(`goos: linux
BenchmarkGetNext/rows=1000-2         	 3086103	       122.8 ns/op	       0 B/op	       0 allocs/op
BenchmarkGetNext/rows=1000000-2      	 1717833	       179.3 ns/op	       0 B/op	       0 allocs/op
BenchmarkGet-2                       	  272673	      1243 ns/op	       0 B/op	       0 allocs/op
BenchmarkMemory-2                    	268306980	       352.5 B/session
BenchmarkOther-2                     	       1	       9 ns/op
ok  	aaasess/mib/casn	0.118s
`, figures)
	want := map[string]report.Sample{
		smallTable: {nextTime: 122.8, nextAllocs: 0},
		largeTable: {nextTime: 179.3, nextAllocs: 0, getTime: 1243, sessionBytes: 352.5},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestParseScrape(t *testing.T) {
	got := parseFigures("BenchmarkScrape-2   	      42	  23900000 ns/op	        25.5 cpu-ms/scrape	   4663475 octets/scrape\n", scrapeFigures[0].figures)
	want := map[string]report.Sample{sessionsLive: {scrapeTime: 23.9, scrapeCPU: 25.5, scrapeOctets: 4.663475}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}
