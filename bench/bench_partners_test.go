//go:build partners

package main

import (
	"io"
	"strings"
	"testing"

	"aaasess/bench/report"
	"aaasess/bench/stand"

	"github.com/google/go-cmp/cmp"
)

// TestQuick runs the section with -quick, and checks that the table has every rate and ratio.
func TestQuick(t *testing.T) {
	c, err := parseFlags([]string{"-quick", "-peers", "container,canned"}, io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	b := &bench{config: c, host: stand.Host{CPUs: c.cpus, Dir: t.TempDir()}, progress: io.Discard}
	text, err := runSNMP(t.Context(), b)
	if err != nil {
		t.Fatal(err)
	}
	if len(text.Comparisons) != 1 {
		t.Fatalf("%d comparisons, want 1", len(text.Comparisons))
	}
	got := text.Comparisons[0]
	for _, m := range tableMetrics {
		for _, peer := range c.peers {
			if v := got.Series.Values(peer, m.Name); len(v) != 1 || v[0] <= 0 {
				t.Errorf("%s, %s: %v", peer, m.Name, v)
			}
		}
	}
	if rendered := got.Markdown(); strings.Contains(rendered, " - ") || !strings.Contains(rendered, "container / canned") {
		t.Errorf("an incomplete table:\n%s", rendered)
	}
}

// Each size is a contender, and the ratios are to the first.
func TestSizesAreComparedToTheFirst(t *testing.T) {
	h := stand.Host{CPUs: "0", Dir: t.TempDir()}
	programs, err := stand.BuildPeers(t.Context(), h.Dir, []string{stand.PeerCanned})
	if err != nil {
		t.Fatal(err)
	}
	b := &bench{config: config{runs: 1, rateSizes: []int{500, 2000}}, host: h, progress: io.Discard}
	c, err := b.compareSizes(t.Context(), programs[stand.PeerCanned])
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]report.Pair{{Num: "2,000 rows", Den: "500 rows"}}, c.Pairs, cmp.AllowUnexported(report.Pair{})); diff != "" {
		t.Errorf("pairs (-want +got):\n%s", diff)
	}
	for _, m := range rateMetrics {
		for _, size := range c.Contenders {
			if v := c.Series.Values(size, m.Name); len(v) != 1 || v[0] <= 0 {
				t.Errorf("%s, %s: %v", size, m.Name, v)
			}
		}
	}
}

// A measurement with too few cells is an error.
func TestTooFewCellsAreAnError(t *testing.T) {
	h := stand.Host{CPUs: "0", Dir: t.TempDir()}
	programs, err := stand.BuildPeers(t.Context(), h.Dir, []string{stand.PeerCanned})
	if err != nil {
		t.Fatal(err)
	}
	s, err := stand.OpenStand(t.Context(), h, programs[stand.PeerCanned], 20)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	out := make(report.Sample)
	err = measureRate(t.Context(), s, out, walkOne, 141, s.Bulkwalk)
	if err == nil || !strings.Contains(err.Error(), "140 cells of 141") || len(out) != 0 {
		t.Errorf("error %v, sample %v", err, out)
	}
}
