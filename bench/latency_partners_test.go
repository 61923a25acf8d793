//go:build partners

package main

import (
	"io"
	"testing"

	"aaasess/bench/stand"
)

// TestLatencyQuick runs the section with -quick, and checks that every contender has its figures.
func TestLatencyQuick(t *testing.T) {
	c, err := parseFlags([]string{"-quick"}, io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	b := &bench{config: c, host: stand.Host{CPUs: c.cpus, Dir: t.TempDir()}, progress: io.Discard}
	text, err := runPauses(t.Context(), b)
	if err != nil {
		t.Fatal(err)
	}
	if len(text.Comparisons) != 1 || text.Runs != 1 {
		t.Fatalf("%d comparisons of %d runs", len(text.Comparisons), text.Runs)
	}
	s := text.Comparisons[0].Series
	for _, m := range []string{answeredRate, halfRate, halfP50, halfP99, halfMax} {
		for _, who := range pausesContenders {
			if v := s.Values(who, m); len(v) != 1 || v[0] <= 0 {
				t.Errorf("%s, %s: %v", m, who, v)
			}
		}
	}
	for _, who := range pausesContenders {
		filled, collected := s.Values(who, pausesFilled), s.Values(who, pausesCollected)
		if ours := !isPeer(who); (len(filled) == 1) != ours || (len(collected) == 1) != ours {
			t.Errorf("%s: %v memtables, %v collections", who, filled, collected)
		}
		if who == withoutCollections && collected[0] != 0 {
			t.Errorf("%s has %v collections", who, collected)
		}
	}
	if filled := s.Values(stand.OursSpooling, pausesFilled); filled[0] == 0 {
		t.Error("no memtable was filled: the first ones are small")
	}
}
