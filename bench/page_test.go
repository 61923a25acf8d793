package main

import (
	"flag"
	"io"
	"os"
	"strings"
	"testing"

	"aaasess/bench/report"
	"aaasess/bench/stand"
	"aaasess/bench/tacacsload"
)

// TestPageHasTheTexts: docs/benchmarks.md has the prose and the metrics that a run with the default
// flags writes. Texts can change without a new run; then the page changes with them.
func TestPageHasTheTexts(t *testing.T) {
	b, err := os.ReadFile("../docs/benchmarks.md")
	if err != nil {
		t.Fatal(err)
	}
	page := string(b)
	c, err := parseFlags(nil, io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	a, n, r, l := &accountingBench{sizes: c.accounting}, &nasesBench{sizes: c.nases}, &resyncBench{sizes: c.resync}, &relayBench{sizes: c.relay}
	d, pauses := &disconnectBench{sizes: c.disconnect}, c.pauses
	peers, _, _ := strings.Cut(accountingIntro, "Peers:")
	relayPeers, _, _ := strings.Cut(relayIntro, "Peers:")
	for _, text := range []string{
		header, snmpIntro, responderIntro, clientsNote(2), durableIntro(c.starts), inProcessIntro, peers,
		a.rateNote(), a.broadcastNote(), a.drainNote(), a.outageNote(), a.restartNote(), a.memoryNote(), pausesIntro, pauses.note(300_000), pauses.note(1_000_000), tacacsIntro, tacacsSendNote(c.accounting.requests), tacacsRelayNote(c.accounting.requests), relayPeers, l.papNote(), relayEAPNote, l.floodNote(),
		nasesIntro, n.onsNote(), n.meanwhileNote(), n.flapNote(),
		resyncIntro, r.resyncNote(), r.besideNote(),
		disconnectIntro, d.note(), localIntro, startNote(),
		interfacesIntro, interfacesNote(), scrapeIntro,
	} {
		for _, paragraph := range strings.Split(report.Wrap(text), "\n\n") {
			if !strings.Contains(page, "\n"+paragraph) && !strings.HasPrefix(page, paragraph) {
				t.Errorf("the page does not have:\n%s", paragraph)
			}
		}
	}
	metrics := [][]report.Metric{
		tableMetrics, rateMetrics, responderMetrics, togetherMetrics, rateTable, broadcastTable, drainTable, outageTable, restartTable, memoryTable, pausesTable, tacacsTable, tacacsRelayTable, relayTable, floodTable,
		onsTable, latencyTable, flapTable, localTable, startTable, resyncTable, besideResyncTable, disconnectTable, interfacesTable, inProcessMetrics, durableMetrics, scrapeMetrics,
	}
	for _, table := range metrics {
		for _, m := range table {
			if row := "\n| " + m.Name + ", " + m.Unit + " |"; !strings.Contains(page, row) {
				t.Errorf("the page does not have the row %q", row)
			}
		}
	}
	for _, contenders := range [][]string{rateContenders, broadcastContenders, drainContenders, outageContenders, pausesContenders, tacacsload.Contenders, tacacsRelays, relayContenders, floodContenders, meanwhileContenders, flapContenders, resyncContenders, disconnectContenders, localContenders, scrapeContenders, {startProcess}, {refreshOfAll}, {storeAlone, sessionStarts}, c.responders, stand.DefaultPeers} {
		if head := "\n| metric | " + strings.Join(contenders, " | ") + " |"; !strings.Contains(page, head) {
			t.Errorf("the page does not have the head %q", head)
		}
	}
	_, figures, _ := strings.Cut(report.Section{Runs: 1}.Markdown(), ": one run")
	if n := strings.Count(page, figures); figures == "" || n != len(sections) {
		t.Errorf("the page explains its figures %d times, and has %d sections", n, len(sections))
	}
}

var update = flag.Bool("update", false, "write the summary of goals in docs/benchmarks.md")

// TestPageGoals: the summary of goals has the figures of the page's tables. The tables that it names
// can be made by the sections.
func TestPageGoals(t *testing.T) {
	b, err := os.ReadFile("../docs/benchmarks.md")
	if err != nil {
		t.Fatal(err)
	}
	want := report.WithGoals(string(b), goals)
	if *update {
		if err := os.WriteFile("../docs/benchmarks.md", []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
	} else if string(b) != want {
		t.Error("the summary is not up to date: go test ./bench -run TestPageGoals -update")
	}
	for _, g := range goals {
		if row := "\n| " + g.Metric + " |"; !strings.Contains(want, row) || !strings.Contains(want, "\n## "+g.Section+"\n") {
			t.Errorf("the page has no section %q or no row %q", g.Section, row)
		}
	}
}
