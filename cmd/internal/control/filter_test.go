package control_test

import (
	"errors"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"aaasess/cmd/internal/control"
	"aaasess/internal/radius"
	"aaasess/sessions"
)

func TestParseID(t *testing.T) {
	tests := []struct {
		name, text string
		want       sessions.ID // 0: an error
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
			got, err := control.ParseID(tt.text)
			if got != tt.want || (err != nil) != (tt.want == 0) || err != nil && !errors.Is(err, control.ErrQuery) {
				t.Errorf("got %d, %v; want %d", got, err, tt.want)
			}
		})
	}
}

func TestParseQuery(t *testing.T) {
	tests := []struct {
		name, query string
		want        control.Query
		err         string // part of it
	}{
		{"nothing", "", control.Query{}, ""},
		{
			"everything", "id=0000000D&id=0xe&id=0000000D&user=al%20ice&address=10.0.0.1&nas=n&calling-station=c&acct-session-id=a&kind=exec&state=terminating&sort=-octets&limit=7",
			control.Query{
				Filter: control.Filter{
					IDs: []sessions.ID{13, 14}, User: "al ice", Address: netip.MustParseAddr("10.0.0.1"), NAS: "n",
					CallingStation: "c", AcctSessionID: "a", Kind: sessions.Exec, State: sessions.Terminating,
				},
				Sort: "-octets", Limit: 7,
			},
			"",
		},
		{"user that is no UTF-8", "user=%ff", control.Query{Filter: control.Filter{User: "\xff"}}, ""},
		{"limit 0", "limit=0", control.Query{}, ""},
		{"unknown", "usr=alice", control.Query{}, `"usr" is not known`},
		{"empty", "user=", control.Query{}, `"user" is empty`},
		{"twice", "user=a&user=b", control.Query{}, `"user" is given 2 times`},
		{"id", "id=13", control.Query{}, `"13" is no session id`},
		{"address", "address=10.0.0", control.Query{}, `"10.0.0" is no IPv4 address`},
		{"IPv6 address", "address=%3A%3A1", control.Query{}, "is no IPv4 address"},
		{"kind", "kind=system", control.Query{}, "want one of network, exec, connection"},
		{"ended sessions are none", "state=ended", control.Query{}, "want one of active, terminating"},
		{"sort", "sort=name", control.Query{}, "want one of id, idle, octets, started, user"},
		{"limit below 0", "limit=-1", control.Query{}, "limit"},
		{"limit too large", "limit=2147483648", control.Query{}, "limit"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			values, err := url.ParseQuery(tt.query)
			if err != nil {
				t.Fatal(err)
			}
			got, err := control.ParseQuery(values)
			if tt.err != "" {
				if !errors.Is(err, control.ErrQuery) || !strings.Contains(err.Error(), tt.err) {
					t.Errorf("error %v, want %q", err, tt.err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.want, got, cmpopts.EquateComparable(netip.Addr{})); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// FuzzFilter: what ParseQuery takes, Values gives back, and matching it harms nothing.
func FuzzFilter(f *testing.F) {
	for _, seed := range []string{
		"", "user=alice", "id=0000000D&id=0xE", "address=10.0.0.1&nas=192.0.2.1", "calling-station=00-11-22-33-44-55",
		"sort=-user&limit=3", "kind=network&state=active", "user=%ff%00", "limit=99999999999", "address=::ffff:10.0.0.1", "acct-session-id=a&x",
	} {
		f.Add(seed)
	}
	session := &sessions.Session{
		ID: 13, Kind: sessions.Network, State: sessions.Active, IPv4: 0x0a000001, User: "alice", AcctSessionID: "a",
		NAS:   &sessions.NAS{Addr: netip.MustParseAddr("192.0.2.1"), Identifier: "n"},
		Attrs: radius.Attributes(radius.AppendAttribute(nil, radius.CallingStationID, "001122334455")),
	}
	f.Fuzz(func(t *testing.T, text string) {
		values, err := url.ParseQuery(text)
		if err != nil {
			return
		}
		q, err := control.ParseQuery(values)
		if err != nil {
			return
		}
		again, err := control.ParseQuery(q.Values())
		if err != nil {
			t.Fatalf("%q: %v", q.Values().Encode(), err)
		}
		if diff := cmp.Diff(q, again, cmpopts.EquateComparable(netip.Addr{})); diff != "" {
			t.Error(diff)
		}
		if q.IsZero() != (len(q.Filter.IDs) == 0 && cmp.Equal(q.Filter, control.Filter{}, cmpopts.EquateComparable(netip.Addr{}))) {
			t.Errorf("IsZero is %v of %+v", q.IsZero(), q.Filter)
		}
		if q.IsZero() && !q.Match(session) {
			t.Error("no filter, no match")
		}
	})
}

// TestFiltersAndOrders asks a daemon with six sessions through its socket.
func TestFiltersAndOrders(t *testing.T) {
	d, client := start(t, nil)
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
	begin(t, d, "alice", began.Add(5*time.Minute), nas2, with(radius.CallingStationID, "tel:1234"))
	begin(t, d, "a\xffb\x1b[31m", began)
	disconnect(t, client, control.DisconnectRequest{IDs: []string{"00000004"}})

	tests := []struct{ name, query, want string }{
		{"all", "", "1 2 3 4 5 6 of 6"},
		{"user", "user=alice", "2 5 of 2"},
		{"user of raw octets", "user=a%ffb%1b[31m", "6 of 1"},
		{"user is no prefix", "user=ali", "of 0"},
		{"address", "address=10.0.0.2", "3 of 1"},
		{"no session has address 0", "address=0.0.0.0", "of 0"},
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
		{"nobody", "user=alice&kind=exec", "of 0"},
		{"by user", "sort=user", "2 5 6 3 1 4 of 6"},
		{"by user, reversed", "sort=-user", "4 1 3 6 2 5 of 6"},
		{"oldest first", "sort=started", "6 3 2 1 4 5 of 6"},
		{"newest first", "sort=-started&limit=2", "5 4 of 6"},
		{"longest idle first", "sort=idle&limit=3", "6 3 2 of 6"},
		{"most octets first", "sort=octets", "2 4 1 3 5 6 of 6"},
		{"id, reversed", "sort=-id&limit=1", "6 of 6"},
		{"limit above", "limit=99&user=bob", "3 of 1"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			values, err := url.ParseQuery(tt.query)
			if err != nil {
				t.Fatal(err)
			}
			query, err := control.ParseQuery(values)
			if err != nil {
				t.Fatal(err)
			}
			if got := numbers(t, client, query); got != tt.want {
				t.Errorf("got %s, want %s", got, tt.want)
			}
		})
	}
	if !slices.IsSorted(control.Orders()) {
		t.Error(control.Orders())
	}
}
