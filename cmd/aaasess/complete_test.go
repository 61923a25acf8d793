package main

import (
	"path/filepath"
	"strings"
	"testing"
	"time"

	"aaasess/cmd/internal/control/controltest"
	"aaasess/internal/radius"
)

// completions returns what a shell gets for a command line whose words are separated by |: the
// suggestions, and the directive of cobra, 4 for no names of files.
func completions(t *testing.T, socket, line string) (suggestions []string, directive string) {
	t.Helper()
	got := command(t, socket, "", append([]string{"__complete"}, strings.Split(line, "|")...)...)
	if got.code != 0 {
		t.Fatalf("%s: %+v", line, got)
	}
	suggestions = strings.Split(strings.TrimSpace(got.out), "\n")
	last := len(suggestions) - 1
	return suggestions[:last], suggestions[last]
}

// peculiar adds two sessions to those of daemon: one with a name that nobody can type, one with
// every value that can be completed.
func peculiar(t *testing.T, d *controltest.Daemon) {
	t.Helper()
	if err := d.Begin("e\nvil", time.Now(), controltest.With(radius.NASPort, "\x00\x00\x00\x1b"), controltest.With(radius.NASPortID, "Gi0/1")); err != nil {
		t.Fatal(err)
	}
	if err := d.Begin("frank smith", time.Now(), controltest.With(radius.CallingStationID, "02-00-00-00-00-01"),
		controltest.With(radius.NASPort, "\x00\x00\x00\x1a")); err != nil {
		t.Fatal(err)
	}
}

func TestCompletion(t *testing.T) {
	d := daemon(t)
	peculiar(t, d)
	const ids = "00000001\talice at nas-1;00000002\talice at nas-1;00000003\tbob at nas-2;00000004\tcarol at nas-1;" +
		"00000005\tdave at nas-1;00000006\te\\x0avil at nas-1;00000007\tfrank smith at nas-1"
	for _, tt := range []struct{ line, want string }{
		{"disconnect|", ids},
		{"clear|session|", ids},
		{"show|session|", ids},
		{"show|session|00000001|", ""},
		{"show|sessions|", ""},
		{"show|sessions|--id|", ids},
		{"disconnect|00000001|00000003|00000002|00000005|00000007|", "00000004\tcarol at nas-1;00000006\te\\x0avil at nas-1"},
		{"show|sessions|--user|", "alice;bob;carol;dave;frank smith"},
		{"show|sessions|--nas|", "nas-1;nas-2"},
		{"show|sessions|--address|", "10.0.0.1"},
		{"show|sessions|--number|", "1;2;3;4;5;6;7"},
		{"disconnect|--calling-station|", "02-00-00-00-00-01"},
		{"disconnect|--acct-session-id|", "a1;a2;b;c;d;s-frank smith"},
		{"show|sessions|--sort|", "address;id;idle;input;nas;octets;output;started;user"},
		{"show|sessions|--kind|", "network;exec;connection"},
		{"disconnect|--state|", "active;terminating;stuck"},
		{"show|status|", ""},
		{"simulate|--server|", ""},
		{"show|sessions|--limit|", ""},
		{"show|accounting|", ""},
		{"show|accounting|--id|", ids},
		{"show|accounting|--user|", "alice;bob;carol;dave;frank smith"},
		{"show|accounting|--line|", "Gi0/1;26"},
		{"disconnect|--line|", "Gi0/1;26"},
		{"debug|accounting|", ""},
		{"debug|accounting|--id|", ids},
		{"debug|accounting|--user|", "alice;bob;carol;dave;frank smith"},
		{"debug|accounting|--kind|", "network;exec;connection;resource;commands"},
		{"debug|accounting|--count|", ""},
		{"debug|radius|--user|", "alice;bob;carol;dave;frank smith"},
		{"debug|radius|--session|", "00000001;00000002;00000003;00000004;00000005;00000006;00000007"},
		{"debug|snmp|--user|", ""},
		{"debug|snmp|--from|", ""},
		{"debug|", "accounting\tShow accountable events as they occur;radius\tShow RADIUS packets as they come and go;snmp\tShow SNMP requests as they come;tacacs\tShow TACACS+ requests and answers as they go and come"},
		{"show|sta", "status\tShow whether the daemon is well, and the status of its parts"},
		{"disconnect|--al", "--all\tend every session"},
	} {
		got, directive := completions(t, d.Socket, tt.line)
		if strings.Join(got, ";") != tt.want || directive != ":4" {
			t.Errorf("%s: %q %s, want %q", tt.line, got, directive, tt.want)
		}
	}
}

// TestCompletionOfFiles: only the socket is a file.
func TestCompletionOfFiles(t *testing.T) {
	for _, line := range []string{"--socket|", "show|sessions|--socket|"} {
		if got, directive := completions(t, "", line); len(got) > 0 || directive != ":0" {
			t.Errorf("%s: %q %s", line, got, directive)
		}
	}
}

// TestCompletionWithoutDaemon: nothing is suggested, and nothing is printed between the shell's
// lines.
func TestCompletionWithoutDaemon(t *testing.T) {
	for _, line := range []string{
		"disconnect|", "clear|session|", "show|session|", "show|sessions|--user|", "show|accounting|--line|", "show|sessions|--nas|", "show|server-group|",
		"show|radius|statistics|", "show|acct-on-off-group|", "perform|acct-on|", "spool|replay|", "spool|reroute|", "debug|accounting|--nas|", "debug|accounting|--group|",
	} {
		if got, directive := completions(t, filepath.Join(t.TempDir(), "none"), line); len(got) > 0 || directive != ":4" {
			t.Errorf("%s: %q %s", line, got, directive)
		}
	}
}

func TestCompletionScripts(t *testing.T) {
	for _, shell := range []string{"bash", "zsh", "fish", "powershell"} {
		if got := command(t, "", "", "completion", shell); got.code != 0 || !strings.Contains(got.out, "aaasess") {
			t.Errorf("%s: %d %s", shell, got.code, got.err)
		}
	}
}
