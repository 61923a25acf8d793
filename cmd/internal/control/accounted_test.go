package control_test

import (
	"errors"
	"fmt"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"aaasess/cmd/internal/api"
	"aaasess/cmd/internal/apiclient"
	"aaasess/cmd/internal/control"
	"aaasess/cmd/internal/control/controltest"
	"aaasess/internal/radius"
	"aaasess/sessions"
)

// number makes a session have a number as an attribute.
func number(t radius.Type, n uint32) func(*sessions.Event) {
	return with(t, string([]byte{byte(n >> 24), byte(n >> 16), byte(n >> 8), byte(n)}))
}

func kind(k sessions.Kind) func(*sessions.Event) {
	return func(ev *sessions.Event) { ev.Kind = k }
}

// at makes a session of another NAS.
func at(addr, identifier string) func(*sessions.Event) {
	return func(ev *sessions.Event) {
		ev.NAS = sessions.NAS{Addr: netip.MustParseAddr(addr), Identifier: identifier}
	}
}

// accountant starts a daemon whose clock stands at now. Sessions of guests are not accounted.
func accountant(t *testing.T, now time.Time) (*controltest.Daemon, *apiclient.Client) {
	t.Helper()
	d, client := start(t, func(c *control.Config) {
		c.Accounting, c.Now = &controltest.Accounting{}, func() time.Time { return now }
		c.ClientName = func(addr netip.Addr) string {
			return map[netip.Addr]string{netip.MustParseAddr("192.0.2.9"): "bras-1"}[addr]
		}
	})
	d.Journal.RouteBy(func(s *sessions.Session) string {
		if s.User() == "guest" {
			return ""
		}
		return s.Kind.String() + "/default"
	})
	return d, client
}

// accounted returns a line for each session in the answer to a query, and the counts of its head.
func accounted(t *testing.T, client *apiclient.Client, query string) []string {
	t.Helper()
	values, err := url.ParseQuery(query)
	if err != nil {
		t.Fatal(err)
	}
	q, err := api.ParseQuery(values)
	if err != nil {
		t.Fatal(err)
	}
	list, err := client.Accounted(t.Context(), q)
	if err != nil {
		t.Fatal(err)
	}
	defer list.Close()
	var out []string
	for s, err := range list.AllAccounted() {
		if err != nil {
			t.Fatal(err)
		}
		text := fmt.Sprintf("%s %s/%d %ds", s.User, s.Decision.List, s.Privilege, s.Elapsed)
		for _, p := range s.Pairs {
			text += " " + p.Name + "=" + p.Value
		}
		out = append(out, text)
	}
	return append(out, fmt.Sprintf("%d of %d of %d", list.Accounted, list.Matched, list.Total))
}

// TestAccounted: the order, the pairs, the privilege level and the elapsed time of sessions.
func TestAccounted(t *testing.T) {
	now := time.Date(2001, 6, 27, 7, 0, 0, 0, time.UTC)
	d, client := accountant(t, now)
	v6, host := netip.MustParseAddr("2001:db8::7").As16(), netip.MustParseAddr("2001:db8::9").As16()
	port := func(id string) func(*sessions.Event) { return with(radius.NASPortID, id) }
	call := func(id string) func(*sessions.Event) {
		return func(ev *sessions.Event) { ev.AcctSessionID = id }
	}
	exec, connection := kind(sessions.Exec), kind(sessions.Connection)

	begin(t, d, "ann", now.Add(-59*time.Second), at("192.0.2.9", "x"), port("tty10"), number(radius.FramedProtocol, 1))
	begin(t, d, "bob", now.Add(-2*time.Hour), at("192.0.2.9", "x"), port("tty2"), call("1"), exec, number(radius.ServiceType, 7))
	begin(t, d, "guest", now, at("192.0.2.9", "x"), port("tty2"))
	begin(t, d, "bob", now.Add(-1500*time.Millisecond), at("192.0.2.9", "x"), port("tty2"), call("2"), number(radius.FramedProtocol, 2), number(radius.FramedIPAddress, 10<<24|2),
		func(ev *sessions.Event) {
			ev.Sent, ev.Usage = sessions.InputOctets|sessions.OutputPackets, sessions.Usage{InputOctets: 1 << 40, OutputPackets: 0}
		})
	begin(t, d, "zoe", now.Add(time.Minute), number(radius.NASPort, 26), call("3"), exec, number(radius.ServiceType, 7))
	begin(t, d, "zoe", now, number(radius.NASPort, 26), call("4"), exec, number(radius.ServiceType, 6))
	begin(t, d, "cat", now, number(radius.NASPort, 9), connection, number(radius.LoginService, 0), number(radius.LoginIPHost, 10<<24|1))
	begin(t, d, "dan", now, number(radius.NASPort, 9), connection, number(radius.LoginService, 4), with(35, "V\xffX"))
	begin(t, d, "eve", now, number(radius.NASPort, 9), connection, number(radius.LoginService, 3), number(radius.LoginIPHost, 1<<32-1), with(98, string(host[:])))
	begin(t, d, "fay", now, with(radius.FramedIPv6Address, string(v6[:])), with(radius.FramedIPv6Prefix, "\x00\x40\x20\x01\x0d\xb8\x00\x01\x00\x02"),
		with(radius.DelegatedIPv6Prefix, "\x00\x30\x20\x01\x0d\xb8\x00\x42"), number(radius.FramedIPAddress, 10<<24|3), number(radius.FramedProtocol, 7))

	const (
		ann  = "ann network/default/1 59s task_id=1 service=ppp"
		bob1 = "bob exec/default/1 7200s task_id=2 service=shell"
		bob2 = "bob network/default/1 1s task_id=4 service=slip protocol=ip address=10.0.0.2 bytes_in=1099511627776 paks_out=0"
		zoe1 = "zoe exec/default/15 0s task_id=5 service=shell"
		zoe2 = "zoe exec/default/15 0s task_id=6 service=shell"
		cat  = "cat connection/default/1 0s task_id=7 service=connection protocol=telnet address=10.0.0.1"
		dan  = `dan connection/default/1 0s task_id=8 service=connection protocol=lat address=V\xffX`
		eve  = "eve connection/default/1 0s task_id=9 service=connection protocol=unknown address=2001:db8::9"
		fay  = "fay network/default/1 0s task_id=10 service=ppp protocol=ip address=10.0.0.3 protocol=ipv6 " +
			"address=2001:db8::7 prefix=2001:db8:1:2::/64 delegated-prefix=2001:db8:42::/48"
	)
	for _, tt := range []struct {
		name, query string
		want        []string
	}{
		{"all", "", []string{bob1, bob2, ann, fay, cat, dan, eve, zoe1, zoe2, "9 of 10 of 10"}},
		{"limit within a line", "limit=1", []string{bob1, "9 of 10 of 10"}},
		{"limit between lines", "limit=2&nas=bras-1", []string{bob1, bob2, "3 of 4 of 10"}},
		{"the level is the user's, not the first session's", "limit=1&user=zoe", []string{zoe1, "2 of 2 of 10"}},
		{"limit above", "limit=99&nas=x", []string{bob1, bob2, ann, "3 of 4 of 10"}},
		{"line by NAS-Port-Id", "line=tty2", []string{bob1, bob2, "2 of 3 of 10"}},
		{"line by NAS-Port", "line=26", []string{zoe1, zoe2, "2 of 2 of 10"}},
		{"no such line", "line=tty", []string{"0 of 0 of 10"}},
		{"user", "user=ann", []string{ann, "1 of 1 of 10"}},
		{"kind", "kind=connection", []string{cat, dan, eve, "3 of 3 of 10"}},
		{"id", "id=0000000A", []string{fay, "1 of 1 of 10"}},
		{"not accounted", "user=guest", []string{"0 of 1 of 10"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if diff := cmp.Diff(tt.want, accounted(t, client, tt.query)); diff != "" {
				t.Error(diff)
			}
		})
	}
	_, err := client.Accounted(t.Context(), api.Query{Sort: "user"})
	if refused := (*apiclient.ResponseError)(nil); !errors.As(err, &refused) || refused.Code != http.StatusBadRequest || !strings.Contains(refused.Text, "there is no sort") {
		t.Errorf("sort: %v", err)
	}
}

// TestAccountedLinesUnknown: sessions whose line is not known are never of one line.
func TestAccountedLinesUnknown(t *testing.T) {
	now := time.Now()
	d, client := accountant(t, now)
	for i, service := range []uint32{7, 6} {
		begin(t, d, "ann", now, kind(sessions.Exec), number(radius.ServiceType, service), func(ev *sessions.Event) { ev.AcctSessionID = fmt.Sprint(i) })
	}
	want := []string{"ann exec/default/1 0s task_id=1 service=shell", "ann exec/default/15 0s task_id=2 service=shell", "2 of 2 of 2"}
	if diff := cmp.Diff(want, accounted(t, client, "")); diff != "" {
		t.Error(diff)
	}
}

// TestAccountedElapsed: the elapsed time is that since the start, whatever session time the NAS
// reports later.
func TestAccountedElapsed(t *testing.T) {
	began := time.Now()
	var later atomic.Int64 // seconds
	clock := func() time.Time { return began.Add(time.Duration(later.Load()) * time.Second) }
	d, client := start(t, func(c *control.Config) { c.Accounting, c.Now = &controltest.Accounting{}, clock })
	d.Journal.RouteBy(func(*sessions.Session) string { return "network/default" })
	begin(t, d, "ann", began)
	later.Store(52)
	begin(t, d, "ann", clock(), func(ev *sessions.Event) {
		ev.Type, ev.Sent, ev.Usage.SessionTime = sessions.Interim, sessions.SessionTime, 7
	})
	want := []string{"ann network/default/1 52s task_id=1 service=ppp", "1 of 1 of 1"}
	if diff := cmp.Diff(want, accounted(t, client, "")); diff != "" {
		t.Error(diff)
	}
}

// TestAccountedWithoutAccounting: a daemon without accounting has no such list.
func TestAccountedWithoutAccounting(t *testing.T) {
	_, client := start(t, nil)
	_, err := client.Accounted(t.Context(), api.Query{})
	if refused := (*apiclient.ResponseError)(nil); !errors.As(err, &refused) || refused.Code != http.StatusNotFound {
		t.Error(err)
	}
}
