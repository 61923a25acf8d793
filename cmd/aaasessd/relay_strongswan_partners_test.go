//go:build partners

package main

import (
	"strings"
	"testing"

	"aaasess/internal/partner"
)

// TestRelayStrongSwan: users of strongSwan log in by EAP inside IKEv2. The records have the name and
// the Class that the server has granted, which strongSwan ignores; a Disconnect-Request must name
// the user as strongSwan knows it, also if the server ends the session.
func TestRelayStrongSwan(t *testing.T) {
	s := startRelay(t, 1, partner.FreeRADIUSOptions{Users: ispUsers}, keys{
		client:     ", disconnect: {profile: strongswan}",
		radius:     byServers,
		accounting: "  update: {minimum: 1s}\n  send-stop-record: {authentication-failure: true}\n",
	})
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

	if err := users.Connect("alice"); err != nil {
		t.Fatal(err)
	}
	s.endByServer("alice@isp", gateway)
}

// endByServer ends the second session of a user by radclient, as the server, with the Acct-Session-Id
// and the User-Name of its record, neither of which strongSwan knows.
func (s *relaySite) endByServer(user string, gateway *partner.StrongSwanProc) {
	s.t.Helper()
	second := func(status string) (r partner.DetailRecord) {
		eventually(s.t, "the second "+status+" of "+user+" is at the server", func() bool { return len(s.records(status, user)) == 2 })
		return s.records(status, user)[1]
	}
	id := second("Start").Get("Acct-Session-Id")
	got := s.radclientChange("disconnect", "Acct-Session-Id = \""+id+"\"", "User-Name = \""+user+"\"", "Message-Authenticator = 0x00")
	if !strings.Contains(got, "Received Disconnect-ACK") {
		s.t.Errorf("radclient prints %s", got)
	}
	wantValues(s.t, second("Stop"), map[string][]string{"Acct-Session-Id": {id}, "Acct-Terminate-Cause": {"User-Request"}}) // strongSwan's, which stays
	eventually(s.t, "the server has thrown the user off", func() bool { return gateway.Connected() == 0 })
}
