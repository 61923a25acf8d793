package radiusclient

import (
	"fmt"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"aaasess/internal/servers"
	"aaasess/mib"
	"aaasess/sessions/radius/dae"
)

var now = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)

// serverView has servers whose values all differ.
func serverView() *servers.View {
	stats := func(base uint64) servers.Stats {
		return servers.Stats{
			CountedSince: now.Add(-time.Duration(base) * time.Second), RoundTripTime: time.Duration(base+1) * hundredth,
			Requests: base + 2, Retransmissions: base + 3, Responses: base + 4, Accepts: base + 5, Rejects: base + 6, Challenges: base + 7,
			MalformedResponses: base + 8, BadAuthenticators: base + 9, PendingRequests: int(base + 10), Timeouts: base + 11,
			UnknownTypes: base + 12, PacketsDropped: base + 13, SendErrors: base + 14, Tests: base + 15, TestsFailed: base + 16,
			PreviousState: time.Duration(base + 17), TotalDeadTime: time.Duration(base + 18), DeadCount: base + 19,
			Successes: base + 20, Failures: base + 21, ResponseTime: time.Duration(base + 22), MaxResponseTime: time.Duration(base + 23),
		}
	}
	entry := func(p servers.Protocol, name string, number uint32, addr string, auth, acct uint16, base uint64) servers.Entry {
		e := servers.Entry{
			Identity: servers.Identity{Protocol: p, Name: name, AuthPort: auth, AcctPort: acct},
			Index:    number + 100, Number: number, Authentication: stats(base), Accounting: stats(base + 50),
		}
		if addr != "" {
			e.Addr = netip.MustParseAddr(addr)
		}
		return e
	}
	return &servers.View{
		Now: now, InvalidAuthAddresses: 11, InvalidAcctAddresses: 12, NASIdentifier: "nas-1",
		Entries: []servers.Entry{
			entry(servers.TACACS, "t", 1, "192.0.2.9", 49, 49, 9000),
			entry(servers.RADIUS, "mapped", 7, "::ffff:192.0.2.7", 0, 1813, 7000), // the order is that of Index, not of Number
			entry(servers.RADIUS, "four", 2, "192.0.2.1", 1812, 1646, 1000),
			entry(servers.RADIUS, "six", 3, "2001:db8::1", 1645, 1813, 2000),
			entry(servers.RADIUS, "unresolved", 4, "", 1812, 1813, 3000),
			entry(servers.RADIUS, "logins only", 5, "192.0.2.5", 1812, 0, 4000),
			entry(servers.RADIUS, "link-local", 1<<31-1, "fe80::1%7", 1812, 1813, 5000),
		},
	}
}

// show prints a value with its type.
func show(v *mib.Value) string {
	switch v.Type {
	case mib.OctetString:
		return fmt.Sprintf("%q", v.Str)
	case mib.IpAddress:
		return netip.AddrFrom4([4]byte{byte(v.Num >> 24), byte(v.Num >> 16), byte(v.Num >> 8), byte(v.Num)}).String()
	}
	return fmt.Sprint(v.Type, " ", v.Num)
}

// walk returns what a manager reads, by the names of the objects.
func walk(t testing.TB, part mib.Part) (list []string) {
	t.Helper()
	tree, err := mib.New(part)
	if err != nil {
		t.Fatal(err)
	}
	r := tree.NewReader()
	at := mib.OID{1}
	for {
		var vb mib.Varbind
		r.Next(at, false, nil, &vb)
		if vb.Value.Type == mib.EndOfMibView {
			return list
		}
		var got mib.Value
		r.Get(vb.Name, &got)
		if diff := cmp.Diff(vb.Value, got); diff != "" {
			t.Errorf("GET of %s: %s", tree.Describe(vb.Name), diff)
		}
		list = append(list, tree.Describe(vb.Name)+" "+show(&vb.Value))
		at = vb.Name
	}
}

// column is what a walk of one column reads. Each value is "index=value".
func column(name string, values ...string) (list []string) {
	for _, v := range values {
		index, value, _ := strings.Cut(v, "=")
		list = append(list, name+"."+index+" "+value)
	}
	return list
}

// numbers is column for values that are a number: each row is "index=base", and its value is
// base+offset.
func numbers(name, kind string, offset int, rows ...string) (list []string) {
	for _, r := range rows {
		var index, base int
		if _, err := fmt.Sscanf(r, "%d=%d", &index, &base); err != nil {
			panic(err)
		}
		list = append(list, fmt.Sprintf("%s.%d %s %d", name, index, kind, base+offset))
	}
	return list
}

func join(lists ...[]string) (all []string) {
	for _, l := range lists {
		all = append(all, l...)
	}
	return all
}

// TestAccounting reads every column of RADIUS-ACC-CLIENT-MIB: a column with the value of another one
// would differ.
func TestAccounting(t *testing.T) {
	v4 := []string{"2=1050", "7=7050"}
	all := []string{"2=1050", "3=2050", "4=3050", "7=7050", "2147483647=5050"}
	want := join(
		[]string{"radiusAccClientInvalidServerAddresses.0 Counter32 12", `radiusAccClientIdentifier.0 "nas-1"`},
		column("radiusAccServerAddress", "2=192.0.2.1", "7=192.0.2.7"),
		column("radiusAccClientServerPortNumber", "2=Integer32 1646", "7=Integer32 1813"),
		numbers("radiusAccClientRoundTripTime", "TimeTicks", 1, v4...),
		numbers("radiusAccClientRequests", "Counter32", 2, v4...),
		numbers("radiusAccClientRetransmissions", "Counter32", 3, v4...),
		numbers("radiusAccClientResponses", "Counter32", 4, v4...),
		numbers("radiusAccClientMalformedResponses", "Counter32", 8, v4...),
		numbers("radiusAccClientBadAuthenticators", "Counter32", 9, v4...),
		numbers("radiusAccClientPendingRequests", "Gauge32", 10, v4...),
		numbers("radiusAccClientTimeouts", "Counter32", 11, v4...),
		numbers("radiusAccClientUnknownTypes", "Counter32", 12, v4...),
		numbers("radiusAccClientPacketsDropped", "Counter32", 13, v4...),
		column("radiusAccServerInetAddressType", "2=Integer32 1", "3=Integer32 2", "4=Integer32 0", "7=Integer32 1", "2147483647=Integer32 4"),
		column("radiusAccServerInetAddress", `2="\xc0\x00\x02\x01"`, `3=" \x01\r\xb8\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x01"`, `4=""`,
			`7="\xc0\x00\x02\a"`, `2147483647="\xfe\x80\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x01\x00\x00\x00\a"`),
		column("radiusAccClientServerInetPortNumber", "2=Gauge32 1646", "3=Gauge32 1813", "4=Gauge32 1813", "7=Gauge32 1813", "2147483647=Gauge32 1813"),
		numbers("radiusAccClientExtRoundTripTime", "TimeTicks", 1, all...),
		numbers("radiusAccClientExtRequests", "Counter32", 2, all...),
		numbers("radiusAccClientExtRetransmissions", "Counter32", 3, all...),
		numbers("radiusAccClientExtResponses", "Counter32", 4, all...),
		numbers("radiusAccClientExtMalformedResponses", "Counter32", 8, all...),
		numbers("radiusAccClientExtBadAuthenticators", "Counter32", 9, all...),
		numbers("radiusAccClientExtPendingRequests", "Gauge32", 10, all...),
		numbers("radiusAccClientExtTimeouts", "Counter32", 11, all...),
		numbers("radiusAccClientExtUnknownTypes", "Counter32", 12, all...),
		numbers("radiusAccClientExtPacketsDropped", "Counter32", 13, all...),
		column("radiusAccClientCounterDiscontinuity", "2=TimeTicks 105000", "3=TimeTicks 205000", "4=TimeTicks 305000", "7=TimeTicks 705000", "2147483647=TimeTicks 505000"),
	)
	if diff := cmp.Diff(want, walk(t, NewAcc(serverView))); diff != "" {
		t.Error(diff)
	}
}

// TestAuthentication is TestAccounting for RADIUS-AUTH-CLIENT-MIB.
func TestAuthentication(t *testing.T) {
	v4 := []string{"2=1000", "5=4000"}
	all := []string{"2=1000", "3=2000", "4=3000", "5=4000", "2147483647=5000"}
	want := join(
		[]string{"radiusAuthClientInvalidServerAddresses.0 Counter32 11", `radiusAuthClientIdentifier.0 "nas-1"`},
		column("radiusAuthServerAddress", "2=192.0.2.1", "5=192.0.2.5"),
		column("radiusAuthClientServerPortNumber", "2=Integer32 1812", "5=Integer32 1812"),
		numbers("radiusAuthClientRoundTripTime", "TimeTicks", 1, v4...),
		numbers("radiusAuthClientAccessRequests", "Counter32", 2, v4...),
		numbers("radiusAuthClientAccessRetransmissions", "Counter32", 3, v4...),
		numbers("radiusAuthClientAccessAccepts", "Counter32", 5, v4...),
		numbers("radiusAuthClientAccessRejects", "Counter32", 6, v4...),
		numbers("radiusAuthClientAccessChallenges", "Counter32", 7, v4...),
		numbers("radiusAuthClientMalformedAccessResponses", "Counter32", 8, v4...),
		numbers("radiusAuthClientBadAuthenticators", "Counter32", 9, v4...),
		numbers("radiusAuthClientPendingRequests", "Gauge32", 10, v4...),
		numbers("radiusAuthClientTimeouts", "Counter32", 11, v4...),
		numbers("radiusAuthClientUnknownTypes", "Counter32", 12, v4...),
		numbers("radiusAuthClientPacketsDropped", "Counter32", 13, v4...),
		column("radiusAuthServerInetAddressType", "2=Integer32 1", "3=Integer32 2", "4=Integer32 0", "5=Integer32 1", "2147483647=Integer32 4"),
		column("radiusAuthServerInetAddress", `2="\xc0\x00\x02\x01"`, `3=" \x01\r\xb8\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x01"`, `4=""`,
			`5="\xc0\x00\x02\x05"`, `2147483647="\xfe\x80\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x01\x00\x00\x00\a"`),
		column("radiusAuthClientServerInetPortNumber", "2=Gauge32 1812", "3=Gauge32 1645", "4=Gauge32 1812", "5=Gauge32 1812", "2147483647=Gauge32 1812"),
		numbers("radiusAuthClientExtRoundTripTime", "TimeTicks", 1, all...),
		numbers("radiusAuthClientExtAccessRequests", "Counter32", 2, all...),
		numbers("radiusAuthClientExtAccessRetransmissions", "Counter32", 3, all...),
		numbers("radiusAuthClientExtAccessAccepts", "Counter32", 5, all...),
		numbers("radiusAuthClientExtAccessRejects", "Counter32", 6, all...),
		numbers("radiusAuthClientExtAccessChallenges", "Counter32", 7, all...),
		numbers("radiusAuthClientExtMalformedAccessResponses", "Counter32", 8, all...),
		numbers("radiusAuthClientExtBadAuthenticators", "Counter32", 9, all...),
		numbers("radiusAuthClientExtPendingRequests", "Gauge32", 10, all...),
		numbers("radiusAuthClientExtTimeouts", "Counter32", 11, all...),
		numbers("radiusAuthClientExtUnknownTypes", "Counter32", 12, all...),
		numbers("radiusAuthClientExtPacketsDropped", "Counter32", 13, all...),
		column("radiusAuthClientCounterDiscontinuity", "2=TimeTicks 100000", "3=TimeTicks 200000", "4=TimeTicks 300000", "5=TimeTicks 400000", "2147483647=TimeTicks 500000"),
	)
	if diff := cmp.Diff(want, walk(t, NewAuth(serverView))); diff != "" {
		t.Error(diff)
	}
}

// TestDynamicAuthorization is TestAccounting for RADIUS-DYNAUTH-CLIENT-MIB.
func TestDynamicAuthorization(t *testing.T) {
	messages := func(base uint64) dae.MessageStats {
		return dae.MessageStats{
			Requests: base, AuthorizeOnlyRequests: base + 1, Retransmissions: base + 2, ACKs: base + 3, NAKs: base + 4,
			AuthorizeOnlyNAKs: base + 5, NoContextNAKs: base + 6, Malformed: base + 7, BadAuthenticators: base + 8,
			Pending: base + 9, Timeouts: base + 10, Dropped: base + 11,
		}
	}
	row := func(index uint32, addr, identifier string, base uint64) dae.NASStats {
		return dae.NASStats{
			Index: index, Addr: netip.MustParseAddrPort(addr), Identifier: identifier, Since: now.Add(-time.Duration(base) * time.Second),
			RoundTripTime: time.Duration(base+1) * time.Millisecond, Disconnect: messages(base + 20), CoA: messages(base + 40), UnknownTypes: base + 60,
		}
	}
	view := &dae.NASView{
		Now: now, InvalidDisconnectAddresses: 21, InvalidCoAAddresses: 22,
		List: []dae.NASStats{row(1, "192.0.2.1:3799", "bras-1", 1000), row(5, "[2001:db8::5]:1700", "bras-\xff", 2000)},
	}
	rows := []string{"1=1000", "5=2000"}
	want := join(
		[]string{"radiusDynAuthClientDisconInvalidServerAddresses.0 Counter32 21", "radiusDynAuthClientCoAInvalidServerAddresses.0 Counter32 22"},
		column("radiusDynAuthServerAddressType", "1=Integer32 1", "5=Integer32 2"),
		column("radiusDynAuthServerAddress", `1="\xc0\x00\x02\x01"`, `5=" \x01\r\xb8\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x05"`),
		column("radiusDynAuthServerClientPortNumber", "1=Gauge32 3799", "5=Gauge32 1700"),
		column("radiusDynAuthServerID", `1="bras-1"`, `5="bras-�"`),
		column("radiusDynAuthClientRoundTripTime", "1=TimeTicks 101", "5=TimeTicks 201"),
		numbers("radiusDynAuthClientDisconRequests", "Counter32", 20, rows...),
		numbers("radiusDynAuthClientDisconAuthOnlyRequests", "Counter32", 21, rows...),
		numbers("radiusDynAuthClientDisconRetransmissions", "Counter32", 22, rows...),
		numbers("radiusDynAuthClientDisconAcks", "Counter32", 23, rows...),
		numbers("radiusDynAuthClientDisconNaks", "Counter32", 24, rows...),
		numbers("radiusDynAuthClientDisconNakAuthOnlyRequest", "Counter32", 25, rows...),
		numbers("radiusDynAuthClientDisconNakSessNoContext", "Counter32", 26, rows...),
		numbers("radiusDynAuthClientMalformedDisconResponses", "Counter32", 27, rows...),
		numbers("radiusDynAuthClientDisconBadAuthenticators", "Counter32", 28, rows...),
		numbers("radiusDynAuthClientDisconPendingRequests", "Gauge32", 29, rows...),
		numbers("radiusDynAuthClientDisconTimeouts", "Counter32", 30, rows...),
		numbers("radiusDynAuthClientDisconPacketsDropped", "Counter32", 31, rows...),
		numbers("radiusDynAuthClientCoARequests", "Counter32", 40, rows...),
		numbers("radiusDynAuthClientCoAAuthOnlyRequest", "Counter32", 41, rows...),
		numbers("radiusDynAuthClientCoARetransmissions", "Counter32", 42, rows...),
		numbers("radiusDynAuthClientCoAAcks", "Counter32", 43, rows...),
		numbers("radiusDynAuthClientCoANaks", "Counter32", 44, rows...),
		numbers("radiusDynAuthClientCoANakAuthOnlyRequest", "Counter32", 45, rows...),
		numbers("radiusDynAuthClientCoANakSessNoContext", "Counter32", 46, rows...),
		numbers("radiusDynAuthClientMalformedCoAResponses", "Counter32", 47, rows...),
		numbers("radiusDynAuthClientCoABadAuthenticators", "Counter32", 48, rows...),
		numbers("radiusDynAuthClientCoAPendingRequests", "Gauge32", 49, rows...),
		numbers("radiusDynAuthClientCoATimeouts", "Counter32", 50, rows...),
		numbers("radiusDynAuthClientCoAPacketsDropped", "Counter32", 51, rows...),
		numbers("radiusDynAuthClientUnknownTypes", "Counter32", 60, rows...),
		column("radiusDynAuthClientCounterDiscontinuity", "1=TimeTicks 100000", "5=TimeTicks 200000"),
	)
	if diff := cmp.Diff(want, walk(t, NewDynAuth(func() *dae.NASView { return view }))); diff != "" {
		t.Error(diff)
	}
}
