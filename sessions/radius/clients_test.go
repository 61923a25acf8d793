package radius

import (
	"net/netip"
	"strings"
	"testing"
)

func prefix(s string) netip.Prefix { return netip.MustParsePrefix(s) }

func TestFindClient(t *testing.T) {
	var table ClientTable[*client]
	if c := table.Find(source); c != nil {
		t.Errorf("an empty table has client %v", c)
	}
	err := table.Replace([]Client{
		{Name: "all v4", Prefix: prefix("0.0.0.0/0"), Secret: "s"},
		{Name: "net", Prefix: prefix("192.0.2.9/24"), Secret: "s"}, // host bits are ignored
		{Name: "half", Prefix: prefix("192.0.2.128/25"), Secret: "s"},
		{Name: "host", Prefix: prefix("192.0.2.1/32"), Secret: "s"},
		{Name: "v6 net", Prefix: prefix("2001:db8::/32"), Secret: "s"},
		{Name: "v6 host", Prefix: prefix("2001:db8::1/128"), Secret: "s"},
		{Name: "link", Prefix: prefix("fe80::/10"), Secret: "s"},
	}, newClient)
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
			if c := table.Find(netip.MustParseAddr(tt.addr)); c != nil {
				got = c.Name
			}
			if got != tt.want {
				t.Errorf("%q, want %q", got, tt.want)
			}
		})
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
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var table ClientTable[*client]
			err := table.Replace(tt.list, newClient)
			if n := len(table.All()); n != 0 {
				t.Errorf("%d clients after the error", n)
			}
			if err == nil || !strings.HasPrefix(err.Error(), "radius: ") || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("error %v, want radius: ...%s", err, tt.want)
			}
		})
	}
}

func TestClientDefaults(t *testing.T) {
	c, err := Client{Prefix: prefix("192.0.2.1/32"), Secret: "s"}.withDefaults()
	if err != nil {
		t.Fatal(err)
	}
	if c.DisconnectSecret != "s" {
		t.Error("Disconnect-Requests have no secret")
	}
}

// TestCountersSurviveReload: the prefix identifies a client, whatever its name or secret.
func TestCountersSurviveReload(t *testing.T) {
	var table ClientTable[*client]
	if err := table.Replace([]Client{{Name: "a", Prefix: prefix("192.0.2.1/32"), Secret: "s"}}, newClient); err != nil {
		t.Fatal(err)
	}
	table.All()[0].stats.counters[requests].Add(5)
	if err := table.Replace([]Client{
		{Name: "new", Prefix: prefix("192.0.2.2/32"), Secret: "s"},
		{Name: "renamed", Prefix: prefix("192.0.2.1/32"), Secret: "t"},
	}, newClient); err != nil {
		t.Fatal(err)
	}
	after := table.All()
	if n := after[0].stats.counters[requests].Load(); n != 0 {
		t.Errorf("the new client has %d requests", n)
	}
	if n := after[1].stats.counters[requests].Load(); n != 5 {
		t.Errorf("the old client has %d requests, want 5", n)
	}
}
