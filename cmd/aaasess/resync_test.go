package main

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"aaasess/cmd/aaasess/internal/cli"
	"aaasess/cmd/aaasess/internal/groups"
	"aaasess/cmd/internal/api"
)

// aResync returns a resync of the group isp.
func aResync(state string, change func(*api.Resync)) *api.Resync {
	r := &api.Resync{
		Group: "isp", State: state, Type: api.ResyncInterim, Rate: 1000, Began: time.Date(2026, 7, 1, 12, 0, 0, 0, time.Local),
		Total: 5000, Sessions: 2000, Records: 1996,
	}
	if state != "running" {
		r.Ended = r.Began.Add(90 * time.Second)
	}
	if change != nil {
		change(r)
	}
	return r
}

func TestResyncDialogues(t *testing.T) {
	const p1 = "aaa-server-policy-1"
	const wrong = "aaasess: usage error: "
	const ended = p1 + ": resync done in 1m30s: 8 interims of 9 sessions; left out: 1 stop-only\n"
	running := func(r *api.Resync) { r.Group, r.Rate = p1, 1 }
	for name, tt := range map[string]struct {
		args string
		had  *api.Resync // of p1
		code int
		err  string
		done string
	}{
		"resync":                     {p1, nil, 0, ended, "resync " + p1 + " interim 1000"},
		"starts at a rate":           {p1 + " --type start --rate 40000", nil, 0, strings.Replace(ended, "interims", "starts", 1), "resync " + p1 + " start 40000"},
		"after another one":          {p1, aResync("done", running), 0, ended, "resync " + p1 + " interim 1000"},
		"no wait":                    {p1 + " --no-wait", nil, 0, p1 + ": resync begun, 9 sessions\n", "resync " + p1 + " interim 1000"},
		"one runs":                   {p1, aResync("running", running), 1, `aaasess: server group "` + p1 + `": a resync is running` + "\n", ""},
		"no group":                   {"", nil, 2, wrong + "want GROUP, got 0 arguments\n", ""},
		"no such group":              {"x", nil, 4, `aaasess: server group "x": no such server group` + "\n", ""},
		"type":                       {p1 + " --type stop", nil, 2, wrong + "--type stop: want interim or start\n", ""},
		"rate 0":                     {p1 + " --rate 0", nil, 2, wrong + "--rate 0: want 1 to 100000\n", ""},
		"rate too high":              {p1 + " --rate 100001", nil, 2, wrong + "--rate 100001: want 1 to 100000\n", ""},
		"cancel":                     {p1 + " --cancel", aResync("running", running), 0, p1 + ": resync canceled in 5s: 1996 interims of 2000 sessions\n", "cancel resync " + p1},
		"cancel none":                {p1 + " --cancel", nil, 4, `aaasess: server group "` + p1 + `": no resync was begun` + "\n", ""},
		"cancel one that has ended":  {p1 + " --cancel", aResync("done", running), 1, `aaasess: server group "` + p1 + `": no resync is running` + "\n", ""},
		"status of none":             {p1 + " --status", nil, 4, `aaasess: server group "` + p1 + `": no resync was begun` + "\n", ""},
		"status and cancel":          {p1 + " --status --cancel", nil, 2, "-", ""},
		"status and what to make":    {p1 + " --status --rate 5", nil, 2, "-", ""},
		"cancel, and do not wait":    {p1 + " --cancel --no-wait", nil, 2, "-", ""},
		"a rate that is not one":     {p1 + " --rate x", nil, 2, "-", ""},
		"cancel of no such group":    {"x --cancel", nil, 4, `aaasess: server group "x": no resync was begun` + "\n", ""},
		"the empty name":             {"''", nil, 2, wrong + "the name is empty\n", ""},
		"two groups":                 {"a b", nil, 2, wrong + "want GROUP, got 2 arguments\n", ""},
		"a group with an odd escape": {"a\x1bb", nil, 4, `aaasess: server group "a\x1bb": no such server group` + "\n", ""},
	} {
		t.Run(name, func(t *testing.T) {
			a := books(time.Local)
			if tt.had != nil {
				a.Resyncs = map[string]api.Resync{p1: *tt.had}
			}
			args := append([]string{"perform", "resync"}, strings.Fields(tt.args)...)
			if tt.args == "''" {
				args[2] = ""
			}
			got := command(t, accountant(t, a).Socket, "", args...)
			if tt.err == "-" {
				got.err = "-"
			}
			if diff := cmp.Diff(outcome{tt.code, "", tt.err}, got, cmp.AllowUnexported(outcome{})); diff != "" {
				t.Error(diff)
			}
			if done := strings.Join(a.Done(), "\n"); done != tt.done {
				t.Errorf("%q was done, want %q", done, tt.done)
			}
		})
	}
}

// TestResyncProgress: a terminal shows the progress in one line, and then the result. With --json
// there is only the document.
func TestResyncProgress(t *testing.T) {
	const p1 = "aaa-server-policy-1"
	for name, tt := range map[string]struct {
		args string
		want string
	}{
		"text": {"perform resync " + p1 + " --rate 1", "\r\x1b[K" + p1 + ": 0 of 9 ses" + "\r\x1b[K" + p1 + ": 3 of 9 ses" + "\r\x1b[K" + p1 + ": 6 of 9 ses" +
			"\r\x1b[K" + p1 + ": resync done in 1m30s: 8 interims of 9 sessions; left out: 1 stop-only\n"},
		"json": {"perform resync " + p1 + " --json", ""},
	} {
		t.Run(name, func(t *testing.T) {
			var out, err strings.Builder
			env := cli.Environment{In: strings.NewReader(""), Out: &out, Err: &err, Width: len(p1) + len(": 0 of 9 ses") + 1, Getenv: func(string) string { return "" }}
			socket := accountant(t, books(time.Local)).Socket
			if code := run(t.Context(), env, append(strings.Fields(tt.args), "--socket", socket)); code != 0 {
				t.Errorf("code %d", code)
			}
			if diff := cmp.Diff(tt.want, err.String()); diff != "" {
				t.Error(diff)
			}
			if isJSON := strings.Contains(out.String(), `"state": "done"`); isJSON != (tt.want == "") {
				t.Errorf("the output is %q", out.String())
			}
		})
	}
}

// TestResyncLines: the lines about a resync in its states.
func TestResyncLines(t *testing.T) {
	progress := func(r *api.Resync) string {
		var b strings.Builder
		groups.ShowProgress((&cli.Global{Environment: cli.Environment{Err: &b, Width: 200}}), r)
		return strings.TrimPrefix(b.String(), "\r\x1b[K")
	}
	for name, tt := range map[string]struct{ got, want string }{
		"begun": {groups.ResyncText(aResync("running", func(r *api.Resync) { r.Total = 1 })), "isp: resync begun, 1 session"},
		"all out": {groups.ResyncText(aResync("canceled", func(r *api.Resync) {
			r.LeftOut = api.ResyncLeftOut{Elsewhere: 1, StopOnly: 2, Fallback: 3, NullUsername: 4}
		})), "isp: resync canceled in 1m30s: 1996 interims of 2000 sessions; left out: 1 of other methods or not accounted, 2 stop-only, 3 only if other methods do not answer, 4 without User-Name"},
		"runs":  {progress(aResync("running", nil)), "isp: 2000 of 5000 sessions, 3s left"},
		"waits": {progress(aResync("running", func(r *api.Resync) { r.Waiting = "2000 records wait in the queue group/isp" })), "isp: 2000 of 5000 sessions, waits: 2000 records wait in the queue group/isp"},
		"at its end, with more sessions than at first": {progress(aResync("running", func(r *api.Resync) { r.Sessions = 5001 })), "isp: 5001 of 5000 sessions"},
	} {
		if tt.got != tt.want {
			t.Errorf("%s: %q, want %q", name, tt.got, tt.want)
		}
	}
}
