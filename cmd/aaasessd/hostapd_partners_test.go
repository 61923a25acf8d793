//go:build partners

package main

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"aaasess/internal/partner"
)

// wired is a site whose NAS is hostapd, with one wired port that leads to the users.
type wired struct {
	*relaySite
	hostapd *partner.HostapdProc
	users   *partner.Namespace
}

const (
	wiredTrunk   = "vh0" // of hostapd
	wiredStation = "vs0" // of the users
)

func startWired(t *testing.T, users string, k keys) *wired {
	t.Helper()
	return startWiredOf(t, 1, users, k)
}

// startWiredOf is startWired with several servers.
func startWiredOf(t *testing.T, servers int, users string, k keys) *wired {
	t.Helper()
	w := &wired{relaySite: startRelay(t, servers, partner.FreeRADIUSOptions{Users: users}, k)}
	w.users = w.Neighbor(wiredTrunk, wiredStation)
	w.startHostapd(relayAcct)
	return w
}

// startHostapd starts hostapd, which sends its accounting to an address.
func (w *wired) startHostapd(acct string) {
	w.t.Helper()
	w.hostapd = w.Hostapd(partner.HostapdOptions{Interface: wiredTrunk, Auth: relayAuth, Acct: acct, Secret: siteSecret})
}

// connect starts a supplicant, and waits until its session is in the table.
func (w *wired) connect(user string) *partner.SupplicantsProc {
	w.t.Helper()
	p := w.users.Supplicants(wiredStation, partner.Login{User: user, Password: "secret"})
	eventually(w.t, "the session of "+user+" is there", func() bool { return w.number(user) != "" })
	return p
}

// ends waits until a user's session has ended and its stop is at the server.
func (w *wired) ends(user string) {
	w.t.Helper()
	var got []string
	eventually(w.t, "the stop of "+user+" is at the server", func() bool {
		got = nil
		for _, r := range w.records("Stop", user) {
			got = append(got, r.Get("Acct-Terminate-Cause"))
		}
		return slices.Equal(got, []string{"Admin-Reset"})
	}, &got)
	if n := w.number(user); n != "" {
		w.t.Errorf("the session of %s, %s, is still there", user, n)
	}
}

// wantLadder checks that the log has all steps of a disconnect: the NAS does not know the session
// of the first request, rejects the request with all known attributes, and answers the one with the
// fewest.
func (w *wired) wantLadder(user string) {
	w.t.Helper()
	const again = "disconnect: sending another request with other attributes"
	for _, words := range [][]string{
		{again, "user=" + user, "503"},
		{again, "user=" + user, "401"},
		{"disconnect: NAS does not have the session", "user=" + user},
	} {
		if w.daemon.Said(words...) == 0 {
			w.t.Errorf("the log has no line with %q", words)
		}
	}
}

// TestHostapdDisconnect ends sessions of a real hostapd with a real supplicant, first with its profile.
func TestHostapdDisconnect(t *testing.T) {
	w := startWired(t, "DEFAULT Cleartext-Password := \"secret\"\n", keys{client: ", disconnect: {profile: hostapd}"})

	// A session that hostapd has.
	supplicant := w.connect("alice")
	w.snmp("snmpset", casnDiscon+w.number("alice"), "i", "1")
	w.ends("alice")
	// hostapd sends the stop first: the session may have ended before the ACK arrives.
	if w.daemon.Said("disconnect: NAS sent an ACK", "user=alice")+w.daemon.Said("disconnect: session ended during the attempt", "user=alice", "outcome=ACK") == 0 {
		t.Error("hostapd did not agree")
	}
	supplicant.Stop()
	if w.daemon.Said("disconnect: sending another request") != 0 {
		t.Error("hostapd has not taken the first request of its profile")
	}

	// A wrong profile: hostapd refuses an attribute of it, the session ends all the same, and the log
	// says what would have been right.
	w.reload(keys{client: ", disconnect: {attributes: [User-Name, NAS-Port-Type, Acct-Session-Id, Event-Timestamp, Message-Authenticator]}"})
	supplicant = w.connect("dora")
	w.aaasess("disconnect", "--user", "dora")
	w.ends("dora")
	if w.daemon.Said("disconnect: NAS took other attributes", "user=dora", `attributes="[Acct-Session-Id User-Name]"`, "fitting=[juniper]") != 1 {
		t.Error("the log does not say which profile is right")
	}
	supplicant.Stop()
	w.reload(keys{})

	// A session that hostapd has lost: hostapd was killed, and its Accounting-On went elsewhere.
	w.connect("bob")
	w.hostapd.Kill()
	w.startHostapd("127.0.0.1:1")
	w.aaasess("disconnect", "--user", "bob")
	w.ends("bob")
	w.wantLadder("bob")

	// A session that hostapd never had, with attributes that hostapd rejects.
	w.account("Acct-Status-Type = Start", "Acct-Session-Id = 0123456789ABCDEF", "User-Name = carol", "NAS-IP-Address = 127.0.0.1",
		"NAS-Identifier = "+partner.HostapdID, "Calling-Station-Id = 02-00-00-00-00-01", "Framed-IP-Address = 192.0.2.7", "NAS-Port = 7")
	w.aaasess("disconnect", "--user", "carol")
	w.ends("carol")
	w.wantLadder("carol")
}

// account sends an Accounting-Request with these attributes as hostapd would.
func (w *wired) account(attrs ...string) {
	w.t.Helper()
	file := filepath.Join(w.t.TempDir(), "request")
	if err := os.WriteFile(file, []byte(strings.Join(attrs, "\n")+"\n"), 0o600); err != nil {
		w.t.Fatal(err)
	}
	w.Run("radclient", "-f", file, "-r", "2", "-t", "3", relayAcct, "acct", siteSecret)
}
