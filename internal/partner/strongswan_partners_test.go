//go:build partners

package partner

import "testing"

func TestStrongSwan(t *testing.T) {
	n, c := NewNamespace(t), NewCertificates(t)
	fr := FreeRADIUS(t, FreeRADIUSOptions{In: n.In(), Users: usersConf})
	peer := n.Neighbor("vg", "vc")
	g := n.StrongSwan(StrongSwanOptions{Interface: "vg", Auth: fr.AuthAddr, Acct: fr.Addr, Secret: fr.Secret, Certificates: c})
	users := peer.StrongSwanClient("vc", c, Login{"alice", "secret"}, Login{"mallory", "wrong"})
	if err := users.Connect("alice"); err != nil {
		t.Fatal(err)
	}
	if err := users.Connect("mallory"); err == nil {
		t.Error("a wrong password is accepted")
	}
	await(t, "the start", func() bool { return count(fr, "Start") == 1 })
	if n := g.Connected(); n != 1 {
		t.Errorf("%d are connected", n)
	}
	for _, r := range fr.Detail() {
		if r.Get("User-Name") != "alice" || r.Get("Class") != "" || r.Get("NAS-Identifier") != StrongSwanID {
			t.Errorf("a record: %v", r)
		}
	}
}
