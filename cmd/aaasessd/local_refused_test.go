package main

import (
	"errors"
	"fmt"
	"net/http"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	localreport "aaasess/sessions/local/report"
	"aaasess/store"
)

// TestLocalRefused: while the store takes no records, or the table is full, a start gets 503 with
// Retry-After, "aaasess session" exits with 7, and nothing is kept. Later the same start is accepted.
func TestLocalRefused(t *testing.T) {
	const free = 1 << 30
	for name, limit := range map[string]struct {
		sessions string // of the configuration
		free     int64  // octets of the disk
	}{
		"no space left":           {"sessions: {", 1<<20 - 1},
		"sessions.max is reached": {"sessions: {max: 1, ", free},
	} {
		t.Run(name, func(t *testing.T) {
			text, disk := localConfig(t), store.NewDisk()
			disk.SetFree(free)
			l := launch(t, text, environment{disk: disk})
			restart := func(text string, free int64) {
				if err := l.stop(); err != nil {
					t.Fatal(err)
				}
				disk.SetFree(free)
				l.configure(text)
				l.start(environment{disk: disk})
			}
			l.reporter().must(localreport.Start, `{"source":"pppd","session":"ppp0","user":"alice"}`)
			restart(with(t, text, "sessions: {", limit.sessions), limit.free)
			answer, err := l.reporter().Post("http://local"+localreport.Start.Path(), "application/json", strings.NewReader(`{"source":"pppd","session":"ppp1","user":"bob"}`))
			if err != nil {
				t.Fatal(err)
			}
			_ = answer.Body.Close()
			if answer.StatusCode != http.StatusServiceUnavailable || answer.Header.Get("Retry-After") == "" || answer.Header.Get("Content-Type") != localreport.ProblemType {
				t.Errorf("%d %v", answer.StatusCode, answer.Header)
			}
			report := func() *exec.Cmd {
				return exec.CommandContext(t.Context(), cli(t), "session", "start", "--socket", filepath.Join(l.dir, "local.sock"), "--source", "pppd", "--session", "ppp1", "--user", "bob")
			}
			out, err := report().CombinedOutput()
			if exit := (*exec.ExitError)(nil); !errors.As(err, &exit) || exit.ExitCode() != 7 || !strings.HasPrefix(string(out), "aaasess: 503 ") {
				t.Errorf("%v %s", err, out)
			}
			if n := l.d.table.View().Len(); n != 1 {
				t.Errorf("%d sessions", n)
			}
			restart(text, free)
			if out, err := report().CombinedOutput(); err != nil || !strings.HasSuffix(string(out), "  bob\n") {
				t.Errorf("%v %s", err, out)
			}
			starts := []string{}
			eventually(t, "each session has one start", func() bool {
				starts = l.records("records.jsonl")
				return len(starts) >= 2
			})
			if fmt.Sprint(starts) != "[Start 00000001 Start 00000002]" {
				t.Errorf("records %q", starts)
			}
		})
	}
}
