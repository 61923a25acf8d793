//go:build partners

package main

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	layeh "layeh.com/radius"
	"layeh.com/radius/rfc2865"
	"layeh.com/radius/rfc2866"
	"layeh.com/radius/rfc2868"

	"aaasess/internal/partner"
	"aaasess/sessions/radius/radiustest"
)

// radclientChange sends a Disconnect-Request ("disconnect") or a CoA-Request ("coa") as the server, and
// returns what radclient prints.
func (s *relaySite) radclientChange(kind string, attrs ...string) string {
	s.t.Helper()
	return s.radclientTries("3", "5", kind, attrs...)
}

// radclientTries is radclientChange with a number of transmissions, and the seconds that each waits for
// the answer.
func (s *relaySite) radclientTries(tries, wait, kind string, attrs ...string) string {
	s.t.Helper()
	argv := changeCommand(s.t, "127.0.0.1:3800", tries, wait, kind, s.fr.Secret, attrs)
	return s.Run(argv...)
}

// changeCommand returns a command that runs radclient. radclient fails after a NAK; the command does
// not.
func changeCommand(t *testing.T, to, tries, wait, kind, secret string, attrs []string) []string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "request")
	if err := os.WriteFile(file, []byte(strings.Join(attrs, "\n")+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	return []string{
		"sh", "-c", `radclient -x -f "$1" -r "$2" -t "$3" "$4" "$5" "$6" 2>&1 || true`, "sh",
		file, tries, wait, to, kind, secret,
	}
}

// wantEnded checks casnDisconnectedSessions, which counts what SETs and commands end.
func (s *relaySite) wantEnded(n int) {
	s.t.Helper()
	const disconnected = casnRoot + ".2.2.0"
	if got := s.snmp("snmpget", disconnected); !strings.HasSuffix(strings.TrimSpace(got), fmt.Sprintf("Counter32: %d", n)) {
		s.t.Errorf("casnDisconnectedSessions is %s, want %d", got, n)
	}
}

// named returns an attribute of a record, with its name, as radclient reads it.
func named(r partner.DetailRecord, name string) string {
	return fmt.Sprintf("%s = %q", name, r.Get(name))
}

// byServers are the keys with which servers may end and change sessions.
const byServers = "  dynamic-authorization: {listen: [\"127.0.0.1:3800\"], servers: [{server: freeradius1}]}\n"

// TestRelayHostapdUpstream: radclient, as the server, ends a session of hostapd by the Acct-Session-Id
// and the User-Name of its records, both of which hostapd does not know. hostapd throws the user off,
// and its stop goes to FreeRADIUS as it is.
func TestRelayHostapdUpstream(t *testing.T) {
	w := startWired(t, strings.TrimSuffix(ispUsers, "\n")+",\n\tFramed-IP-Address = 10.9.0.7\n",
		keys{radius: byServers})
	w.users.Supplicants(wiredStation, partner.Login{User: "alice", Password: "secret"})
	started := w.await("Start", "alice@isp")
	for _, tt := range []struct{ name, tries, kind, attrs, code, want string }{
		{"no such session", "3", "disconnect", "Acct-Session-Id = \"000000FF\"", "Disconnect-NAK", "Session-Context-Not-Found"},
		{"CoA with an attribute that hostapd cannot take", "3", "coa", "Acct-Session-Id = \"00000001\"\nReply-Message = \"hello\"", "CoA-NAK", "Unsupported-Attribute"},
		{"replayed", "1", "disconnect", "Acct-Session-Id = \"00000001\"\nEvent-Timestamp = \"Jan  1 2024 00:00:00 UTC\"", "No reply from server", ""},
	} {
		if got := w.radclientTries(tt.tries, "3", tt.kind, tt.attrs); !strings.Contains(got, tt.code) || !strings.Contains(got, tt.want) {
			t.Errorf("%s: radclient prints %s", tt.name, got)
		}
	}
	if n := w.hostapd.Authorized(); n != 1 {
		t.Fatalf("hostapd lets %d through", n)
	}
	got := w.radclientChange("disconnect", named(started, "Acct-Session-Id"), named(started, "User-Name"), named(started, "NAS-Identifier"),
		"Framed-IP-Address = 10.9.0.7", "Proxy-State = 0x0102", "Message-Authenticator = 0x00")
	if !strings.Contains(got, "Received Disconnect-ACK") || strings.Count(got, "Proxy-State = 0x0102") != 2 {
		t.Errorf("radclient prints %s", got)
	}
	stopped := w.await("Stop", "alice@isp")
	wantValues(t, stopped, map[string][]string{"Acct-Session-Id": {"00000001"}, "Acct-Terminate-Cause": nil}) // hostapd gives no cause
	eventually(t, "hostapd has thrown the user off", func() bool { return w.hostapd.Authorized() == 0 })
	if got := w.aaasess("show", "status"); !strings.Contains(got, "dynamic authorization") || !strings.Contains(got, "1 unknown session") {
		t.Errorf("the status is %s", got)
	}
}

// TestHostapdByServer: with the profile of hostapd, the first request is right. A server ends one user by
// the Acct-Session-Id of its records, and the stop stays as hostapd made it; a SET ends the other user, and
// only that one counts in casnDisconnectedSessions.
func TestHostapdByServer(t *testing.T) {
	w := startWired(t, ispUsers, keys{client: ", disconnect: {profile: hostapd}", radius: byServers})
	w.users.Supplicants(wiredStation, partner.Login{User: "alice", Password: "secret"})
	w.users.Supplicants(wiredStation, partner.Login{User: "bob", Password: "secret"})
	alice, bob := w.await("Start", "alice@isp"), w.await("Start", "bob@isp")

	if got := w.radclientChange("disconnect", named(alice, "Acct-Session-Id")); !strings.Contains(got, "Received Disconnect-ACK") {
		t.Errorf("radclient prints %s", got)
	}
	stopped := w.await("Stop", "alice@isp")
	wantValues(t, stopped, map[string][]string{
		"Acct-Session-Id": alice.All("Acct-Session-Id"), "Class": {"0x0102feff00", "0x00"}, "Acct-Terminate-Cause": nil, // hostapd gives none
	})
	eventually(t, "hostapd has thrown alice off", func() bool { return w.hostapd.Authorized() == 1 })
	w.wantEnded(0)

	w.snmp("snmpset", casnDiscon+w.number("bob@isp"), "i", "1")
	stopped = w.await("Stop", "bob@isp")
	wantValues(t, stopped, map[string][]string{"Acct-Session-Id": bob.All("Acct-Session-Id"), "Acct-Terminate-Cause": {"Admin-Reset"}})
	eventually(t, "hostapd has thrown bob off", func() bool { return w.hostapd.Authorized() == 0 })
	w.wantEnded(1)
	if w.daemon.Said("disconnect: sending another request") != 0 {
		t.Error("hostapd has not taken the first request of its profile")
	}
	if n := len(w.records("Stop", "alice@isp")); n != 1 {
		t.Errorf("%d stops of alice", n)
	}
}

// TestStrongSwanDisconnect: strongSwan finds sessions by User-Name only, which is not the one that the
// server has granted. A SET ends the tunnel of that user and no other one; a server ends the other.
func TestStrongSwanDisconnect(t *testing.T) {
	s := startRelay(t, 1, partner.FreeRADIUSOptions{Users: ispUsers}, keys{client: ", disconnect: {profile: strongswan}", radius: byServers})
	c := partner.NewCertificates(t)
	peer := s.Neighbor("vg", "vc")
	gateway := s.StrongSwan(partner.StrongSwanOptions{Interface: "vg", Auth: relayAuth, Acct: relayAcct, Secret: siteSecret, Certificates: c})
	users := peer.StrongSwanClient("vc", c, partner.Login{User: "alice", Password: "secret"}, partner.Login{User: "bob", Password: "secret"})
	for _, user := range []string{"alice", "bob"} {
		if err := users.Connect(user); err != nil {
			t.Fatal(err)
		}
	}
	alice, bob := s.await("Start", "alice@isp"), s.await("Start", "bob@isp")

	s.snmp("snmpset", casnDiscon+s.number("alice@isp"), "i", "1")
	wantValues(t, s.await("Stop", "alice@isp"), map[string][]string{
		"Acct-Session-Id": alice.All("Acct-Session-Id"), "Framed-IP-Address": alice.All("Framed-IP-Address"), "Acct-Terminate-Cause": {"Admin-Reset"},
	})
	eventually(t, "one tunnel is left at both ends", func() bool { return gateway.Connected() == 1 && users.Connected() == 1 })
	s.wantEnded(1)

	if got := s.radclientChange("disconnect", named(bob, "Acct-Session-Id")); !strings.Contains(got, "Received Disconnect-ACK") {
		t.Errorf("radclient prints %s", got)
	}
	wantValues(t, s.await("Stop", "bob@isp"), map[string][]string{
		"Acct-Session-Id": bob.All("Acct-Session-Id"), "Acct-Terminate-Cause": {"User-Request"}, // strongSwan's
	})
	eventually(t, "no tunnel is left", func() bool { return gateway.Connected()+users.Connected() == 0 })
	s.wantEnded(1)
	if s.daemon.Said("disconnect: sending another request") != 0 {
		t.Error("strongSwan has not taken the first request of its profile")
	}
}

// TestOpenVPNCannotBeEnded: OpenVPN's plugin has no RFC 5176 (profile none). Neither a SET nor a server
// ends a session of it, both are told so at once, and the user notices nothing.
func TestOpenVPNCannotBeEnded(t *testing.T) {
	s := startRelay(t, 1, partner.FreeRADIUSOptions{Users: ispUsers}, keys{
		client: ", message-authenticator: auto, disconnect: {profile: none}", server: ", message-authenticator: auto", radius: byServers,
		accounting: "  update: {minimum: 1s}\n",
	})
	c := partner.NewCertificates(t)
	peer := s.Neighbor("vo", "vc")
	v := s.OpenVPN(partner.OpenVPNOptions{Interface: "vo", Auth: relayAuth, Acct: relayAcct, Secret: siteSecret, Certificates: c})
	peer.OpenVPNClient("vc", partner.Login{User: "alice", Password: "secret"}, c, "Initialization Sequence Completed")
	started := s.await("Start", "alice@isp")

	set := []string{"snmpset", "-v2c", "-c", "operators", "-On", "-t5", "-r1", relaySNMP, casnDiscon + s.number("alice@isp"), "i", "1"}
	if _, err := s.Try(set...); err == nil || !strings.Contains(err.Error(), "inconsistentValue") {
		t.Errorf("snmpset: %v", err)
	}
	for kind, code := range map[string]string{"disconnect": "Disconnect-NAK", "coa": "CoA-NAK"} {
		got := s.radclientTries("1", "10", kind, named(started, "Acct-Session-Id"), "Proxy-State = 0x0102")
		if !strings.Contains(got, "Received "+code) || !strings.Contains(got, "Error-Cause = Proxy-Request-Not-Routable") || strings.Count(got, "Proxy-State = 0x0102") != 2 {
			t.Errorf("%s: radclient prints %s", kind, got)
		}
	}
	s.wantEnded(0)
	if got := s.aaasess("show", "status"); !strings.Contains(got, "2 NAS not reachable") {
		t.Errorf("the status is %s", got)
	}

	before := len(s.records("Interim-Update", "alice@isp"))
	eventually(t, "the session goes on", func() bool { return len(s.records("Interim-Update", "alice@isp")) > before })
	if len(s.records("Stop", "alice@isp")) != 0 || strings.Contains(s.aaasess("show", "sessions"), "terminating") {
		t.Error("the session is being ended")
	}
	v.EndUser("alice")
	wantValues(t, s.await("Stop", "alice@isp"), map[string][]string{"Acct-Session-Id": started.All("Acct-Session-Id"), "Acct-Terminate-Cause": nil})
}

// TestCoAByServer: a server changes a session through us, at a NAS of this test. The NAS gets the attributes
// of the server with its own Acct-Session-Id, and an encrypted value that its own secret decrypts; the server
// gets what the NAS answers, with the Acct-Session-Id of its records. The session stays.
func TestCoAByServer(t *testing.T) {
	agrees := func(r radiustest.Request) []byte {
		p := r.Packet.Response(layeh.CodeCoAACK)
		p.Add(rfc2866.AcctSessionID_Type, layeh.Attribute("S1"))
		p.Add(rfc2865.ReplyMessage_Type, layeh.Attribute("slower now"))
		b, err := p.Encode()
		if err != nil {
			t.Error(err)
		}
		return b
	}
	nas := radiustest.Listen(t, "127.0.0.1:0", nasSecret, agrees)
	changes := fmt.Sprintf("127.0.0.1:%d", partner.FreeUDPPort(t))
	d := start(t, setup{disconnectPort: int(nas.AddrPort().Port()), changes: changes})
	d.account(record("Start", "S1", "alice"))
	server := d.servers[0]
	eventually(t, "the start is at the server", func() bool { return len(server.Detail()) == 1 })
	started := server.Detail()[0]
	change := func(attrs ...string) string {
		t.Helper()
		argv := changeCommand(t, changes, "3", "5", "coa", server.Secret, append([]string{named(started, "Acct-Session-Id"), named(started, "User-Name")}, attrs...))
		return partner.Run(t, limit, argv[0], argv[1:]...)
	}

	got := change(`Filter-Id = "slow"`, `Cisco-AVPair = "subscriber:command=reauthenticate"`, "Session-Timeout = 600", `Tunnel-Password:1 = "tunnel secret"`,
		"Proxy-State = 0x0102", "Message-Authenticator = 0x00")
	if _, answer, _ := strings.Cut(got, "Received CoA-ACK"); !strings.Contains(answer, named(started, "Acct-Session-Id")) ||
		!strings.Contains(answer, `Reply-Message = "slower now"`) || !strings.Contains(answer, "Proxy-State = 0x0102") {
		t.Errorf("radclient prints %s", got)
	}
	asked := nas.Next().Packet
	for _, tt := range []struct{ name, got, want string }{
		{"Acct-Session-Id", rfc2866.AcctSessionID_GetString(asked), "S1"},
		{"User-Name", rfc2865.UserName_GetString(asked), "alice"},
		{"Filter-Id", rfc2865.FilterID_GetString(asked), "slow"},
		{"Session-Timeout", string(asked.Get(rfc2865.SessionTimeout_Type)), "\x00\x00\x02\x58"},
		{"Vendor-Specific", string(asked.Get(rfc2865.VendorSpecific_Type)), "\x00\x00\x00\x09\x01\x23subscriber:command=reauthenticate"},
		{"Proxy-State", string(asked.Get(rfc2865.ProxyState_Type)), ""},
	} {
		if tt.got != tt.want {
			t.Errorf("the NAS gets %s %q, want %q", tt.name, tt.got, tt.want)
		}
	}
	if asked.Code != layeh.CodeCoARequest {
		t.Errorf("the NAS gets a %v", asked.Code)
	}
	asked.Authenticator = [16]byte{} // what values in such a request are encrypted with
	if tag, password, err := rfc2868.TunnelPassword_LookupString(asked, asked); err != nil || tag != 1 || password != "tunnel secret" {
		t.Errorf("the NAS decrypts %q with tag %d, %v", password, tag, err)
	}

	nas.Handle(radiustest.NAK(401))
	if got := change(`Filter-Id = "fast"`); !strings.Contains(got, "Received CoA-NAK") || !strings.Contains(got, "Error-Cause = Unsupported-Attribute") {
		t.Errorf("radclient prints %s", got)
	}
	nas.Handle(radiustest.Silence)
	argv := changeCommand(t, changes, "1", "1", "coa", server.Secret, []string{named(started, "Acct-Session-Id")})
	if got := partner.Run(t, limit, argv[0], argv[1:]...); !strings.Contains(got, "No reply from server") {
		t.Errorf("the NAS is silent, radclient prints %s", got)
	}
	if got := statuses(server); !slices.Equal(got, []string{"Start 00000001"}) || d.scalar(".1.1.0") != 1 || d.scalar(".2.2.0") != 0 {
		t.Errorf("records %q, %d sessions", got, d.scalar(".1.1.0"))
	}
}
