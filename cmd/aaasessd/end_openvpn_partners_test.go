//go:build partners

package main

import (
	"strings"
	"testing"

	"aaasess/internal/partner"
)

// TestEndOpenVPN: radiusplugin knows no RFC 5176, so the management interface of OpenVPN ends its
// sessions. A SET of casnDisconnect throws the user off, and the stop of the plugin carries
// Admin-Reset. Without the password nothing ends, and the manager's user is told why.
func TestEndOpenVPN(t *testing.T) {
	const local = "  update: {minimum: 1s}\nlocal: {socket: local.sock, openvpn: [{name: office, address: '" + partner.OpenVPNManagement + "', password: PASSWORD}]}\n"
	k := keys{
		client: ", message-authenticator: auto, disconnect: {profile: none, openvpn: office}", server: ", message-authenticator: auto",
		accounting: strings.Replace(local, "PASSWORD", "wrong", 1),
	}
	s := startRelay(t, 1, partner.FreeRADIUSOptions{Users: ispUsers}, k)
	c := partner.NewCertificates(t)
	peer := s.Neighbor("vo", "vc")
	s.OpenVPN(partner.OpenVPNOptions{Interface: "vo", Auth: relayAuth, Acct: relayAcct, Secret: siteSecret, Certificates: c, ManagementPassword: "right"})
	alice := peer.OpenVPNClient("vc", partner.Login{User: "alice", Password: "secret"}, c, "Initialization Sequence Completed")
	s.await("Start", "alice@isp")
	eventually(t, "an interim shows that the tunnel is up", func() bool { return len(s.records("Interim-Update", "alice@isp")) > 0 })

	s.Run("snmpset", "-v2c", "-c", "operators", "-On", "-t5", "-r1", relaySNMP, casnDiscon+"1", "i", "1")
	eventually(t, "the wrong password is told", func() bool {
		return s.daemon.Said("disconnect: session not ended", "user=alice@isp", "its management interface refuses the password") > 0
	})
	k.accounting = strings.Replace(local, "PASSWORD", "right", 1)
	s.reload(k)
	stopped := s.await("Stop", "alice@isp")
	wantValues(t, stopped, map[string][]string{"Acct-Terminate-Cause": {"Admin-Reset"}, "Acct-Session-Id": {"00000001"}})
	eventually(t, "the client is told to stop", func() bool { return alice.Said("server-pushed-halt") > 0 })
	if s.daemon.Said("disconnect: NAS sent an ACK", "user=alice@isp", "outcome=ACK") != 1 || s.daemon.Said("making the stop record") != 0 {
		t.Error("the stop is not the plugin's, or the log does not show the ACK")
	}
	if text := s.aaasess("show", "sessions"); strings.Contains(text, "alice") {
		t.Error(text)
	}
}
