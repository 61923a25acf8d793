package main

import (
	"context"
	"log/slog"
	"os"
	"strings"
	"testing"

	"aaasess/cmd/aaasess/internal/cli"
	"aaasess/cmd/aaasess/internal/follow"
	"aaasess/cmd/internal/api"
	"aaasess/cmd/internal/control"
	"aaasess/cmd/internal/control/controltest"
	"aaasess/internal/logtap"
)

func TestDebugText(t *testing.T) {
	lines := []api.DebugLine{
		{DebugEntry: &api.DebugEntry{Time: now, Level: "DEBUG", Message: "accounting request", Attributes: []api.Attribute{
			{Name: "client", Value: "lab"}, {Name: "outcome", Value: "duplicate, answered again"}, {Name: "user", Value: "evil\x1b[31m"}, {Name: "nas_session", Value: ""},
		}}},
		{LeftOut: 12},
		{DebugEntry: &api.DebugEntry{Time: now, Level: "WARN", Message: "snmp: SET refused", Attributes: []api.Attribute{}}},
	}
	var out strings.Builder
	for _, g := range []*cli.Global{{Environment: cli.Environment{Out: &out}}, {Environment: cli.Environment{Out: &out, Width: 80}}, {Environment: cli.Environment{Out: &out}, JSON: true}} {
		for i := range lines {
			if _, err := follow.PrintDebug(g, &lines[i]); err != nil {
				t.Fatal(err)
			}
		}
	}
	golden(t, "debug-log.txt", out.String())
	for _, topic := range api.DebugTopics() {
		golden(t, "help-debug-"+topic+".txt", command(t, "", "", "debug", topic, "--help").out)
	}
}

// TestDebugLog: lines of the log that match come live, and end with Ctrl-C or a count.
func TestDebugLog(t *testing.T) {
	dir, err := os.MkdirTemp("", "cli") // short: a socket's path has 107 octets
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	log := slog.New(logtap.NewHandler(slog.DiscardHandler))
	d, err := controltest.Start(dir, func(cfg *control.Config) { cfg.Log = logtap.TapOf(log) })
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := d.Stop(); err != nil {
			t.Error(err)
		}
	})
	watch := func(ctx context.Context, args string, then func()) outcome {
		errs := &signalled{on: "Ctrl-C", then: then}
		var out strings.Builder
		code := run(ctx, cli.Environment{In: strings.NewReader(""), Out: &out, Err: errs, Width: 80, Getenv: func(string) string { return d.Socket }}, strings.Fields(args))
		return outcome{code, out.String(), errs.String()}
	}
	got := watch(t.Context(), "debug radius --client lab --from 192.0.2.0/24 --count 2", func() {
		for _, client := range []string{"lab", "other", "lab"} {
			log.Debug("accounting request", "client", client, "from", "192.0.2.1:1", "suppressed", 0)
			log.Debug("snmp: request answered", "client", client, "from", "192.0.2.1:1")
		}
	})
	if got.code != 0 || strings.Count(got.out, "accounting request: client=lab from=192.0.2.1:1\n") != 2 || strings.Count(got.out, "\n") != 2 {
		t.Errorf("%+v", got)
	}
	ctx, cancel := context.WithCancel(t.Context())
	if got := watch(ctx, "debug snmp", cancel); got.code != 0 || got.out != "" {
		t.Errorf("%+v", got)
	}
	for _, tt := range []struct {
		args, err string
		code      int
	}{
		{"debug radius --from lab", "want an IPv4 or IPv6 address or prefix", 2},
		{"debug radius --user=", `"user" is empty`, 2},
		{"debug snmp --client lab", "unknown flag", 2},
	} {
		if got := command(t, d.Socket, "", strings.Fields(tt.args)...); got.code != tt.code || !strings.Contains(got.err, tt.err) {
			t.Errorf("%s: %+v", tt.args, got)
		}
	}
	if got := command(t, emptyDaemon(t, nil).Socket, "", "debug", "radius"); got.code != 4 || !strings.Contains(got.err, "the log of this daemon cannot be watched") {
		t.Errorf("%+v", got)
	}
}
