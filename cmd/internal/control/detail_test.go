package control_test

import (
	"errors"
	"net/http"
	"net/netip"
	"slices"
	"testing"
	"time"

	"aaasess/cmd/internal/api"
	"aaasess/cmd/internal/apiclient"
	"aaasess/cmd/internal/control"
	"aaasess/internal/radius"

	"github.com/google/go-cmp/cmp"
)

// TestSessionDetail: one session has the client's name beside what the NAS calls itself, its IPv6
// addresses, and all its attributes by name.
func TestSessionDetail(t *testing.T) {
	d, client := start(t, func(c *control.Config) {
		c.ClientName = func(netip.Addr) string { return "lab" }
	})
	v6 := netip.MustParseAddr("2001:db8::7").As16()
	begin(t, d, "al\xffice", time.Now(), with(radius.FramedIPv6Address, string(v6[:])),
		with(radius.FramedIPv6Prefix, "\x00\x40\x20\x01\x0d\xb8\x00\x01\x00\x02"),
		with(radius.DelegatedIPv6Prefix, "\x00\x30\x20\x01\x0d\xb8\x00\x42"), with(radius.DelegatedIPv6Prefix, "\x00\x81"))
	s, err := client.Session(t.Context(), 1)
	if err != nil {
		t.Fatal(err)
	}
	got := []string{s.ID, s.NAS, s.NASIdentifier, s.Address}
	got = slices.Concat(got, s.IPv6Addresses, s.IPv6Prefixes, s.DelegatedPrefixes)
	if diff := cmp.Diff([]string{"00000001", "lab", "nas-1", "", "2001:db8::7", "2001:db8:1:2::/64", "2001:db8:42::/48"}, got); diff != "" {
		t.Error(diff)
	}
	for _, want := range []api.Attribute{
		{Name: "User-Name", Value: "0x616cff696365"},
		{Name: "Acct-Session-Id", Value: "0x732d616cff696365"},
		{Name: "Framed-IPv6-Address", Value: "2001:db8::7"},
		{Name: "Delegated-IPv6-Prefix", Value: "2001:db8:42::/48"},
	} {
		if !slices.Contains(s.Attributes, want) {
			t.Errorf("%v is not in %v", want, s.Attributes)
		}
	}
	_, err = client.Session(t.Context(), 2)
	if refused := (*apiclient.ResponseError)(nil); !errors.As(err, &refused) || refused.Code != http.StatusNotFound ||
		refused.Text != "session 00000002 is not live" {
		t.Error(err)
	}
}
