package accounting_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"aaasess/accounting"
	acctradius "aaasess/accounting/radius"
	"aaasess/internal/radius"
	"aaasess/sessions"
)

// TestCallsOnTheWire: as a NAS with "aaa accounting resource default start-stop group radius", sends
// what it reports of two calls, and compares what reaches the server. The seeds have no example
// record of a call; docs/records.md says what is sent and why.
func TestCallsOnTheWire(t *testing.T) {
	const (
		call    = "NAS-IP-Address = 172.16.25.15\nNAS-Port = 20018\nNAS-Port-Type = ISDN\nService-Type = Call-Check\nCalling-Station-Id = 4085554206\nCalled-Station-Id = 4085274206"
		user    = "NAS-IP-Address = 172.16.25.15\nNAS-Port = 20018\nUser-Name = username1\nService-Type = Framed-User\nFramed-Protocol = PPP"
		clock   = "\nEvent-Timestamp = now\nAcct-Delay-Time = 0"
		noPort  = "NAS-IP-Address = 172.16.25.15\nAcct-Session-Id = %\nAcct-Status-Type = "
		made    = "\nAcct-Multi-Session-Id = aaasess-00000001-now"
		another = "\nAcct-Multi-Session-Id = aaasess-00000003-now"
	)
	id := func(lines, id string) string { return strings.ReplaceAll(lines, "%", id) }
	start, stop := "\nAcct-Status-Type = Start\nAcct-Session-Id = %", "\nAcct-Status-Type = Stop\nAcct-Session-Id = %"
	tests := []struct{ name, sent, want string }{
		{"call setup", call + id(start, "c1"), call + id(start, "00000001") + made + clock},
		{"the user", user + id(start, "u1"), user + id(start, "00000002") + made + clock},
		{
			"the user's end", user + id(stop, "u1") + "\nAcct-Session-Time = 60",
			user + id(stop, "00000002") + "\nAcct-Session-Time = 60" + made + clock,
		},
		{
			"call disconnect, and the packet says nothing of the call",
			id(noPort, "c1") + "Stop\nAcct-Session-Time = 62\nAcct-Terminate-Cause = User-Request",
			id(noPort, "00000001") + "Stop\nAcct-Session-Time = 62\nAcct-Terminate-Cause = User-Request\n" +
				strings.TrimPrefix(call, "NAS-IP-Address = 172.16.25.15\n") + made + clock,
		},
		{"the next call", call + id(start, "c2"), call + id(start, "00000003") + another + clock},
		{"it fails", call + id(stop, "c2") + "\nAcct-Session-Time = 3", call + id(stop, "00000003") + "\nAcct-Session-Time = 3" + another + clock},
	}
	r := newRelay(t, acctradius.Spec{})
	for i, tt := range tests {
		sent := time.Now()
		r.report(byte(i), parsed(t, strings.Split(tt.sent, "\n"), radius.Standard()))
		got := r.next()
		if diff := cmp.Diff(strings.Split(tt.want, "\n"), printed(got, sent)); diff != "" {
			t.Errorf("%s: want (-) and on the wire (+):\n%s", tt.name, diff)
		}
	}
	if rows := r.table.View(); rows.Len() != 0 || rows.Total != 1 {
		t.Errorf("%d rows, %d in all", rows.Len(), rows.Total)
	}
}

// TestFailedCallsOnTheWire: as TestCallsOnTheWire, with "aaa accounting resource default
// stop-failure group radius".
func TestFailedCallsOnTheWire(t *testing.T) {
	r := newRelay(t, acctradius.Spec{})
	failures := accounting.Route{List: "resource/default", Record: accounting.StopFailure, Methods: []accounting.MethodName{"group isp"}}
	r.router.SetPolicy(func(k sessions.Kind, _ *sessions.Session) string {
		if k == sessions.Resource {
			return failures.Text()
		}
		return ""
	})
	const call = "Service-Type = Call-Check\nNAS-Port = 1\nAcct-Status-Type = "
	for i, sent := range []string{
		call + "Start\nAcct-Session-Id = passes",
		"Service-Type = Framed-User\nNAS-Port = 1\nUser-Name = alice\nAcct-Status-Type = Start\nAcct-Session-Id = user",
		call + "Stop\nAcct-Session-Id = passes\nAcct-Session-Time = 60",
		call + "Start\nAcct-Session-Id = fails",
		call + "Interim-Update\nAcct-Session-Id = fails",
		call + "Stop\nAcct-Session-Id = fails\nAcct-Session-Time = 5",
	} {
		r.report(byte(i), parsed(t, strings.Split(sent, "\n"), radius.Standard()))
	}
	want := []string{
		"Service-Type = Call-Check", "NAS-Port = 1", "Acct-Status-Type = Stop", "Acct-Session-Id = 00000003", "Acct-Session-Time = 5",
		"Acct-Multi-Session-Id = aaasess-00000003-now", "NAS-IP-Address = 127.0.0.1", "Event-Timestamp = now", "Acct-Delay-Time = 0",
	}
	if diff := cmp.Diff(want, printed(r.next(), time.Now().Add(-wireWait))); diff != "" {
		t.Errorf("want (-) and on the wire (+):\n%s", diff)
	}
	r.report(99, parsed(t, []string{"Service-Type = Call-Check", "Acct-Status-Type = Stop", "Acct-Session-Id = last"}, radius.Standard()))
	if got := r.next(); got.attrs.Text(radius.AcctSessionID) != "00000004" {
		t.Errorf("a record of a call that did not fail: %v", printed(got, time.Now()))
	}
}

// printed returns the attributes that the server got, with "now" for what depends on the clock.
func printed(got received, sent time.Time) (lines []string) {
	for p := range radius.Standard().Print(got.attrs) {
		text := now(p.Name, got, sent, p.Text)
		if p.Name == "Acct-Multi-Session-Id" {
			text = text[:len(text)-8] + "now"
		}
		lines = append(lines, p.Name+" = "+text)
	}
	return lines
}
