package main

import (
	"strings"
	"testing"
	"time"

	"aaasess/cmd/aaasess/internal/cli"
	"aaasess/sessions"
)

// answering is a terminal whose user answers after something has happened.
type answering struct {
	*strings.Reader
	before func()
}

func (a *answering) Read(b []byte) (int, error) {
	if a.before != nil {
		a.before()
		a.before = nil
	}
	return a.Reader.Read(b)
}

// TestConfirmedCount: if more sessions match when the answer comes than the question said, none ends.
// Whoever confirms all sessions means all.
func TestConfirmedCount(t *testing.T) {
	for _, tc := range []struct {
		args string
		code int
		err  string
	}{
		{"disconnect --user alice", 1, "Disconnect 2 sessions? [y/N] aaasess: 3 sessions match now, more than 2; no session was disconnected\n"},
		{"clear session --user alice", 1, "Remove 2 sessions without asking the NAS? [y/N] aaasess: 3 sessions match now, more than 2; no session was cleared\n"},
		{"disconnect --all", 0, "Disconnect ALL sessions, 5 now? [y/N] 6 sessions\n"},
		{"clear session --all", 0, "Remove ALL sessions, 5 now without asking the NAS? [y/N] 6 sessions\n"},
	} {
		t.Run(tc.args, func(t *testing.T) {
			d := daemon(t)
			in := &answering{strings.NewReader("y\n"), func() {
				if err := d.Begin("alice", time.Now(), func(ev *sessions.Event) { ev.AcctSessionID, ev.NAS.Identifier = "a3", "nas-1" }); err != nil {
					t.Error(err)
				}
			}}
			var out, errs strings.Builder
			env := cli.Environment{
				In: in, Out: &out, Err: &errs, Terminal: true,
				Getenv: func(name string) string { return map[string]string{"AAASESS_SOCKET": d.Socket}[name] },
			}
			if code := run(t.Context(), env, strings.Fields(tc.args)); code != tc.code || errs.String() != tc.err {
				t.Errorf("exit code %d, want %d; %q, want %q", code, tc.code, errs.String(), tc.err)
			}
		})
	}
}
