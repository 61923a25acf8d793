package main

import (
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	layeh "layeh.com/radius"
	"layeh.com/radius/rfc2865"

	"aaasess/cmd/internal/api"
	"aaasess/cmd/internal/apiclient"
)

// onPort sets the NAS-Port of a packet.
func onPort(n uint32) func(*layeh.Packet) error {
	return func(p *layeh.Packet) error { return rfc2865.NASPort_Set(p, rfc2865.NASPort(n)) }
}

// explain asks the daemon for an explanation.
func (l *inProcess) explain(name string) *api.Explanation {
	l.t.Helper()
	e, err := l.client().Explain(l.t.Context(), name)
	if err != nil {
		l.t.Fatal(err)
	}
	return e
}

// TestExplain: a session on a line with a broadcast list. One group answers, the other does not.
func TestExplain(t *testing.T) {
	answers, silent := listen(t, "127.0.0.1:0"), listen(t, "127.0.0.1:0")
	silent.setSilent(true)
	text := with(
		t, relayConfig(t, "isp", answers),
		"  groups:\n", "    - {name: late, address: 127.0.0.1, port: "+portOf(silent.addrPort())+", secret: upstream}\n  groups:\n    - {name: customer, servers: [late], timeout: 30s}\n",
		"  network: {", "  apply: [{nas-port: [1-16], network: both}]\n  network: {both: {record: start-stop, broadcast: true, broadcast-interims: false, methods: [group isp, group customer]}, ",
	)
	l := launch(t, text, environment{})
	var arrived journal
	answers.observe(arrived.add)
	l.mustAccount(packet(acctStart, "S1", "alice", onPort(7)), packet(acctStop, "S1", "alice", onPort(7)), packet(acctStart, "S2", "bob"))
	arrived.await(t, storeRecord(acctStart, 1), storeRecord(acctStop, 1), storeRecord(acctStart, 2))

	var e *api.Explanation
	eventually(t, "the first record is sent", func() bool {
		e = l.explain("00000001")
		return len(e.Records) == 2 && e.Records[0].State == "inFlight"
	}, &e)
	sameTime := cmpopts.IgnoreFields(api.ExplainedRecord{}, "At")
	want := &api.Explanation{
		Methods: []api.ExplainedMethod{{
			Method: "group customer", Queue: "group/customer", Records: 2, State: "unknown", // as in "show spool"
			Servers: []api.ExplainedServer{{Name: "late", Address: "127.0.0.1", State: "unknown"}},
		}},
		Records: []api.ExplainedRecord{
			{Record: "group/customer:1", Session: "00000001", Type: "Start", List: "network/both", Next: []string{}, State: "inFlight", Method: "group customer"},
			{Record: "group/customer:2", Session: "00000001", Type: "Stop", List: "network/both", Next: []string{}, State: "behind", Before: 1},
		},
		Accepted: &api.Acceptance{By: []string{"group isp"}, All: true},
		Complete: true,
	}
	if diff := cmp.Diff(want, e, sameTime); diff != "" {
		t.Errorf("the session that has ended: want (-) and got (+):\n%s", diff)
	}
	if e = l.explain("group/customer:2"); len(e.Records) != 1 || e.Records[0].State != "behind" || e.Session != nil || e.Decision != nil {
		t.Errorf("one record: %+v", e)
	}

	l.mustAccount(packet(acctStart, "S3", "carol", onPort(16)), packet(acctInterim, "S3", "carol", onPort(16)))
	arrived.await(t, storeRecord(acctStart, 3), storeRecord(acctInterim, 3))
	eventually(t, "the first group has accepted it", func() bool {
		e = l.explain("00000003")
		return cmp.Equal(e.Accepted, &api.Acceptance{By: []string{"group isp"}, All: true})
	}, &e)
	both := &api.Decision{
		Accounted: true, List: "network/both", Record: "start-stop", Reason: "NAS-Port 1-16", Broadcast: true, InterimsToFirst: true,
		Methods: []string{"group isp", "group customer"},
	}
	if e.Session == nil || e.Session.User != "carol" || e.Now != nil || !cmp.Equal(e.Decision, both) || len(e.Methods) != 2 {
		t.Errorf("a session on the line: %+v", e)
	}
	if len(e.Records) != 1 || e.Records[0].Type != "Start" || e.Records[0].Record != "group/customer:3" {
		t.Errorf("the interim does not go to the second group: %+v", e.Records)
	}
	l.reload(with(t, text, "timeout: 30s}", "timeout: 30s, acknowledge-broadcast: true}"), "configuration loaded")
	if e = l.explain("00000003"); !cmp.Equal(e.Accepted, &api.Acceptance{By: []string{"group customer"}, All: true, Missing: 1}) {
		t.Errorf("with acknowledge-broadcast: %+v", e.Accepted)
	}
	e = l.explain("00000002")
	plain := &api.Decision{Accounted: true, List: "network/default", Record: "start-stop", Methods: []string{"group isp"}}
	if !cmp.Equal(e.Decision, plain) || len(e.Records) != 0 {
		t.Errorf("a session on no line: %+v", e)
	}

	// A reload changes nothing for sessions that have begun.
	l.reload(with(t, text, "[1-16], network: both", "[20], network: both", "default: {", "default: {broadcast: true, "), "configuration loaded")
	if e = l.explain("00000003"); !cmp.Equal(e.Decision, both) || e.Now == nil || e.Now.List != "network/default" || !e.Now.Broadcast {
		t.Errorf("after a reload: %+v", e)
	}
	// A session of a list without records has no route. The answer says what decides today.
	l.reload(with(t, text, "  apply: [", "  apply: [{nas-port: [30], network: quiet}, ", "  network: {", "  network: {quiet: {record: none}, "), "configuration loaded")
	l.mustAccount(packet(acctStart, "S4", "dave", onPort(30)))
	quiet := &api.Decision{List: "network/quiet", Reason: "NAS-Port 30", Methods: []string{}}
	if e = l.explain("00000004"); e.Decision.Accounted || !cmp.Equal(e.Now, quiet) {
		t.Errorf("a session that is not accounted: %+v", e)
	}
	for _, name := range []string{"00000099", "group/customer:99", "group/none:1", "set-aside:1"} {
		var refused *apiclient.ResponseError
		if _, err := l.client().Explain(t.Context(), name); !errors.As(err, &refused) || refused.Code != 404 {
			t.Errorf("%s: %v", name, err)
		}
	}
	l.mustAccount(packet(acctStop, "S3", "carol", onPort(16)))
}
