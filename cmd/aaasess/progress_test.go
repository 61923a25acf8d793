package main

import (
	"context"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"aaasess/cmd/aaasess/internal/cli"
	"aaasess/cmd/aaasess/internal/live"
	"aaasess/cmd/aaasess/internal/term"
	"aaasess/cmd/internal/api"
)

// onTerminal returns a global whose outputs are terminals of a type.
func onTerminal(out *strings.Builder, env map[string]string) *cli.Global {
	return &cli.Global{Environment: cli.Environment{Out: out, Err: out, OutTerminal: true, ErrTerminal: true, Getenv: func(name string) string { return env[name] }}}
}

// TestProgress: it is shown after a second, on a terminal only, and erased at the end.
func TestProgress(t *testing.T) {
	for name, tt := range map[string]struct {
		term     string
		terminal bool
		lasts    time.Duration
		want     string
	}{
		"short":         {"xterm", true, 900 * time.Millisecond, ""},
		"long":          {"xterm", true, 2100 * time.Millisecond, "\r\x1b[Kstep 1\r\x1b[Kstep 2\r\x1b[Kstep 3\r\x1b[K"},
		"no terminal":   {"xterm", false, time.Hour, ""},
		"dumb terminal": {"dumb", true, time.Hour, ""},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var out strings.Builder
				g := onTerminal(&out, map[string]string{"TERM": tt.term})
				g.ErrTerminal = tt.terminal
				n := 0
				done := g.Progress(t.Context(), func(context.Context) string {
					n++
					return "step " + string(rune('0'+n))
				})
				time.Sleep(tt.lasts)
				done()
				done()
				if out.String() != tt.want {
					t.Errorf("%q, want %q", &out, tt.want)
				}
			})
		})
	}
	for want, got := range map[string]string{
		"asking: 1 of 4 hosts (25%)":          cli.OfTotal("asking", 1, 4, "host"),
		"replaying: 0 of 0 records":           cli.OfTotal("replaying", 3, 0, "record"),
		"dropping: 1 of 1 record (100%)":      cli.OfTotal("dropping", 7, 1, "record"),
		"disconnecting: 0 of 9 sessions (0%)": cli.OfTotal("disconnecting", -1, 9, "session"),
	} {
		if got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}

// TestColors: states have colors on a terminal only, and columns stay aligned.
func TestColors(t *testing.T) {
	render := func(env map[string]string, terminal, json bool) string {
		var out strings.Builder
		g := onTerminal(&out, env)
		g.OutTerminal, g.JSON = terminal, json
		table := g.StateColors(term.NewTable(&out, live.NarrowColumns))
		for _, s := range examples() {
			if err := table.Row(live.NarrowCells(s, now)...); err != nil {
				t.Fatal(err)
			}
		}
		if err := table.Flush(); err != nil {
			t.Fatal(err)
		}
		return out.String()
	}
	plain := render(map[string]string{"TERM": "xterm"}, false, false)
	colored := render(map[string]string{"TERM": "xterm"}, true, false)
	if !strings.Contains(colored, "\x1b[31mstuck\x1b[m") || !strings.Contains(colored, "\x1b[33mterminating\x1b[m") {
		t.Errorf("no colors: %q", colored)
	}
	if stripped := strings.NewReplacer("\x1b[31m", "", "\x1b[33m", "", "\x1b[m", "").Replace(colored); stripped != plain {
		t.Errorf("the table is not aligned:\n%s\n%s", stripped, plain)
	}
	for name, got := range map[string]string{
		"NO_COLOR": render(map[string]string{"TERM": "xterm", "NO_COLOR": "1"}, true, false),
		"dumb":     render(map[string]string{"TERM": "dumb"}, true, false),
		"no TERM":  render(nil, true, false),
	} {
		if got != plain {
			t.Errorf("%s: %q", name, got)
		}
	}
}

// TestWatchFlag: a state is shown again and again; an answer that does not come is told, and ends nothing.
func TestWatchFlag(t *testing.T) {
	d := emptyDaemon(t, map[string]any{api.RadiusSection: api.ListenerStatus{Clients: []api.ClientStatus{{Name: "lab", Address: "192.0.2.1/32"}}}})
	for name, tt := range map[string]struct {
		args, socket, term string
		turns              int
		want               string
	}{
		"no terminal": {"show clients --watch 1s", d.Socket, "", 2, "1 client\n\nCLIENT"},
		"a terminal":  {"show clients --watch 1s", d.Socket, "xterm", 2, "1 client\n\x1b[H\x1b[2JCLIENT"},
		"no daemon":   {"show clients --watch 1s", d.Socket + "x", "", 2, "the socket does not exist\n\naaasess: no daemon"},
		"no match":    {"show clients --watch 1s zoe", d.Socket, "", 1, "aaasess: no such client \"zoe\"\n"},
	} {
		t.Run(name, func(t *testing.T) {
			ctx, cancel := context.WithCancel(t.Context())
			turns := 0
			out := &counting{each: func() {
				if turns++; turns == tt.turns {
					cancel()
				}
			}}
			env := cli.Environment{In: strings.NewReader(""), Out: out, Err: &strings.Builder{}, OutTerminal: tt.term != "", Getenv: func(name string) string {
				return map[string]string{"AAASESS_SOCKET": tt.socket, "TERM": tt.term}[name]
			}}
			if code := run(ctx, env, strings.Fields(tt.args)); code != 0 || !strings.Contains(out.String(), tt.want) {
				t.Errorf("%d %q", code, out.String())
			}
		})
	}
	for _, args := range []string{"show clients --watch 1ms", "show clients --watch 2h"} {
		if got := command(t, d.Socket, "", strings.Fields(args)...); got.code != 2 || !strings.Contains(got.err, "want 1s to 1h") {
			t.Errorf("%s: %+v", args, got)
		}
	}
}

// counting is an output that calls a function after each write.
type counting struct {
	strings.Builder
	each func()
}

func (c *counting) Write(b []byte) (int, error) {
	n, err := c.Builder.Write(b)
	c.each()
	return n, err
}
