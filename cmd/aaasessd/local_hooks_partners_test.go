//go:build partners

package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"testing"

	"aaasess/internal/partner"
)

// hookEnvironment returns what a hook needs to find the command and the daemon of a site.
func (s *relaySite) hookEnvironment() map[string]string {
	return map[string]string{
		"PATH":                   filepath.Dir(cli(s.t)) + ":/usr/sbin:/usr/bin:/sbin:/bin",
		"AAASESS_LOCAL_SOCKET":   filepath.Join(s.dir, "local.sock"),
		"AAASESS_OPENVPN_END":    "road",
		"AAASESS_STRONGSWAN_END": "ipsec",
	}
}

// hookPath returns the absolute path of a hook.
func hookPath(t *testing.T, name string) string {
	t.Helper()
	file, err := filepath.Abs("../../deploy/hooks/" + name)
	if err != nil {
		t.Fatal(err)
	}
	return file
}

// wantTraffic checks the counters of a record.
func wantTraffic(t *testing.T, r partner.DetailRecord) {
	t.Helper()
	for _, name := range []string{"Acct-Input-Octets", "Acct-Output-Octets"} {
		if n, err := strconv.Atoi(r.Get(name)); err != nil || n < 1000 {
			t.Errorf("%s is %q", name, r.Get(name))
		}
	}
}

// TestHookOpenVPN: the users of an OpenVPN server without RADIUS are sessions, by its hook. One ends by
// himself; the daemon ends the other one by the management interface.
func TestHookOpenVPN(t *testing.T) {
	management := filepath.Join(t.TempDir(), "management")
	s := startRelay(t, 1, partner.FreeRADIUSOptions{Users: ispUsers}, keys{accounting: "local:\n  socket: local.sock\n  openvpn: [{name: road, address: " + management + "}]\n"})
	c := partner.NewCertificates(t)
	peer := s.Neighbor("vo", "vc")
	v := s.OpenVPN(partner.OpenVPNOptions{Interface: "vo", Certificates: c, Hook: hookPath(t, "openvpn/report"), Environment: s.hookEnvironment(), Management: management})
	for user, cause := range map[string][]string{"alice": nil, "bob": {"Admin-Reset"}} {
		client := peer.OpenVPNClient("vc", partner.Login{User: user, Password: "x"}, c, "Initialization Sequence Completed")
		started := s.await("Start", user)
		want := map[string][]string{"User-Name": {user}, "Framed-IP-Address": {started.Get("Framed-IP-Address")}, "Calling-Station-Id": {partner.OpenVPNPeer}, "NAS-Port-Id": {"tun0"}}
		wantValues(t, started, want)
		if s.number(user) == "" {
			t.Errorf("%s has no row", user)
		}
		peer.Run("bash", "-c", "head -c 1200 /dev/zero >/dev/udp/10.77.0.1/9")
		if cause == nil {
			v.EndUser(user)
		} else {
			s.aaasess("disconnect", "--user", user)
		}
		stopped := s.await("Stop", user)
		if cause != nil {
			want["Acct-Terminate-Cause"] = cause
		}
		wantValues(t, stopped, want)
		wantTraffic(t, stopped)
		client.Stop()
	}
}

// TestHookStrongSwan: the users of a strongSwan gateway without RADIUS are sessions, by its hook. One
// logs out; the daemon ends the other one by swanctl.
func TestHookStrongSwan(t *testing.T) {
	vici := filepath.Join(t.TempDir(), "vici")
	disconnect := hookPath(t, "strongswan/disconnect")
	s := startRelay(t, 1, partner.FreeRADIUSOptions{Users: ispUsers}, keys{
		accounting: "local:\n  socket: local.sock\n  commands: [{name: ipsec, run: [" + disconnect + ", \"{address}\", --uri, \"unix://" + vici + "\"], user: \"" + fmt.Sprint(os.Getuid()) + "\", not-found: 3}]\n",
	})
	c := partner.NewCertificates(t)
	peer := s.Neighbor("vg", "vc")
	logins := []partner.Login{{User: "alice", Password: "secret"}, {User: "bob", Password: "secret"}}
	hook := "env"
	for name, value := range s.hookEnvironment() {
		hook += " " + name + "=" + value
	}
	s.StrongSwan(partner.StrongSwanOptions{Interface: "vg", Certificates: c, Hook: hook + " " + hookPath(t, "strongswan/updown"), Logins: logins, Socket: vici})
	users := peer.StrongSwanClient("vc", c, logins...)
	for user, cause := range map[string][]string{"alice": nil, "bob": {"Admin-Reset"}} {
		if err := users.Connect(user); err != nil {
			t.Fatal(err)
		}
		started := s.await("Start", user)
		want := map[string][]string{"User-Name": {user}, "Framed-IP-Address": {started.Get("Framed-IP-Address")}, "Calling-Station-Id": {"192.0.2.2"}, "NAS-Port-Id": {"net"}}
		wantValues(t, started, want)
		if s.number(user) == "" {
			t.Errorf("%s has no row", user)
		}
		if cause == nil {
			users.Disconnect(user)
		} else {
			s.aaasess("disconnect", "--user", user)
			want["Acct-Terminate-Cause"] = cause
		}
		wantValues(t, s.await("Stop", user), want)
	}
}
