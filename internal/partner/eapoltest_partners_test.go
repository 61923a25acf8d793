//go:build partners

package partner

import (
	"strings"
	"testing"
)

func TestEAPOLTest(t *testing.T) {
	n, c := NewNamespace(t), NewCertificates(t)
	fr := FreeRADIUS(t, FreeRADIUSOptions{In: n.In(), Certificates: c, Users: "DEFAULT Cleartext-Password := \"secret\"\n"})
	for _, method := range []string{"TTLS", "PEAP"} {
		if err := n.EAPOLTest(fr.AuthAddr, fr.Secret, method, Login{"alice", "secret"}, c); err != nil {
			t.Errorf("%s: %v", method, err)
		}
		if err := n.EAPOLTest(fr.AuthAddr, fr.Secret, method, Login{"alice", "wrong"}, c); err == nil || !strings.Contains(err.Error(), "FAILURE") {
			t.Errorf("%s with a wrong password: %v", method, err)
		}
	}
	for _, r := range fr.Logins() {
		if r.Get("User-Name") != "anonymous" {
			t.Errorf("an Access-Request from inside the tunnel: %v", r)
		}
	}
}
