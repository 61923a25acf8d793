package config_test

import (
	"net/netip"
	"testing"

	"github.com/google/go-cmp/cmp"

	"aaasess/cmd/aaasessd/internal/config"
	"aaasess/internal/radius"
	nasradius "aaasess/sessions/radius"
)

// ofDynAuth returns a file with servers, two of which have the same address, and these keys of
// radius.dynamic-authorization.
func ofDynAuth(keys string) string {
	return `radius:
  servers:
    - {name: r1, address: 10.0.0.1, secret: s1, alias: [10.0.0.9, "2001:db8::1"]}
    - {name: r2, address: r2.example.net, secret: s2, private: true, alias: [10.0.0.2]}
    - {name: r3, address: 10.0.0.1, acct-port: 1645, auth-port: 1646, secret: s3}
    - {name: r4, address: r4.example.net, secret: s4}
  groups: [{name: a, servers: [r1, r3]}, {name: b, servers: [r2]}, {name: c, servers: [r1]}]
  dynamic-authorization: {` + keys + "}\n"
}

var rejectedDynAuth = []rejection{
	{"dynamic-authorization, nothing", ofDynAuth(""), "8:26: radius.dynamic-authorization: servers is missing"},
	{"dynamic-authorization, no server", ofDynAuth("servers: []"), "8:36: radius.dynamic-authorization.servers: has 0 entries, at least 1 are needed"},
	{"dynamic-authorization, unknown server", ofDynAuth("servers: [{server: r9}]"), "8:46: radius.dynamic-authorization.servers[0].server: no server is called r9"},
	{"dynamic-authorization, a server twice", ofDynAuth("servers: [{server: r1}, {server: r1}]"), "8:60: radius.dynamic-authorization.servers[1].server: r1 is already in line 8"},
	{"dynamic-authorization, two servers with one address", ofDynAuth("servers: [{server: r1}, {server: r3}]"), "8:60: radius.dynamic-authorization.servers[1].server: server r1 has the address 10.0.0.1 too"},
	{"dynamic-authorization, a host name", ofDynAuth("servers: [{server: r4}]"), "8:46: radius.dynamic-authorization.servers[0].server: the address of server r4 is a host name: add the addresses that its requests come from to its alias"},
	{"dynamic-authorization on the accounting port", "radius:\n  accounting: {listen: [\"0.0.0.0:3799\"]}\n  servers: [{name: r1, address: 10.0.0.1, secret: s1}]\n  dynamic-authorization: {servers: [{server: r1}]}\n", "4:26: radius.dynamic-authorization.listen[0]: 0.0.0.0:3799 is already in line 2"},
}

// TestDynAuth: each address of a server, with its secret, and the groups that it may end sessions of.
func TestDynAuth(t *testing.T) {
	c := mustParse(t, ofDynAuth("servers: [{server: r1}, {server: r2, secret: own, all-sessions: true}], require-event-timestamp: true"), ".")
	client := func(name, addr, secret string) nasradius.Client {
		a := netip.MustParseAddr(addr)
		return nasradius.Client{Name: name, Prefix: netip.PrefixFrom(a, a.BitLen()), Secret: radius.Secret(secret)}
	}
	want := &config.DynAuth{
		Listener: nasradius.ChangeConfig{
			Config: nasradius.Config{
				Addresses: []netip.AddrPort{netip.MustParseAddrPort("0.0.0.0:3799"), netip.MustParseAddrPort("[::]:3799")},
				Clients:   []nasradius.Client{client("r1", "10.0.0.1", "s1"), client("r1", "10.0.0.9", "s1"), client("r1", "2001:db8::1", "s1"), client("r2", "10.0.0.2", "own")},
			},
			RequireTimestamp: true,
		},
		Rights: map[string]config.DynAuthRights{"r1": {Groups: []string{"a", "c", "radius"}}, "r2": {All: true, Groups: []string{"b"}}},
	}
	if diff := cmp.Diff(want, c.DynAuth, cmp.Comparer(func(a, b netip.AddrPort) bool { return a == b }), cmp.Comparer(func(a, b netip.Prefix) bool { return a == b }), cmp.Comparer(func(a, b netip.Addr) bool { return a == b })); diff != "" {
		t.Error(diff)
	}
	if c := mustParse(t, "radius: {servers: [{name: r, address: h, secret: s}]}\n", "."); c.DynAuth != nil {
		t.Errorf("without the section: %+v", c.DynAuth)
	}
}
