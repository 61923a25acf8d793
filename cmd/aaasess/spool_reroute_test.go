package main

import (
	"errors"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"aaasess/cmd/internal/control"
	"aaasess/cmd/internal/control/controltest"
)

// leftovers are books with two queues that have no method.
func leftovers() *controltest.Accounting {
	a := books(time.Local)
	a.Status.Queues = append(a.Status.Queues,
		control.Queue{Queue: "group/gone", Records: 7}, control.Queue{Queue: "group/bad\x1b", Records: 1})
	a.Lists["connection/default"] = "group/gone"
	return a
}

// TestReroute: each line against a daemon of its own.
func TestReroute(t *testing.T) {
	const moved = "reroute group/gone group/isp 7"
	const question = "Move the records of group/gone, 7 now, to the queue of network/default? [y/N] "
	tests := []struct {
		name string
		args []string
		in   string
		want outcome
		done string // by the daemon
	}{
		{"yes", []string{"group/gone", "network/default", "--yes"}, "", outcome{0, "", "7 records moved\n"}, moved},
		{"json", []string{"group/gone", "network/default", "--yes", "--json"}, "", outcome{0, "{\n  \"records\": 7\n}\n", ""}, moved},
		{"asked, yes", []string{"group/gone", "network/default"}, "y\n", outcome{0, "", question + "7 records moved\n"}, moved},
		{"asked, no", []string{"group/gone", "network/default"}, "\n", outcome{1, "", question + "aaasess: nothing was moved\n"}, ""},
		{"a name that could act on the terminal", []string{"group/bad\x1b", "network/default"}, "y\n", outcome{0, "", `Move the records of group/bad\x1b, 1 now, to the queue of network/default? [y/N] 1 record moved` + "\n"}, "reroute group/bad\x1b group/isp 1"},
		{"no terminal", []string{"group/gone", "network/default"}, "", outcome{2, "", "aaasess: wrong usage: reroute wants --yes where nobody can be asked\n"}, ""},
		{"no such queue, not asked", []string{"group/other", "network/default"}, "n\n", outcome{4, "", `aaasess: queue "group/other": no such queue` + "\n"}, ""},
		{"configured, not asked", []string{"group/isp", "exec/default"}, "n\n", outcome{1, "", `aaasess: queue "group/isp": its method is configured and delivers its records` + "\n"}, ""},
		{"no such list", []string{"group/gone", "network/x", "-y"}, "", outcome{4, "", `aaasess: list "network/x": no such method list, or one that records nothing` + "\n"}, ""},
		{"the same queue", []string{"group/gone", "connection/default", "-y"}, "", outcome{1, "", `aaasess: queue "group/gone": the list leads into the same queue` + "\n"}, ""},
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

// TestRerouteInParts: a move that ends early says how far it came, and the same command goes on.
func TestRerouteInParts(t *testing.T) {
	a := leftovers()
	a.Full = 5
	d := accountant(t, a)
	for _, want := range []outcome{
		{1, "", "aaasess: no space, when 5 records were moved\n"}, {0, "", "2 records moved\n"}, {0, "", "0 records moved\n"},
	} {
		got := command(t, d.Socket, "", "spool", "reroute", "group/gone", "network/default", "--yes")
		if diff := cmp.Diff(want, got, cmp.AllowUnexported(outcome{})); diff != "" {
			t.Error(diff)
		}
	}
}

// TestWithoutMethod: show spool says which queues nobody delivers, and what can be done.
func TestWithoutMethod(t *testing.T) {
	d := accountant(t, leftovers())
	got := command(t, d.Socket, "", "show", "spool")
	if got.code != 0 || got.err != "2 queues without a method: see \"aaasess spool reroute --help\"\n" || strings.Count(got.out, "  no method\n") != 2 {
		t.Errorf("%+v", got)
	}
	if got = command(t, d.Socket, "", "show", "spool", "--json"); strings.Count(got.out, `"configured": false`) != 2 || got.err != "" {
		t.Errorf("%+v", got)
	}
}

// TestRerouteCompletion: queues that no method delivers, and the lists that there may be.
func TestRerouteCompletion(t *testing.T) {
	d := accountant(t, leftovers())
	for args, want := range map[string]string{
		"":      "group/gone", // the other one cannot be typed
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

// TestRerouteTellsOfErrors: output that cannot be written is an error.
func TestRerouteTellsOfErrors(t *testing.T) {
	d := accountant(t, leftovers())
	broken := errors.New("broken")
	env := environment{in: strings.NewReader(""), out: io.Discard, err: failing{broken}, getenv: func(string) string { return d.Socket }}
	if code := run(t.Context(), env, []string{"spool", "reroute", "group/gone", "network/default", "--yes"}); code != exitFailed {
		t.Errorf("exit code %d", code)
	}
}

type failing struct{ err error }

func (f failing) Write([]byte) (int, error) { return 0, f.err }
