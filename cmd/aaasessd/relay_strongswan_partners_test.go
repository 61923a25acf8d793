//go:build partners

package main

import (
	"testing"

	"aaasess/internal/partner"
)

// TestRelayStrongSwan: users of strongSwan log in by EAP inside IKEv2. The records have the name and
// the Class that the server has granted, which strongSwan ignores; a Disconnect-Request must name
// the user as strongSwan knows it.
func TestRelayStrongSwan(t *testing.T) {
	s := startRelay(t, 1, partner.FreeRADIUSOptions{Users: ispUsers}, keys{client: ", disconnect: {profile: strongswan}", accounting: "  update: {minimum: 1s}\n  send-stop-record: {authentication-failure: true}\n"})
	c := partner.NewCertificates(t)
	peer := s.Neighbor("vg", "vc")
	gateway := s.StrongSwan(partner.StrongSwanOptions{Interface: "vg", Auth: relayAuth, Acct: relayAcct, Secret: siteSecret, Certificates: c})
	users := peer.StrongSwanClient("vc", c, partner.Login{User: "alice", Password: "secret"}, partner.Login{User: "mallory", Password: "wrong"})

	if err := users.Connect("alice"); err != nil {
		t.Fatal(err)
	}
	started := s.await("Start", "alice@isp")
	want := map[string][]string{
		"User-Name": {"alice@isp"}, "Class": {"0x0102feff00", "0x00"}, "Acct-Session-Id": {"00000001"},
		"NAS-Identifier": {partner.StrongSwanID}, "Framed-IP-Address": {"10.88.1.1"},
	}
	wantValues(t, started, want)
	s.wantSigned()
	eventually(t, "an interim is at the server", func() bool { return len(s.records("Interim-Update", "alice@isp")) > 0 })

	if err := users.Connect("mallory"); err == nil {
		t.Error("a wrong password is accepted")
	}
	failed := s.await("Stop", "mallory")
	wantValues(t, failed, map[string][]string{"NAS-Identifier": {partner.StrongSwanID}, "Class": nil, "Acct-Terminate-Cause": {"User-Error"}})

	if n := gateway.Connected(); n != 1 {
		t.Errorf("%d users are connected", n)
	}
	s.aaasess("disconnect", "--user", "alice@isp")
	stopped := s.await("Stop", "alice@isp")
	if s.daemon.Said("disconnect: sending another request") != 0 {
		t.Error("strongSwan has not taken the first request of its profile")
	}
	want["Acct-Terminate-Cause"] = []string{"Admin-Reset"}
	wantValues(t, stopped, want)
	eventually(t, "no user is connected", func() bool { return gateway.Connected() == 0 })
}
