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
	s := startRelay(t, partner.FreeRADIUSOptions{Users: ispUsers, Certificates: c}, keys{})
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
