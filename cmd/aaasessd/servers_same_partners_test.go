//go:build partners

package main

import (
	"os"
	"regexp"
	"strings"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"

	"aaasess/sessions/radius/radiustest"
)

// TestSameServers: snmpd and the responder return the same names, types and values of servers and NASes,
// octet for octet. Only times that pass may differ, by the time between two walks.
func TestSameServers(t *testing.T) {
	passing := regexp.MustCompile(`^(\.1\.3\.6\.1\.4\.1\.9\.10\.56\.1\.2\.1\.1\.26` + // casCurrentStateDuration
		`|\.1\.3\.6\.1\.2\.1\.67\.2\.2\.1\.1\.4\.1\.15` + // radiusAccClientCounterDiscontinuity
		`|\.1\.3\.6\.1\.2\.1\.67\.1\.2\.1\.1\.4\.1\.17` + // radiusAuthClientCounterDiscontinuity
		`|\.1\.3\.6\.1\.2\.1\.145\.1\.2\.1\.32)\.`) // radiusDynAuthClientCounterDiscontinuity
	nas := radiustest.Listen(t, "127.0.0.1:0", nasSecret, radiustest.ACK)
	r := startResponder(t, setup{disconnectPort: int(nas.AddrPort().Port())})
	text, err := os.ReadFile(r.config)
	if err != nil {
		t.Fatal(err)
	}
	relays := with(t, string(text), "radius:\n", "radius:\n  authentication: {listen: [\"127.0.0.1:0\"]}\n", "name: r0, ", "name: r0, auth-port: 1812, ",
		"accounting:\n  network", "authentication: {lists: {default: {methods: [group isp]}}}\naccounting:\n  network")
	if err := os.WriteFile(r.config, []byte(relays), 0o600); err != nil {
		t.Fatal(err)
	}
	r.end(syscall.SIGTERM)
	r.run()
	r.account(record("Start", "S1", "alice"), record("Start", "S2", "bob"))
	if _, err := r.ask("snmpset", nocArgs(), casnDiscon+"1", "i", "1"); err != nil {
		t.Fatal(err)
	}
	nas.Next()
	r.account(record("Stop", "S1", "alice"))
	eventually(t, "all that happens is counted", func() bool {
		out, err := r.ask("snmpget", []string{"-v2c", "-c", "public"}, casRoot+".2.1.1.23.2.1", ".1.3.6.1.2.1.145.1.2.1.10.1") // casAcctTransactionSuccesses, radiusDynAuthClientDisconAcks
		return err == nil && strings.Contains(out, "Counter32: 3\n") && strings.Contains(out, "Counter32: 1")
	})
	for name, root := range map[string]string{
		"CISCO-AAA-SERVER-MIB":      casRoot,
		"RADIUS-ACC-CLIENT-MIB":     ".1.3.6.1.2.1.67.2.2.1",
		"RADIUS-AUTH-CLIENT-MIB":    ".1.3.6.1.2.1.67.1.2.1",
		"RADIUS-DYNAUTH-CLIENT-MIB": ".1.3.6.1.2.1.145.1",
	} {
		t.Run(name, func(t *testing.T) {
			theirs, ours := rawWalk(t, r.snmpd.Addr, root), rawWalk(t, r.addr, root)
			for oid, v := range ours {
				o := theirs[oid]
				if !passing.MatchString(root+oid) || o.Tag != v.Tag || o.Name != v.Name {
					continue
				}
				if a, b := number(o.Value), number(v.Value); b < a || b-a > int64(limit.Milliseconds()/10) {
					t.Errorf("%s%s: %d, then %d", root, oid, a, b)
				}
				ours[oid] = o
			}
			if diff := cmp.Diff(theirs, ours); diff != "" || len(ours) < 20 {
				t.Errorf("%d variables (-snmpd +responder):\n%s", len(ours), diff)
			}
		})
	}
}
