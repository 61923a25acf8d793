package agentx_test

import (
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"aaasess/agent/agentx"
	"aaasess/mib"
)

// TestFailedSetIsLogged: the log says why a commit failed, that an undo failed, and which object
// refused a SET: at most one line a minute for each. A SET that succeeds has no line.
func TestFailedSetIsLogged(t *testing.T) {
	row, other := agentx.FixtureTable.Append(5, 1), agentx.FixtureOther.Append(1, 0)
	good, refused, failing := agentx.Varbind(row, 7), agentx.Varbind(row, 112), agentx.Varbind(other, 214)
	unknown := agentx.Varbind(agentx.FixtureOther.Append(9, 9), 7)
	tests := []struct {
		name  string
		sets  [][]mib.Varbind
		lines int
		want  []string
	}{
		{"no failure", [][]mib.Varbind{{good}}, 0, nil},
		{"a commit", [][]mib.Varbind{{good, failing}, {failing}, {failing}}, 1, []string{`msg="agentx: a SET failed"`, "variable 2: "}},
		{"an undo too", [][]mib.Varbind{{agentx.Varbind(row, agentx.FailUndo), failing}}, 1, []string{"variable 2: ", "undoFailed"}},
		{"refused", [][]mib.Varbind{{failing, refused}, {refused}, {good}}, 1, []string{
			`level=WARN msg="agentx: SET refused" network="" address="" agentx_session=1 err="inconsistentValue: the value says so" suppressed=0 object=column5.1`,
		}},
		{"no such object", [][]mib.Varbind{{unknown}}, 1, []string{"err=notWritable suppressed=0 object=.1.3.6.1.4.1.99999.2.9.9"}},
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
				checkSetLines(t, r, tt.lines, tt.want)
			})
		})
	}
}

// checkSetLines checks how many lines about SETs the log has, and texts in the first one.
func checkSetLines(t *testing.T, r *running, lines int, want []string) {
	t.Helper()
	synctest.Wait()
	var got []string
	for _, line := range r.log.lines() {
		if strings.Contains(line, "SET") {
			got = append(got, line)
		}
	}
	if len(got) != lines {
		t.Fatalf("log %q, want %d lines", got, lines)
	}
	for _, want := range want {
		if !strings.Contains(got[0], want) {
			t.Errorf("log %q, want %q", got[0], want)
		}
	}
}

// TestRefusedTestSetIsLogged: the TestSet that makes a SET fail has the line, not those that are
// refused after it, nor a copy of it. One in another context or session has a line too.
func TestRefusedTestSetIsLogged(t *testing.T) {
	row, other := agentx.FixtureTable.Append(5, 1), agentx.FixtureOther.Append(1, 0)
	refused := &agentx.TestSet{Varbinds: []mib.Varbind{agentx.Varbind(row, 112)}}
	follower := &agentx.TestSet{Varbinds: []mib.Varbind{agentx.Varbind(other, 7)}}
	elsewhere := &agentx.TestSet{Context: "vrf", Varbinds: refused.Varbinds}
	tests := []struct {
		name    string
		session uint32 // added to the session's number
		tests   []*agentx.TestSet
		want    string
	}{
		{"several in a SET", 0, []*agentx.TestSet{refused, refused, follower}, `err="inconsistentValue: the value says so" suppressed=0 object=column5.1`},
		{"another context", 0, []*agentx.TestSet{elsewhere}, "err=unsupportedContext suppressed=0 context=vrf"},
		{"another session", 1, []*agentx.TestSet{refused}, "agentx_session=2 err=notOpen suppressed=0"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := run(t, nil)
				m := r.up(t)
				h := m.Header()
				h.SessionID += tt.session
				for i, test := range tt.tests {
					if i > 0 && test != tt.tests[i-1] {
						h.PacketID = m.Header().PacketID
					}
					if _, err := m.Exchange(h, test); err != nil {
						t.Fatal(err)
					}
				}
				time.Sleep(time.Minute) // the next line would have the number of suppressed ones
				h.TransactionID++
				h.PacketID = m.Header().PacketID
				if _, err := m.Exchange(h, tt.tests[0]); err != nil {
					t.Fatal(err)
				}
				checkSetLines(t, r, 2, []string{tt.want})
				if n := strings.Count(strings.Join(r.log.lines(), ""), "suppressed=0"); n != 2 {
					t.Errorf("%d of 2 lines have suppressed none:\n%q", n, r.log.lines())
				}
			})
		})
	}
}
