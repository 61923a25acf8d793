//go:build partners

package main

import (
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"aaasess/internal/partner"
)

// TestStatusServer: FreeRADIUS, as a proxy in front of the daemon, regards it as dead while it is
// down. It asks by Status-Server whether the daemon is back, and uses it again (R27). Then a NAS's
// packet to the proxy arrives. The time limits are only for a busy machine.
func TestStatusServer(t *testing.T) {
	d := start(t, setup{})
	proxy := partner.FreeRADIUSProxy(t, partner.FreeRADIUSProxyOptions{Acct: d.acct, Secret: nasSecret})
	nas := *d
	nas.acct = proxy.Addr
	until := func(what, sid string, done func() bool) {
		t.Helper()
		for end := time.Now().Add(2 * time.Minute); !done(); {
			if time.Now().After(end) {
				t.Fatalf("not within two minutes: %s", what)
			}
			_, _ = nas.radclient(nasSecret, "-r1", "-t1", record("Start", sid, sid)) // the proxy may not answer
		}
	}
	said := func(what string) func() bool {
		return func() bool { return strings.Contains(proxy.Log(), what) }
	}
	taken := func(user string) func() bool {
		return func() bool {
			return slices.ContainsFunc(d.servers[0].Detail(), func(r partner.DetailRecord) bool { return r.Get("User-Name") == user })
		}
	}
	until("the proxy passes on a start", "before", taken("before"))
	d.end(syscall.SIGKILL)
	until("the proxy finds that we are away", "away", said("as dead"))
	d.run()
	until("the proxy finds that we are back", "away", said(" alive"))
	until("the proxy passes on a start again", "after", taken("after"))
	if said("we have no idea")() {
		t.Error("the proxy used us again without an answer to a Status-Server")
	}
}

// TestRadclientStatus: an operator or a monitoring system checks the listener with radclient.
func TestRadclientStatus(t *testing.T) {
	d := start(t, setup{})
	ask := func(secret, attrs string) (string, error) {
		t.Helper()
		return partner.Try(t, limit, "sh", "-c", `echo "$2" | radclient -x -r1 -t1 "$0" status "$1"`, d.acct, secret, attrs)
	}
	const signed = "Message-Authenticator = 0x00"
	if out, err := ask(nasSecret, signed); err != nil || !strings.Contains(out, "Received Accounting-Response") {
		t.Errorf("%s, %v", out, err)
	}
	if out, err := ask("wrong", signed); err == nil {
		t.Errorf("with a wrong secret: %s", out)
	}
	if out, err := ask(nasSecret, signed+", Proxy-State = 0x6162"); err != nil || strings.Count(out, "Proxy-State = 0x6162") != 2 {
		t.Errorf("through a proxy: %s, %v", out, err)
	}
}
