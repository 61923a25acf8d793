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
	"aaasess/sessions"

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

// admissions says the same of each session.
type admissions struct{ of *sessions.Admission }

func (a admissions) Idle() bool { return false }

func (a admissions) Admit(_ sessions.Event, s, _ *sessions.Session, _ func(sessions.ID) bool) (sessions.ID, *sessions.Admission) {
	return s.ID, a.of
}

func (a admissions) Upstream(*sessions.NAS, radius.Attributes, sessions.ID) string { return "" }

// TestSessionDetailGranted: a session shows what authentication has granted, and which of its values
// are not the NAS's.
func TestSessionDetailGranted(t *testing.T) {
	accept := func(pairs ...string) radius.Attributes {
		var b []byte
		for i := 0; i < len(pairs); i += 2 {
			t, _, _ := radius.Standard().Lookup(pairs[i])
			b = radius.AppendAttribute(b, t.Type, pairs[i+1])
		}
		return radius.Attributes(b)
	}
	for _, tt := range []struct {
		name     string
		granted  radius.Attributes
		upstream string
		nas      []func(*sessions.Event)
		want     api.Session // only the fields below
	}{
		{"nothing", "", "", nil, api.Session{User: "anon"}},
		{"another User-Name", accept("User-Name", "bob"), "", nil, api.Session{User: "bob", UserFrom: api.FromAccept, NASUser: "anon"}},
		{"the same User-Name", accept("User-Name", "anon"), "", nil, api.Session{User: "anon", UserFrom: api.FromAccept}},
		{"an address", accept("Framed-IP-Address", "\n\x00\x00c"), "", nil, api.Session{User: "anon", Address: "10.0.0.99", AddressFrom: api.FromAccept}},
		{"the NAS has an address", accept("Framed-IP-Address", "\n\x00\x00c"), "", []func(*sessions.Event){with(radius.FramedIPAddress, "\n\x00\x00\x01")}, api.Session{User: "anon", Address: "10.0.0.1"}},
		{"an upstream id", "", "C00002015F2A", nil, api.Session{User: "anon", Upstream: "C00002015F2A"}},
		{
			"a prefix for one of the NAS", accept("Framed-IPv6-Prefix", "\x00\x40\x20\x01\x0d\xb8\x00\x01\x00\x02", "Delegated-IPv6-Prefix", "\x00\x30\x20\x01\x0d\xb8\x00\x42"), "",
			[]func(*sessions.Event){with(radius.FramedIPv6Prefix, "\x00\x40\x20\x01\x0d\xb8\x00\x01\x00\x07")},
			api.Session{User: "anon", IPv6Prefixes: []string{"2001:db8:1:7::/64"}, DelegatedPrefixes: []string{"2001:db8:42::/48"}},
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			d, client := start(t, nil)
			d.Table.SetAdmissions(admissions{&sessions.Admission{Granted: tt.granted, Upstream: tt.upstream}})
			begin(t, d, "anon", time.Now(), tt.nas...)
			s, err := client.Session(t.Context(), 1)
			if err != nil {
				t.Fatal(err)
			}
			got := api.Session{
				Upstream: s.Upstream, User: s.User, UserFrom: s.UserFrom, NASUser: s.NASUser, Address: s.Address, AddressFrom: s.AddressFrom,
				IPv6Prefixes: s.IPv6Prefixes, DelegatedPrefixes: s.DelegatedPrefixes,
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("want (-) and got (+):\n%s", diff)
			}
			if (len(s.Granted) > 0) != (tt.granted != "") {
				t.Errorf("granted %v", s.Granted)
			}
		})
	}
}
