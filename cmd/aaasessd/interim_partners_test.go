//go:build partners

package main

import (
	"strconv"
	"testing"

	"github.com/google/go-cmp/cmp"

	"aaasess/internal/partner"
)

// TestInterimsFreeRADIUS: FreeRADIUS has the interims that the daemon makes of a session that a NAS
// only starts, with the values of S1's "Generating Interim Accounting Records": all that is recorded
// for the user up to then.
func TestInterimsFreeRADIUS(t *testing.T) {
	d := start(t, setup{update: "periodic: 1s, minimum: 1s"})
	d.account(record("Start", "S1", "alice", "NAS-Port = 5", "Service-Type = Framed-User", "Framed-Protocol = PPP",
		"Class = 0x0102", "Called-Station-Id = 4327528", "Connect-Info = \"V.90\""))
	d.account(record("Start", "S1", "alice", "NAS-Port = 5", "Service-Type = Framed-User", "Framed-Protocol = PPP",
		"Class = 0x0102", "Called-Station-Id = 4327528", "Connect-Info = \"V.90\"", "Framed-IP-Address = 10.1.1.2"))
	var made []map[string]string
	eventually(t, "three interims arrive", func() bool {
		made = nil
		for _, r := range d.servers[0].Detail() {
			if m := fieldsOf(r); m["Acct-Status-Type"] == "Interim-Update" && m["Acct-Session-Time"] != "" {
				made = append(made, m)
			}
		}
		return len(made) >= 3
	})
	before := 0
	for _, m := range made {
		seconds, err := strconv.Atoi(m["Acct-Session-Time"])
		if err != nil || seconds < max(1, before) {
			t.Errorf("Acct-Session-Time %q after %d", m["Acct-Session-Time"], before)
		}
		before = seconds
		for _, varies := range []string{"Acct-Session-Time", "Acct-Delay-Time", "Timestamp", "Event-Timestamp", "Acct-Unique-Session-Id", "Tmp-String-9", "FreeRADIUS-Acct-Session-Start-Time"} {
			delete(m, varies)
		}
		want := map[string]string{
			"Acct-Status-Type": "Interim-Update", "Acct-Session-Id": "00000001", "User-Name": "alice", "NAS-IP-Address": "127.0.0.1",
			"NAS-Port": "5", "Service-Type": "Framed-User", "Framed-Protocol": "PPP", "Framed-IP-Address": "10.1.1.2",
			"Class": "0x0102", "Called-Station-Id": "4327528",
		}
		if diff := cmp.Diff(want, m); diff != "" {
			t.Errorf("want (-), got (+):\n%s", diff)
		}
	}
}

// fieldsOf returns the attributes of a record by name.
func fieldsOf(r partner.DetailRecord) map[string]string {
	m := map[string]string{}
	for _, attr := range r {
		m[attr.Name] = attr.Value
	}
	return m
}
