//go:build partners

package partner

import ("testing";"time")

func TestOpenVPN(t *testing.T) {
	n := NewNamespace(t)
	c := NewCertificates(t)
	fr := FreeRADIUS(t, FreeRADIUSOptions{In: n.In(), Users: "DEFAULT Cleartext-Password := \"secret\"\n\tUser-Name := \"%{User-Name}@isp\",\n\tClass = 0x0102feff\n"})
	td := n.Program("listening", "tcpdump", "-n", "-i", "lo", "-vv", "udp")
	defer func() { <-time.After(time.Second); t.Log(td.Log()) }()
	one := n.Neighbor("vo", "vc")
	v := n.OpenVPN(OpenVPNOptions{Interface: "vo", Auth: fr.AuthAddr, Acct: fr.Addr, Secret: fr.Secret, Certificates: c})
	defer func() { t.Log(fr.Logins()) }()
	one.OpenVPNClient("vc", 11, Login{"alice", "secret"}, c, "Initialization Sequence Completed")
	await(t, "the start", func() bool { return count(fr, "Start") == 1 })
	v.EndUser("alice")
	await(t, "the stop", func() bool { return count(fr, "Stop") == 1 })
	t.Log(fr.Logins(), "\n", fr.Detail())
}
