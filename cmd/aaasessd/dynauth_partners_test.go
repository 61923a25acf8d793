//go:build partners

package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"aaasess/internal/partner"
)

// radclientChange sends a Disconnect-Request ("disconnect") or a CoA-Request ("coa") as the server, and
// returns what radclient prints. radclient fails after a NAK.
func (s *relaySite) radclientChange(kind, attrs string) string {
	s.t.Helper()
	file := filepath.Join(s.t.TempDir(), "request")
	if err := os.WriteFile(file, []byte(attrs), 0o600); err != nil {
		s.t.Fatal(err)
	}
	return s.Run("sh", "-c", `radclient -x -f "$1" -r 3 -t 5 127.0.0.1:3800 "$2" "$3" 2>&1 || true`, "sh", file, kind, s.fr.Secret)
}

// TestRelayHostapdUpstream: radclient, as the server, ends a session of hostapd by the Acct-Session-Id
// and the User-Name of its records, both of which hostapd does not know. hostapd throws the user off,
// and its stop goes to FreeRADIUS as it is.
func TestRelayHostapdUpstream(t *testing.T) {
	w := startWired(t, strings.TrimSuffix(ispUsers, "\n")+",\n\tFramed-IP-Address = 10.9.0.7\n",
		keys{radius: "  dynamic-authorization: {listen: [\"127.0.0.1:3800\"], servers: [{server: freeradius1}]}\n"})
	w.users.Supplicants(wiredStation, partner.Login{User: "alice", Password: "secret"})
	started := w.await("Start", "alice@isp")
	for _, tt := range []struct{ name, kind, attrs, code, want string }{
		{"no such session", "disconnect", "Acct-Session-Id = \"000000FF\"\n", "Disconnect-NAK", "Session-Context-Not-Found"},
		{"CoA with an attribute that hostapd cannot take", "coa", "Acct-Session-Id = \"00000001\"\nReply-Message = \"hello\"\n", "CoA-NAK", "Unsupported-Attribute"},
		{"replayed", "disconnect", "Acct-Session-Id = \"00000001\"\nEvent-Timestamp = \"Jan  1 2024 00:00:00 UTC\"\n", "No reply from server", ""},
	} {
		if got := w.radclientChange(tt.kind, tt.attrs); !strings.Contains(got, tt.code) || !strings.Contains(got, tt.want) {
			t.Errorf("%s: radclient prints %s", tt.name, got)
		}
	}
	if n := w.hostapd.Authorized(); n != 1 {
		t.Fatalf("hostapd lets %d through", n)
	}
	got := w.radclientChange("disconnect", "Acct-Session-Id = \""+started.Get("Acct-Session-Id")+"\"\nUser-Name = \""+started.Get("User-Name")+
		"\"\nNAS-Identifier = \""+started.Get("NAS-Identifier")+"\"\nFramed-IP-Address = 10.9.0.7\nProxy-State = 0x0102\nMessage-Authenticator = 0x00\n")
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
