//go:build partners

package main

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"aaasess/internal/partner"
)

// ispUsers are users whose password is "secret". FreeRADIUS has another name for them, wants
// interims every two seconds, which hostapd ignores because it is less than a minute, and gives each
// two Classes, which are no text.
const ispUsers = `DEFAULT Cleartext-Password := "secret"
	User-Name := "%{User-Name}@isp",
	Class = 0x0102feff00,
	Class += 0x00,
	Acct-Interim-Interval = 2,
	Session-Timeout = 3600
`

// TestRelayHostapd is the life of one session of hostapd: the login by EAP, the start, interims, the
// row, and its end by SNMP.
func TestRelayHostapd(t *testing.T) {
	w := startWired(t, strings.TrimSuffix(ispUsers, "\n")+",\n\tFramed-IP-Address = 10.9.0.7\n", keys{accounting: "  update: {minimum: 1s}\n"})
	supplicant := w.users.Supplicants(wiredStation, partner.Login{User: "alice", Password: "secret"})
	started := w.await("Start", "alice@isp")
	if n := w.hostapd.Authorized(); n != 1 || supplicant.Successes() != 1 {
		t.Errorf("hostapd lets %d through", n)
	}
	w.wantSigned()
	logins := w.fr.Logins()
	for i, r := range logins {
		wantValues(t, r, map[string][]string{
			"User-Name": {"alice"}, "NAS-Identifier": {partner.HostapdID}, "Calling-Station-Id": {"02-00-00-00-00-01"}, "User-Password": nil,
		})
		if state := r.All("State"); len(state) != min(i, 1) {
			t.Errorf("round %d: State %q", i+1, state)
		}
	}
	want := map[string][]string{
		"User-Name": {"alice@isp"}, "Class": {"0x0102feff00", "0x00"}, "Acct-Session-Id": {"00000001"},
		"Calling-Station-Id": {"02-00-00-00-00-01"}, "NAS-Identifier": {partner.HostapdID}, "Framed-IP-Address": {"10.9.0.7"},
	}
	wantValues(t, started, want)

	// FreeRADIUS asked for the interims by its Access-Accept.
	eventually(t, "two interims are at the server", func() bool { return len(w.records("Interim-Update", "alice@isp")) >= 2 })
	for _, r := range w.records("Interim-Update", "alice@isp") {
		wantValues(t, r, want)
	}

	if got := w.snmp("snmpwalk", casnRoot); !strings.Contains(got, `.1.3.1.2.1 = STRING: "alice@isp"`) || !strings.Contains(got, ".1.3.1.3.1 = IpAddress: 10.9.0.7") {
		t.Errorf("the row: %s", got)
	}
	if got := w.snmp("snmpset", casnDiscon+"1", "i", "1"); !strings.Contains(got, "INTEGER: 1") {
		t.Errorf("snmpset: %s", got)
	}
	stopped := w.await("Stop", "alice@isp")
	want["Acct-Terminate-Cause"] = []string{"Admin-Reset"}
	wantValues(t, stopped, want)
	eventually(t, "hostapd has thrown the user off", func() bool { return w.hostapd.Authorized() == 0 })
	if got := w.snmp("snmpwalk", strings.TrimSuffix(casnUserID, ".")); strings.Contains(got, "alice") {
		t.Errorf("the row after the end: %s", got)
	}
}

// TestRelayHostapdFifty: fifty users log in at once. Forty have the right password, and become
// sessions; for each of the others there is a stop record (R49).
func TestRelayHostapdFifty(t *testing.T) {
	const users, rejected = 50, 10
	w := startWired(t, "DEFAULT Cleartext-Password := \"secret\"\n\tClass = \"%{User-Name}\",\n\tClass += \"%{Calling-Station-Id}\"\n",
		keys{accounting: "  send-stop-record: {authentication-failure: true}\n"})
	var logins []partner.Login
	for i := range users {
		login := partner.Login{User: fmt.Sprintf("user%02d", i), Password: "secret"}
		if i%5 == 0 {
			login.Password = "wrong"
		}
		logins = append(logins, login)
	}
	w.users.Supplicants(wiredStation, logins...)
	count := func(status string) (n int) {
		for _, r := range w.fr.Detail() {
			if r.Get("Acct-Status-Type") == status {
				n++
			}
		}
		return n
	}
	var starts, stops int
	eventually(t, "all starts and stops are at the server", func() bool {
		starts, stops = count("Start"), count("Stop")
		return starts >= users-rejected && stops >= rejected
	}, &starts, &stops)
	if n := w.hostapd.Authorized(); n != users-rejected {
		t.Errorf("hostapd lets %d through, want %d", n, users-rejected)
	}
	w.wantSigned()
	for i, login := range logins {
		starts, stops := w.records("Start", login.User), w.records("Stop", login.User)
		if login.Password == "wrong" {
			if len(starts) != 0 || len(stops) != 1 {
				t.Errorf("%s is rejected: %d starts, %d stops", login.User, len(starts), len(stops))
				continue
			}
			wantValues(t, stops[0], map[string][]string{"Acct-Terminate-Cause": {"User-Error"}, "Class": nil, "NAS-Identifier": {partner.HostapdID}})
			continue
		}
		if len(starts) != 1 || len(stops) != 0 {
			t.Errorf("%s: %d starts, %d stops", login.User, len(starts), len(stops))
			continue
		}
		station := fmt.Sprintf("02-00-00-00-00-%02X", i+1)
		wantValues(t, starts[0], map[string][]string{
			"Class": {fmt.Sprintf("0x%x", login.User), fmt.Sprintf("0x%x", station)}, "Calling-Station-Id": {station},
		})
	}
}

// TestRelayHostapdServerAway: the first server of the group falls silent. Users get in by the
// second one, and their accounting goes there.
func TestRelayHostapdServerAway(t *testing.T) {
	const users = 20
	w := startWiredOf(t, 2, "DEFAULT Cleartext-Password := \"secret\"\n\tClass = \"%{User-Name}\"\n", keys{
		group: ", timeout: 500ms, retransmit: 1, hold-down: 1h",
	})
	var logins []partner.Login
	for i := range users {
		logins = append(logins, partner.Login{User: fmt.Sprintf("user%02d", i), Password: "secret"})
	}
	w.users.Supplicants(wiredStation, logins[:users/4]...)
	eventually(t, "the first users are let through", func() bool { return w.hostapd.Authorized() == users/4 })
	w.all[0].Pause()
	w.users.Supplicants(wiredStation, logins[users/4:]...)
	eventually(t, "all users are let through", func() bool { return w.hostapd.Authorized() == users })
	w.all[0].Resume() // it has requests in its socket, whose answers are late
	started := map[string]bool{}
	eventually(t, "all starts are at a server", func() bool {
		for _, fr := range w.all {
			for _, r := range fr.Detail() {
				if r.Get("Acct-Status-Type") == "Start" {
					started[r.Get("User-Name")] = true
					wantValues(t, r, map[string][]string{"Class": {fmt.Sprintf("0x%x", r.Get("User-Name"))}})
				}
			}
		}
		return len(started) == users
	}, &started)
	if w.daemon.Said("RADIUS server does not answer", "server=freeradius1") == 0 {
		t.Error("the log does not say that the first server is dead")
	}
}

// TestRelayHostapdAgain: a user of hostapd logs in again during the session. What the server grants
// then, with the new login, is in the records that follow.
func TestRelayHostapdAgain(t *testing.T) {
	const users = "DEFAULT Cleartext-Password := \"secret\"\n\tClass = \"login %{State}\",\n\tAcct-Interim-Interval = 1\n"
	w := startWired(t, users, keys{accounting: "  update: {minimum: 1s}\n"})
	supplicant := w.users.Supplicants(wiredStation, partner.Login{User: "alice", Password: "secret"})
	first := w.await("Start", "alice").All("Class")
	if len(first) != 1 {
		t.Fatalf("Class %q", first)
	}
	eventually(t, "an interim is at the server", func() bool { return len(w.records("Interim-Update", "alice")) > 0 })
	supplicant.Begin()
	eventually(t, "alice has logged in again", func() bool { return supplicant.Successes() == 2 })
	eventually(t, "an interim has the Class of the new login", func() bool {
		all := w.records("Interim-Update", "alice")
		second := all[len(all)-1].All("Class")
		return len(second) == 1 && second[0] != first[0]
	})
	if starts, stops := w.records("Start", "alice"), w.records("Stop", "alice"); len(starts) != 1 || len(stops) != 0 || w.number("alice") != "1" {
		t.Errorf("%d starts and %d stops, the number is %s", len(starts), len(stops), w.number("alice"))
	}
}

// TestRelayHostapdBlocked is S3's blocking of authentication: while the server of accounting has not
// answered the Accounting-On, nobody logs in. hostapd asks again, and its user gets in then.
func TestRelayHostapdBlocked(t *testing.T) {
	const groups = `, timeout: 1s, retransmit: 60, acct-on-off: {oper-state-change: true, group: tied}}, {name: logins, servers: [freeradius1], acct-on-off: {monitor-group: tied}`
	w := startWired(t, "DEFAULT Cleartext-Password := \"secret\"\n", keys{
		group: groups, logins: "logins", radius: "  acct-on-off-groups: [{name: tied}]\n",
	})
	// That one has answered the Accounting-On already.
	w.daemon.Stop()
	w.fr.Kill()
	w.daemon.Start()
	before := len(w.fr.Detail())
	supplicant := w.users.Supplicants(wiredStation, partner.Login{User: "alice", Password: "secret"})
	eventually(t, "hostapd has asked", func() bool { return w.hostapd.Said("02:00:00:00:00:01", "STA identity 'alice'") > 0 })
	eventually(t, "a login is dropped", func() bool { return w.daemon.Said("access request dropped", "blocked") > 0 })
	if n := supplicant.Successes(); n != 0 {
		t.Errorf("%d logins without a server for accounting", n)
	}
	w.fr.Start()
	w.await("Start", "alice")
	var types []string
	for _, r := range w.fr.Detail()[before:] {
		types = append(types, r.Get("Acct-Status-Type"))
	}
	if !slices.Equal(slices.Compact(types), []string{"Accounting-On", "Start"}) {
		t.Errorf("the records since then are %q", types)
	}
}

// TestRelayHostapdSetup: with "populate setup" (R13), the row of a user of hostapd is there before its
// accounting, which is slow here. The session has the number of the row.
func TestRelayHostapdSetup(t *testing.T) {
	w := &wired{relaySite: startRelay(t, 1, partner.FreeRADIUSOptions{Users: ispUsers}, keys{snmp: "  session-mib-populate: setup\n"})}
	w.users = w.Neighbor(wiredTrunk, wiredStation)
	w.startHostapd("127.0.0.1:1")
	w.users.Supplicants(wiredStation, partner.Login{User: "alice", Password: "secret"})
	eventually(t, "the row is there", func() bool {
		return strings.Contains(w.snmp("snmpwalk", casnRoot), `.1.3.1.2.1 = STRING: "alice@isp"`)
	})
	if n := len(w.fr.Detail()); n != 0 {
		t.Errorf("%d records of a session that has not started", n)
	}
	if _, err := w.Try("snmpset", "-v2c", "-c", "operators", relaySNMP, casnDiscon+"1", "i", "1"); err == nil || !strings.Contains(err.Error(), "inconsistentValue") {
		t.Errorf("snmpset: %v", err)
	}
	login := w.fr.Logins()[0]
	w.account("Acct-Status-Type = Start", "Acct-Session-Id = "+login.Get("Acct-Session-Id"), "User-Name = alice@isp", "NAS-IP-Address = 127.0.0.1",
		"NAS-Identifier = "+partner.HostapdID, "Calling-Station-Id = 02-00-00-00-00-01")
	wantValues(t, w.await("Start", "alice@isp"), map[string][]string{"Acct-Session-Id": {"00000001"}, "Class": {"0x0102feff00", "0x00"}})
	if rows := w.snmp("snmpwalk", strings.TrimSuffix(casnUserID, ".")); strings.Count(rows, "STRING") != 1 {
		t.Errorf("the rows: %s", rows)
	}
	w.snmp("snmpset", casnDiscon+"1", "i", "1")
	eventually(t, "hostapd has thrown the user off", func() bool { return w.hostapd.Authorized() == 0 })
}

// TestRelayHostapdRenamed: a user of hostapd logs in again, and FreeRADIUS gives another name. hostapd
// knows the user by the new name from then on, and refuses a Disconnect-Request with the old one.
func TestRelayHostapdRenamed(t *testing.T) {
	w := startWired(t, "DEFAULT Cleartext-Password := \"secret\"\n\tUser-Name := \"%{User-Name} %{State}\"\n", keys{})
	supplicant := w.users.Supplicants(wiredStation, partner.Login{User: "alice", Password: "secret"})
	name := func() string {
		_, quoted, _ := strings.Cut(w.snmp("snmpwalk", strings.TrimSuffix(casnUserID, ".")), "STRING: ")
		return strings.TrimSpace(quoted)
	}
	eventually(t, "the row is there", func() bool { return strings.HasPrefix(name(), `"alice `) })
	first := name()
	supplicant.Begin()
	eventually(t, "the row has the new name", func() bool { return strings.HasPrefix(name(), `"alice `) && name() != first })
	w.snmp("snmpset", casnDiscon+"1", "i", "1")
	eventually(t, "hostapd has thrown the user off", func() bool { return w.hostapd.Authorized() == 0 })
}
