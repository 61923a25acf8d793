//go:build partners

package client_test

import (
	"context"
	"fmt"
	"log/slog"
	"net/netip"
	"testing"
	"time"

	"aaasess/internal/partner"
	"aaasess/internal/radius"
	"aaasess/internal/radius/client"
	"aaasess/internal/retry"
	"aaasess/internal/servers"
)

// TestFreeRADIUSAnswersTests: FreeRADIUS answers each kind of active test on both ports. Its answers
// on the authentication port have no Message-Authenticator unless it is configured to add one: such
// a server needs message-authenticator: legacy or auto.
func TestFreeRADIUSAnswersTests(t *testing.T) {
	for _, tc := range []struct {
		name    string
		sign    bool
		signing radius.Signing
		test    client.Test
		valid   bool // the answers on the authentication port
	}{
		{"signed", true, radius.SigningRequired, client.Test{Username: "nemo"}, true},
		{"legacy", false, radius.SigningLegacy, client.Test{Username: "nemo"}, true},
		{"unsigned", false, radius.SigningRequired, client.Test{Username: "nemo"}, false},
		{"status", false, radius.SigningAuto, client.Test{StatusServer: true}, true},
	} {
		t.Run(tc.name, func(t *testing.T) {
			p := partner.FreeRADIUS(t, partner.FreeRADIUSOptions{Users: "nemo Cleartext-Password := \"secret\"\n", Sign: tc.sign})
			acct, auth := netip.MustParseAddrPort(p.Addr), netip.MustParseAddrPort(p.AuthAddr)
			m := client.Member{
				Identity: client.Identity{
					Host: acct.Addr().String(), Port: acct.Port(), AuthPort: auth.Port(), Secret: radius.Secret(p.Secret), Signing: tc.signing, Test: tc.test,
				},
				Schedule: retry.Schedule{Timeout: 5 * time.Second, Retransmit: -1},
			}
			m.Test.IdleTime = 100 * time.Millisecond
			log := &lines{}
			c := client.New(client.Config{Logger: slog.New(slog.NewTextHandler(log, nil))})
			if tc.test.StatusServer { // RFC 5997: it moves no other counter
				for _, purpose := range []client.Purpose{client.Accounting, client.Authentication} {
					s := firstTest(t, c, purpose, m)
					if want := fmt.Sprintf("Tests %[1]d, Status-Server Sent %[2]d, Status-Server Responses %[3]d", s.Tests, s.StatusServer.Sent, s.StatusServer.Responses); counted(&s) != want || s.State != servers.Up {
						t.Errorf("%v: %s, want %s; the port is %s", purpose, counted(&s), want, s.State)
					}
				}
				return
			}
			if s := firstTest(t, c, client.Accounting, m); s.Successes == 0 || s.BadAuthenticators != 0 {
				t.Errorf("accounting: %+v", s)
			}
			if s := firstTest(t, c, client.Authentication, m); (s.Successes > 0) != tc.valid || (s.BadAuthenticators == 0) != tc.valid || s.Accepts+s.Rejects == 0 {
				t.Errorf("authentication: %+v", s)
			}
			if t.Failed() {
				t.Logf("log:\n%s", log)
			}
		})
	}
}

// firstTest runs a group until its server answers the active test, and returns its statistics.
func firstTest(t *testing.T, c *client.Client, purpose client.Purpose, m client.Member) servers.Stats {
	t.Helper()
	g, err := c.NewGroup(client.GroupConfig{Name: purpose.String(), Purpose: purpose, Members: []client.Member{m}})
	if err != nil {
		t.Fatal(err)
	}
	go func() { _ = g.Run(context.Background()) }()
	defer g.Close()
	for deadline := time.Now().Add(20 * time.Second); ; time.Sleep(20 * time.Millisecond) {
		if s := g.Stats().Servers[0]; s.Responses > 0 && s.Successes+s.BadAuthenticators > 0 || s.StatusServer.Responses > 0 && s.State == servers.Up || time.Now().After(deadline) {
			return s
		}
	}
}
