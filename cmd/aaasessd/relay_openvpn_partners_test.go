//go:build partners

package main

import (
	"path/filepath"
	"strings"
	"testing"

	"aaasess/internal/partner"
)

// TestRelayOpenVPN: OpenVPN's plugin sends passwords by PAP and signs nothing, and the server signs
// no answer to it. Its user gets in only when both may do so. Then the records have what the server
// has granted, though OpenVPN ignores it. It cannot end a session (profile none).
func TestRelayOpenVPN(t *testing.T) {
	s := startRelay(t, 1, partner.FreeRADIUSOptions{Users: ispUsers}, keys{})
	c := partner.NewCertificates(t)
	peer := s.Neighbor("vo", "vc")
	v := s.OpenVPN(partner.OpenVPNOptions{Interface: "vo", Auth: relayAuth, Acct: relayAcct, Secret: siteSecret, Certificates: c})
	alice := partner.Login{User: "alice", Password: "secret"}

	peer.OpenVPNClient("vc", alice, c, "AUTH_FAILED")
	if len(s.fr.Logins()) != 0 {
		t.Error("an unsigned Access-Request is at the server")
	}
	if s.daemon.Said("access request dropped", "client=nas", "no Message-Authenticator", "set message-authenticator of this client to auto or legacy") != 1 {
		t.Error("the log does not say why the request was dropped")
	}

	s.reload(keys{client: ", message-authenticator: auto"})
	peer.OpenVPNClient("vc", alice, c, "AUTH_FAILED")
	s.wantSigned()
	if s.daemon.Said("RADIUS answer dropped", "server=freeradius1", "no Message-Authenticator", "set its message-authenticator to auto or legacy") != 1 {
		t.Error("the log does not say why the answer was dropped")
	}

	s.reload(keys{client: ", message-authenticator: auto, disconnect: {profile: none}", server: ", message-authenticator: auto", accounting: "  update: {minimum: 1s}\n"})
	peer.OpenVPNClient("vc", alice, c, "Initialization Sequence Completed")
	started := s.await("Start", "alice@isp")
	want := map[string][]string{
		"User-Name": {"alice@isp"}, "Class": {"0x0102feff00", "0x00"}, "Acct-Session-Id": {"00000001"},
		"Framed-IP-Address": {"10.77.0.2"}, "Calling-Station-Id": {partner.OpenVPNPeer},
	}
	wantValues(t, started, want)
	s.wantSigned()
	if n := s.number("alice@isp"); n != "1" {
		t.Errorf("the number of the session is %q", n)
	}
	eventually(t, "an interim is at the server", func() bool { return len(s.records("Interim-Update", "alice@isp")) > 0 })

	// Nothing can end the session: radiusplugin has no RFC 5176. Whoever tries is told so.
	set := []string{"snmpset", "-v2c", "-c", "operators", "-On", "-t5", "-r1", relaySNMP, casnDiscon + "1", "i", "1"}
	if _, err := s.Try(set...); err == nil || !strings.Contains(err.Error(), "inconsistentValue") {
		t.Errorf("snmpset: %v", err)
	}
	const why = `client "nas" has disconnect.profile none: nothing can end the session`
	for _, which := range [][]string{{"00000001"}, {"--user", "alice@isp", "--yes"}} {
		argv := append([]string{cli(t), "--socket", filepath.Join(s.dir, "ctl.sock"), "disconnect"}, which...)
		if _, err := s.Try(argv...); err == nil || !strings.Contains(err.Error(), why) {
			t.Errorf("disconnect %q: %v", which, err)
		}
	}
	if s.daemon.Said("disconnect by SNMP refused", "user=alice@isp", "disconnect.profile none") != 1 || strings.Contains(s.aaasess("show", "sessions"), "terminating") {
		t.Error("the session is being ended, or the log does not say why not")
	}

	// What the server has granted is with the session, on disk.
	s.daemon.Kill()
	s.daemon.Start()
	v.EndUser("alice")
	stopped := s.await("Stop", "alice@isp")
	wantValues(t, stopped, want)
	if octets := stopped.Get("Acct-Input-Octets"); octets == "" || octets == "0" {
		t.Errorf("Acct-Input-Octets %q of a tunnel that was used", octets)
	}
}
