package main

import (
	"io"
	"testing"

	"aaasess/bench/stand"
)

// TestDurable runs a small comparison. It checks that the store alone commits what a start commits:
// one session, the counters, one record.
func TestDurable(t *testing.T) {
	c, err := parseFlags([]string{"-quick"}, io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	b := &bench{config: c, host: stand.Host{Dir: t.TempDir()}, progress: io.Discard}
	text, err := runDurable(t.Context(), b)
	if err != nil {
		t.Fatal(err)
	}
	for _, who := range []string{storeAlone, sessionStarts} {
		if v := text.Comparisons[0].Series.Values(who, "commits"); len(v) != 1 || v[0] <= 0 {
			t.Errorf("%s: %v", who, v)
		}
	}
	changes, err := recordChanges(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	for _, change := range changes {
		if len(change.Puts) != 2 || string(change.Puts[1].Key) != "c" || len(change.Appends) != 1 || len(change.Appends[0].Data) < 100 {
			t.Fatalf("a start is %d keys and %d records", len(change.Puts), len(change.Appends))
		}
	}
}
