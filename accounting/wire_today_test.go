package accounting_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	acctradius "aaasess/accounting/radius"
	"aaasess/internal/radius"
)

// TestTodaysAttributesOnTheWire: what today's servers need (R46) reaches the server in the NAS's
// order, and what identifies the session also if the NAS sends it only in the start.
func TestTodaysAttributesOnTheWire(t *testing.T) {
	const start = `NAS-IP-Address = 172.16.25.15
NAS-Port = 5
NAS-Port-Type = Virtual
NAS-Port-Id = Uniq-Sess-ID5
User-Name = username1
Acct-Status-Type = Start
Acct-Session-Id = 00000001
Class = 0x0102
Class = 0x00
Chargeable-User-Identity = 0x6375696431
Acct-Multi-Session-Id = m1
Framed-Interface-Id = 0001:0203:0405:0607
Framed-IPv6-Prefix = 2001:db8:1::/64
Framed-IPv6-Prefix = 2001:db8:2::/64
Delegated-IPv6-Prefix = 2001:db8:8000::/56
Framed-IPv6-Address = 2001:db8:1::7
Connect-Info = 1000/1000`
	const stop = `NAS-IP-Address = 172.16.25.15
Acct-Status-Type = Stop
Acct-Session-Id = 00000001
Acct-Input-Octets = 7
Acct-Input-Gigawords = 3
Acct-Output-Octets = 8
Acct-Output-Gigawords = 1
Acct-Session-Time = 90000
Acct-Terminate-Cause = Idle-Timeout
Event-Timestamp = 2001-06-27T04:48:45Z`
	const clock = "\nEvent-Timestamp = now\nAcct-Delay-Time = 0"
	identity := strings.Join([]string{
		"NAS-Port = 5", "NAS-Port-Type = Virtual", "NAS-Port-Id = Uniq-Sess-ID5", "User-Name = username1",
		"Class = 0x0102", "Class = 0x00", "Chargeable-User-Identity = 0x6375696431", "Acct-Multi-Session-Id = m1",
		"Framed-Interface-Id = 0001:0203:0405:0607", "Framed-IPv6-Prefix = 2001:db8:1::/64", "Framed-IPv6-Prefix = 2001:db8:2::/64",
		"Delegated-IPv6-Prefix = 2001:db8:8000::/56", "Framed-IPv6-Address = 2001:db8:1::7",
	}, "\n")
	r := newRelay(t, acctradius.Spec{})
	for i, tt := range []struct{ name, sent, want string }{
		{"start", start, start + clock},
		{"interim without anything", "Acct-Status-Type = Interim-Update\nAcct-Session-Id = 00000001\nNAS-IP-Address = 172.16.25.15", "Acct-Status-Type = Interim-Update\nAcct-Session-Id = 00000001\nNAS-IP-Address = 172.16.25.15\n" + identity + clock},
		{"stop with what it must have", stop, stop + "\n" + identity + "\nAcct-Delay-Time = 0"},
	} {
		sent := time.Now()
		r.report(byte(i), parsed(t, strings.Split(tt.sent, "\n"), radius.Standard()))
		got := r.next()
		var have []string
		for p := range radius.Standard().Print(got.attrs) {
			have = append(have, p.Name+" = "+now(p.Name, got, sent, p.Text))
		}
		if diff := cmp.Diff(strings.Split(tt.want, "\n"), have); diff != "" {
			t.Errorf("%s: want (-) and on the wire (+):\n%s", tt.name, diff)
		}
	}
}
