package main

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"aaasess/sessions"
)

// TestSimulateEvents: the commands report one event each, and print the ID of its record.
func TestSimulateEvents(t *testing.T) {
	d := daemon(t) // five sessions: the next number is 6
	d.Journal.RouteBy(func(s *sessions.Session) string {
		if s.User() == "nobody" {
			return ""
		}
		return "somewhere"
	})
	const usage = "aaasess: usage error: "
	for _, tt := range []struct {
		name string
		args []string
		code int
		out  string
		err  string // "-" is any
	}{
		{"a command", []string{"command", "--user", "alice", "--level", "15", "--line", "tty3", "configure terminal"}, 0, "00000006\n", ""},
		{"as JSON", []string{"command", "--json", "--user", "alice", "exit"}, 0, "{\n  \"id\": \"00000007\"\n}\n", ""},
		{"a failure", []string{"failure", "--user", "mallory", "--kind", "network"}, 0, "00000008\n", ""},
		{"a user who was accepted", []string{"failure", "--user", "alice", "--accepted"}, 0, "00000009\n", ""},
		{"one that is not recorded", []string{"failure", "--user", "nobody"}, 4, "", "aaasess: no record is made of the event\n"},
		{"no command", []string{"command"}, 2, "", usage + "want COMMAND, got 0 arguments\n"},
		{"two commands", []string{"command", "configure", "terminal"}, 2, "", usage + "want COMMAND, got 2 arguments\n"},
		{"a level too high", []string{"command", "--level", "16", "exit"}, 2, "", usage + "--level 16: want 0 to 15\n"},
		{"another event", []string{"start"}, 2, "", "-"},
		{"no such NAS", []string{"failure", "--nas", "as5200"}, 1, "", "aaasess: body: nas \"as5200\": want an IPv4 or IPv6 address\n"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got := command(t, d.Socket, "", append([]string{"simulate"}, tt.args...)...)
			if tt.err == "-" {
				got.err = "-"
			}
			if diff := cmp.Diff(outcome{tt.code, tt.out, tt.err}, got, cmp.AllowUnexported(outcome{})); diff != "" {
				t.Error(diff)
			}
		})
	}
	if got := strings.Join(d.Journal.Accounted()[5:], ", "); got != "Stop 6, Stop 7, Stop 8, Stop 9, Stop 0" {
		t.Error(got)
	}
}
