package main

import (
	"io"
	"strings"
	"testing"

	"aaasess/bench/stand"
)

// TestResync runs a small section: the server is told of each session, and the NAS loses no request.
func TestResync(t *testing.T) {
	c, err := parseFlags([]string{"-quick"}, io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	b := &bench{config: c, host: stand.Host{Dir: t.TempDir()}, progress: io.Discard}
	text, err := runResync(t.Context(), b)
	if err != nil {
		t.Fatal(err)
	}
	value := func(comparison int, who, what string) float64 {
		t.Helper()
		v := text.Comparisons[comparison].Series.Values(who, what)
		if len(v) != 1 {
			t.Fatalf("%s, %s: %v", who, what, v)
		}
		return v[0]
	}
	// The NAS has sessions too.
	if records := value(0, stand.OursRelaying, resyncRecords); records < float64(c.resync.rows) || records > 1.5*float64(c.resync.rows) {
		t.Errorf("%v sessions were told again, want %d and those of the NAS", records, c.resync.rows)
	}
	if missing := value(0, stand.OursRelaying, resyncMissing); missing != 0 {
		t.Errorf("the server was not told of %v sessions", missing)
	}
	for _, who := range resyncContenders {
		if sent, never := value(1, who, otherRequests), value(1, who, otherNever); sent == 0 || never != 0 {
			t.Errorf("%s: %v requests, %v never answered", who, sent, never)
		}
	}
	if got := text.Markdown(); strings.Contains(got, "NaN") || !strings.Contains(got, resyncTitle(c.resync)) {
		t.Errorf("the section:\n%s", got)
	}
}
