package main

import (
	"strings"
	"testing"
)

// TestWarningsAreLogged: the log has the warnings of each configuration that is loaded, once.
func TestWarningsAreLogged(t *testing.T) {
	text := with(t, plainConfig, "accounting:\n", "accounting:\n  exec: {loud: {record: none}}\n")
	l := launch(t, text, environment{})
	const line = "accounting.exec.loud: applies nowhere"
	count := func(what string) int { return strings.Count(l.log.String(), what) }
	if n := count(line); n != 1 {
		t.Errorf("%d lines at the start: %s", n, l.log)
	}
	l.reload(with(t, text, "  exec: {loud", "  connection: {quiet: {record: none}}\n  exec: {loud"), "accounting.connection.quiet: applies nowhere")
	if n := count(line); n != 2 {
		t.Errorf("%d lines after a reload: %s", n, l.log)
	}
}
