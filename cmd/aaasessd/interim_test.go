package main

import (
	"encoding/json"
	"net"
	"testing"

	layeh "layeh.com/radius"
	"layeh.com/radius/rfc2865"
	"layeh.com/radius/rfc2866"

	"aaasess/cmd/internal/api"
)

// interimConfig returns the configuration of relayConfig with interims each second.
func interimConfig(t *testing.T, u *upstream) string {
	t.Helper()
	return with(t, relayConfig(t, "isp", u), "accounting:\n  network: {", "accounting:\n  update: {periodic: 1s, minimum: 1s}\n  network: {")
}

// count returns how often an event occurred.
func (j *journal) count(what string) (n int) {
	j.mu.Lock()
	defer j.mu.Unlock()
	for _, event := range j.events {
		if event == what {
			n++
		}
	}
	return n
}

// awaitCount waits until an event occurred at least n times.
func (j *journal) awaitCount(t *testing.T, what string, n int) {
	t.Helper()
	var got int
	eventually(t, what, func() bool { got = j.count(what); return got >= n }, &got)
}

// interims returns how many interims the daemon has made.
func (l *inProcess) interims() int {
	l.t.Helper()
	status, err := l.client().Status(l.t.Context())
	if err != nil {
		l.t.Fatal(err)
	}
	var got struct{ Made int }
	if err := json.Unmarshal(status.Sections["interims"], &got); err != nil {
		l.t.Fatal(err)
	}
	return got.Made
}

// TestInterims: the daemon makes interims for a session whose NAS sends none, and for no other. A
// reload changes by which lists.
func TestInterims(t *testing.T) {
	up := listen(t, "127.0.0.1:0")
	var arrived journal
	up.observe(arrived.add)
	text := with(
		t, interimConfig(t, up), "accounting:\n  update",
		"accounting:\n  exec: {default: {periodic: disable, record: start-stop, methods: [group isp]}}\n  connection: {default: {record: stop-only, methods: [group isp]}}\n  update",
	)
	l := launch(t, text, environment{})
	service := func(v rfc2865.ServiceType) func(*layeh.Packet) error {
		return func(p *layeh.Packet) error { return rfc2865.ServiceType_Set(p, v) }
	}
	exec := service(rfc2865.ServiceType_Value_AdministrativeUser)
	toHost := func(p *layeh.Packet) error { return rfc2865.LoginService_Set(p, rfc2865.LoginService_Value_Telnet) }
	l.mustAccount(
		packet(acctStart, "S1", "alice"), packet(acctStart, "S2", "bob"), packet(acctStart, "S3", "root", exec),
		packet(acctStart, "S4", "carol", service(rfc2865.ServiceType_Value_LoginUser), toHost),
		packet(acctInterim, "S2", "bob", func(p *layeh.Packet) error { return rfc2866.AcctSessionTime_Set(p, 1) }),
	)
	ofNAS, network, disabled, stopOnly := storeRecord(acctInterim, 2), storeRecord(acctInterim, 1), storeRecord(acctInterim, 3), storeRecord(acctInterim, 4)
	checkNone := func(when string) {
		t.Helper()
		if n := arrived.count(ofNAS); n != 1 {
			t.Errorf("%s: %d interims of a session whose NAS has sent one", when, n)
		}
		if n := arrived.count(stopOnly); n != 0 {
			t.Errorf("%s: %d interims by a stop-only list", when, n)
		}
	}
	arrived.awaitCount(t, network, 3)
	checkNone("at first")
	if n := arrived.count(disabled); n != 0 {
		t.Errorf("%d interims by a list that has disabled them", n)
	}
	if n := l.interims(); n < 3 {
		t.Errorf("status shows %d interims", n)
	}
	l.restart(text)
	before := arrived.count(network)
	arrived.awaitCount(t, network, before+2)
	checkNone("after a restart")

	l.reload(with(t, text, "periodic: disable, ", "", "network: {default: {", "network: {default: {periodic: disable, "), "configuration loaded")
	arrived.awaitCount(t, disabled, 1)
	before = arrived.count(network)
	arrived.awaitCount(t, disabled, 3)
	if n := arrived.count(network); n != before {
		t.Errorf("%d interims after the list has disabled them", n-before)
	}
	checkNone("after a reload")
	l.mustAccount(packet(acctStop, "S3", "root", exec))
	arrived.await(t, storeRecord(acctStop, 3))
	arrived.inOrder(t, storeRecord(acctStart, 3), disabled, storeRecord(acctStop, 3))
}

// TestServiceInterims: a service that a Cisco ISG reports has interims of its own period, which name
// it. The session of the subscriber has none.
func TestServiceInterims(t *testing.T) {
	up := listen(t, "127.0.0.1:0")
	var arrived journal
	up.observe(arrived.add)
	l := launch(t, with(t, interimConfig(t, up), "periodic: 1s, ", "service-periodic: 1s, "), environment{})
	service := func(p *layeh.Packet) error {
		for _, inner := range []string{"\x01\x16parent-session-id=S1", "\xfb\x0bNINTERNET"} {
			v, err := layeh.NewVendorSpecific(9, layeh.Attribute(inner))
			if err != nil {
				return err
			}
			p.Add(rfc2865.VendorSpecific_Type, v)
		}
		return nil
	}
	l.mustAccount(packet(acctStart, "S1", "alice"), packet(acctStart, "S2", "alice", service))
	arrived.awaitCount(t, storeRecord(acctInterim, 2), 2)
	if n := arrived.count(storeRecord(acctInterim, 1)); n != 0 {
		t.Errorf("%d interims of the subscriber's session", n)
	}
	detail, err := l.client().Session(t.Context(), 2)
	if err != nil {
		t.Fatal(err)
	}
	if detail.Service != "INTERNET" || detail.ParentSession != "S1" {
		t.Errorf("shown as service %q of %q", detail.Service, detail.ParentSession)
	}
}

// TestInterimsOfDownGroup: while no server answers, an interim replaces the one before it, so the
// queue does not grow.
func TestInterimsOfDownGroup(t *testing.T) {
	up := listen(t, "127.0.0.1:0")
	up.setSilent(true)
	l := launch(t, interimConfig(t, up), environment{})
	l.mustAccount(packet(acctStart, "S1", "alice"), packet(acctStart, "S2", "bob"))
	var made int
	eventually(t, "interims are made", func() bool { made = l.interims(); return made >= 8 }, &made)
	var q api.Queue
	eventually(t, "few records wait", func() bool { q = l.queue("group/isp"); return q.Records <= 6 }, &q)
	var arrived journal
	up.observe(arrived.add)
	up.setSilent(false)
	arrived.await(t, storeRecord(acctStart, 1), storeRecord(acctInterim, 1), storeRecord(acctStart, 2), storeRecord(acctInterim, 2))
}

// TestNewInfo: a second start with the address becomes an interim, unless newinfo is false.
func TestNewInfo(t *testing.T) {
	up := listen(t, "127.0.0.1:0")
	var arrived journal
	up.observe(arrived.add)
	text := relayConfig(t, "isp", up)
	l := launch(t, text, environment{})
	withAddress := func(p *layeh.Packet) error { return rfc2865.FramedIPAddress_Set(p, net.IPv4(10, 0, 0, 1)) }
	l.mustAccount(packet(acctStart, "S1", "alice"), packet(acctStart, "S1", "alice", withAddress))
	arrived.await(t, storeRecord(acctStart, 1), storeRecord(acctInterim, 1))
	l.reload(with(t, text, "accounting:\n  network: {", "accounting:\n  update: {newinfo: false}\n  network: {"), "configuration loaded")
	l.mustAccount(packet(acctStart, "S2", "bob"), packet(acctStart, "S2", "bob", withAddress), packet(acctStop, "S2", "bob"))
	arrived.await(t, storeRecord(acctStop, 2))
	if n := arrived.count(storeRecord(acctInterim, 2)); n != 0 {
		t.Errorf("%d interims", n)
	}
	if s := l.d.table.View().Get(1); s == nil || s.IPv4 != 0x0a000001 {
		t.Errorf("the session has no address: %+v", s)
	}
	l.mustAccount(packet(acctInterim, "S1", "alice"))
	arrived.awaitCount(t, storeRecord(acctInterim, 1), 2)
}
