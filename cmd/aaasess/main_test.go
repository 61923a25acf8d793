package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"aaasess/cmd/aaasess/internal/cli"
	"aaasess/cmd/internal/api"
	"aaasess/cmd/internal/control/controltest"
	"aaasess/internal/radius"
	"aaasess/sessions"
	"aaasess/sessions/termination"
)

// startDaemon starts a daemon without sessions.
func startDaemon(t *testing.T) *controltest.Daemon {
	t.Helper()
	dir, err := os.MkdirTemp("", "cli") // short: a socket's path has 107 octets
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	d, err := controltest.Start(dir, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := d.Stop(); err != nil {
			t.Error(err)
		}
	})
	return d
}

// daemon starts a daemon with five sessions. The sessions of alice (two) and bob (at nas-2) end
// when they are disconnected. For carol the NAS never answers, for dave it answers late.
func daemon(t *testing.T) *controltest.Daemon {
	t.Helper()
	d := startDaemon(t)
	nak503 := termination.Outcome{Answer: termination.NAK, ErrorCause: radius.SessionContextNotFound}
	d.NAS.Will("alice", controltest.Answer{Outcome: termination.Outcome{Answer: termination.ACK}, Stop: true})
	d.NAS.Will("bob", controltest.Answer{Outcome: nak503})
	d.NAS.Will("dave", controltest.Answer{Held: true})
	for _, s := range []struct{ user, sid, nas string }{
		{"alice", "a1", "nas-1"}, {"alice", "a2", "nas-1"}, {"bob", "b", "nas-2"}, {"carol", "c", "nas-1"}, {"dave", "d", "nas-1"},
	} {
		err := d.Begin(s.user, time.Now(), func(ev *sessions.Event) { ev.AcctSessionID, ev.NAS.Identifier = s.sid, s.nas },
			controltest.With(radius.FramedIPAddress, "\x0a\x00\x00\x01"))
		if err != nil {
			t.Fatal(err)
		}
	}
	return d
}

// outcome is the exit code and the output of a command line.
type outcome struct {
	code     int
	out, err string
}

// command runs a command line against a socket. in is the input on the terminal; "" means that
// there is no terminal. In each JSON document that it prints all keys must be camelCase.
func command(t *testing.T, socket, in string, args ...string) outcome {
	t.Helper()
	var out, err strings.Builder
	env := cli.Environment{
		In: strings.NewReader(in), Out: &out, Err: &err, Terminal: in != "",
		Getenv: func(name string) string { return map[string]string{"AAASESS_SOCKET": socket}[name] },
	}
	code := run(t.Context(), env, args)
	if slices.Contains(args, "--json") && out.Len() > 0 {
		if bad, err := controltest.BadKeys([]byte(out.String())); err != nil || len(bad) > 0 {
			t.Errorf("%q: keys %q, %v", args, bad, err)
		}
	}
	return outcome{code, out.String(), err.String()}
}

// These parts of the output depend on the time.
var (
	changing = regexp.MustCompile(`\b\d+s\b`)
	perhaps  = regexp.MustCompile(`, \d+ attempts|, next attempt in \d+s`)
)

// TestDialogues runs each command line against its own daemon. Durations are replaced by N.
func TestDialogues(t *testing.T) {
	const table = "ID        USER   ADDRESS   NAS    AGE  IDLE  IN  OUT  STATE   DISCONNECT\n"
	tests := []struct {
		name, args, in string
		code           int
		out, err       string
	}{
		{"one user", "show sessions --user bob", "", 0, "ID        USER  ADDRESS   NAS    AGE  IDLE  IN  OUT  STATE   DISCONNECT\n00000003  bob   10.0.0.1  nas-2   N    N   0    0  active  -\n", "1 session matched, 5 live\n"},
		{"limit and sort", "show sessions --limit 1 --sort -user", "", 0, "ID        USER  ADDRESS   NAS    AGE  IDLE  IN  OUT  STATE   DISCONNECT\n00000005  dave  10.0.0.1  nas-1   N    N   0    0  active  -\n", "1 of 5 sessions\n"},
		{"id and number", "show sessions --id 0x4 --number 1 --user carol", "", 0, table + "00000004  carol  10.0.0.1  nas-1   N    N   0    0  active  -\n", "1 session matched, 5 live\n"},
		{"one session that is gone", "show session 00000063", "", 4, "", "aaasess: session 00000063 is not live\n"},
		{"one session, no id", "show session 13", "", 2, "", "-"},
		{"one session, without an id", "show session", "", 2, "", "aaasess: usage error: want ID, got 0 arguments\n"},
		{"one session", "show session 0x3 --json", "", 0, "", "-"},
		{"no match", "show sessions --user zoe", "", 4, "", "aaasess: no session matches (5 sessions live)\n"},
		{"search", "show sessions --search BO", "", 0, "ID        USER  ADDRESS   NAS    AGE  IDLE  IN  OUT  STATE   DISCONNECT\n00000003  bob   10.0.0.1  nas-2   N    N   0    0  active  -\n", "1 session matched, 5 live\n"},
		{"search, no match", "show sessions --search zoe", "", 4, "", "aaasess: no session matches (5 sessions live)\n"},
		{"search, nothing", "show sessions --search=", "", 2, "", "aaasess: usage error: invalid query: \"search\" is empty\n"},
		{"filters", "show sessions --user alice --nas nas-2", "", 4, "", "aaasess: no session matches (5 sessions live)\n"},

		{"an id", "disconnect 00000005", "", 0, "00000005  dave  being disconnected\n", "1 session\n"},
		{"an id that is gone", "disconnect 00000003 00000063 --yes", "", 4, "", "aaasess: session 00000063 is not live; no session was disconnected\n"},
		{"by number, wait", "disconnect --number 3 --wait 5s", "", 0, "00000003  bob  ended: NAK 503 (Session-Context-Not-Found)\n", "1 session\n"},
		{"by user, wait", "disconnect --user bob --wait 5s", "", 0, "00000003  bob  ended: NAK 503 (Session-Context-Not-Found)\n", "1 session\n"},
		{"by NAS, no match", "disconnect --nas nas-9", "", 4, "", "aaasess: no session matches (5 sessions live)\n"},
		{"no answer", "disconnect 00000004 --wait 300ms", "", 1, "00000004  carol  still being disconnected: no answer\n", "1 session\naaasess: not all sessions have ended: 1 of 1 are left\n"},
		{"by NAS, no match, --yes", "disconnect --nas nas-9 --yes", "", 4, "", "aaasess: no session matches\n"},
		{"several without a terminal", "disconnect --user alice --wait 5s", "", 2, "", "aaasess: usage error: 2 sessions match; more than one needs --yes if the standard input is not a terminal\n"},
		{"several without a terminal, --yes", "disconnect --user alice --wait 5s --yes", "", 0, "00000001  alice  ended: ACK\n00000002  alice  ended: ACK\n", "2 sessions\n"},
		{"several ids without a terminal", "disconnect 00000001 00000002", "", 2, "", "aaasess: usage error: more than one session needs --yes if the standard input is not a terminal\n"},
		{"asked, yes", "disconnect --user alice --wait 5s", "y\n", 0, "00000001  alice  ended: ACK\n00000002  alice  ended: ACK\n", "Disconnect 2 sessions? [y/N] 2 sessions\n"},
		{"asked, no", "disconnect --user alice", "no\n", 1, "", "Disconnect 2 sessions? [y/N] aaasess: canceled: no session was disconnected\n"},
		{"asked, end of input", "disconnect --user alice", "y", 0, "", "-"},
		{"not asked for one", "disconnect --user bob", "\n", 0, "", "1 session\n"},
		{"not asked with --yes", "disconnect --user alice -y", "\n", 0, "", "2 sessions\n"},
		{"not asked for ids", "disconnect 00000001 00000002", "\n", 0, "", "2 sessions\n"},
		{"asked, no match", "disconnect --user zoe", "y\n", 4, "", "aaasess: no session matches (5 sessions live)\n"},
		{"all, asked", "disconnect --all", "\n", 1, "", "Disconnect ALL sessions, 5 now? [y/N] aaasess: canceled: no session was disconnected\n"},
		{"all without a terminal", "disconnect --all", "", 2, "", "aaasess: usage error: more than one session needs --yes if the standard input is not a terminal\n"},
		{"all, yes", "disconnect --all --yes", "", 0, "", "5 sessions\n"},

		{"clear, asked, yes", "clear session --nas nas-2", "y\n", 0, "00000003  bob  removed\n", "Remove 1 session without asking the NAS? [y/N] 1 session\n"},
		{"clear, asked, no", "clear session 00000003", "\n", 1, "", "Remove 1 session without asking the NAS? [y/N] aaasess: canceled: no session was removed\n"},
		{"clear without a terminal", "clear session 00000003", "", 2, "", "aaasess: usage error: a clear needs --yes if the standard input is not a terminal\n"},
		{"clear, --yes", "clear session --all --yes", "", 0, "00000001  alice  removed\n00000002  alice  removed\n00000003  bob  removed\n00000004  carol  removed\n00000005  dave  removed\n", "5 sessions\n"},
		{"clear an id that is gone", "clear session 00000001 00000063 --yes", "", 4, "", "aaasess: session 00000063 is not live; no session was cleared\n"},
		{"clear, no match", "clear session --user zoe --yes", "", 4, "", "aaasess: no session matches\n"},
		{"clear whom", "clear session", "", 2, "", "aaasess: usage error: give IDs, a filter or --all\n"},

		{"no command", "", "", 2, "", "-"},
		{"unknown command", "sho", "", 2, "", "-"},
		{"unknown command, near a known one", "shwo", "", 2, "", "aaasess: usage error: unknown command \"shwo\" for \"aaasess\"; did you mean show?\n"},
		{"unknown subcommand, near a known one", "show statsu", "", 2, "", "aaasess: usage error: unknown command \"statsu\" for \"aaasess show\"; did you mean status?\n"},
		{"duration", "show status --timeout 5", "", 2, "", "aaasess: usage error: --timeout \"5\": want a duration such as 10s or 5m\n"},
		{"number", "disconnect --number x", "", 2, "", "aaasess: usage error: --number \"x\": want a number\n"},
		{"limit of no number", "show sessions --limit -1", "", 2, "", "aaasess: usage error: --limit \"-1\": want a number\n"},
		{"show without more", "show", "", 2, "", "-"},
		{"show of what is not there", "show nothing", "", 2, "", "aaasess: usage error: unknown command \"nothing\" for \"aaasess show\"\n"},
		{"unknown flag", "show sessions --usr x", "", 2, "", "aaasess: usage error: unknown flag: --usr; did you mean --user?\n"},
		{"empty filter", "show sessions --user=", "", 2, "", "aaasess: usage error: invalid query: \"user\" is empty\n"},
		{"kind", "show sessions --kind system", "", 2, "", "aaasess: usage error: invalid query: kind \"system\": want one of network, exec, connection\n"},
		{"sort", "show sessions --sort name", "", 2, "", "aaasess: usage error: invalid query: cannot sort by \"name\": want one of address, id, idle, input, nas, octets, output, started, user\n"},
		{"limit", "show sessions --limit 4294967296", "", 2, "", "aaasess: usage error: invalid query: limit \"4294967296\" is not a number up to 2147483647\n"},
		{"words behind", "show sessions alice", "", 2, "", "aaasess: usage error: unknown command \"alice\" for \"aaasess show sessions\"\n"},
		{"timeout", "show status --timeout 0s", "", 2, "", "aaasess: usage error: --timeout 0s is not positive\n"},
		{"disconnect whom", "disconnect", "", 2, "", "aaasess: usage error: give IDs, a filter or --all\n"},
		{"an id that could be decimal", "disconnect 13", "", 2, "", "aaasess: usage error: invalid query: \"13\" is not a session ID: want eight hex digits, or 0x and one to eight\n"},
		{"number 0", "disconnect --number 0", "", 2, "", "aaasess: usage error: no session has the number 0\n"},
		{"number too large", "disconnect --number 4294967296", "", 2, "", "aaasess: usage error: no session has the number 4294967296\n"},
		{"ids and a filter", "disconnect 00000001 --user alice", "", 2, "", "aaasess: usage error: invalid query: give either IDs or a filter\n"},
		{"all and a filter", "disconnect --all --user alice --yes", "", 2, "", "aaasess: usage error: --all excludes IDs and filters\n"},
		{"wait", "disconnect --all --yes --wait 2h", "", 2, "", "aaasess: usage error: --wait 2h0m0s: want 0 to 1h\n"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			d := daemon(t)
			got := command(t, d.Socket, tt.in, strings.Fields(tt.args)...)
			got.out = changing.ReplaceAllString(perhaps.ReplaceAllString(got.out, ""), "N")
			if got.code == 0 && tt.out == "" { // another case compares it
				got.out = ""
			}
			if tt.err == "-" { // long, or another case compares it
				got.err = "-"
			}
			want := outcome{tt.code, tt.out, tt.err}
			if diff := cmp.Diff(want, got, cmp.AllowUnexported(outcome{})); diff != "" {
				t.Error(diff)
			}
			if tt.code == cli.ExitUsage || strings.Contains(tt.err, "no session was disconnected") {
				if n := d.Table.View().Disconnected; n != 0 {
					t.Errorf("%d sessions are being disconnected", n)
				}
			}
		})
	}
}

// TestUnable: disconnect says which sessions nothing can end, and why; show session too.
func TestUnable(t *testing.T) {
	d := daemon(t)
	d.NAS.Unable("bob", fmt.Errorf("client %q has disconnect.profile none: %w", "vpn", termination.ErrNoMeans))
	const why = `session 00000003 cannot be ended: client "vpn" has disconnect.profile none: nothing can end the session`
	for args, want := range map[string]outcome{
		"disconnect 00000003":     {1, "", "aaasess: " + why + "; no session was disconnected\n"},
		"disconnect --user bob":   {1, "", "aaasess: " + why + "; no session was disconnected\n"},
		"disconnect --all --yes":  {1, "-", "4 sessions\naaasess: not all sessions have ended: 1 left; " + why + "\n"},
		"show session 0x3 --json": {0, "-", ""},
	} {
		got := command(t, d.Socket, "", strings.Fields(args)...)
		if want.out == "-" {
			got.out = "-"
		}
		if diff := cmp.Diff(want, got, cmp.AllowUnexported(outcome{})); diff != "" {
			t.Errorf("%s: %s", args, diff)
		}
	}
	if got := command(t, d.Socket, "", "disconnect", "--all", "--yes", "--json"); got.code != 1 || !strings.Contains(got.out, `"unable": 1`) && !strings.Contains(got.out, `"unable":1`) {
		t.Errorf("%+v", got)
	}
}

// TestJSON: each document is valid JSON with the same content as the table.
func TestJSON(t *testing.T) {
	d := daemon(t)
	if err := d.Begin("ev\u009b\x1bil", time.Now()); err != nil {
		t.Fatal(err)
	}
	d.Server.RegisterStatus("agentx", func() any { return map[string]any{"connected": true} })
	type list struct {
		Total, Matched, Marked int
		Sessions               []api.Session
	}
	users := func(l list) (out []string) {
		for _, s := range l.Sessions {
			out = append(out, s.User+" "+s.State)
		}
		return out
	}
	tests := []struct {
		args string
		code int
		want list
		who  []string
	}{
		{"show sessions --json --nas nas-2", 0, list{Total: 6, Matched: 1}, []string{"bob active"}},
		{"show sessions --json --id 00000006", 0, list{Total: 6, Matched: 1}, []string{"ev\u009b\x1bil active"}},
		{"show sessions --json --user zoe", 4, list{Total: 6}, nil},
		{"disconnect --json 00000004", 0, list{Matched: 1, Marked: 1}, []string{"carol terminating"}},
		{"disconnect --json --user carol --wait 50ms", 1, list{Matched: 1}, []string{"carol terminating"}},
		{"disconnect --json --user bob --wait 5s", 0, list{Matched: 1, Marked: 1}, []string{"bob ended"}},
		{"disconnect --json --user zoe", 4, list{}, nil},
	}
	for _, tt := range tests {
		got := command(t, d.Socket, "", strings.Fields(tt.args)...)
		var l list
		if err := json.Unmarshal([]byte(got.out), &l); err != nil || got.code != tt.code || strings.ContainsAny(got.out, "\u009b\x1b") {
			t.Errorf("%s: %d %q %v", tt.args, got.code, got.out, err)
		}
		if diff := cmp.Diff(tt.who, users(l)); diff != "" || l.Total != tt.want.Total || l.Matched != tt.want.Matched || l.Marked != tt.want.Marked {
			t.Errorf("%s: %+v %s", tt.args, l, diff)
		}
	}
	got := command(t, d.Socket, "", "show", "status", "--json")
	var status api.Status
	if err := json.Unmarshal([]byte(got.out), &status); err != nil || status.Entries != 5 || status.Disconnected != 2 {
		t.Errorf("%s %v", got.out, err)
	}
	var section map[string]bool
	if err := json.Unmarshal(status.Sections["agentx"], &section); err != nil || !section["connected"] {
		t.Errorf("%s %v", got.out, err)
	}
}

func TestNoDaemon(t *testing.T) {
	socket := filepath.Join(t.TempDir(), "none")
	for _, args := range []string{"show sessions", "show status", "disconnect 00000001", "disconnect --all --yes"} {
		got := command(t, socket, "", strings.Fields(args)...)
		want := outcome{3, "", "aaasess: no daemon at " + socket + ": the socket does not exist\n"}
		if diff := cmp.Diff(want, got, cmp.AllowUnexported(outcome{})); diff != "" {
			t.Errorf("%s: %s", args, diff)
		}
	}
}

func TestSocketPath(t *testing.T) {
	here := t.TempDir()
	t.Chdir(here)
	g := &cli.Global{Environment: cli.Environment{Getenv: func(string) string { return "" }}}
	check := func(want string) {
		t.Helper()
		if got := g.SocketPath(); got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
	check("/run/aaasess/aaasess.sock")
	if err := errors.Join(os.Mkdir("var", 0o755), os.WriteFile("var/aaasess.sock", nil, 0o600)); err != nil {
		t.Fatal(err)
	}
	check("var/aaasess.sock")
	g.Getenv = func(name string) string { return "from " + name }
	check("from AAASESS_SOCKET")
	g.Socket = "flag"
	check("flag")
}

// TestInterrupted: an interrupt ends a wait and a prompt at once.
func TestInterrupted(t *testing.T) {
	d := daemon(t)
	never, w := io.Pipe()
	defer w.Close()
	for _, args := range []string{"disconnect 00000004 --wait 1h", "disconnect --all"} {
		ctx, cancel := context.WithCancel(t.Context())
		out, err := &signalled{on: "carol", then: cancel}, &signalled{on: "y/N", then: cancel}
		env := cli.Environment{In: never, Out: out, Err: err, Terminal: true, Getenv: func(string) string { return d.Socket }}
		if strings.Contains(args, "wait") { // nothing is printed before the end
			d.ClearCommits()
			go func() { <-d.Commits; cancel() }()
		}
		if code := run(ctx, env, strings.Fields(args)); code != cli.ExitFailed || !strings.HasSuffix(err.String(), "aaasess: interrupted\n") {
			t.Errorf("%s: exit code %d, %q", args, code, err.String())
		}
	}
}

// signalled is an output that calls a function when a text is printed.
type signalled struct {
	strings.Builder
	on   string
	then func()
}

func (s *signalled) Write(b []byte) (int, error) {
	if strings.Contains(string(b), s.on) {
		s.then()
	}
	return s.Builder.Write(b)
}

// TestHelp compares help texts with files.
func TestHelp(t *testing.T) {
	golden(t, "help.txt", command(t, "", "", "--help").out)
	golden(t, "help-sessions.txt", command(t, "", "", "show", "sessions", "--help").out)
	golden(t, "help-session.txt", command(t, "", "", "show", "session", "--help").out)
	golden(t, "help-clear-session.txt", command(t, "", "", "clear", "session", "--help").out)
	golden(t, "help-disconnect.txt", command(t, "", "", "disconnect", "--help").out)
	golden(t, "help-snmp.txt", command(t, "", "", "snmp", "--help").out)
	golden(t, "help-snmp-sessions.txt", command(t, "", "", "snmp", "sessions", "--help").out)
	golden(t, "help-snmp-disconnect.txt", command(t, "", "", "snmp", "disconnect", "--help").out)
	golden(t, "help-snmp-watch.txt", command(t, "", "", "snmp", "watch", "--help").out)
}
