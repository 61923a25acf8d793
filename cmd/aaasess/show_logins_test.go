package main

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"aaasess/cmd/aaasess/internal/live"
	"aaasess/cmd/internal/api"
)

func TestLoginsText(t *testing.T) {
	port := uint32(7)
	list := &api.LoginList{Waiting: 3, Logins: []api.Login{
		{
			Kind: "network", User: "alice", NAS: "lab", NASAddress: "192.0.2.1", CallingStation: "00-11-22-33-44-55", NASPort: &port, Session: "0000000D",
			Accepted: now.Add(-time.Second), Until: now.Add(2*time.Minute - time.Second),
		},
		{
			Kind: "exec", User: "evil\x1b[31m", NASAddress: "192.0.2.2", NASPort: &port, NASPortID: "tty7",
			Accepted: now.Add(-2 * time.Minute), Until: now.Add(-time.Second),
		},
	}}
	var out strings.Builder
	if err := live.PrintLogins(&out, list, now); err != nil {
		t.Fatal(err)
	}
	golden(t, "logins.txt", out.String())
	golden(t, "help-logins.txt", command(t, "", "", "show", "logins", "--help").out)
}

// TestLoginsSummary is the last line of the command.
func TestLoginsSummary(t *testing.T) {
	var out strings.Builder
	for _, n := range []struct{ listed, waiting, limit int }{{0, 0, 100}, {0, 1, 100}, {0, 2, 100}, {1, 1, 100}, {2, 2, 100}, {2, 3, 100}, {1, 3, 100}, {2, 2, 2}, {2, 9, 2}, {2, 1, 100}} {
		fmt.Fprintf(&out, "%d of %d, at most %d: %s\n", n.listed, n.waiting, n.limit, live.LoginsText(n.listed, n.waiting, n.limit))
	}
	golden(t, "logins-summary.txt", out.String())
}

// TestShowLogins: the command against a daemon that relays none, and wrong arguments.
func TestShowLogins(t *testing.T) {
	d := accountant(t, nil)
	for _, tt := range []struct {
		args, err string
		code      int
	}{
		{"", "aaasess: this daemon relays no authentication\n", 4},
		{"--limit 0", "aaasess: usage error: --limit 0: want 1 to 1000\n", 2},
		{"--limit 1001", "aaasess: usage error: --limit 1001: want 1 to 1000\n", 2},
		{"x", "usage error", 2},
	} {
		got := command(t, d.Socket, "", append([]string{"show", "logins"}, strings.Fields(tt.args)...)...)
		if got.code != tt.code || !strings.Contains(got.err, tt.err) || got.out != "" {
			t.Errorf("%q: %+v", tt.args, got)
		}
	}
}
