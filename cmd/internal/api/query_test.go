package api_test

import (
	"encoding/json"
	"errors"
	"net/netip"
	"net/url"
	"strings"
	"testing"
	"time"

	"aaasess/cmd/internal/api"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

func TestParseID(t *testing.T) {
	tests := []struct {
		name, text string
		want       api.ID // 0: an error
	}{
		{"as shown", "0000000D", 13},
		{"lower case", "deadbeef", 0xdeadbeef},
		{"digits only are hex too", "00000013", 0x13},
		{"0x, short", "0xd", 13},
		{"0X, long", "0X0000000D", 13},
		{"the last", "FFFFFFFF", 1<<32 - 1},
		{"short digits could be decimal", "13", 0},
		{"nine digits", "00000000D", 0},
		{"nine digits with 0x", "0x00000000D", 0},
		{"no session has it", "00000000", 0},
		{"empty", "", 0},
		{"nothing after 0x", "0x", 0},
		{"sign", "+000000D", 0},
		{"underscore", "0000_00D", 0},
		{"no digit", "0000000G", 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := api.ParseID(tt.text)
			if got != tt.want || (err != nil) != (tt.want == 0) || err != nil && !errors.Is(err, api.ErrQuery) {
				t.Errorf("got %d, %v; want %d", got, err, tt.want)
			}
		})
	}
}

func TestParseQuery(t *testing.T) {
	tests := []struct {
		name, query string
		want        api.Query
		err         string // a part of the error
	}{
		{"nothing", "", api.Query{}, ""},
		{
			"everything", "id=0000000D&id=0xe&id=0000000D&user=al%20ice&address=10.0.0.1&line=Gi0/1&nas=n&calling-station=c&acct-session-id=a&kind=exec&state=terminating&search=A%20b&sort=-octets&offset=6&limit=7",
			api.Query{
				Filter: api.Filter{
					IDs: []api.ID{13, 14}, User: "al ice", Address: netip.MustParsePrefix("10.0.0.1/32"), Line: "Gi0/1", NAS: "n",
					CallingStation: "c", AcctSessionID: "a", Kind: "exec", State: "terminating",
				},
				Search: "A b", Sort: "-octets", Offset: 6, Limit: 7,
			},
			"",
		},
		{"user that is no UTF-8", "user=%ff", api.Query{Filter: api.Filter{User: "\xff"}}, ""},
		{"limit 0", "limit=0", api.Query{}, ""},
		{"empty search", "search=", api.Query{}, `"search" is empty`},
		{"unknown", "usr=alice", api.Query{}, `unknown parameter "usr"`},
		{"empty", "user=", api.Query{}, `"user" is empty`},
		{"twice", "user=a&user=b", api.Query{}, `"user" is given 2 times`},
		{"id", "id=13", api.Query{}, `"13" is not a session ID`},
		{"address", "address=10.0.0", api.Query{}, `"10.0.0": want an IPv4 or IPv6 address or prefix`},
		{"IPv6 address", "address=%3A%3A1", api.Query{Filter: api.Filter{Address: netip.MustParsePrefix("::1/128")}}, ""},
		{"IPv4-mapped address", "address=::ffff:10.0.0.1", api.Query{Filter: api.Filter{Address: netip.MustParsePrefix("10.0.0.1/32")}}, ""},
		{"prefix with host bits", "address=2001:db8::1/32", api.Query{Filter: api.Filter{Address: netip.MustParsePrefix("2001:db8::/32")}}, ""},
		{"IPv4-mapped prefix", "address=::ffff:10.0.0.0/104", api.Query{}, "want an IPv4 or IPv6 address or prefix"},
		{"address with a zone", "address=fe80::1%25eth0", api.Query{}, "want an IPv4 or IPv6 address or prefix"},
		{"kind", "kind=system", api.Query{}, "want one of network, exec, connection"},
		{"ended sessions are none", "state=ended", api.Query{}, "want one of active, terminating, stuck"},
		{"sort", "sort=name", api.Query{}, "want one of address, id, idle, input, nas, octets, output, started, user"},
		{"offset below 0", "offset=-1", api.Query{}, "offset"},
		{"limit below 0", "limit=-1", api.Query{}, "limit"},
		{"limit too large", "limit=2147483648", api.Query{}, "limit"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			values, err := url.ParseQuery(tt.query)
			if err != nil {
				t.Fatal(err)
			}
			got, err := api.ParseQuery(values)
			if tt.err != "" {
				if !errors.Is(err, api.ErrQuery) || !strings.Contains(err.Error(), tt.err) {
					t.Errorf("error %v, want %q", err, tt.err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.want, got, cmpopts.EquateComparable(netip.Prefix{})); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// FuzzQuery: Values returns parameters that ParseQuery parses to the same query.
func FuzzQuery(f *testing.F) {
	for _, seed := range []string{
		"", "user=alice", "line=5&limit=1", "id=0000000D&id=0xE", "address=10.0.0.1&nas=192.0.2.1", "calling-station=00-11-22-33-44-55",
		"sort=-user&limit=3", "offset=5&limit=1", "kind=network&state=active", "user=%ff%00", "limit=99999999999", "address=::ffff:10.0.0.1", "address=2001:db8::1/32", "acct-session-id=a&x",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		values, err := url.ParseQuery(text)
		if err != nil {
			return
		}
		q, err := api.ParseQuery(values)
		if err != nil {
			return
		}
		again, err := api.ParseQuery(q.Values())
		if err != nil {
			t.Fatalf("%q: %v", q.Values().Encode(), err)
		}
		if diff := cmp.Diff(q, again, cmpopts.EquateComparable(netip.Prefix{})); diff != "" {
			t.Error(diff)
		}
		if q.IsZero() != (q.Search == "" && len(q.Filter.IDs) == 0 && cmp.Equal(q.Filter, api.Filter{}, cmpopts.EquateComparable(netip.Prefix{}))) {
			t.Errorf("IsZero is %v of %+v", q.IsZero(), q.Filter)
		}
	})
}

// TestNewDisconnectRequest: an empty filter is an error, and so are IDs with other fields.
func TestNewDisconnectRequest(t *testing.T) {
	for query, want := range map[string]*api.DisconnectRequest{
		"id=0xD&id=0000000E":  {IDs: []string{"0000000D", "0000000E"}, Wait: 1.5},
		"user=a&kind=network": {Filter: map[string]string{"user": "a", "kind": "network"}, Wait: 1.5},
		"id=0xD&user=a":       nil,
		"":                    nil,
	} {
		values, err := url.ParseQuery(query)
		if err != nil {
			t.Fatal(err)
		}
		q, err := api.ParseQuery(values)
		if err != nil {
			t.Fatal(err)
		}
		got, err := api.NewDisconnectRequest(q.Filter, 1500*time.Millisecond)
		if want == nil {
			if !errors.Is(err, api.ErrQuery) {
				t.Errorf("%q: %+v, %v", query, got, err)
			}
		} else if diff := cmp.Diff(*want, got, cmpopts.EquateEmpty()); diff != "" || err != nil {
			t.Errorf("%q: %v %s", query, err, diff)
		}
	}
}

func TestSeconds(t *testing.T) {
	for want, d := range map[string]time.Duration{"0": 0, "5": 5 * time.Second, "0.00123": 1230 * time.Microsecond, "3600": time.Hour, "0.5": time.Second / 2} {
		s := api.InSeconds(d)
		if b, err := json.Marshal(s); err != nil || string(b) != want || s.Duration() != d {
			t.Errorf("%v: %s %v", d, b, err)
		}
	}
}
