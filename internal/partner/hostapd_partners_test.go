//go:build partners

package partner

import (
	"testing"
	"time"
)

// await waits until a condition is true.
func await(t *testing.T, what string, cond func() bool) {
	t.Helper()
	for deadline := time.Now().Add(30 * time.Second); !cond(); <-time.After(20 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("not within 30 s: %s", what)
		}
	}
}

// count returns how many accounting records of a type the server has.
func count(p *FreeRADIUSProc, status string) (n int) {
	for _, r := range p.Detail() {
		if r.Get("Acct-Status-Type") == status {
			n++
		}
	}
	return n
}

func TestHostapd(t *testing.T) {
	n := NewNamespace(t)
	other := n.Neighbor("vh0", "vs0")
	fr := FreeRADIUS(t, FreeRADIUSOptions{In: n.In(), Users: usersConf})
	h := n.Hostapd(HostapdOptions{Interface: "vh0", Auth: fr.AuthAddr, Acct: fr.Addr, Secret: fr.Secret})
	s := other.Supplicants("vs0", Login{"alice", "secret"}, Login{"bob", "secret"}, Login{"mallory", "wrong"})
	await(t, "two users are there", func() bool { return h.Authorized() == 2 && count(fr, "Start") == 2 })
	await(t, "one is rejected", func() bool { return s.Successes() == 2 && s.Failures() > 0 })
	for _, r := range fr.Detail() {
		if r.Get("Acct-Status-Type") == "Start" && r.Get("Class") != "0x0102feff" {
			t.Errorf("a start: %v", r)
		}
	}
	if r := fr.Logins()[0]; r.Get("NAS-Identifier") != HostapdID || r.Get("Acct-Session-Id") == "" {
		t.Errorf("the first Access-Request: %v", r)
	}
}
