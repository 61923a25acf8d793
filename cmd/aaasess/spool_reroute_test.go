package main

import (
	"errors"
	"io"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"aaasess/cmd/aaasess/internal/cli"
	"aaasess/cmd/internal/api"
	"aaasess/cmd/internal/control/controltest"
)

// leftovers returns books with two queues without a method, and one whose records have another
// method.
func leftovers() *controltest.Accounting {
	a := books(time.Local)
	a.Status.Queues = append(a.Status.Queues, api.Queue{Queue: "group/gone", Lost: true, Records: 7},
		api.Queue{Queue: "group/bad\x1b", Lost: true, Records: 1}, api.Queue{Queue: "group/passed", Records: 1})
	return a
}

// TestReroute runs each command line against its own daemon.
func TestReroute(t *testing.T) {
	const done = "reroute group/gone network/default"
	const rerouted = "rerouted group/gone to network/default (7 records)\n"
	const question = "Deliver the records of group/gone, 7 now, by the list network/default? [y/N] "
	tests := []struct {
		name string
		args []string
		in   string
		want outcome
		done string // the calls that the daemon's Accounting recorded
	}{
		{"yes", []string{"group/gone", "network/default", "--yes"}, "", outcome{0, "", rerouted}, done},
		{"json", []string{"group/gone", "network/default", "--yes", "--json"}, "", outcome{0, "{\n  \"records\": 7\n}\n", ""}, done},
		{"asked, yes", []string{"group/gone", "network/default"}, "y\n", outcome{0, "", question + rerouted}, done},
		{"asked, no", []string{"group/gone", "network/default"}, "\n", outcome{1, "", question + "aaasess: canceled: the queue was not rerouted\n"}, ""},
		{"a name that could act on the terminal", []string{"group/bad\x1b", "network/default"}, "y\n", outcome{0, "", `Deliver the records of group/bad\x1b, 1 now, by the list network/default? [y/N] rerouted group/bad\x1b to network/default (1 record)` + "\n"}, "reroute group/bad\x1b network/default"},
		{"no terminal", []string{"group/gone", "network/default"}, "", outcome{2, "", "aaasess: usage error: reroute needs --yes if the standard input is not a terminal\n"}, ""},
		{"no such queue, not asked", []string{"group/other", "network/default"}, "n\n", outcome{4, "", `aaasess: queue "group/other": no such queue` + "\n"}, ""},
		{"configured, not asked", []string{"group/isp", "exec/default"}, "n\n", outcome{1, "", `aaasess: queue "group/isp": its method is configured, so it cannot be rerouted` + "\n"}, ""},
		{"no such list", []string{"group/gone", "network/x", "-y"}, "", outcome{4, "", `aaasess: list "network/x": no such method list, or its record type is none` + "\n"}, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			a := leftovers()
			got := command(t, accountant(t, a).Socket, tt.in, append([]string{"spool", "reroute"}, tt.args...)...)
			if diff := cmp.Diff(tt.want, got, cmp.AllowUnexported(outcome{})); diff != "" {
				t.Error(diff)
			}
			if done := strings.Join(a.Done(), "\n"); done != tt.done {
				t.Errorf("%q was done, want %q", done, tt.done)
			}
		})
	}
}

// TestWithoutMethod: show spool marks the queues without a method and names the command for them.
// After a reroute it shows the list.
func TestWithoutMethod(t *testing.T) {
	d := accountant(t, leftovers())
	show := func(errs string, states ...string) {
		t.Helper()
		got := command(t, d.Socket, "", "show", "spool")
		var words []string
		for line := range strings.Lines(got.out) {
			if strings.HasPrefix(line, "group/") {
				words = append(words, strings.TrimSpace(line[strings.LastIndex(line, "  "):]))
			}
		}
		if got.code != 0 || got.err != errs || !slices.Equal(words, states) {
			t.Errorf("%+v, want %q and %q", got, states, errs)
		}
	}
	show("2 queues without a configured method: see \"aaasess spool reroute --help\"\n", "up", "no method", "no method", "not configured")
	if got := command(t, d.Socket, "", "show", "spool", "--json"); strings.Count(got.out, `"lost": true`) != 2 || got.err != "" {
		t.Errorf("%+v", got)
	}
	for _, queue := range []string{"group/gone", "group/bad\x1b"} {
		if got := command(t, d.Socket, "", "spool", "reroute", queue, "exec/default", "--yes"); got.code != 0 {
			t.Errorf("%+v", got)
		}
	}
	show("", "up", "by exec/default", "by exec/default", "not configured")
}

// TestRerouteCompletion: shells suggest queues whose method is not configured, and the default
// lists.
func TestRerouteCompletion(t *testing.T) {
	d := accountant(t, leftovers())
	for args, want := range map[string]string{
		"":      "group/gone group/passed", // the other one cannot be typed
		"x|":    "network/default exec/default connection/default",
		"x|y|":  "",
		"x|y|z": "",
	} {
		got := command(t, d.Socket, "", append([]string{"__complete", "spool", "reroute"}, strings.Split(args, "|")...)...)
		words, _, _ := strings.Cut("\n"+got.out, "\n:")
		if got := strings.Join(strings.Fields(words), " "); got != want {
			t.Errorf("%q: %q, want %q", args, got, want)
		}
	}
}

// TestRerouteOutputError: it is an error if the result cannot be printed.
func TestRerouteOutputError(t *testing.T) {
	d := accountant(t, leftovers())
	broken := errors.New("broken")
	env := cli.Environment{In: strings.NewReader(""), Out: io.Discard, Err: failing{broken}, Getenv: func(string) string { return d.Socket }}
	if code := run(t.Context(), env, []string{"spool", "reroute", "group/gone", "network/default", "--yes"}); code != cli.ExitFailed {
		t.Errorf("exit code %d", code)
	}
}

type failing struct{ err error }

func (f failing) Write([]byte) (int, error) { return 0, f.err }
