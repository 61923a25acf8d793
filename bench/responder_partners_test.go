//go:build partners

package main

import (
	"io"
	"strings"
	"testing"

	"aaasess/bench/stand"
)

// TestQuickResponder runs the section with -quick, and checks that the tables have every rate and
// ratio. cannedudp has no SNMPv3.
func TestQuickResponder(t *testing.T) {
	c, err := parseFlags([]string{"-quick"}, io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	b := &bench{config: c, host: stand.Host{CPUs: c.cpus, Dir: t.TempDir()}, progress: io.Discard}
	text, err := runResponder(t.Context(), b)
	if err != nil {
		t.Fatal(err)
	}
	if len(text.Comparisons) != 2 {
		t.Fatalf("%d comparisons, want 2", len(text.Comparisons))
	}
	for _, got := range text.Comparisons {
		for _, m := range got.Metrics {
			for _, peer := range got.Contenders {
				v := got.Series.Values(peer, m.Name)
				if has := len(v) == 1 && v[0] > 0; has != (stand.HasSNMPv3(peer) || !strings.HasPrefix(m.Name, "v3")) {
					t.Errorf("%s, %s: %v", peer, m.Name, v)
				}
			}
		}
	}
	rendered := text.Markdown()
	for _, want := range []string{
		"| ours / insnmpd | ours / insnmpd-next | ours / cannedudp |", "### 1,000 rows", "### 4 clients at once, 1,000 rows",
		"ours-4 / ours-1", "insnmpd-4 / insnmpd-1", "ours-4 / insnmpd-4",
	} {
		if !strings.Contains(rendered, want) {
			t.Errorf("no %q in:\n%s", want, rendered)
		}
	}
}
