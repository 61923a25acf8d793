package main

import (
	"strings"
	"testing"
	"time"

	"aaasess/cmd/aaasess/internal/records"
	"aaasess/cmd/internal/api"
	"aaasess/cmd/internal/control/controltest"
)

// explained returns explanations by what they show.
func explained() map[string]*api.Explanation {
	port, at := uint32(7), now.Add(-time.Minute)
	session := examples()[0]
	session.NASPort, session.CalledStation = &port, "7777"
	nameless := session
	nameless.User = ""
	accepted := session
	accepted.UserFrom, accepted.Upstream = api.FromAccept, "C00002010000000D"
	methods := []api.ExplainedMethod{
		{Method: "group isp", Queue: "group/isp", Records: 2, State: "up", Servers: []api.ExplainedServer{{Name: "r1", Address: "10.0.0.1", State: "up"}, {Name: "r2", Address: "10.0.0.2", State: "unknown"}}},
		{Method: "group isp_customer", Queue: "group/isp_customer", Records: 1, State: "down", DownSince: at, NextProbe: now.Add(4 * time.Second)},
	}
	records := []api.ExplainedRecord{
		{Record: "group/isp:812", Session: session.ID, Type: "Start", At: at, List: "network/dnis:7777", State: "inFlight", Method: "group isp", Before: 3},
		{Record: "group/isp:813", Session: session.ID, Type: "Stop", At: now, List: "network/dnis:7777", State: "behind", Before: 4},
		{Record: "group/isp_customer:9", Session: session.ID, Type: "Start", At: at, List: "network/dnis:7777", State: "retrying", NextAt: now.Add(time.Minute), Tries: 4},
		{Record: "set-aside:3", Session: session.ID, Type: "Start", At: at, List: "network/default", State: "setAside", Reason: "group old: no\x1b answer"},
	}
	until := now.Add(time.Minute)
	return map[string]*api.Explanation{
		"a broadcast": {
			Session:  &session,
			Decision: &api.Decision{Accounted: true, List: "network/dnis:7777", Record: "start-stop", Broadcast: true, InterimsToFirst: true, Methods: []string{"group isp", "group isp_customer"}},
			Accepted: &api.Acceptance{By: []string{"group isp"}, All: true, Missing: 2},
			Methods:  methods, Records: records, Complete: true,
		},
		"another list today": {
			Session:  &session,
			Decision: &api.Decision{Accounted: true, List: "network/red1", Record: "stop-only", Reason: "client bras-1, NAS-Port 1-16", Methods: []string{"group isp", "local"}},
			Now:      &api.Decision{Accounted: true, List: "network/default", Record: "start-stop", Methods: []string{"local"}},
			Accepted: &api.Acceptance{By: []string{"group isp", "local"}, Missing: 1},
			Methods:  methods[:1], Complete: true,
		},
		"no User-Name yet": {
			Session:  &nameless,
			Decision: &api.Decision{Accounted: true, List: "network/default", Record: "start-stop", SuppressNullUsername: true, Methods: []string{"local"}},
			Complete: true,
		},
		"with a User-Name": {
			Session:  &accepted,
			Granted:  []api.Attribute{{Name: "User-Name", Value: session.User}, {Name: "Class", Value: "0x00\x1bff"}},
			Decision: &api.Decision{Accounted: true, List: "network/default", Record: "start-stop", SuppressNullUsername: true, Methods: []string{"local"}},
			Complete: true,
		},
		"a broadcast that two groups acknowledge": {
			Session:  &session,
			Decision: &api.Decision{Accounted: true, List: "network/default", Record: "start-stop", Broadcast: true, Methods: []string{"group isp", "group isp_customer"}},
			Accepted: &api.Acceptance{By: []string{"group isp", "group isp_customer"}, All: true},
		},
		"not accounted": {Session: &session, Decision: &api.Decision{}, Complete: true},
		"a list of no records": {
			Session: &session, Decision: &api.Decision{}, Complete: true,
			Now: &api.Decision{List: "network/quiet", Reason: "NAS-Port 17-20"},
		},
		"its stop waits":                 {StopWaits: &until, Complete: true},
		"its stop waits behind a record": {StopWaits: &until, Methods: methods[1:], Records: records[2:3], Complete: true},
		"no longer live": {Methods: []api.ExplainedMethod{
			{Method: "group old", Queue: "group/old", Records: 1, State: "removed", Rerouted: "network/default"},
			{Method: "group silent", Queue: "group/silent", Records: 1, State: "removed", DownSince: at, NextProbe: now.Add(4 * time.Second)},
		}, Records: records[3:], Accepted: &api.Acceptance{By: []string{"local"}, Missing: 1}},
	}
}

func TestExplanationText(t *testing.T) {
	var out strings.Builder
	all := explained()
	for _, name := range []string{"a broadcast", "another list today", "no User-Name yet", "with a User-Name", "a broadcast that two groups acknowledge", "not accounted", "a list of no records", "its stop waits", "its stop waits behind a record", "no longer live"} {
		out.WriteString("== " + name + "\n")
		if err := records.PrintExplanation(&out, all[name], now); err != nil {
			t.Fatal(err)
		}
	}
	golden(t, "explain.txt", out.String())
	golden(t, "help-explain.txt", command(t, "", "", "explain", "--help").out)
}

func TestExplain(t *testing.T) {
	e := *explained()["not accounted"]
	a := &controltest.Accounting{Explained: map[string]api.Explanation{"0000000D": e, "group/isp:812": e}}
	d := accountant(t, a)
	for _, tt := range []struct {
		args []string
		code int
		err  string
	}{
		{[]string{"0000000d"}, 0, ""},
		{[]string{"0xd"}, 0, ""},
		{[]string{"group/isp:812", "--json"}, 0, ""},
		{[]string{"0000000E"}, 4, "aaasess: session 0000000E: not live, and no record of it waits\n"},
		{[]string{"group/isp:813"}, 4, "aaasess: record group/isp:813: does not wait: it was delivered, dropped or never made\n"},
		{[]string{"13"}, 2, `"13" is neither a session ID, such as 0000000D, nor the name of a record, such as group/isp:812`},
		{nil, 2, "SESSION or RECORD"},
	} {
		got := command(t, d.Socket, "", append([]string{"explain"}, tt.args...)...)
		if got.code != tt.code || !strings.Contains(got.err, tt.err) || (tt.code == 0) != (got.out != "") {
			t.Errorf("%q: %+v", tt.args, got)
		}
	}
}
