package main

import (
	"fmt"
	"io"
	"os"
	"strings"
	"testing"
	"time"

	"aaasess/bench/stand"

	"github.com/google/go-cmp/cmp"
)

// TestMain runs the test binary as a process of a measurement, if its first argument is such a
// command.
func TestMain(m *testing.M) {
	if command := stand.CommandOf(os.Args[1:]); command != nil {
		if err := command(os.Args[2:], os.Stdout); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	os.Exit(m.Run())
}

func TestParseFlags(t *testing.T) {
	defaults := config{
		sections: []string{"snmp", "responder", "durable", "inprocess", "accounting", "latency", "tacacs", "relay", "nases", "resync", "disconnect", "local", "interfaces", "servers", "scrape"}, starts: 200_000,
		sizes: []int{10_000, 100_000}, rateSizes: []int{1_000, 1_000_000}, runs: 5,
		peers: []string{stand.PeerContainer, stand.PeerCanned, stand.PeerOurs}, cpus: "0",
		responders: []string{stand.PeerInSNMPD, stand.PeerInSNMPDNext, stand.PeerCannedUDP, stand.PeerOurs},
		accounting: accountingSizes{
			parts: []string{partRate, partBroadcast, partBacklog, partOutage, partRestart, partMemory}, runs: 3,
			requests: 100_000, half: 2 * time.Second, backlog: 100_000, reader: 20_000, restart: 1_000_000, memory: memorySizes{1_000_000, time.Minute},
			outage: outage{
				rate: 200, before: 3 * time.Second, length: 20 * time.Second, after: 10 * time.Second,
				timeout: 3 * time.Second, idle: 35 * time.Second,
			},
		},
		pauses: pausesSizes{runs: 3, sessions: []int{300_000, 1_000_000}, half: 20 * time.Second},
		nases: nasesSizes{
			runs: 3, nases: 1000, rows: 400_000, flapRows: 1_000_000, quiet: 5 * time.Second, rate: 400, requests: 500,
		},
		resync:     resyncSizes{runs: 3, rows: 1_000_000, rate: 40_000, quiet: 20 * time.Second, load: 400},
		relay:      relaySizes{runs: 5, requests: 100_000, half: 2 * time.Second, flood: 50_000},
		disconnect: disconnectSizes{runs: 3, sessions: 10_000},
		interfaces: interfacesSizes{runs: 5, interfaces: 20_000},
	}
	with := func(change func(*config)) config {
		c := defaults
		change(&c)
		return c
	}
	for _, tt := range []struct {
		name string
		args []string
		want config
	}{
		{"defaults", nil, defaults},
		{"sizes", []string{"-sizes", "50,7"}, with(func(c *config) { c.sizes = []int{50, 7} })},
		{"no sizes", []string{"-sizes", ""}, with(func(c *config) { c.sizes = nil })},
		{"rate sizes", []string{"-rate-sizes", "9"}, with(func(c *config) { c.rateSizes = []int{9} })},
		{"runs", []string{"-runs", "3"}, with(func(c *config) { c.runs = 3 })},
		{
			"peers",
			[]string{"-peers", "canned-yield,canned"},
			with(func(c *config) { c.peers = []string{stand.PeerCannedYield, stand.PeerCanned} }),
		},
		{
			"responders",
			[]string{"-responders", "insnmpd-next,ours"},
			with(func(c *config) { c.responders = []string{stand.PeerInSNMPDNext, stand.PeerOurs} }),
		},
		{"cpus", []string{"-cpus", "0-1"}, with(func(c *config) { c.cpus = "0-1" })},
		{"sections", []string{"-sections", "durable"}, with(func(c *config) { c.sections = []string{"durable"} })},
		{"starts", []string{"-starts", "7"}, with(func(c *config) { c.starts = 7 })},
		{"file", []string{"-o", "x.md"}, with(func(c *config) { c.out = "x.md" })},
		{"accounting parts", []string{"-accounting-parts", "outage,rate"}, with(func(c *config) { c.accounting.parts = []string{partOutage, partRate} })},
		{"accounting runs", []string{"-accounting-runs", "9"}, with(func(c *config) { c.accounting.runs = 9 })},
		{"requests", []string{"-requests", "11"}, with(func(c *config) { c.accounting.requests = 11 })},
		{"half load", []string{"-half", "7s"}, with(func(c *config) { c.accounting.half = 7 * time.Second })},
		{"backlogs", []string{"-backlog", "12", "-reader-backlog", "13"}, with(func(c *config) { c.accounting.backlog, c.accounting.reader = 12, 13 })},
		{"outage", []string{"-outage-rate", "1000", "-outage", "5s"}, with(func(c *config) {
			c.accounting.outage.rate, c.accounting.outage.length = 1000, 5*time.Second
		})},
		{"restart", []string{"-restart", "14"}, with(func(c *config) { c.accounting.restart = 14 })},
		{"latency", []string{"-latency-runs", "28", "-latency-sessions", "29,30", "-latency-time", "31s"}, with(func(c *config) {
			c.pauses = pausesSizes{runs: 28, sessions: []int{29, 30}, half: 31 * time.Second}
		})},
		{"many NASes", []string{"-nases", "15", "-nases-rows", "16", "-flap-rows", "17", "-nases-runs", "18"}, with(func(c *config) {
			c.nases.nases, c.nases.rows, c.nases.flapRows, c.nases.runs = 15, 16, 17, 18
		})},
		{"resync", []string{"-resync-rows", "19", "-resync-rate", "20", "-resync-runs", "21"}, with(func(c *config) {
			c.resync.rows, c.resync.rate, c.resync.runs = 19, 20, 21
		})},
		{"relay", []string{"-relay-runs", "22", "-relay-requests", "23", "-relay-half", "24s", "-relay-flood", "25"}, with(func(c *config) {
			c.relay = relaySizes{runs: 22, requests: 23, half: 24 * time.Second, flood: 25}
		})},
		{"disconnect", []string{"-disconnect-runs", "26", "-disconnect-sessions", "27"}, with(func(c *config) {
			c.disconnect = disconnectSizes{runs: 26, sessions: 27}
		})},
		{
			"quick wins over sizes and runs",
			[]string{"-quick", "-sizes", "50", "-runs", "9"},
			with(func(c *config) {
				c.sizes, c.rateSizes, c.runs, c.starts = []int{1000}, nil, 1, 5000
				c.accounting = accountingSizes{
					parts: accountingParts, runs: 1, requests: 5000, half: 300 * time.Millisecond, backlog: 5000, reader: 1000, restart: 5000,
					memory: memorySizes{5000, time.Second},
					outage: outage{
						rate: 100, before: time.Second, length: 2 * time.Second, after: time.Second,
						timeout: 500 * time.Millisecond, idle: 3 * time.Second,
					},
				}
				c.pauses = pausesSizes{runs: 1, sessions: []int{5000}, half: 300 * time.Millisecond}
				c.nases = nasesSizes{runs: 1, nases: 50, rows: 5000, flapRows: 5000, quiet: 500 * time.Millisecond, rate: 400, requests: 50}
				c.resync = resyncSizes{runs: 1, rows: 5000, rate: 5000, quiet: 500 * time.Millisecond, load: 400}
				c.relay = relaySizes{runs: 1, requests: 3000, half: 300 * time.Millisecond, flood: 10_000}
				c.disconnect = disconnectSizes{runs: 1, sessions: 200}
				c.interfaces = interfacesSizes{runs: 1, interfaces: 200}
			}),
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, err := parseFlags(tt.args, io.Discard)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.want, got, cmp.AllowUnexported(config{}, accountingSizes{}, pausesSizes{}, outage{}, memorySizes{}, nasesSizes{}, resyncSizes{}, relaySizes{}, disconnectSizes{}, interfacesSizes{})); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestParseFlagsErrors(t *testing.T) {
	for _, tt := range []struct {
		name string
		args []string
		want string
	}{
		{"unknown section", []string{"-sections", "snmp,radio"}, `"radio"`},
		{"no starts", []string{"-starts", "0"}, "-starts 0"},
		{"unknown part", []string{"-accounting-parts", "rate,speed"}, `"speed"`},
		{"no accounting runs", []string{"-accounting-runs", "0"}, "accounting"},
		{"no requests", []string{"-requests", "0"}, "accounting"},
		{"no half load", []string{"-half", "0s"}, "accounting"},
		{"no backlog", []string{"-backlog", "-1"}, "accounting"},
		{"no backlog of the reader", []string{"-reader-backlog", "0"}, "accounting"},
		{"no rate", []string{"-outage-rate", "0"}, "accounting"},
		{"no outage", []string{"-outage", "0s"}, "accounting"},
		{"no restart", []string{"-restart", "0"}, "accounting"},
		{"one NAS is not many", []string{"-nases", "1"}, "nases"},
		{"sessions that another NAS has", []string{"-nases-rows", "8000000"}, "nases"},
		{"no sessions beside flaps", []string{"-flap-rows", "0"}, "nases"},
		{"no runs of nases", []string{"-nases-runs", "0"}, "nases"},
		{"no sessions to resync", []string{"-resync-rows", "0"}, "resync"},
		{"a rate that the command refuses", []string{"-resync-rate", "100001"}, "resync"},
		{"too few requests for a login", []string{"-relay-requests", "2"}, "relay"},
		{"no flood", []string{"-relay-flood", "0"}, "relay"},
		{"an odd number of interfaces", []string{"-interfaces", "3"}, "even"},
		{"no sessions to disconnect", []string{"-disconnect-sessions", "0"}, "disconnect"},
		{"no time for latencies", []string{"-latency-time", "0s"}, "latency"},
		{"no sessions before latencies", []string{"-latency-sessions", "0"}, `-latency-sessions: "0"`},
		{"no runs", []string{"-runs", "0"}, "-runs 0"},
		{"unknown peer", []string{"-peers", "canned,fast"}, `"fast"`},
		{"a subagent is no responder", []string{"-responders", "ours,canned"}, `-responders: unknown name "canned"`},
		{"size zero", []string{"-sizes", "10,0"}, `-sizes: "0"`},
		{"size beyond the index", []string{"-sizes", "4294967296"}, `"4294967296"`},
		{"size is a word", []string{"-rate-sizes", "many"}, `-rate-sizes: "many"`},
		{"stray argument", []string{"-runs", "1", "container"}, `"container"`},
		{"unknown flag", []string{"-fast"}, "-fast"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, err := parseFlags(tt.args, io.Discard)
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("error %v, want one with %s", err, tt.want)
			}
		})
	}
}

func TestCommandLine(t *testing.T) {
	for _, tt := range []struct {
		args []string
		want string
	}{
		{nil, "go run ./bench"},
		{[]string{"-o", "x.md"}, "go run ./bench"},
		{[]string{"-o=x.md", "-runs", "3"}, "go run ./bench -runs 3"},
	} {
		if got := commandLine(tt.args); got != tt.want {
			t.Errorf("%q: %s", tt.args, got)
		}
	}
}
