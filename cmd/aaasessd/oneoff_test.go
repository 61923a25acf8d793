package main

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"aaasess/cmd/internal/api"
	"aaasess/internal/tacacs"
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
	failure := func(accepted bool) string {
		t.Helper()
		return simulate(api.SimulateRequest{Event: api.SimulateFailure, Kind: "network", Accepted: accepted})
	}
	want := func(got, id string) {
		t.Helper()
		if got != id {
			t.Errorf("the record has the number %q, want %q", got, id)
		}
	}
	l.mustAccount(packet(acctStart, "S1", "alice"))
	want(command(15), "00000002")
	want(command(1), "")     // no list
	want(failure(false), "") // not asked for
	want(failure(true), "")
	l.restart(text)
	want(command(15), "00000003")
	l.reload(with(t, text, "accounting:\n  commands", "accounting:\n  visible-keys: true\n  send-stop-record: {authentication-failure: true}\n  commands"), "configuration loaded")
	want(command(15), "00000004")
	want(failure(false), "00000005")
	want(failure(true), "")
	l.reload(with(t, text, "accounting:\n  commands", "accounting:\n  send-stop-record: {authentication-success-remote-server: true}\n  commands"), "configuration loaded")
	want(failure(false), "")
	want(failure(true), "00000006")
	l.mustAccount(packet(acctStart, "S2", "bob"))
	l.eventuallyRecords("records.jsonl", "Start 00000001", "Stop 00000002", "Stop 00000003", "Stop 00000004", "Stop 00000005", "Stop 00000006", "Start 00000007")
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
		5: {`"list":"network/default"`, `"Acct-Session-Time":0,"Acct-Terminate-Cause":"Service-Unavailable"`},
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

// TestCommandArrives: a TACACS+ server gets the arguments of S1's example, and the secrets of a command
// masked.
func TestCommandArrives(t *testing.T) {
	server := listenTACACS(t)
	host, port, _ := strings.Cut(server.Addr(), ":")
	l := launch(t, with(t, plainConfig, "accounting:\n  network", "tacacs:\n  servers: [{name: t1, address: "+host+", port: "+port+", key: tacacs key}]\n  groups: [{name: t, servers: [t1], times: never}]\n"+
		"accounting:\n  commands: {15: {default: {record: stop-only, methods: [group t]}}}\n  network"), environment{})
	for _, text := range []string{"configure terminal", "enable secret hunter2"} {
		_, err := l.client().Simulate(t.Context(), &api.SimulateRequest{
			Event: api.SimulateCommand, NAS: "172.16.25.15", User: "username1", Line: "tty3", CallingStation: "5622329430", CalledStation: "4327528", Level: 15, Command: text,
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	eventually(t, "both commands are acknowledged", func() bool { return len(server.Acknowledged()) == 2 })
	got := map[string]bool{} // one may overtake the other: each has a number of its own
	for _, a := range server.Acknowledged() {
		r := a.Request
		got[fmt.Sprintf("%s %s %s %d %q", r.User, r.Port, r.RemAddr, r.Flags, r.Args)] = true
	}
	for _, args := range [][]string{
		{"task_id=1", "service=shell", "priv-lvl=15", "cmd=configure terminal <cr>"},
		{"task_id=2", "service=shell", "priv-lvl=15", "cmd=enable secret ***** <cr>"},
	} {
		if want := fmt.Sprintf("username1 tty3 5622329430/4327528 %d %q", tacacs.AcctFlagStop, args); !got[want] {
			t.Errorf("no record %s\ngot %q", want, slices.Collect(maps.Keys(got)))
		}
	}
}
