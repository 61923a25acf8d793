package main

import (
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"aaasess/cmd/internal/api"
	"aaasess/cmd/internal/control"
	"aaasess/cmd/internal/control/controltest"
)

// notifier starts a daemon whose test notifications have these outcomes.
func notifier(t *testing.T, outcomes ...api.NotificationOutcome) *controltest.Daemon {
	t.Helper()
	dir, err := os.MkdirTemp("", "cli")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	d, err := controltest.Start(dir, func(cfg *control.Config) { cfg.TestNotification = controltest.TestNotification(outcomes...) })
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := d.Stop(); err != nil {
			t.Error(err)
		}
	})
	type target struct {
		Name string `json:"name"`
	}
	d.Server.RegisterStatus(api.SNMPSection, func() any {
		names := []target{}
		for _, o := range outcomes {
			if o.Via != api.ViaAgentX {
				names = append(names, target{o.Target})
			}
		}
		return map[string][]target{"notifications": names}
	})
	return d
}

func TestTestNotification(t *testing.T) {
	of := func(target, via, outcome string, took api.Seconds, text string) api.NotificationOutcome {
		return api.NotificationOutcome{Target: target, Via: via, Outcome: outcome, Took: took, Error: text}
	}
	ops := of("ops", api.ViaTrap, api.NotificationSent, 0.001, "")
	noc := of("noc", api.ViaInform, api.NotificationAcknowledged, 0.0127, "")
	master := of("", api.ViaAgentX, api.NotificationAccepted, 0.002, "")
	const notAll = "aaasess: not all notifications were sent or acknowledged\n"
	const usage = "aaasess: usage error: "
	for name, tt := range map[string]struct {
		args     string
		outcomes []api.NotificationOutcome
		code     int
		out, err string
	}{
		"all": {"", []api.NotificationOutcome{ops, noc, master}, 0, "ops: trap sent; nobody acknowledges a trap\nnoc: inform acknowledged after 13ms\nmaster agent: accepted after 2ms; it sends it to its own targets\n", ""},
		"one": {"noc", []api.NotificationOutcome{ops, noc}, 0, "noc: inform acknowledged after 13ms\n", ""},
		"as JSON": {"noc --json", []api.NotificationOutcome{ops, noc}, 0, `{
  "outcomes": [
    {
      "target": "noc",
      "via": "inform",
      "outcome": "acknowledged",
      "took": 0.0127
    }
  ]
}
`, ""},
		"failed, as JSON": {"--json", []api.NotificationOutcome{of("noc", api.ViaInform, api.NotificationTimedOut, 20, "no response in 4 attempts")}, 1, `{
  "outcomes": [
    {
      "target": "noc",
      "via": "inform",
      "outcome": "timedOut",
      "took": 20,
      "error": "no response in 4 attempts"
    }
  ]
}
`, notAll},
		"timed out":       {"", []api.NotificationOutcome{ops, of("noc", api.ViaInform, api.NotificationTimedOut, 20.0004, "no response in 4 attempts")}, 1, "ops: trap sent; nobody acknowledges a trap\nnoc: inform timed out after 20s: no response in 4 attempts\n", notAll},
		"refused":         {"", []api.NotificationOutcome{of("noc", api.ViaInform, api.NotificationRefused, 1, "the receiver answered genErr")}, 1, "noc: inform refused: the receiver answered genErr\n", notAll},
		"dropped":         {"", []api.NotificationOutcome{of("ops", api.ViaTrap, api.NotificationDropped, 0, "queue is full")}, 1, "ops: trap dropped: queue is full\n", notAll},
		"still waits":     {"--wait 10ms", []api.NotificationOutcome{of("ops", api.ViaTrap, api.NotificationWaiting, 0.01, "last error of the target: look up \x1b: no such host")}, 1, "ops: trap still waits after 10ms: last error of the target: look up \\x1b: no such host\n", notAll},
		"not connected":   {"", []api.NotificationOutcome{of("", api.ViaAgentX, api.NotificationNotConnected, 0, "no master agent")}, 1, "master agent: not connected: no master agent\n", notAll},
		"unknown target":  {"x", []api.NotificationOutcome{ops}, 4, "", `aaasess: target "x": no such target of notifications` + "\n"},
		"no targets":      {"", nil, 4, "", "aaasess: no target of notifications is configured, and no master agent\n"},
		"two targets":     {"ops noc", []api.NotificationOutcome{ops, noc}, 2, "", usage + "want one TARGET or none, got 2 arguments\n"},
		"the empty name":  {"''", []api.NotificationOutcome{ops}, 2, "", usage + "the name is empty\n"},
		"no wait":         {"--wait 0s", []api.NotificationOutcome{ops}, 2, "", usage + "--wait 0s: want more than 0, and at most 1h\n"},
		"too long a wait": {"--wait 61m", []api.NotificationOutcome{ops}, 2, "", usage + "--wait 1h1m0s: want more than 0, and at most 1h\n"},
	} {
		t.Run(name, func(t *testing.T) {
			args := append([]string{"test", "notification"}, strings.Fields(tt.args)...)
			if tt.args == "''" {
				args[2] = ""
			}
			got := command(t, notifier(t, tt.outcomes...).Socket, "", args...)
			if diff := cmp.Diff(outcome{tt.code, tt.out, tt.err}, got, cmp.AllowUnexported(outcome{})); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// TestTestNotificationCompletion: the names of targets come from the daemon.
func TestTestNotificationCompletion(t *testing.T) {
	d := notifier(t, api.NotificationOutcome{Target: "ops"}, api.NotificationOutcome{Target: "noc"}, api.NotificationOutcome{Target: "e\nvil"}, api.NotificationOutcome{Via: api.ViaAgentX})
	for _, tt := range []struct{ socket, line, want string }{
		{d.Socket, "test|notification|", "ops noc"},
		{d.Socket, "test|notification|ops|", ""},
		{d.Socket, "test|notification|--wait|", ""},
		{d.Socket, "test|", "notification\tSend a test notification to the receivers of SNMP notifications"},
		{accountant(t, &controltest.Accounting{}).Socket, "test|notification|", ""}, // it has no responder
		{"/none", "test|notification|", ""},
	} {
		got, directive := completions(t, tt.socket, tt.line)
		if strings.Join(got, " ") != tt.want || directive != ":4" {
			t.Errorf("%s: %q %s, want %q", tt.line, got, directive, tt.want)
		}
	}
}

func TestTestNotificationHelp(t *testing.T) {
	golden(t, "help-test-notification.txt", command(t, "", "", "test", "notification", "--help").out)
}
