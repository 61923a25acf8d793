package main

import (
	"encoding/json"
	"testing"

	layeh "layeh.com/radius"
	"layeh.com/radius/rfc2865"

	localreport "aaasess/sessions/local/report"
)

// TestNested: with nested, the network stop is recorded before the exec stop of its user, even if it
// comes after it and the daemon restarts in between. A reload changes that.
func TestNested(t *testing.T) {
	onLine := func(p *layeh.Packet) error { return rfc2865.NASPort_Set(p, 1) }
	login := func(p *layeh.Packet) error {
		return rfc2865.ServiceType_Set(p, rfc2865.ServiceType_Value_NASPromptUser)
	}
	text := with(t, plainConfig, "accounting:\n  network", "accounting:\n  exec: {default: {record: start-stop, methods: [local]}}\n  network")
	nested := with(t, text, "accounting:\n  exec", "accounting:\n  nested: true\n  exec")
	l := launch(t, nested, environment{})
	l.mustAccount(
		packet(acctStart, "E1", "alice", onLine, login), packet(acctStart, "N1", "alice", onLine),
		packet(acctStop, "E1", "alice", onLine, login),
	)
	l.restart(nested)
	if e := l.explain("00000001"); e.StopWaits == nil || e.Session != nil || len(e.Records) != 0 {
		t.Errorf("the stop of the exec session waits: %+v", e)
	}
	if e := l.explain("00000002"); e.StopWaits != nil {
		t.Errorf("the network session lives: %+v", e)
	}
	l.mustAccount(packet(acctStop, "N1", "alice", onLine))
	want := []string{"Start 00000001", "Start 00000002", "Stop 00000002", "Stop 00000001"}
	l.eventuallyRecords("records.jsonl", want...)

	l.reload(text, "configuration loaded")
	l.mustAccount(
		packet(acctStart, "E2", "alice", onLine, login), packet(acctStart, "N2", "alice", onLine),
		packet(acctStop, "E2", "alice", onLine, login), packet(acctStop, "N2", "alice", onLine),
	)
	want = append(want, "Start 00000003", "Start 00000004", "Stop 00000003", "Stop 00000004")
	l.eventuallyRecords("records.jsonl", want...)

	l.reload(nested, "configuration loaded")
	l.mustAccount(
		packet(acctStart, "E3", "alice", onLine, login), packet(acctStart, "N3", "alice", onLine),
		packet(acctStop, "E3", "alice", onLine, login), packet(acctStop, "N3", "alice", onLine),
	)
	l.eventuallyRecords("records.jsonl", append(want, "Start 00000005", "Start 00000006", "Stop 00000006", "Stop 00000005")...)
}

// TestWaitingStatus: the status counts starts that wait for an address, and stops that wait for those
// of other sessions.
func TestWaitingStatus(t *testing.T) {
	onLine := func(p *layeh.Packet) error { return rfc2865.NASPort_Set(p, 1) }
	login := func(p *layeh.Packet) error {
		return rfc2865.ServiceType_Set(p, rfc2865.ServiceType_Value_NASPromptUser)
	}
	text := with(t, plainConfig, "accounting:\n  network: {default: {", "accounting:\n  nested: true\n  exec: {default: {record: start-stop, methods: [local]}}\n  network: {default: {delay-start: 10m, ")
	l := launch(t, text, environment{})
	got := func() (w waitingStatus) {
		status, err := l.client().Status(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal(status.Sections["waiting"], &w); err != nil {
			t.Fatal(err)
		}
		return w
	}
	l.mustAccount(packet(acctStart, "E1", "alice", onLine, login), packet(acctStart, "N1", "alice", onLine), packet(acctStop, "E1", "alice", onLine, login))
	eventually(t, "a start and a stop wait", func() bool { return got() == waitingStatus{Starts: 1, Stops: 1} })
	l.mustAccount(packet(acctStop, "N1", "alice", onLine))
	eventually(t, "nothing waits", func() bool { return got() == waitingStatus{} })
}

// TestNestedArrives: a server gets the records of the network session and of its exec session in one
// order, also those that have waited for the server.
func TestNestedArrives(t *testing.T) {
	up := listen(t, "127.0.0.1:0")
	up.setSilent(true)
	var arrived journal
	onLine := func(p *layeh.Packet) error { return rfc2865.NASPort_Set(p, 1) }
	login := func(p *layeh.Packet) error {
		return rfc2865.ServiceType_Set(p, rfc2865.ServiceType_Value_NASPromptUser)
	}
	l := launch(t, with(
		t, relayConfig(t, "isp", up), "accounting:\n  network", "accounting:\n  nested: true\n  exec: {default: {record: start-stop, methods: [group isp]}}\n  network",
	), environment{})
	l.mustAccount(
		packet(acctStart, "E1", "alice", onLine, login), packet(acctStart, "N1", "alice", onLine),
		packet(acctStop, "E1", "alice", onLine, login),
	)
	if e := l.explain("00000001"); e.StopWaits == nil || len(e.Records) != 1 {
		t.Errorf("the start is a record, the stop waits: %+v", e)
	}
	l.mustAccount(packet(acctStop, "N1", "alice", onLine))
	if e := l.explain("00000001"); e.StopWaits != nil || len(e.Records) != 2 {
		t.Errorf("the stop is a record: %+v", e)
	}
	up.observe(arrived.add)
	up.setSilent(false)
	want := []string{storeRecord(acctStart, 1), storeRecord(acctStart, 2), storeRecord(acctStop, 2), storeRecord(acctStop, 1)}
	arrived.await(t, want...)
	arrived.inOrder(t, want...)
}

// TestLocalNested: a program of this host has reported both sessions of a user. The network stop is
// recorded before the exec stop too, and a call that no user reached has failed (R50, R51).
func TestLocalNested(t *testing.T) {
	text := with(t, localConfig(t), "accounting:\n  network", "accounting:\n  nested: true\n"+
		"  exec: {default: {record: start-stop, methods: [local]}}\n  resource: {default: {record: stop-failure, methods: [local]}}\n  network")
	l := launch(t, text, environment{})
	r := l.reporter()
	const line = `"source":"mgetty","nasPortId":"ttyS0","session":`
	r.must(localreport.Call, `{`+line+`"call 1"}`)
	r.must(localreport.Start, `{`+line+`"login","kind":"exec","user":"alice"}`)
	r.must(localreport.Start, `{`+line+`"ppp","user":"alice"}`)
	r.must(localreport.Stop, `{`+line+`"login"}`)
	r.must(localreport.Stop, `{`+line+`"ppp"}`)
	r.must(localreport.Call, `{`+line+`"call 1","stop":true}`)
	l.eventuallyRecords("records.jsonl", "Start 00000002", "Start 00000003", "Stop 00000003", "Stop 00000002")
	r.must(localreport.Call, `{`+line+`"call 2"}`)
	r.must(localreport.Call, `{`+line+`"call 2","stop":true}`)
	l.eventuallyRecords("records.jsonl", "Start 00000002", "Start 00000003", "Stop 00000003", "Stop 00000002", "Stop 00000004")
}
