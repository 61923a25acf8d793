//go:build partners

package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"aaasess/internal/partner"
)

// offloadNAS is a NAS that counts its sessions from 1, as all others do.
type offloadNAS struct {
	*relaySite
	source, address string // of its packets, its NAS-IP-Address
	port            int
}

// send sends a request with radclient, and checks that it gets the answer.
func (n *offloadNAS) send(to, kind, answer string, attrs ...string) {
	n.t.Helper()
	attrs = append(attrs, "NAS-IP-Address = "+n.address, "Packet-Src-IP-Address = "+n.source, fmt.Sprint("NAS-Port = ", n.port), "Message-Authenticator = 0x00")
	file := filepath.Join(n.t.TempDir(), "request")
	if err := os.WriteFile(file, []byte(strings.Join(attrs, "\n")+"\n"), 0o600); err != nil {
		n.t.Fatal(err)
	}
	out := n.Run("radclient", "-x", "-f", file, "-r", "3", "-t", "5", to, kind, siteSecret)
	if !strings.Contains(out, "Received "+answer) {
		n.t.Fatalf("no %s: %s", answer, out)
	}
}

func (n *offloadNAS) login(attrs ...string) {
	n.t.Helper()
	n.send(relayAuth, "auth", "Access-Accept", append(attrs, "User-Password = secret")...)
}

func (n *offloadNAS) account(attrs ...string) {
	n.t.Helper()
	n.send(relayAcct, "acct", "Accounting-Response", attrs...)
}

// offloadUsers are users with a Class, and calls with another one.
const offloadUsers = `DEFAULT Service-Type == Call-Check, Cleartext-Password := "secret"
	Class = "call on %{NAS-Port} of %{NAS-IP-Address}"
DEFAULT Cleartext-Password := "secret"
	Class = "user %{User-Name}"
`

// records returns the records of a type that the server has of a NAS, of a user, or of calls if user
// is empty.
func (n *offloadNAS) records(status, user string) (records []partner.DetailRecord) {
	n.t.Helper()
	for _, r := range n.fr.Detail() {
		ofCall := r.Get("Service-Type") == "Call-Check"
		if r.Get("Acct-Status-Type") == status && r.Get("NAS-IP-Address") == n.address && ofCall == (user == "") && (ofCall || r.Get("User-Name") == user) {
			records = append(records, r)
		}
	}
	return records
}

// await waits for one record.
func (n *offloadNAS) await(status, user string) (r partner.DetailRecord) {
	n.t.Helper()
	eventually(n.t, fmt.Sprintf("the %s of %q from %s is at the server", status, user, n.address), func() bool {
		records := n.records(status, user)
		if len(records) > 0 {
			r = records[0]
		}
		return len(records) > 0
	})
	return r
}

// lastLogin returns the latest Access-Request of a NAS at the server.
func (n *offloadNAS) lastLogin() (last partner.DetailRecord) {
	n.t.Helper()
	for _, r := range n.fr.Logins() {
		if r.Get("NAS-IP-Address") == n.address {
			last = r
		}
	}
	return last
}

func hexed(text string) string { return fmt.Sprintf("0x%x", text) }

// TestOffloadExamples runs both examples of S0 with two NASes that use the same Acct-Session-Ids on the
// same ports, for users of the same name.
func TestOffloadExamples(t *testing.T) {
	const resource = "  resource: {default: {record: start-stop, methods: [group isp]}}\n"
	s := startRelay(t, 1, partner.FreeRADIUSOptions{Users: offloadUsers, Sign: true}, keys{
		radius: "  attribute-44: {include-in-access-req: true, extend-with-addr: true}\n", accounting: resource,
	})
	nases := []*offloadNAS{
		{relaySite: s, source: "127.0.0.2", address: "10.100.1.2", port: 7},
		{relaySite: s, source: "127.0.0.3", address: "10.100.1.3", port: 7},
	}
	digits := map[string]string{"10.100.1.2": "0A640102", "10.100.1.3": "0A640103"}

	// "Unique Session ID Configuration Example": the call is authenticated first, then its user.
	ids := map[string]bool{}
	for _, n := range nases {
		n.login("Service-Type = Call-Check", "User-Name = 5551234", "Acct-Session-Id = 00000001")
		call := hexed("call on 7 of " + n.address)
		id := n.lastLogin().Get("Acct-Session-Id")
		if !strings.HasPrefix(id, digits[n.address]) || len(id) != 16 || ids[id] {
			t.Errorf("the Acct-Session-Id of the call of %s is %q", n.address, id)
		}
		ids[id] = true
		n.account("Acct-Status-Type = Start", "Service-Type = Call-Check", "Acct-Session-Id = 00000001")
		wantValues(t, n.await("Start", ""), map[string][]string{"Class": {call}, "Acct-Session-Id": {id}})

		n.login("Service-Type = Framed-User", "User-Name = alice", "Acct-Session-Id = 00000002")
		wantValues(t, n.lastLogin(), map[string][]string{"Class": {call}, "Acct-Session-Id": {id}})
		n.account("Acct-Status-Type = Start", "Service-Type = Framed-User", "User-Name = alice", "Acct-Session-Id = 00000002")
		wantValues(t, n.await("Start", "alice"), map[string][]string{"Class": {hexed("user alice")}, "Acct-Session-Id": {id}})
		n.account("Acct-Status-Type = Stop", "Service-Type = Framed-User", "User-Name = alice", "Acct-Session-Id = 00000002", "Acct-Session-Time = 1")
		n.account("Acct-Status-Type = Stop", "Service-Type = Call-Check", "Acct-Session-Id = 00000001", "Acct-Session-Time = 1")
		wantValues(t, n.await("Stop", "alice"), map[string][]string{"Class": {hexed("user alice")}, "Acct-Session-Id": {id}})
		wantValues(t, n.await("Stop", ""), map[string][]string{"Class": {call}, "Acct-Session-Id": {id}})
	}

	// "Offload Server Synchronization with NAS Clients Example".
	s.reload(keys{radius: "  attribute-44: {sync-with-client: true}\n", accounting: resource})
	for _, n := range nases {
		n.login("Service-Type = Framed-User", "User-Name = bob", "Acct-Session-Id = 000000A1")
		wantValues(t, n.lastLogin(), map[string][]string{"Acct-Session-Id": {"000000A1"}})
		n.account("Acct-Status-Type = Start", "Service-Type = Framed-User", "User-Name = bob", "Acct-Session-Id = 000000A1")
		wantValues(t, n.await("Start", "bob"), map[string][]string{"Class": {hexed("user bob")}, "Acct-Session-Id": {"000000A1"}})
	}
	for _, tt := range []struct{ user, id, want string }{{"bob", "000000A1", "1"}, {"alice", "000000A1", "0"}, {"bob", "000000A9", "0"}} {
		if got := checkradIn(t, s.In(), relaySNMP, tt.user, tt.id); got != tt.want {
			t.Errorf("checkrad for %s with %s: %s, want %s", tt.user, tt.id, got, tt.want)
		}
	}
	if out := s.snmp("snmpwalk", strings.TrimSuffix(casnUserID, ".")); strings.Count(out, `"bob"`) != 2 {
		t.Errorf("the rows of both NASes:\n%s", out)
	}
	// The NAS that has the number ends its session; the other one's stays.
	nases[0].account("Acct-Status-Type = Stop", "User-Name = bob", "Acct-Session-Id = 000000A1", "Acct-Session-Time = 1")
	nases[0].await("Stop", "bob")
	if got := nases[1].records("Stop", "bob"); len(got) != 0 {
		t.Errorf("the session of the other NAS has ended: %v", got)
	}
	if got := checkradIn(t, s.In(), relaySNMP, "bob", "000000A1"); got != "0" {
		t.Errorf("checkrad after the stop: %s", got)
	}
}
