//go:build partners

package main

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"aaasess/internal/partner"
	"aaasess/sessions/radius/radiustest"
)

// TestManagerCommands: "aaasess snmp" shows the same sessions through snmpd and from the responder, by
// SNMPv2c and SNMPv3, next to a host that does not answer, and ends them (R12).
func TestManagerCommands(t *testing.T) {
	nas := radiustest.Listen(t, "127.0.0.1:0", nasSecret, radiustest.ACK)
	r := startResponder(t, setup{disconnectPort: int(nas.AddrPort().Port())})
	r.account(record("Start", "S1", "alice"), record("Start", "S2", "bob"))
	auth, priv := filepath.Join(r.dir, "auth"), filepath.Join(r.dir, "priv")
	for name, text := range map[string]string{auth: "password of noc\n", priv: "privacy of noc\n"} {
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	noc := []string{"-u", "noc", "-a", "SHA-256", "-x", "AES-128", "--auth-password-file", auth, "--priv-password-file", priv}
	ask := func(args ...string) (string, error) {
		return partner.Try(t, limit, cli(t), append([]string{"snmp"}, args...)...)
	}

	out, err := ask("sessions", r.snmpd.Addr, r.addr, "-c", "public")
	if err != nil || strings.Count(out, "alice") != 2 || strings.Count(out, "bob") != 2 {
		t.Errorf("%s, %v", out, err)
	}
	if out, err = ask(append([]string{"sessions", r.addr, "--user", "bob"}, noc...)...); err != nil || !strings.Contains(out, "00000002  bob") || strings.Contains(out, "alice") {
		t.Errorf("%s, %v", out, err)
	}
	if out, err = ask("sessions", r.snmpd.Addr, "192.0.2.1", "-c", "public", "--timeout", "1s"); err == nil ||
		!strings.Contains(out+err.Error(), "00000001  alice") || !strings.Contains(out+err.Error(), "192.0.2.1: no answer") {
		t.Errorf("%s, %v", out, err)
	}
	if out, err = ask("disconnect", r.addr, "-c", "public", "--id", "00000001"); err == nil || !strings.Contains(err.Error()+out, "authorizationError") {
		t.Errorf("%s, %v", out, err)
	}
	for name, args := range map[string][]string{
		"the responder": append([]string{"disconnect", r.addr, "--id", "00000001"}, noc...),
		"snmpd":         {"disconnect", r.snmpd.Addr, "-c", "private", "--user", "bob"},
	} {
		if out, err = ask(args...); err != nil || !strings.Contains(out, "being disconnected") {
			t.Errorf("%s: %s, %v", name, out, err)
		}
		nas.Next()
	}
	r.account(record("Stop", "S1", "alice"), record("Stop", "S2", "bob"))
	eventually(t, "the stop records arrive", func() bool {
		all := statuses(r.servers[0])
		return slices.Contains(all, "Stop 00000001 Admin-Reset") && slices.Contains(all, "Stop 00000002 Admin-Reset")
	})
}
