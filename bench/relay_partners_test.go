//go:build partners

package main

import (
	"io"
	"testing"

	"aaasess/bench/stand"
)

// TestRelayQuick runs the section with -quick, and checks that every contender has its figures.
func TestRelayQuick(t *testing.T) {
	c, err := parseFlags([]string{"-quick"}, io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	b := &bench{config: c, host: stand.Host{CPUs: c.cpus, Dir: t.TempDir()}, progress: io.Discard}
	text, err := runRelay(t.Context(), b)
	if err != nil {
		t.Fatal(err)
	}
	if len(text.Comparisons) != 3 {
		t.Fatalf("%d comparisons", len(text.Comparisons))
	}
	positive := func(i int, contenders []string, metrics ...string) {
		t.Helper()
		for _, m := range metrics {
			for _, who := range contenders {
				if v := text.Comparisons[i].Series.Values(who, m); len(v) != 1 || v[0] <= 0 {
					t.Errorf("%s, %s, %s: %v", text.Comparisons[i].Title, who, m, v)
				}
			}
		}
	}
	for i := range 2 {
		positive(i, relayContenders, answeredRate, requestCPU, halfRate, halfP50, halfP99, halfMax)
	}
	positive(2, floodContenders, answeredRate, halfP99)
	positive(2, []string{stand.OursAuth + flooded}, floodSent)
	if lost := text.Comparisons[2].Series.Values(stand.OursAuth+flooded, neverAnswered); len(lost) != 1 || lost[0] != 0 {
		t.Errorf("a flood keeps aaasessd from answering %v requests", lost)
	}
}
