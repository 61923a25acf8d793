package agentx_test

import (
	"errors"
	"strings"
	"testing"
	"testing/synctest"

	"aaasess/agent/agentx"
	"aaasess/mib"
)

// TestFailedSetIsLogged: the log says why a commit failed, and that an undo failed, at most once a
// minute. A SET that succeeds, and one that the test refuses, has no line.
func TestFailedSetIsLogged(t *testing.T) {
	row, other := agentx.FixtureTable.Append(5, 1), agentx.FixtureOther.Append(1, 0)
	good, refused, failing := agentx.Varbind(row, 7), agentx.Varbind(row, 112), agentx.Varbind(other, 214)
	tests := []struct {
		name  string
		sets  [][]mib.Varbind
		lines int
		want  []string
	}{
		{"no failure", [][]mib.Varbind{{good}, {refused}}, 0, nil},
		{"a commit", [][]mib.Varbind{{good, failing}, {failing}, {failing}}, 1, []string{`msg="agentx: a SET failed"`, "variable 2: "}},
		{"an undo too", [][]mib.Varbind{{agentx.Varbind(row, agentx.FailUndo), failing}}, 1, []string{"variable 2: ", "undoFailed"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := run(t, nil)
				m := r.up(t)
				for _, set := range tt.sets {
					err := m.Set(set...)
					if _, ok := errors.AsType[*agentx.RefusedError](err); err != nil && !ok {
						t.Fatal(err)
					}
				}
				synctest.Wait()
				var got []string
				for _, line := range r.log.lines() {
					if strings.Contains(line, "SET") {
						got = append(got, line)
					}
				}
				if len(got) != tt.lines {
					t.Fatalf("log %q, want %d lines", got, tt.lines)
				}
				for _, want := range tt.want {
					if !strings.Contains(got[0], want) {
						t.Errorf("log %q, want %q", got[0], want)
					}
				}
			})
		})
	}
}
