//go:build partners

package main

import (
	"strings"
	"testing"

	"aaasess/internal/partner"
)

// TestRelayTunnels: users log in by EAP in tunnels, in many rounds with fragments. The keys of the
// tunnel, which the server encrypts for us in its Access-Accept, are right at the NAS, which has
// another secret.
func TestRelayTunnels(t *testing.T) {
	c := partner.NewCertificates(t)
	s := startRelay(t, 1, partner.FreeRADIUSOptions{Users: ispUsers, Certificates: c}, keys{})
	for _, method := range []string{"TTLS", "PEAP"} {
		if err := s.EAPOLTest(relayAuth, siteSecret, method, partner.Login{User: "alice", Password: "secret"}, c); err != nil {
			t.Errorf("%s: %v", method, err)
		}
		if err := s.EAPOLTest(relayAuth, siteSecret, method, partner.Login{User: "alice", Password: "wrong"}, c); err == nil || !strings.Contains(err.Error(), "FAILURE") {
			t.Errorf("%s with a wrong password: %v", method, err)
		}
	}
	s.wantSigned()
	if n := len(s.fr.Logins()); n < 20 {
		t.Errorf("only %d rounds are at the server", n)
	}
}

// TestRelayTunnelsOfTwoServers: a group gives each request to another server. All rounds of a login are
// at one of them, because the other one does not know the conversation. When one server has died, all
// users get in by the other one.
func TestRelayTunnelsOfTwoServers(t *testing.T) {
	c := partner.NewCertificates(t)
	s := startRelay(t, 2, partner.FreeRADIUSOptions{Users: ispUsers, Certificates: c}, keys{
		group: ", access-algorithm: round-robin, timeout: 500ms, retransmit: 1, hold-down: 1h",
	})
	alice := partner.Login{User: "alice", Password: "secret"}
	login := func() {
		t.Helper()
		if err := s.EAPOLTest(relayAuth, siteSecret, "PEAP", alice, c); err != nil {
			t.Error(err)
		}
	}
	for range 6 {
		login()
	}
	first, second := len(s.all[0].Logins()), len(s.all[1].Logins())
	if first == 0 || second == 0 {
		t.Errorf("the servers have %d and %d requests", first, second)
	}
	s.all[1].Kill()
	for range 4 {
		login()
	}
	if n := len(s.all[1].Logins()); n != second {
		t.Errorf("the dead server has %d requests more", n-second)
	}
}

// TestRelayBehindProxy: the NAS of the daemon is a proxy. It adds Proxy-State, and
// Message-Authenticator behind other attributes; it reads the keys and encrypts them for its own NAS.
func TestRelayBehindProxy(t *testing.T) {
	c := partner.NewCertificates(t)
	s := startRelay(t, 1, partner.FreeRADIUSOptions{Users: ispUsers, Certificates: c}, keys{})
	proxy := partner.FreeRADIUSProxy(t, partner.FreeRADIUSProxyOptions{Acct: relayAcct, Auth: relayAuth, Secret: siteSecret, In: s.In()})
	for _, method := range []string{"TTLS", "PEAP"} {
		if err := s.EAPOLTest(proxy.AuthAddr, siteSecret, method, partner.Login{User: "alice", Password: "secret"}, c); err != nil {
			t.Errorf("%s: %v", method, err)
		}
	}
	s.wantSigned()
	for _, r := range s.fr.Logins() {
		if n := len(r.All("Proxy-State")); n != 2 {
			t.Errorf("%d Proxy-States in %v", n, r)
		}
	}
}
