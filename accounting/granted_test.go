package accounting

import (
	"slices"
	"testing"
	"time"

	"aaasess/internal/radius"
	"aaasess/sessions"
	"aaasess/store"

	"github.com/google/go-cmp/cmp"
)

// grantedOctets are what an Access-Accept may grant: each attribute that a session remembers of it,
// and two of Class and of Framed-IPv6-Prefix.
const grantedOctets = "0105 626f62 1905 00ff31 1903 32 5903 7a 5506 0000012c 1b06 00000e10 1c06 00000078 0806 0a000063 " +
	"600a 0000000000000063 610c 0040 20010db800000001 610c 0040 20010db800000002 7b09 0028 20010db899 a812 20010db8000000000000000000000063"

// asText returns attributes as "Name = value", in their order.
func asText(a radius.Attributes) (lines []string) {
	for p := range radius.Standard().Print(a) {
		lines = append(lines, p.Name+" = "+p.Text)
	}
	return lines
}

// What an Access-Accept grants goes into the records of its session. The record has no
// Event-Timestamp.
func TestComposeGranted(t *testing.T) {
	const (
		start, stop, interim, other = sessions.Start, sessions.Stop, sessions.Interim, sessions.Other

		nas  = "2003 62 " // NAS-Identifier "b"
		user = "0106 616e6f6e "
	)
	status := map[sessions.EventType]string{start: "2806 00000001 ", stop: "2806 00000002 ", interim: "2806 00000003 ", other: "2806 0000000f "}
	shownStatus := map[sessions.EventType]string{start: "Start", stop: "Stop", interim: "Interim-Update", other: "Failed"}
	for _, tt := range []struct {
		name                     string
		typ                      sessions.EventType
		kind                     sessions.Kind
		packet, session, granted string   // packet: after Acct-Status-Type; "-" for none
		want                     []string // without Acct-Status-Type, Acct-Session-Id and NAS-Identifier
	}{
		{"User-Name: the Accept's replaces the NAS's, in its place", start, sessions.Network, user + "0506 00000001", "", "0105 626f62", []string{"User-Name = bob", "NAS-Port = 1"}},
		{"User-Name: in an interim too", interim, sessions.Network, user, user, "0105 626f62", []string{"User-Name = bob"}},
		{"User-Name: and in a stop", stop, sessions.Network, user, user, "0105 626f62", []string{"User-Name = bob"}},
		{"User-Name: instead of that of an earlier packet", stop, sessions.Network, "", user, "0105 626f62", []string{"User-Name = bob"}},
		{"User-Name: in a stop that we make", stop, sessions.Network, "-", user + nas, "0105 626f62", []string{"User-Name = bob"}},
		{"User-Name: in an interim that we make", interim, sessions.Exec, "-", user + nas, "0105 626f62", []string{"User-Name = bob", "Acct-Session-Time = 0"}},
		{"User-Name: in a Failed of the session", other, sessions.Network, user, user, "0105 626f62", []string{"User-Name = bob"}},
		{"User-Name: not added to a Failed that is about none", other, sessions.Network, "", user, "0105 626f62", nil},
		{"User-Name: if the NAS reports none", start, sessions.Network, "", "", "0105 626f62", []string{"User-Name = bob"}},
		{"User-Name: for an empty one", start, sessions.Network, "0102", "", "0105 626f62", []string{"User-Name = bob"}},
		{"User-Name: an Accept with an empty one has none", start, sessions.Network, user, "", "0102", []string{"User-Name = anon"}},
		{"User-Name: once, whatever the Accept has", start, sessions.Network, "", "", "0105 626f62 0105 626f63", []string{"User-Name = bob"}},
		{"Class: all of the Accept's, in order, octet for octet", start, sessions.Network, "", "", "1905 00ff31 1903 32 1903 32", []string{"Class = 0x00ff31", "Class = 0x32", "Class = 0x32"}},
		{"Class: the NAS's echo counts", start, sessions.Network, "1903 61 1903 62", "", "1905 00ff31 1903 32", []string{"Class = 0x61", "Class = 0x62"}},
		{"Class: an echo in an earlier packet counts", stop, sessions.Network, "", "1903 61", "1905 00ff31", []string{"Class = 0x61"}},
		{"Class: an empty one is no echo", start, sessions.Network, "1902", "", "1903 32", []string{"Class = 0x32"}},
		{"Class: in interims and stops", interim, sessions.Exec, "", "", "1903 32", []string{"Class = 0x32"}},
		{"Class: of a call", stop, sessions.Resource, "", "", "1903 32", []string{"Class = 0x32"}},
		{"Chargeable-User-Identity: the Accept's", stop, sessions.Network, "", "", "5903 7a", []string{"Chargeable-User-Identity = 0x7a"}},
		{"Chargeable-User-Identity: the NAS's counts", stop, sessions.Network, "5903 79", "", "5903 7a", []string{"Chargeable-User-Identity = 0x79"}},
		{"Chargeable-User-Identity: a NUL identifies nobody", stop, sessions.Network, "", "", "5903 00", nil},
		{"Framed-IP-Address: the Accept's", start, sessions.Network, "", "", "0806 0a000063", []string{"Framed-IP-Address = 10.0.0.99"}},
		{"Framed-IP-Address: the NAS's counts", interim, sessions.Network, "0806 0a000001", "", "0806 0a000063", []string{"Framed-IP-Address = 10.0.0.1"}},
		{"Framed-IP-Address: that of an earlier packet counts", stop, sessions.Network, "", "0806 0a000001", "0806 0a000063", []string{"Framed-IP-Address = 10.0.0.1"}},
		{"Framed-IP-Address: in the place of none yet", start, sessions.Network, "0806 00000000 0506 00000001", "", "0806 0a000063", []string{"Framed-IP-Address = 10.0.0.99", "NAS-Port = 1"}},
		{"Framed-IP-Address: none yet, and none granted", start, sessions.Network, "0806 00000000", "", "0806 fffffffe", []string{"Framed-IP-Address = 0.0.0.0"}},
		{"Framed-IP-Address: in the place of none yet in an earlier packet", stop, sessions.Network, "", "0806 fffffffe", "0806 0a000063", []string{"Framed-IP-Address = 10.0.0.99"}},
		{"Framed-IP-Address: none yet of an EXEC session", start, sessions.Exec, "0806 00000000", "", "0806 0a000063", []string{"Framed-IP-Address = 0.0.0.0"}},
		{"Framed-IP-Address: the NAS chooses", start, sessions.Network, "", "", "0806 fffffffe", nil},
		{"Framed-IP-Address: the user chooses", start, sessions.Network, "", "", "0806 ffffffff", nil},
		{"Framed-IP-Address: not one of three octets", start, sessions.Network, "", "", "0805 0a0000", nil},
		{"Framed-IP-Address: not of an EXEC session", start, sessions.Exec, "", "", "0806 0a000063", nil},
		{
			"IPv6: interface id, all prefixes, the delegated prefix, the address", start, sessions.Network, "", "", grantedOctets,
			[]string{
				"User-Name = bob", "Class = 0x00ff31", "Class = 0x32", "Chargeable-User-Identity = 0x7a", "Framed-IP-Address = 10.0.0.99",
				"Framed-Interface-Id = 0000:0000:0000:0063", "Framed-IPv6-Prefix = 2001:db8:0:1::/64", "Framed-IPv6-Prefix = 2001:db8:0:2::/64",
				"Delegated-IPv6-Prefix = 2001:db8:9900::/40", "Framed-IPv6-Address = 2001:db8::63",
			},
		},
		{"IPv6: the NAS's prefix counts, for prefixes", start, sessions.Network, "610c 0040 20010db800000005", "", "610c 0040 20010db800000001 7b09 0028 20010db899", []string{"Framed-IPv6-Prefix = 2001:db8:0:5::/64", "Delegated-IPv6-Prefix = 2001:db8:9900::/40"}},
		{"Session-Timeout, Idle-Timeout, Acct-Interim-Interval: not the Accept's", start, sessions.Network, "", "", "1b06 00000e10 1c06 00000078 5506 0000012c", nil},
		{"Session-Timeout: the NAS's own stays", start, sessions.Network, "1b06 00000001", "", "1b06 00000e10", []string{"Session-Timeout = 1"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			n := sessions.Notice{
				Type: tt.typ, At: time.Unix(0, 0),
				Session: &sessions.Session{
					ID: 7, Kind: tt.kind, NAS: nas4, Attrs: octets(t, tt.session),
					Admission: &sessions.Admission{Granted: octets(t, tt.granted)},
				},
			}
			if tt.packet != "-" {
				n.Attrs = octets(t, status[tt.typ]+"2c03 31"+nas+tt.packet)
			}
			got, _ := Compose(nil, &n)
			want := append([]string{"Acct-Status-Type = " + shownStatus[tt.typ], "Acct-Session-Id = 00000007", "NAS-Identifier = b"}, tt.want...)
			all := asText(radius.Attributes(got))
			if tt.packet == "-" { // in another order
				slices.Sort(all)
				slices.Sort(want)
			}
			if diff := cmp.Diff(want, all); diff != "" {
				t.Errorf("want (-) and got (+):\n%s", diff)
			}
		})
	}
}

// The Acct-Session-Id of a record is the name of its session, for all types.
func TestComposeUpstream(t *testing.T) {
	packet := octets(t, "2c03 31 2003 62")
	for _, tt := range []struct {
		name     string
		typ      sessions.EventType
		id       sessions.ID
		upstream string
		packet   radius.Attributes
		want     string
	}{
		{"the number", sessions.Start, 0xD, "", packet, "0000000D"},
		{"extend-with-addr", sessions.Start, 0xD, "AC10190F0000000D", packet, "AC10190F0000000D"},
		{"sync-with-client", sessions.Interim, 0xD, "1", packet, "1"},
		{"a stop that we make", sessions.Stop, 0xD, "AC10190F0000000D", "", "AC10190F0000000D"},
		{"a Failed of the session", sessions.Other, 0xD, "AC10190F0000000D", packet, "AC10190F0000000D"},
		{"a Failed of no session", sessions.Other, 0, "", packet, "1"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, _ := Compose(nil, &sessions.Notice{
				Type: tt.typ, Attrs: tt.packet,
				Session: &sessions.Session{ID: tt.id, NAS: nas4, Attrs: packet, Admission: &sessions.Admission{Upstream: tt.upstream}},
			})
			if ids := values(radius.Attributes(got), radius.AcctSessionID); !slices.Equal(ids, []string{tt.want}) {
				t.Errorf("%q, want one %q", ids, tt.want)
			}
		})
	}
}

// A record is stored under the number of its session, whatever its Acct-Session-Id is.
func TestRouterUpstream(t *testing.T) {
	for _, typ := range []sessions.EventType{sessions.Start, sessions.Stop, sessions.Interim, sessions.Other} {
		t.Run(typ.String(), func(t *testing.T) {
			s := openStore(t, store.NewDisk())
			r := newRouter(t, s, suppressing)
			n := notice(0xD, sessions.Network, typ)
			n.Session.Route = sessions.NewRoute(r.Route(n.Session))
			n.Session.Admission = &sessions.Admission{Granted: octets(t, "0105 626f62"), Upstream: "5F2A"}
			committed(t, r, sessions.Change{Notices: []sessions.Notice{n}})
			got := records(t, s, "local")
			if len(got) != 1 || got[0].Number() != 0xD || got[0].SessionName() != "5F2A" {
				t.Errorf("recorded %v", got)
			}
		})
	}
}

// A start whose address authentication has granted does not wait for it ("delay-start").
func TestDelayStartGranted(t *testing.T) {
	for _, tt := range []struct {
		name, granted string
		waits         bool
	}{
		{"nothing granted", "", true},
		{"an address", "0806 0a000063", false},
		{"the NAS chooses one", "0806 fffffffe", true},
		{"an interface id", "600a 0000000000000063", true},
		{"a delegated prefix", "7b09 0028 20010db899", false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := openStore(t, store.NewDisk())
			r := newRouter(t, s, routes{sessions.Network: {List: "network/default", Record: StartStop, DelayStart: time.Minute, Methods: []MethodName{Local}}})
			n := notice(7, sessions.Network, sessions.Start)
			n.Session.Route, n.Session.Admission = sessions.NewRoute(r.Route(n.Session)), &sessions.Admission{Granted: octets(t, tt.granted)}
			committed(t, r, sessions.Change{Notices: []sessions.Notice{n}})
			if got := records(t, s, "local"); len(got) != 1 || (got[0].Hold > 0) != tt.waits {
				t.Errorf("recorded %v, want one that waits: %t", got, tt.waits)
			}
		})
	}
}
