//go:build partners

package main

import (
	"io"
	"strings"
	"testing"

	"aaasess/bench/stand"
)

// TestInterfaces runs a small section: each session has the counters of its interface.
func TestInterfaces(t *testing.T) {
	c, err := parseFlags([]string{"-quick"}, io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	text, err := runInterfaces(t.Context(), &bench{config: c, host: stand.Host{Dir: t.TempDir()}, progress: io.Discard})
	if err != nil {
		t.Fatal(err)
	}
	series := text.Comparisons[0].Series
	if got := series.Values(refreshOfAll, refreshCounted); len(got) != 1 || got[0] != float64(c.interfaces.interfaces) {
		t.Errorf("counted: %v", got)
	}
	if got := text.Markdown(); strings.Contains(got, "NaN") || !strings.Contains(got, interfacesTitle(c.interfaces)) {
		t.Errorf("the section:\n%s", got)
	}
}
