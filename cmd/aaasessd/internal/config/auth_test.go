package config_test

import (
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"aaasess/cmd/aaasessd/internal/config"
	"aaasess/internal/radius"
	"aaasess/internal/radius/client"
	"aaasess/internal/retry"
	"aaasess/internal/servers"
	nasradius "aaasess/sessions/radius"
)

// authText is a file whose relay has two lists, and groups of which one is blocked with its
// accounting and the other one monitors that.
const authText = `snmp: {session-mib-populate: setup}
radius:
  authentication: {listen: ["127.0.0.1:0"]}
  attribute-44: {include-in-access-req: true, extend-with-addr: true}
  backoff: {max-delay: 60m, retry: 32}
  clients:
    - {name: bras-1, address: 192.0.2.1, secret: s1}
    - {name: vpn, address: 192.0.2.2, secret: s2, message-authenticator: auto}
  servers:
    - {name: r1, address: 10.0.0.1, acct-port: 1646, auth-port: 1645, secret: s3, alias: [10.0.0.101, "2001:db8::1"], test: {username: test1, idle-time: 5m, ignore-acct-port: true}}
    - {name: r2, address: 10.0.0.2, secret: s4, message-authenticator: legacy, test: {status-server: true}}
    - {name: r3, address: 10.0.0.3, port: 1813, secret: s5, message-authenticator: auto}
  groups:
    - {name: isp, servers: [r1, r2], timeout: 2s, retransmit: 0, hold-down: 0s, dead-criteria: {time: 5s, tries: 2}, access-algorithm: round-robin, window: 7, source-address: 192.0.2.10, acct-on-off: {oper-state-change: true, group: tied}}
    - {name: auth, servers: [r2], acct-on-off: {monitor-group: tied}}
    - {name: plain, servers: [r1], acct-on-off: {}}
  acct-on-off-groups: [{name: tied}]
accounting:
  network: {default: {record: start-stop, methods: [group isp]}}
  system: {default: {record: start-stop, methods: [group plain]}}
authentication:
  lists:
    default: {methods: [group isp, group plain]}
    campus: {methods: [group auth]}
  apply: [{clients: [vpn], list: campus}]
  start-wait: 1m
`

// TestAuthentication: the relay of a file, with what its groups have of the keys.
func TestAuthentication(t *testing.T) {
	c := mustParse(t, authText, ".")
	r1 := client.Identity{
		Name: "r1", Host: "10.0.0.1", Port: 1646, AuthPort: 1645, Secret: "s3", Aliases: client.NewAliases(netip.MustParseAddr("10.0.0.101"), netip.MustParseAddr("2001:db8::1")),
		Test: client.Test{Username: "test1", IdleTime: 5 * time.Minute, IgnoreAcctPort: true},
	}
	r2 := client.Identity{
		Name: "r2", Host: "10.0.0.2", Port: 1813, AuthPort: 1812, Secret: "s4", Signing: radius.SigningLegacy, Test: client.Test{StatusServer: true, IdleTime: time.Hour},
	}
	ofGroup, ofServer := retry.Schedule{Timeout: 2 * time.Second, Retransmit: -1}, retry.Schedule{Timeout: 5 * time.Second, Retransmit: 3}
	want := &config.Authentication{
		Listener: nasradius.Config{Addresses: []netip.AddrPort{netip.MustParseAddrPort("127.0.0.1:0")}, Clients: c.Listener.Clients},
		Lists:    map[string][]string{"default": {"isp", "plain"}, "campus": {"auth"}},
		Apply:    map[string]string{"vpn": "campus"},
		Groups: []client.GroupConfig{
			{Name: "auth", Purpose: client.Authentication, Members: []client.Member{{Identity: r2, Schedule: ofServer}}, HoldDown: 30 * time.Second, MaxInFlight: 1024},
			{
				Name: "isp", Purpose: client.Authentication, Members: []client.Member{{Identity: r1, Schedule: ofGroup}, {Identity: r2, Schedule: ofGroup}},
				Algorithm: client.RoundRobin, HoldDown: -1, DeadCriteria: servers.DeadCriteria{Time: 5 * time.Second, Tries: 2}, MaxInFlight: 7, Source: netip.MustParseAddr("192.0.2.10"),
			},
			{Name: "plain", Purpose: client.Authentication, Members: []client.Member{{Identity: r1, Schedule: ofServer}}, HoldDown: 30 * time.Second, MaxInFlight: 1024},
		},
		Blockable: map[string]bool{"isp": true, "auth": true},
	}
	if diff := cmp.Diff(want, c.Authentication, plain); diff != "" {
		t.Errorf("Authentication (-want +got):\n%s", diff)
	}
	if got := c.Admissions; got.StartWait != time.Minute || !got.PopulateAtSetup || !got.IncludeInAccessReq || !got.ExtendWithAddr || got.SyncWithClient {
		t.Errorf("Admissions is %+v", got)
	}
	if got := c.Listener.Clients[1].Signing; got != radius.SigningAuto {
		t.Errorf("the client vpn has %v", got)
	}
	for _, group := range c.Groups { // one server for both purposes
		for _, m := range group.Servers {
			if m.Name == "r1" && m.Identity != r1 || m.Name == "r2" && m.Identity != r2 {
				t.Errorf("group %s has the server %+v", group.Group, m.Identity)
			}
		}
	}
}

// TestAuthenticationOfAllServers: the group radius authenticates without being an accounting method.
func TestAuthenticationOfAllServers(t *testing.T) {
	c := mustParse(t, `radius:
  servers: [{name: r1, address: 10.0.0.1, secret: s}, {name: r2, address: 10.0.0.2, secret: s}, {name: r3, address: 10.0.0.3, secret: s, private: true}]
  groups: [{name: isp, servers: [r3]}]
authentication: {lists: {default: {methods: [group radius, group isp]}}}
`, ".")
	a := c.Authentication
	if len(c.Groups) != 1 || len(a.Groups) != 2 || a.Groups[0].Name != "radius" || len(a.Groups[0].Members) != 2 || len(a.Groups[1].Members) != 1 {
		t.Errorf("accounting has %+v, authentication %+v", c.Groups, a.Groups)
	}
	if got := a.Listener.Addresses; len(got) != 2 || got[0].Port() != nasradius.AuthPort || got[1].Port() != nasradius.AuthPort {
		t.Errorf("it listens on %v", got)
	}
}

// TestAuthenticationWarnings: each peer whose packets need no Message-Authenticator, and keys without
// effect.
func TestAuthenticationWarnings(t *testing.T) {
	for _, tt := range []struct {
		name, text string
		want       []string // without the file
	}{
		{"peers", authText, []string{
			"8:74: radius.clients[1].message-authenticator: Access-Requests of client vpn without Message-Authenticator are accepted until it has sent one in a packet without EAP-Message: until then, logins can be forged (BlastRADIUS, CVE-2024-3596)",
			"11:72: radius.servers[1].message-authenticator: answers of server r2 need no Message-Authenticator: whoever is between it and aaasess can forge logins (BlastRADIUS, CVE-2024-3596)",
		}},
		{"a server in auto and a client in legacy", strings.NewReplacer("[group auth]", "[group radius]", "message-authenticator: legacy, ", "", "s2, message-authenticator: auto", "s2, message-authenticator: legacy").Replace(authText), []string{
			"8:74: radius.clients[1].message-authenticator: Access-Requests of client vpn need no Message-Authenticator: whoever is between it and aaasess can forge logins (BlastRADIUS, CVE-2024-3596)",
			"12:84: radius.servers[2].message-authenticator: answers of server r3 without Message-Authenticator are accepted until it has sent one in a packet without EAP-Message: until then, logins can be forged (BlastRADIUS, CVE-2024-3596)",
		}},
		{"no section", strings.Split(authText, "authentication:\n")[0], []string{
			"1:30: snmp.session-mib-populate: has no effect without the section authentication",
			"3:28: radius.authentication.listen: has no effect without the section authentication",
			"4:41: radius.attribute-44.include-in-access-req: has no effect without the section authentication",
			"8:74: radius.clients[1].message-authenticator: has no effect without the section authentication",
		}},
		{"a list that applies nowhere", "authentication: {lists: {default: {methods: []}, other: {methods: []}}}\n", []string{
			"1:57: authentication.lists.other: applies nowhere: no entry of authentication.apply names it",
		}},
		{"a user of tests with Status-Server", "radius: {servers: [{name: r, address: h, secret: s, test: {username: u, status-server: true}}]}\n", []string{
			"1:70: radius.servers[0].test.username: has no effect with status-server: true",
		}},
		{"nas-session-id and sync-with-client", "radius:\n  attribute-44: {sync-with-client: true}\n  servers: [{name: r, address: h, secret: s}]\n  groups: [{name: a, servers: [r]}, {name: b, servers: [r], nas-session-id: attribute Acct-Multi-Session-Id}]\n", []string{
			"4:77: radius.groups[1].nas-session-id: has no effect on new sessions: with radius.attribute-44.sync-with-client, Acct-Session-Id is that of the NAS",
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var got []string
			for _, w := range mustParse(t, tt.text, ".").Warnings() {
				got = append(got, strings.TrimPrefix(w.Error(), "aaasess.yaml:"))
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// TestSeedOffload: the two examples of S0, in our keys.
func TestSeedOffload(t *testing.T) {
	const unique = `
radius:
  attribute-44: {include-in-access-req: true, extend-with-addr: true}
  clients: [{name: nas, address: 10.100.1.1, secret: s}]
  servers: [{name: r, address: 10.100.1.34, secret: s}]
authentication:
  lists: {default: {methods: [group radius]}}
`
	c := mustParse(t, unique, ".")
	if a := c.Admissions; !a.IncludeInAccessReq || !a.ExtendWithAddr || a.SyncWithClient || c.Authentication.Lists["default"][0] != "radius" {
		t.Errorf("unique session ids: %+v", a)
	}
	if a := mustParse(t, "radius: {attribute-44: {sync-with-client: true}}\n", ".").Admissions; !a.SyncWithClient || a.IncludeInAccessReq || a.ExtendWithAddr {
		t.Errorf("synchronization with NAS clients: %+v", a)
	}
}

// TestPrivateAuthPorts: private servers of different groups may have one address.
func TestPrivateAuthPorts(t *testing.T) {
	c := mustParse(t, `radius:
  servers: [{name: r1, address: 10.0.0.1, secret: s, private: true}, {name: r2, address: 10.0.0.1, secret: s2, private: true}]
  groups: [{name: a, servers: [r1]}, {name: b, servers: [r2]}]
authentication: {lists: {default: {methods: [group a, group b]}}}
`, ".")
	if got := len(c.Authentication.Groups); got != 2 {
		t.Errorf("%d groups", got)
	}
}
