package radius

import (
	"net/netip"
	"slices"
	"strings"
	"testing"

	"aaasess/internal/radius"
)

func prefix(s string) netip.Prefix { return netip.MustParsePrefix(s) }

func TestFindClient(t *testing.T) {
	set, err := newClientSet([]Client{
		{Name: "all v4", Prefix: prefix("0.0.0.0/0"), Secret: "s"},
		{Name: "net", Prefix: prefix("192.0.2.9/24"), Secret: "s"}, // host bits are ignored
		{Name: "half", Prefix: prefix("192.0.2.128/25"), Secret: "s"},
		{Name: "host", Prefix: prefix("192.0.2.1/32"), Secret: "s"},
		{Name: "v6 net", Prefix: prefix("2001:db8::/32"), Secret: "s"},
		{Name: "v6 host", Prefix: prefix("2001:db8::1/128"), Secret: "s"},
		{Name: "link", Prefix: prefix("fe80::/10"), Secret: "s"},
	}, nil)
	if err != nil {
		t.Fatal(err)
	}
	tests := []struct{ addr, want string }{
		{"192.0.2.1", "host"},
		{"192.0.2.2", "net"},
		{"192.0.2.200", "half"},
		{"192.0.3.1", "all v4"},
		{"::ffff:192.0.2.1", "host"},
		{"2001:db8::1", "v6 host"},
		{"2001:db8::2", "v6 net"},
		{"2001:db9::1", ""},
		{"fe80::1%eth0", "link"},
		{"::", ""},
	}
	for _, tt := range tests {
		t.Run(tt.addr, func(t *testing.T) {
			got := ""
			if c := set.find(netip.MustParseAddr(tt.addr)); c != nil {
				got = c.Name
			}
			if got != tt.want {
				t.Errorf("%q, want %q", got, tt.want)
			}
		})
	}
	if c := (*clientSet)(nil).find(source); c != nil {
		t.Errorf("no list has client %v", c)
	}
}

func TestClientErrors(t *testing.T) {
	good := Client{Name: "nas", Prefix: prefix("192.0.2.1/32"), Secret: "s"}
	change := func(f func(*Client)) []Client {
		c := good
		f(&c)
		return []Client{c}
	}
	tests := []struct {
		name string
		list []Client
		want string
	}{
		{"no prefix", change(func(c *Client) { c.Prefix = netip.Prefix{} }), `client "nas": no address`},
		{"no secret", change(func(c *Client) { c.Secret = "" }), `client "nas": no secret`},
		{"no name", change(func(c *Client) { c.Name, c.Secret = "", "" }), `client "192.0.2.1/32": no secret`},
		{"mapped", change(func(c *Client) { c.Prefix = prefix("::ffff:192.0.2.0/120") }), "IPv4-mapped prefix, write it as IPv4"},
		{"twice", []Client{good, {Name: "other", Prefix: good.Prefix, Secret: "s"}}, `client "other": 192.0.2.1/32 is already client "nas"`},
		{"twice but for host bits", []Client{
			{Name: "a", Prefix: prefix("10.0.0.1/8"), Secret: "s"}, {Name: "b", Prefix: prefix("10.0.0.2/8"), Secret: "s"},
		}, `client "b": 10.0.0.0/8 is already client "a"`},
		{"unknown attribute", change(func(c *Client) { c.DisconnectAttributes = []string{"User-Name", "Usr-Name"} }), `client "nas": disconnect attribute "Usr-Name": unknown attribute name`},
		{"attribute twice", change(func(c *Client) { c.DisconnectAttributes = []string{"Class", "Class"} }), `disconnect attribute "Class": given twice`},
		{"attribute of accounting", change(func(c *Client) { c.DisconnectAttributes = []string{"Acct-Status-Type"} }), `does not identify a session`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := newClientSet(tt.list, nil)
			if err == nil || !strings.HasPrefix(err.Error(), "radius: ") || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("error %v, want radius: ...%s", err, tt.want)
			}
		})
	}
}

func TestClientDefaults(t *testing.T) {
	c, err := newClient(Client{Prefix: prefix("192.0.2.1/32"), Secret: "s"})
	if err != nil {
		t.Fatal(err)
	}
	if c.DisconnectPort != 3799 {
		t.Errorf("port %d, want 3799", c.DisconnectPort)
	}
	want := fromSession(
		radius.UserName, radius.NASIPAddress, radius.NASIPv6Address, radius.NASIdentifier, radius.CallingStationID,
		radius.AcctSessionID, radius.EventTimestamp, radius.MessageAuthenticator,
	)
	if !slices.Equal(want, c.profile) {
		t.Errorf("profile %v, want %v", c.profile, want)
	}
	if c.DisconnectSecret != "s" {
		t.Error("Disconnect-Requests have no secret")
	}
}

// TestCountersSurviveReload: the prefix identifies a client, whatever its name or secret.
func TestCountersSurviveReload(t *testing.T) {
	before, err := newClientSet([]Client{{Name: "a", Prefix: prefix("192.0.2.1/32"), Secret: "s"}}, nil)
	if err != nil {
		t.Fatal(err)
	}
	before.list[0].stats.counters[requests].Add(5)
	after, err := newClientSet([]Client{
		{Name: "new", Prefix: prefix("192.0.2.2/32"), Secret: "s"},
		{Name: "renamed", Prefix: prefix("192.0.2.1/32"), Secret: "t"},
	}, before)
	if err != nil {
		t.Fatal(err)
	}
	if n := after.list[0].stats.counters[requests].Load(); n != 0 {
		t.Errorf("the new client has %d requests", n)
	}
	if n := after.list[1].stats.counters[requests].Load(); n != 5 {
		t.Errorf("the old client has %d requests, want 5", n)
	}
}

// TestClientName: a NAS has the name of the client with the longest prefix, if that client has one.
func TestClientName(t *testing.T) {
	d, err := newDisconnector(DisconnectConfig{Clients: []Client{
		{Name: "lab", Prefix: netip.MustParsePrefix("192.0.2.0/24"), Secret: "s"},
		{Prefix: netip.MustParsePrefix("192.0.2.7/32"), Secret: "s"},
	}}, sendNothing)
	if err != nil {
		t.Fatal(err)
	}
	for addr, want := range map[string]string{"192.0.2.1": "lab", "::ffff:192.0.2.1": "lab", "192.0.2.7": "", "198.51.100.1": ""} {
		if got := d.ClientName(netip.MustParseAddr(addr)); got != want {
			t.Errorf("%s: %q, want %q", addr, got, want)
		}
	}
}
