package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"aaasess/cmd/aaasess/internal/follow"
	"aaasess/internal/radius"
	"aaasess/internal/radius/attrtest"

	"github.com/google/go-cmp/cmp"

	"aaasess/accounting/tap"
	"aaasess/cmd/aaasess/internal/cli"
	"aaasess/cmd/internal/api"
	"aaasess/cmd/internal/control"
	"aaasess/cmd/internal/control/controltest"
	"aaasess/sessions"
)

// accountableEvents are lines of every kind. Their times are in a zone of tests.
func accountableEvents() []api.EventLine {
	began := time.Date(2001, 6, 27, 7, 0, 0, 125_000_000, time.Local)
	port := uint32(26)
	user := api.Session{ID: "00000005", Kind: "network", User: "username2", NAS: "as5200", NASPortID: "tty1", Address: "10.0.0.98"}
	event := func(seconds int, typ, list string, methods ...string) *api.AccountableEvent {
		at := began.Add(time.Duration(seconds) * time.Second)
		return &api.AccountableEvent{Time: at, At: at, Type: typ, Session: user, List: list, Methods: append([]string{}, methods...)}
	}
	const list = "network/default"
	start, stop := event(0, "Start", list, "group isp", "local"), event(52, "Stop", list, "group isp", "local")
	stop.SessionTime, stop.InputOctets, stop.OutputOctets, stop.TerminateCause = 52, 8520, 960, "User-Request"
	interim := event(60, "Interim-Update", list, "group isp", "group customer")
	interim.Broadcast, interim.Made, interim.SessionTime = true, true, 3661
	resync := event(65, "Start", list, "group isp")
	resync.Made, resync.Resync = true, true
	stopOnly := event(70, "Start", "exec/default")
	stopOnly.NotRecorded = "its list is stop-only"
	stopOnly.Session = api.Session{ID: "00000006", Kind: "exec", User: "bob smith", NASAddress: "192.0.2.1", NASPort: &port}
	noList := event(80, "Stop", "")
	noList.NotRecorded, noList.At = "no list records it", noList.Time.Add(-200*time.Second)
	tunnel := event(90, "Tunnel-Link-Start", list, "group isp")
	tunnel.Session = api.Session{Kind: "network", NAS: "as5200", IPv6Addresses: []string{"2001:db8::7"}}
	evil := event(100, "Start", "network/\x1b", "group \x1b")
	evil.Session = api.Session{ID: "00000007", Kind: "network", User: "e\x1b[31m\nvil, NAS bras-1", NAS: "\u202e", NASPortID: `"tty 1"`}
	typed := event(110, "Stop", "commands/15/default", "local")
	typed.Session = api.Session{ID: "00000008", Kind: "commands", User: "username1", NAS: "as5200", NASPortID: "tty3"}
	typed.Command = &api.EventCommand{Level: 15, Text: "enable secret *****"}
	return []api.EventLine{
		{AccountableEvent: start},
		{AccountableEvent: stop},
		{AccountableEvent: interim},
		{AccountableEvent: resync},
		{LeftOut: 12},
		{AccountableEvent: stopOnly},
		{LeftOut: 1},
		{AccountableEvent: noList},
		{AccountableEvent: tunnel},
		{AccountableEvent: evil},
		{AccountableEvent: typed},
	}
}

// TestEventLines: one line for each event, on a terminal, in a file and as JSON.
func TestEventLines(t *testing.T) {
	for file, g := range map[string]*cli.Global{
		"events.txt":          {},
		"events-terminal.txt": {Environment: cli.Environment{Width: 80}},
		"events.json":         {JSON: true},
	} {
		var out strings.Builder
		g.Out = &out
		lines := accountableEvents()
		for i := range lines {
			if _, err := follow.PrintEvent(g, &lines[i]); err != nil {
				t.Fatal(err)
			}
		}
		if n := strings.Count(out.String(), "\n"); n != len(lines) {
			t.Errorf("%s: %d lines, want %d", file, n, len(lines))
		}
		golden(t, file, out.String())
	}
	golden(t, "help-debug-accounting.txt", command(t, "", "", "debug", "accounting", "--help").out)
}

// debugged is the result of a "debug accounting" during which something happened.
type debugged struct {
	code     int
	out, err string
}

// debugCommand runs a command line, and calls listening when it listens. stop cancels its context.
func debugCommand(t *testing.T, socket, args string, listening func(stop func())) debugged {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	var out strings.Builder
	err := &signalled{on: "Ctrl-C ends", then: func() { listening(cancel) }}
	env := cli.Environment{In: strings.NewReader(""), Out: &out, Err: err, Getenv: func(string) string { return socket }}
	code := run(ctx, env, append([]string{"debug", "accounting"}, strings.Fields(args)...))
	return debugged{code, out.String(), strings.TrimPrefix(err.String(), "accountable events, as they occur; Ctrl-C ends\n")}
}

// eventDaemon starts a daemon, and returns a function that makes an event of a user.
func eventDaemon(t *testing.T) (d *controltest.Daemon, event func(id sessions.ID, user string)) {
	t.Helper()
	dir, err := os.MkdirTemp("", "cli")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	events := &tap.Tap{}
	d, err = controltest.Start(dir, func(cfg *control.Config) {
		cfg.Accounting, cfg.Events = &controltest.Accounting{Groups: []api.ServerGroup{{Name: "isp"}}}, events
	})
	if err != nil {
		t.Fatal(err)
	}
	return d, func(id sessions.ID, user string) {
		s := &sessions.Session{ID: id, Kind: sessions.Network, Attrs: attrtest.Attributes(radius.UserName, user), NAS: &sessions.NAS{Identifier: "as5200"}}
		events.Offer(&tap.Event{Notice: sessions.Notice{Type: sessions.Start, Session: s, At: now, Attrs: "\x2c\x03a"}, Seen: now, List: "network/default", Methods: []string{"group isp"}})
	}
}

func TestDebugAccounting(t *testing.T) {
	d, event := eventDaemon(t)
	t.Cleanup(func() {
		if err := d.Stop(); err != nil {
			t.Error(err)
		}
	})
	line := func(id int, user string) string {
		return fmt.Sprintf("%s Start          %08X network, user %s, NAS as5200 -> network/default: group isp\n",
			now.Local().Format("2006-01-02T15:04:05.000Z07:00"), id, user)
	}
	for _, tt := range []struct {
		name, args string
		code       int
		out, err   string
	}{
		{"a count", "--count 2", 0, line(1, "alice") + line(2, "bob"), ""},
		{"by user", "--user bob --count 1", 0, line(2, "bob"), ""},
		{"by number", "--number 2 --count 1", 0, line(2, "bob"), ""},
		{"by id and group", "--id 00000001 --group isp --count 1", 0, line(1, "alice"), ""},
		{"no such group", "--group isq", 4, "", `aaasess: server group "isq": no such server group` + "\n"},
		{"by kind", "--kind network --count 1", 0, line(1, "alice"), ""},
		{"an empty group", "--group=", 2, "", "aaasess: usage error: --group is empty\n"},
		{"a state", "--state active", 2, "", "aaasess: usage error: unknown flag: --state\n"},
		{"no such kind", "--kind x", 2, "", "aaasess: usage error: invalid query: kind \"x\": want one of network, exec, connection, resource, commands\n"},
		{"a count that is none", "--count x", 2, "", "aaasess: usage error: --count \"x\": want a number\n"},
		{"words behind", "alice", 2, "", "aaasess: usage error: unknown command \"alice\" for \"aaasess debug accounting\"\n"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got := debugCommand(t, d.Socket, tt.args, func(func()) {
				event(1, "alice")
				event(2, "bob")
				event(3, "bob")
			})
			if diff := cmp.Diff(debugged{tt.code, tt.out, tt.err}, got, cmp.AllowUnexported(debugged{})); diff != "" {
				t.Error(diff)
			}
		})
	}
	got := debugCommand(t, d.Socket, "--json --user alice --count 1", func(func()) { event(1, "alice") })
	var l api.EventLine
	if err := json.Unmarshal([]byte(got.out), &l); err != nil || l.User != "alice" || got.code != 0 {
		t.Errorf("%+v: %v", got, err)
	}
}

// TestDebugAccountingEnds: Ctrl-C is how the command ends. The end of the daemon is an error.
func TestDebugAccountingEnds(t *testing.T) {
	d, event := eventDaemon(t)
	for _, args := range []string{"", "--json"} {
		if got := debugCommand(t, d.Socket, args, func(stop func()) { event(1, "alice"); stop() }); got.code != cli.ExitDone || got.err != "" {
			t.Errorf("Ctrl-C %s: %+v", args, got)
		}
	}
	ended := make(chan error, 1)
	got := debugCommand(t, d.Socket, "", func(func()) { go func() { ended <- d.Stop() }() })
	if want := (debugged{cli.ExitFailed, "", "aaasess: the daemon has ended\n"}); got != want {
		t.Errorf("the daemon ends: %+v", got)
	}
	if err := <-ended; err != nil {
		t.Error(err)
	}
	if got := command(t, filepath.Join(t.TempDir(), "none"), "", "debug", "accounting"); got.code != cli.ExitNoDaemon {
		t.Errorf("no daemon: %+v", got)
	}
	if got := command(t, "", "", "debug"); got.code != cli.ExitUsage {
		t.Errorf("no subcommand: %+v", got)
	}
}
