//go:build partners

package main

import (
	"io"
	"testing"

	"aaasess/bench/stand"
	"aaasess/bench/tacacsload"
)

// TestTACACSQuick runs the section with -quick, and checks that every contender has its figures.
func TestTACACSQuick(t *testing.T) {
	c, err := parseFlags([]string{"-quick"}, io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	b := &bench{config: c, host: stand.Host{CPUs: c.cpus, Dir: t.TempDir()}, progress: io.Discard}
	text, err := runTACACS(t.Context(), b)
	if err != nil {
		t.Fatal(err)
	}
	positive := func(i int, metric string, contenders []string) {
		t.Helper()
		for _, who := range contenders {
			if v := text.Comparisons[i].Series.Values(who, metric); len(v) != 1 || v[0] <= 0 {
				t.Errorf("%s, %s: %v", who, metric, v)
			}
		}
	}
	positive(0, tacacsRate, tacacsload.Contenders)
	for _, m := range tacacsRelayTable {
		positive(1, m.Name, tacacsRelays)
	}
}
