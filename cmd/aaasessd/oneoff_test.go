package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"aaasess/cmd/internal/api"
)

// TestOneOffs: commands and failed logins are recorded as the configuration says, also after a reload
// and a restart, with numbers among those of the sessions.
func TestOneOffs(t *testing.T) {
	text := with(t, plainConfig, "accounting:\n  network", "accounting:\n  commands: {15: {default: {record: start-stop, methods: [local]}}}\n  network")
	l := launch(t, text, environment{})
	simulate := func(req api.SimulateRequest) string {
		t.Helper()
		req.NAS, req.User, req.Line = "192.0.2.1", "username1", "tty3"
		answer, err := l.client().Simulate(t.Context(), &req)
		if err != nil {
			t.Fatal(err)
		}
		return answer.ID
	}
	command := func(level int) string {
		t.Helper()
		return simulate(api.SimulateRequest{Event: api.SimulateCommand, Level: level, Command: "enable secret hunter2"})
	}
	failure := func() string {
		t.Helper()
		return simulate(api.SimulateRequest{Event: api.SimulateFailure, Kind: "network"})
	}
	want := func(got, id string) {
		t.Helper()
		if got != id {
			t.Errorf("the record has the number %q, want %q", got, id)
		}
	}
	l.mustAccount(packet(acctStart, "S1", "alice"))
	want(command(15), "00000002")
	want(command(1), "") // no list
	want(failure(), "")  // not asked for
	l.restart(text)
	want(command(15), "00000003")
	l.reload(with(t, text, "accounting:\n  commands", "accounting:\n  visible-keys: true\n  send-stop-record: {authentication-failure: true}\n  commands"), "configuration loaded")
	want(command(15), "00000004")
	want(failure(), "00000005")
	l.mustAccount(packet(acctStart, "S2", "bob"))
	l.eventuallyRecords("records.jsonl", "Start 00000001", "Stop 00000002", "Stop 00000003", "Stop 00000004", "Stop 00000005", "Start 00000006")
	if n := l.d.table.View().Len(); n != 2 || l.d.table.View().Counters.Total != 2 {
		t.Errorf("%d rows, %+v", n, l.d.table.View().Counters)
	}
	b, err := os.ReadFile(filepath.Join(l.dir, "records.jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(string(b), "\n")
	for i, parts := range map[int][]string{
		1: {`"list":"commands/15/default"`, `"number":2`, `"attributes":{"NAS-Port-Id":"tty3","User-Name":"username1","Acct-Status-Type":"Stop","Cisco-AVPair":["priv-lvl=15","cmd=enable secret *****"],"Acct-Session-Id":"00000002","NAS-IP-Address":"192.0.2.1"`},
		3: {`"cmd=enable secret hunter2"`},
		4: {`"list":"network/default"`, `"Acct-Session-Time":0,"Acct-Terminate-Cause":"User-Error"`},
	} {
		for _, part := range parts {
			if !strings.Contains(lines[i], part) {
				t.Errorf("%s\nhas no %s", lines[i], part)
			}
		}
	}
	if strings.Contains(l.log.String(), "hunter2") {
		t.Error("the log has a secret")
	}
}
