package main

import (
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/spf13/cobra"

	"aaasess/cmd/aaasess/internal/cli"

	localreport "aaasess/sessions/local/report"
)

// reportLine runs a command line of "aaasess session" against a socket.
func reportLine(t *testing.T, socket, in string, args ...string) outcome {
	t.Helper()
	var out, err strings.Builder
	env := cli.Environment{In: strings.NewReader(in), Out: &out, Err: &err, Getenv: func(name string) string {
		return map[string]string{"AAASESS_LOCAL_SOCKET": socket}[name]
	}}
	code := run(t.Context(), env, append([]string{"session"}, args...))
	return outcome{code, out.String(), err.String()}
}

func ptr[T any](v T) *T { return &v }

// TestReport: what the command line says arrives at the daemon, and nothing else.
func TestReport(t *testing.T) {
	at := time.Date(2026, 11, 30, 17, 0, 0, 0, time.UTC)
	tests := []struct {
		name string
		args []string
		in   string
		want arrived
	}{
		{"all that a start has", []string{
			"start", "--source", "pppd", "--session", "ppp0", "--kind", "network", "--at", "2026-11-30T17:00:00Z", "--user", "alice", "--address", "10.0.0.1",
			"--ipv6-addresses", "2001:db8::1,2001:db8::2", "--ipv6-prefixes", "2001:db8:1::7/64,x", "--delegated-prefixes", "2001:db8:2::/56, 2001:db8:3::/56",
			"--calling-station", "c", "--called-station", "d", "--nas-port", "4294967295", "--nas-port-id", "tty1", "--interface", "ppp0", "--port-interface", "eth0",
			"--service", "s", "--parent-session", "p", "--session-time", "1", "--input-octets", "18446744073709551615", "--output-octets", "0", "--input-packets", "3", "--output-packets", "4",
			"--attributes", "Class=a=b", "--attributes", "Connect-Info=x, y", "--end-pid", "77", "--end-signal", "HUP", "--idempotency-key", "k",
		}, "", arrived{"start", "k", localreport.Report{
			Source: "pppd", Session: "ppp0", Kind: "network", At: &at, User: "alice", Address: "10.0.0.1",
			IPv6Addresses: []string{"2001:db8::1", "2001:db8::2"}, IPv6Prefixes: []string{"2001:db8:1::/64", "x"}, DelegatedPrefixes: []string{"2001:db8:2::/56", "2001:db8:3::/56"},
			CallingStation: "c", CalledStation: "d", NASPort: ptr(uint32(1<<32 - 1)), NASPortID: "tty1", Interface: "ppp0", PortInterface: "eth0",
			Service: "s", ParentSession: "p", SessionTime: ptr(uint32(1)), InputOctets: ptr(uint64(1<<64 - 1)), OutputOctets: ptr(uint64(0)), InputPackets: ptr(uint64(3)), OutputPackets: ptr(uint64(4)),
			Attributes: []localreport.Attribute{{Name: "Class", Value: "a=b"}, {Name: "Connect-Info", Value: "x, y"}}, End: &localreport.End{Signal: &localreport.Signal{PID: 77, Signal: "HUP"}},
		}}},
		{"empty values", []string{
			"update", "--source=x", "--session=1", "--user=", "--at=", "--input-octets=", "--nas-port", "", "--ipv6-addresses=", "--attributes=", "--attributes=Class=", "--end-pid=", "--end-command=", "--idempotency-key=",
		}, "", arrived{"update", "", localreport.Report{Source: "x", Session: "1"}}},
		{"seconds", []string{"stop", "--source=x", "--session=1", "--at", "1796058000", "--terminate-cause", "Lost-Carrier"}, "", arrived{"stop", "", localreport.Report{Source: "x", Session: "1", At: ptr(time.Unix(1796058000, 0).UTC()), TerminateCause: "Lost-Carrier"}}},
		{"a name that is not UTF-8", []string{"fail", "--source=x", "--user", "g\xfcnther\n\x1b", "--accepted"}, "", arrived{"fail", "", localreport.Report{Source: "x", User: `g\xfcnther` + "\n\x1b", Accepted: true}}},
		{"a name that is too long", []string{"start", "--source=x", "--user", strings.Repeat("a", 252) + "ü", "--nas-port-id", strings.Repeat("a", 251) + "üü"}, "", arrived{"start", "", localreport.Report{Source: "x", User: strings.Repeat("a", 252), NASPortID: strings.Repeat("a", 251) + "ü"}}},
		{"a call", []string{"call", "--source=x", "--session=1", "--stop"}, "", arrived{"call", "", localreport.Report{Source: "x", Session: "1", Stop: true}}},
		{"a command", []string{"command", "--source=x", "--session=1", "--level", "15", "conf \xff t"}, "", arrived{"command", "", localreport.Report{Source: "x", Session: "1", Level: 15, Text: `conf \xff t`}}},
		{"a command that is too long", []string{"command", "--source=x", strings.Repeat("<ü", 24000)}, "", arrived{"command", "", localreport.Report{Source: "x", Text: strings.Repeat("<ü", 6000)}}},
		{"a command of control characters", []string{"command", "--source=x", strings.Repeat("\x01", 12000)}, "", arrived{"command", "", localreport.Report{Source: "x", Text: strings.Repeat("\x01", 6000)}}},
		{"a command by option", []string{"command", "--source=x", "--text", "-show"}, "", arrived{"command", "", localreport.Report{Source: "x", Text: "-show"}}},
		{"ways to end", []string{"start", "--source=x", "--session=1", "--end-command=c", "--end-openvpn=o", "--end-event"}, "", arrived{"start", "", localreport.Report{Source: "x", Session: "1", End: &localreport.End{Command: "c", OpenVPN: "o", Event: true}}}},
		{"from the standard input", []string{"start", "--from", "-", "--user", "bob"}, `{"source":"x","session":"1","user":"alice","inputOctets":5}`, arrived{"start", "", localreport.Report{Source: "x", Session: "1", User: "bob", InputOctets: ptr(uint64(5))}}},
	}
	d := startLocalDaemon(t)
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := reportLine(t, d.socket, tt.in, tt.args...)
			if diff := cmp.Diff(outcome{0, "0000000D  alice\n", ""}, got, cmp.AllowUnexported(outcome{})); diff != "" {
				t.Error(diff)
			}
			if diff := cmp.Diff([]arrived{tt.want}, d.reports()); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// TestReportOutcomes: what the command prints, and its exit code.
func TestReportOutcomes(t *testing.T) {
	problem := func(detail string) string { return `{"title":"T","detail":"` + detail + `","pointer":"/user"}` }
	full := []string{"start", "--source=x", "--session=1"}
	tests := []struct {
		name   string
		args   []string
		status int
		answer string
		want   outcome
	}{
		{"the session", full, 200, aliceAnswer, outcome{0, "0000000D  alice\n", ""}},
		{"a hostile name", full, 200, `{"session":{"id":"0000000E","user":"a\u001b[31m\n"}}`, outcome{0, "0000000E  a\\x1b[31m\\x0a\n", ""}},
		{"no user", full, 200, `{"session":{"id":"0000000E"}}`, outcome{0, "0000000E\n", ""}},
		{"a record", []string{"command", "--source=x", "show"}, 200, `{"id":"0000000F"}`, outcome{0, "0000000F\n", ""}},
		{"no record", []string{"fail", "--source=x"}, 200, `{}`, outcome{0, "", ""}},
		{"quiet", append(full, "--quiet"), 200, aliceAnswer, outcome{0, "", ""}},
		{"JSON", append(full, "--json"), 200, `{"session":{"id":"0000000D"},"copy":true}`, outcome{0, "{\n  \"session\": {\n    \"id\": \"0000000D\"\n  },\n  \"copy\": true\n}\n", ""}},
		{"no answer", full, 200, `[]`, outcome{1, "", "aaasess: invalid answer of the daemon: json: cannot unmarshal array into Go value of type report.Answer\n"}},
		{"rejected", full, 400, problem("too\\u001b long"), outcome{1, "", "aaasess: 400 T: /user: too\\x1b long\n"}},
		{"conflict", full, 409, problem("taken"), outcome{1, "", "aaasess: 409 T: /user: taken\n"}},
		{"no such session", full, 404, problem("no session"), outcome{4, "", "aaasess: 404 T: /user: no session\n"}},
		{"another owner", full, 403, problem("not yours"), outcome{5, "", "aaasess: 403 T: /user: not yours\n"}},
		{"not now", full, 503, problem("disk full"), outcome{7, "", "aaasess: 503 T: /user: disk full; try again\n"}},
		{"ignored", append(full, "--on-failure=ignore"), 503, problem("disk full"), outcome{0, "", "aaasess: 503 T: /user: disk full; try again\n"}},
	}
	d := startLocalDaemon(t)
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			d.will(tt.status, tt.answer)
			if diff := cmp.Diff(tt.want, reportLine(t, d.socket, "", tt.args...), cmp.AllowUnexported(outcome{})); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// TestReportWithoutEnd: a session whose way to end is rejected is reported without it, if failures are
// ignored.
func TestReportWithoutEnd(t *testing.T) {
	d := startLocalDaemon(t)
	d.ends = false
	const rejected = "aaasess: 400 Bad Request: /end/signal/pid: no such process\n"
	with := arrived{"start", "k", localreport.Report{Source: "x", End: &localreport.End{Signal: &localreport.Signal{PID: 77}}}}
	without := arrived{"start", "k", localreport.Report{Source: "x"}}
	for failure, want := range map[string]struct {
		outcome
		arrived []arrived
	}{
		"error":  {outcome{1, "", rejected}, []arrived{with}},
		"ignore": {outcome{0, "0000000D  alice\n", rejected}, []arrived{with, without}},
	} {
		got := reportLine(t, d.socket, "", "start", "--source=x", "--end-pid=77", "--idempotency-key=k", "--on-failure", failure)
		if diff := cmp.Diff(want.outcome, got, cmp.AllowUnexported(outcome{})); diff != "" {
			t.Errorf("%s: %s", failure, diff)
		}
		if diff := cmp.Diff(want.arrived, d.reports()); diff != "" {
			t.Errorf("%s: %s", failure, diff)
		}
	}
}

// TestReportNoDaemon: a daemon that is down or hangs is told from the others.
func TestReportNoDaemon(t *testing.T) {
	none := filepath.Join(t.TempDir(), "none")
	const down = ": the socket does not exist\n"
	for args, want := range map[string]outcome{
		"start --source=x":                     {3, "", "aaasess: no daemon at " + none + down},
		"stop --source=x --on-failure=ignore":  {0, "", "aaasess: no daemon at " + none + down},
		"stop --source=x --socket " + none:     {3, "", "aaasess: no daemon at " + none + down},
		"update --source=x --socket=/dev/null": {3, "", "-"},
	} {
		got := reportLine(t, none, "", strings.Fields(args)...)
		if want.err == "-" {
			got.err = "-"
		}
		if diff := cmp.Diff(want, got, cmp.AllowUnexported(outcome{})); diff != "" {
			t.Errorf("%s: %s", args, diff)
		}
	}
	d := startLocalDaemon(t)
	d.mu.Lock() // the daemon hangs
	got := reportLine(t, d.socket, "", "start", "--source=x", "--timeout=20ms")
	d.mu.Unlock()
	if diff := cmp.Diff(outcome{7, "", "aaasess: the daemon does not answer in time; try again\n"}, got, cmp.AllowUnexported(outcome{})); diff != "" {
		t.Error(diff)
	}
}

// TestReportUsage: what is wrong with a command line is said before anything is sent.
func TestReportUsage(t *testing.T) {
	dir := t.TempDir()
	file := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	large := file("large", strings.Repeat(" ", localreport.MaxBody)+"{}")
	two := file("two", `{"source":"x"} {}`)
	unknown := file("unknown", `{"source":"x","usr":"y"}`)
	for args, want := range map[string]string{
		"":                                      "session needs a subcommand",
		"strat":                                 `unknown command "strat" for "aaasess session"; did you mean start?`,
		"start":                                 "aaasess session start needs --source",
		"start alice":                           `unknown command "alice" for "aaasess session start"`,
		"command a b":                           "accepts at most 1 arg(s), received 2",
		"start --source=x --nas-port=-1":        "want a number of at most 32 bits",
		"start --source=x --input-octets=1e3":   "want a number of at most 64 bits",
		"start --source=x --at=now":             "want a time such as 2026-11-30T17:00:00Z, or seconds since 1970",
		"start --source=x --attributes=Class":   "want NAME=VALUE",
		"start --source=x --attributes==x":      "want NAME=VALUE",
		"start --source=x --end-pid=1":          "want the ID of a process",
		"start --source=x --end-event=perhaps":  `--end-event "perhaps": want true or false`,
		"start --source=x --level=1":            "unknown flag: --level",
		"command --source=x --level=16 x":       "want 0 to 15",
		"start --source=x --timeout=0s":         "--timeout 0s is not positive",
		"start --source=x --on-failure=none":    `--on-failure "none": want error or ignore`,
		"start --source=x --idempotency-key=\v": "--idempotency-key: an idempotency key is 1 to 128 printable ASCII characters",
		"start --from " + large:                 "more than 65536 octets",
		"start --from " + two:                   "more than one JSON value",
		"start --from " + unknown:               `unknown field "usr"`,
		"start --from " + dir + "/none":         "no such file or directory",
	} {
		d := startLocalDaemon(t)
		got := reportLine(t, d.socket, "", strings.FieldsFunc(args, func(c rune) bool { return c == ' ' })...)
		if got.code != cli.ExitUsage || !strings.Contains(got.err, want) || got.out != "" || len(d.reports()) > 0 {
			t.Errorf("%s: %+v, want %s", args, got, want)
		}
	}
}

// TestReportFlags: each field of a report has an option, named as in JSON with hyphens.
func TestReportFlags(t *testing.T) {
	root, _ := newRoot(cli.Environment{})
	flags := map[string]bool{}
	var collect func(*cobra.Command)
	collect = func(c *cobra.Command) {
		for _, sub := range c.Commands() {
			collect(sub)
		}
		for _, f := range regexp.MustCompile(`--[a-z0-9-]+`).FindAllString(c.UsageString(), -1) {
			flags[f] = true
		}
	}
	session, _, err := root.Find([]string{"session"})
	if err != nil {
		t.Fatal(err)
	}
	collect(session)
	capital := regexp.MustCompile(`[A-Z]`)
	for _, f := range reflect.VisibleFields(reflect.TypeFor[localreport.Report]()) {
		name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		option := "--" + strings.ToLower(capital.ReplaceAllString(name, "-$0"))
		if name == "end" { // of which each part has one
			option = "--end-pid"
		}
		if !flags[option] {
			t.Errorf("%s has no option %s", name, option)
		}
	}
}

// TestSessionHelp compares the help texts with files.
func TestSessionHelp(t *testing.T) {
	golden(t, "help-session-reports.txt", reportLine(t, "", "", "--help").out)
	golden(t, "help-session-stop.txt", reportLine(t, "", "", "stop", "--help").out)
}
