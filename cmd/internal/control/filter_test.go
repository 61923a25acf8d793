package control_test

import (
	"net/netip"
	"net/url"
	"slices"
	"testing"
	"time"

	"aaasess/cmd/internal/api"
	"aaasess/cmd/internal/control"
	"aaasess/internal/radius"
	"aaasess/sessions"
)

// TestFiltersAndOrders asks a daemon with six sessions through its socket.
func TestFiltersAndOrders(t *testing.T) {
	v6 := netip.MustParseAddr("2001:db8::7").As16()
	clients := map[netip.Addr]string{netip.MustParseAddr("192.0.2.2"): "lab"}
	d, client := start(t, func(c *control.Config) {
		c.ClientName = func(addr netip.Addr) string { return clients[addr] }
	})
	began := time.Now().Add(-time.Hour)
	nas2 := func(ev *sessions.Event) {
		ev.NAS = sessions.NAS{Addr: netip.MustParseAddr("192.0.2.2"), Identifier: "nas-2"}
	}
	exec := func(ev *sessions.Event) { ev.Kind = sessions.Exec }
	used := func(in, out uint64) func(*sessions.Event) {
		return func(ev *sessions.Event) {
			ev.Sent, ev.Usage = sessions.WholeUsage, sessions.Usage{InputOctets: in, OutputOctets: out}
		}
	}
	begin(t, d, "carol", began.Add(3*time.Minute), used(10, 20), with(radius.FramedIPAddress, "\x0a\x00\x00\x01"))
	begin(t, d, "alice", began.Add(2*time.Minute), used(5000, 1), with(radius.CallingStationID, "00-11-22-AA-BB-CC"))
	begin(t, d, "bob", began.Add(1*time.Minute), nas2, with(radius.FramedIPAddress, "\x0a\x00\x00\x02"))
	begin(t, d, "dave", began.Add(4*time.Minute), exec, used(0, 400))
	begin(t, d, "alice", began.Add(5*time.Minute), nas2, with(radius.FramedIPv6Address, string(v6[:])),
		with(radius.DelegatedIPv6Prefix, "\x00\x30\x20\x01\x0d\xb8\x00\x42"), with(radius.FramedIPv6Prefix, "\x00\x81"), with(radius.CallingStationID, "tel:1234"))
	begin(t, d, "a\xffb\x1b[31m", began)
	disconnect(t, client, api.DisconnectRequest{IDs: []string{"00000004"}})

	tests := []struct{ name, query, want string }{
		{"all", "", "1 2 3 4 5 6 of 6"},
		{"user", "user=alice", "2 5 of 2"},
		{"user of raw octets", "user=a%ffb%1b[31m", "6 of 1"},
		{"user is no prefix", "user=ali", "of 0"},
		{"address", "address=10.0.0.2", "3 of 1"},
		{"no session has address 0", "address=0.0.0.0", "of 0"},
		{"address in a prefix", "address=10.0.0.0/8", "1 3 of 2"},
		{"any IPv4 address", "address=0.0.0.0/0", "1 3 of 2"},
		{"IPv6 address", "address=2001:db8:0:0::7", "5 of 1"},
		{"IPv6 address in a delegated prefix", "address=2001:db8:42:1::1", "5 of 1"},
		{"IPv6 address elsewhere", "address=2001:db8::8", "of 0"},
		{"IPv6 prefix", "address=2001:db8::/32", "5 of 1"},
		{"IPv6 prefix within a delegated one", "address=2001:db8:42:7::/64", "5 of 1"},
		{"any IPv6 address", "address=::/0", "5 of 1"},
		{"nas by the client's name", "nas=lab", "3 5 of 2"},
		{"nas by name", "nas=nas-2", "3 5 of 2"},
		{"nas by address", "nas=192.0.2.2", "3 5 of 2"},
		{"nas as shown in logs", "nas=nas-2@192.0.2.2", "3 5 of 2"},
		{"nas by mapped address", "nas=::ffff:192.0.2.2", "3 5 of 2"},
		{"calling station, another notation", "calling-station=0011.22aa.bbcc", "2 of 1"},
		{"calling station, no MAC", "calling-station=tel:1234", "5 of 1"},
		{"the NAS's id", "acct-session-id=s-bob", "3 of 1"},
		{"kind", "kind=exec", "4 of 1"},
		{"state", "state=terminating", "4 of 1"},
		{"ids, one of them gone", "id=00000005&id=00000002&id=00000063", "2 5 of 2"},
		{"ids and a filter", "id=00000005&id=00000002&nas=nas-2", "5 of 1"},
		{"two filters", "user=alice&nas=nas-2", "5 of 1"},
		{"no match", "user=alice&kind=exec", "of 0"},
		{"search: a user", "search=LIC", "2 5 of 2"},
		{"search: an address", "search=.0.0.2", "3 of 1"},
		{"search: an IPv6 prefix", "search=DB8:42::/48", "5 of 1"},
		{"search: the client's name", "search=La", "3 5 of 2"},
		{"search: the NAS's name", "search=NAS-2", "3 5 of 2"},
		{"search: the NAS's address", "search=192.0.2.2", "3 5 of 2"},
		{"search: a calling station", "search=L:123", "5 of 1"},
		{"search: a MAC address, another notation", "search=0011.22aa.bbcc", "2 of 1"},
		{"search: the NAS's id", "search=S-BO", "3 of 1"},
		{"search: an ID", "search=00004", "4 of 1"},
		{"search: raw octets", "search=a%ffb", "6 of 1"},
		{"search and filter", "search=alice&nas=lab", "5 of 1"},
		{"search and ids", "search=alice&id=00000001&id=00000002", "2 of 1"},
		{"search, a sorted part", "search=a&sort=-user&limit=2", "4 1 of 6"},
		{"search: nothing", "search=zzz", "of 0"},
		{"by user", "sort=user", "2 5 6 3 1 4 of 6"},
		{"by user, reversed", "sort=-user", "4 1 3 6 2 5 of 6"},
		{"oldest first", "sort=started", "6 3 2 1 4 5 of 6"},
		{"newest first", "sort=-started&limit=2", "5 4 of 6"},
		{"longest idle first", "sort=idle&limit=3", "6 3 2 of 6"},
		{"most octets first", "sort=octets", "2 4 1 3 5 6 of 6"},
		{"most octets in first", "sort=input&limit=2", "2 1 of 6"},
		{"most octets out first", "sort=output&limit=2", "4 1 of 6"},
		{"by address", "sort=address", "1 3 5 2 4 6 of 6"},
		{"by NAS", "sort=nas", "3 5 1 2 4 6 of 6"},
		{"id, reversed", "sort=-id&limit=1", "6 of 6"},
		{"id, reversed, a part", "sort=-id&offset=1&limit=2", "5 4 of 6"},
		{"id, reversed, the end", "sort=-id&offset=5&limit=2", "1 of 6"},
		{"id, reversed, after the end", "sort=-id&offset=6&limit=2", "of 6"},
		{"a part", "offset=2&limit=3", "3 4 5 of 6"},
		{"a sorted part", "sort=user&offset=2&limit=3", "6 3 1 of 6"},
		{"the end", "sort=-user&offset=4", "2 5 of 6"},
		{"the end, limit above", "sort=octets&offset=5&limit=9", "6 of 6"},
		{"after the end", "sort=octets&offset=6&limit=9", "of 6"},
		{"far after the end", "offset=2147483647&limit=2147483647", "of 6"},
		{"limit above", "limit=99&user=bob", "3 of 1"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			values, err := url.ParseQuery(tt.query)
			if err != nil {
				t.Fatal(err)
			}
			query, err := api.ParseQuery(values)
			if err != nil {
				t.Fatal(err)
			}
			if got := numbers(t, client, query); got != tt.want {
				t.Errorf("got %s, want %s", got, tt.want)
			}
		})
	}
	if !slices.IsSorted(api.Orders()) {
		t.Error(api.Orders())
	}
}
