package main

import (
	"io"
	"strings"
	"testing"

	"aaasess/bench/stand"
)

// TestDisconnect runs a small section: in each way every session is ended, the NAS is asked once for
// each, and the server gets its stop.
func TestDisconnect(t *testing.T) {
	c, err := parseFlags([]string{"-quick"}, io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	b := &bench{config: c, host: stand.Host{Dir: t.TempDir()}, progress: io.Discard}
	text, err := runDisconnect(t.Context(), b)
	if err != nil {
		t.Fatal(err)
	}
	for _, how := range disconnectContenders {
		value := func(what string) float64 {
			t.Helper()
			v := text.Comparisons[0].Series.Values(how, what)
			if len(v) != 1 {
				t.Fatalf("%s, %s: %v", how, what, v)
			}
			return v[0]
		}
		if missing := value(disconnectMissing); missing != 0 {
			t.Errorf("%s: the server did not get %v stops", how, missing)
		}
		if again := value(disconnectAgain); again < 0 { // a slow machine may make aaasessd ask again
			t.Errorf("%s: %v requests more than sessions", how, again)
		}
		if asked, ack, stop := value(disconnectAsked), value(disconnectACK), value(disconnectStop); asked <= 0 || ack <= 0 || stop <= 0 {
			t.Errorf("%s: asked after %v s, ACK after %v s, stop after %v s", how, asked, ack, stop)
		}
	}
	if got := text.Markdown(); strings.Contains(got, "NaN") || !strings.Contains(got, disconnectTitle(c.disconnect)) {
		t.Errorf("the section:\n%s", got)
	}
}
