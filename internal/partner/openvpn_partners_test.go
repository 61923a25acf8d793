//go:build partners

package partner

import "testing"

// usersConf accepts users whose password is "secret", under another name, with a Class.
const usersConf = `DEFAULT Cleartext-Password := "secret"
	User-Name := "%{User-Name}@isp",
	Class = 0x0102feff
`

func TestOpenVPN(t *testing.T) {
	n, c := NewNamespace(t), NewCertificates(t)
	fr := FreeRADIUS(t, FreeRADIUSOptions{In: n.In(), Port: 1813, AuthPort: 1812, Users: usersConf})
	peer := n.Neighbor("vo", "vc")
	v := n.OpenVPN(OpenVPNOptions{Interface: "vo", Auth: fr.AuthAddr, Acct: fr.Addr, Secret: fr.Secret, Certificates: c})
	peer.OpenVPNClient("vc", Login{"mallory", "wrong"}, c, "AUTH_FAILED")
	peer.OpenVPNClient("vc", Login{"alice", "secret"}, c, "Initialization Sequence Completed")
	await(t, "the start", func() bool { return count(fr, "Start") == 1 })
	v.EndUser("alice")
	await(t, "the stop", func() bool { return count(fr, "Stop") == 1 })
	for _, r := range fr.Logins() {
		if r.Get("Message-Authenticator") != "" {
			t.Errorf("a login is signed: %v", r)
		}
	}
	for _, r := range fr.Detail() {
		if r.Get("User-Name") != "alice" || r.Get("Class") != "" || r.Get("Acct-Session-Id") != fr.Logins()[1].Get("Acct-Session-Id") {
			t.Errorf("a record: %v", r)
		}
	}
}
