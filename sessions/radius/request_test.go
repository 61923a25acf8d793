package radius

import (
	"encoding/binary"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"testing"
	"time"

	"aaasess/internal/radius"
	"aaasess/sessions"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	layeh "layeh.com/radius"
	"layeh.com/radius/rfc2865"
	"layeh.com/radius/rfc2866"
	"layeh.com/radius/rfc2869"
	"layeh.com/radius/rfc3162"

	"aaasess/internal/radius/captured"
)

var (
	noon   = time.Date(2023, 11, 14, 12, 0, 0, 0, time.UTC)
	source = netip.MustParseAddr("192.0.2.77")
)

// parseGolden checks and parses a packet from testdata as the listener would.
func parseGolden(tb testing.TB, name string) accountingRequest {
	tb.Helper()
	p, err := radius.Parse(captured.Packet(tb, name))
	if err != nil {
		tb.Fatal(err)
	}
	if ok, _ := p.Authentic(radius.Authenticator{}, captured.Secret, nil); !ok {
		tb.Fatal("not authentic")
	}
	r, _, err := parseAccounting(p.Attributes(), source, noon, nil)
	if err != nil {
		tb.Fatal(err)
	}
	return r
}

func TestGoldenRequests(t *testing.T) {
	bras := sessions.NAS{Addr: source, Identifier: "bras1", IPv4: netip.MustParseAddr("192.0.2.1")}
	hostapd := sessions.NAS{Addr: source, Identifier: "hostapd-wired-1", IPv4: netip.MustParseAddr("127.0.0.1")}
	strongswan := sessions.NAS{Addr: source, Identifier: "strongSwan", IPv4: netip.MustParseAddr("192.0.2.1")}
	const octetsAndTime = sessions.InputOctets | sessions.OutputOctets | sessions.SessionTime
	tests := []struct {
		name string
		want accountingRequest // without Attrs
	}{
		{"radclient-start", accountingRequest{event: sessions.Event{
			Type: sessions.Start, NAS: bras, AcctSessionID: "5F3A-0001", Kind: sessions.Network,
			At: noon.Add(-3 * time.Second), Delay: 3, HasDelay: true, EventTimestamp: 1700000000,
		}}},
		{"radclient-interim", accountingRequest{event: sessions.Event{
			Type: sessions.Interim, NAS: bras, AcctSessionID: "5F3A-0001", Kind: sessions.Network,
			At: noon, EventTimestamp: 1700000600, Sent: sessions.WholeUsage, Usage: sessions.Usage{
				InputOctets: 1000, OutputOctets: 5_000_000_000, InputPackets: 10, OutputPackets: 4_000_000, SessionTime: 600,
			},
		}}},
		{"radclient-stop", accountingRequest{proxyState: "\x21\x04aa\x21\x03b", event: sessions.Event{
			Type: sessions.Stop, NAS: bras, AcctSessionID: "5F3A-0001", Kind: sessions.Network,
			At: noon, Sent: octetsAndTime, Usage: sessions.Usage{InputOctets: 2000, OutputOctets: 10_000_000_000, SessionTime: 1200},
		}}},
		{"radclient-on", accountingRequest{event: sessions.Event{
			Type: sessions.On, NAS: sessions.NAS{Addr: source, IPv4: netip.MustParseAddr("192.0.2.1")},
			At: noon.Add(-5 * time.Second), Delay: 5, HasDelay: true,
		}}},
		{"hostapd-start", accountingRequest{event: sessions.Event{
			Type: sessions.Start, NAS: hostapd, AcctSessionID: "8D5C1B9A0F3E7746", Kind: sessions.Network, At: noon, HasDelay: true, EventTimestamp: 1700000000,
		}}},
		{"hostapd-start-again", accountingRequest{event: sessions.Event{
			Type: sessions.Start, NAS: hostapd, AcctSessionID: "8D5C1B9A0F3E7746", Kind: sessions.Network,
			At: noon.Add(-3 * time.Second), Delay: 3, HasDelay: true, EventTimestamp: 1700000000,
		}}},
		{"hostapd-stop", accountingRequest{event: sessions.Event{
			Type: sessions.Stop, NAS: hostapd, AcctSessionID: "8D5C1B9A0F3E7746", Kind: sessions.Network, At: noon, HasDelay: true,
			EventTimestamp: 1700000061, Sent: sessions.SessionTime, Usage: sessions.Usage{SessionTime: 61},
		}}},
		{"hostapd-on", accountingRequest{event: sessions.Event{Type: sessions.On, NAS: hostapd, At: noon, HasDelay: true, EventTimestamp: 1699999990}}},
		{"hostapd-off", accountingRequest{event: sessions.Event{Type: sessions.Off, NAS: hostapd, At: noon, HasDelay: true, EventTimestamp: 1700000100}}},
		{"strongswan-start", accountingRequest{event: sessions.Event{
			Type: sessions.Start, NAS: strongswan, AcctSessionID: "1700000000-1", Kind: sessions.Network, At: noon,
		}}},
		{"strongswan-stop", accountingRequest{event: sessions.Event{
			Type: sessions.Stop, NAS: strongswan, AcctSessionID: "1700000000-1", Kind: sessions.Network, At: noon,
			Sent: sessions.WholeUsage, Usage: sessions.Usage{InputOctets: 840, OutputOctets: 1680, InputPackets: 10, OutputPackets: 20, SessionTime: 30},
		}}},
		{"openvpn-interim", accountingRequest{event: sessions.Event{
			Type: sessions.Interim, NAS: sessions.NAS{Addr: source, Identifier: "OpenVpn", IPv4: netip.MustParseAddr("127.0.0.1")}, AcctSessionID: "0123456789ABCDEF0123456789ABCDEF",
			Kind: sessions.Network, At: noon, Sent: octetsAndTime,
			Usage: sessions.Usage{InputOctets: 1<<32 + 5000, OutputOctets: 2<<32 + 7, SessionTime: 60},
		}}},
	}
	covered := map[string]bool{}
	for _, tt := range tests {
		covered[tt.name+".hex"] = true
		t.Run(tt.name, func(t *testing.T) {
			got := parseGolden(t, tt.name+".hex")
			if diff := cmp.Diff(tt.want, got, requestOptions()...); diff != "" {
				t.Error(diff)
			}
		})
	}
	for _, name := range captured.Accounting(t) {
		if !covered[name] {
			t.Errorf("testdata/%s has no test", name)
		}
	}
}

func requestOptions() []cmp.Option {
	return []cmp.Option{
		cmp.AllowUnexported(accountingRequest{}),
		cmpopts.IgnoreFields(sessions.Event{}, "Attrs", "SameClient"), cmpopts.IgnoreUnexported(sessions.Event{}),
		cmpopts.EquateComparable(netip.Addr{}),
	}
}

// TestKeptAttributes: all attributes stay, in order and octet for octet, except the three that
// belong to the packet.
func TestKeptAttributes(t *testing.T) {
	var want []byte
	p, err := radius.Parse(captured.Packet(t, "radclient-stop.hex"))
	if err != nil {
		t.Fatal(err)
	}
	left := 0
	for at, value := range radius.Attributes(p.Attributes()).All() {
		if at == radius.ProxyState || at == radius.MessageAuthenticator || at == radius.AcctDelayTime {
			left++
			continue
		}
		want = radius.AppendAttribute(want, at, value)
	}
	if left != 3 {
		t.Fatalf("the golden packet has %d attributes to leave out, want 3", left)
	}
	got := parseGolden(t, "radclient-stop.hex").event.Attrs
	if diff := cmp.Diff(string(want), string(got)); diff != "" {
		t.Error(diff)
	}
	if got := parseGolden(t, "radclient-start.hex").event.Attrs; got == "" || !got.Valid() {
		t.Error("the start has no valid attributes")
	} else if _, ok := got.Get(radius.AcctDelayTime); ok {
		t.Error("Acct-Delay-Time was kept")
	}
}

// attr encodes a text or octets attribute, num one of four octets.
func attr(t radius.Type, value string) string {
	return string(radius.AppendAttribute(nil, t, value))
}

func num(t radius.Type, n uint32) string { return string(radius.AppendUint32(nil, t, n)) }

func TestParseAccounting(t *testing.T) {
	start := num(radius.AcctStatusType, 1)
	id := attr(radius.AcctSessionID, "a")
	sent := func(r accountingRequest) any { return r.event.Sent }
	without := func(r accountingRequest) any {
		return fmt.Sprintf("%v, %d octets", r.leftOut, len(r.event.Attrs)-len(start+id))
	}
	kind := func(r accountingRequest) any { return r.event.Type }
	nas := func(r accountingRequest) any { return r.event.NAS }
	delay := func(r accountingRequest) any { return fmt.Sprint(r.event.Delay, r.event.HasDelay) }
	v6 := attr(radius.NASIPv6Address, "\x20\x01\x0d\xb8\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x01")
	tests := []struct {
		name    string
		attrs   string
		problem string
		check   func(r accountingRequest) any
		want    any
	}{
		{name: "no Acct-Status-Type", attrs: id, problem: "Acct-Status-Type: missing"},
		{name: "no Acct-Session-Id", attrs: start, problem: "Acct-Session-Id: missing or empty"},
		{name: "empty Acct-Session-Id", attrs: start + "\x2c\x02", problem: "Acct-Session-Id: missing or empty"},
		{name: "short Acct-Status-Type", attrs: id + "\x28\x03\x01", problem: "Acct-Status-Type: not 4 octets"},
		{name: "long Acct-Input-Octets", attrs: start + id + "\x2a\x07\x00\x00\x00\x00\x01", check: without, want: "Acct-Input-Octets: not 4 octets, 0 octets"},
		{name: "empty Acct-Delay-Time", attrs: start + id + "\x29\x02", check: without, want: "Acct-Delay-Time: not 4 octets, 0 octets"},
		{name: "short NAS-IPv6-Address", attrs: start + id + "\x5f\x03a", check: without, want: "NAS-IPv6-Address: not 16 octets, 0 octets"},
		{name: "the second Framed-IP-Address is one", attrs: start + id + "\x08\x02" + num(radius.FramedIPAddress, 7), check: without, want: "Framed-IP-Address: not 4 octets, 6 octets"},
		{name: "the second Acct-Session-Id is one", attrs: start + "\x2c\x02" + id, check: without, want: "Acct-Session-Id: missing or empty, 0 octets"},
		{name: "first of two counts", attrs: start + num(radius.AcctStatusType, 2) + id + attr(radius.AcctSessionID, "b"), check: func(r accountingRequest) any {
			return r.event.Type.String() + r.event.AcctSessionID
		}, want: "Starta"},
		{name: "Accounting-On needs no Acct-Session-Id", attrs: num(radius.AcctStatusType, 7), check: kind, want: sessions.On},
		{name: "nor does Accounting-Off", attrs: num(radius.AcctStatusType, 8), check: kind, want: sessions.Off},
		{name: "Tunnel-Start", attrs: num(radius.AcctStatusType, 9) + id, check: kind, want: sessions.Other},
		{name: "Tunnel-Link-Reject", attrs: num(radius.AcctStatusType, 14) + id, check: kind, want: sessions.Other},
		{name: "Failed", attrs: num(radius.AcctStatusType, 15) + id, check: kind, want: sessions.Other},
		{name: "status 0", attrs: num(radius.AcctStatusType, 0) + id, check: kind, want: sessions.Other},
		{name: "status 4", attrs: num(radius.AcctStatusType, 4) + id, check: kind, want: sessions.Other},
		{name: "status 255", attrs: num(radius.AcctStatusType, 255) + id, check: kind, want: sessions.Other},
		{name: "status 257 is no start", attrs: num(radius.AcctStatusType, 257) + id, check: kind, want: sessions.Other},
		{name: "the largest status", attrs: num(radius.AcctStatusType, 0xffffffff) + id, check: kind, want: sessions.Other},
		{name: "another status needs an Acct-Session-Id", attrs: num(radius.AcctStatusType, 9), problem: "Acct-Session-Id: missing or empty"},
		{name: "another status keeps its attributes", attrs: num(radius.AcctStatusType, 9) + id + v6, check: func(r accountingRequest) any {
			return string(r.event.Attrs)
		}, want: num(radius.AcctStatusType, 9) + id + v6},
		{name: "every identifier of the NAS", attrs: start + id + attr(radius.NASIdentifier, "n") + num(radius.NASIPAddress, 0x01020304) + v6, check: nas, want: sessions.NAS{
			Addr: source, Identifier: "n", IPv4: netip.MustParseAddr("1.2.3.4"), IPv6: netip.MustParseAddr("2001:db8::1"),
		}},
		{name: "no identifier", attrs: start + id, check: nas, want: sessions.NAS{Addr: source}},
		{name: "identifiers that are none", attrs: start + id + "\x20\x02" + num(radius.NASIPAddress, 0) + attr(radius.NASIPv6Address, string(make([]byte, 16))), check: nas, want: sessions.NAS{Addr: source}},
		{name: "no delay", attrs: start + id, check: delay, want: "0 false"},
		{name: "a delay of 0", attrs: start + id + num(radius.AcctDelayTime, 0), check: delay, want: "0 true"},
		{name: "a delay", attrs: start + id + num(radius.AcctDelayTime, 7), check: delay, want: "7 true"},
		{name: "no counters", attrs: start + id, check: sent, want: sessions.UsageFields(0)},
		{name: "a counter of 0 is one", attrs: start + id + num(radius.AcctInputPackets, 0), check: sent, want: sessions.InputPackets},
		{name: "output packets", attrs: start + id + num(radius.AcctOutputPackets, 1), check: sent, want: sessions.OutputPackets},
		{name: "session time is usage", attrs: start + id + num(radius.AcctSessionTime, 0), check: sent, want: sessions.SessionTime},
		{name: "input octets", attrs: start + id + num(radius.AcctInputOctets, 5), check: sent, want: sessions.InputOctets},
		{name: "gigawords alone", attrs: start + id + num(radius.AcctOutputGigawords, 5), check: sent, want: sessions.OutputOctets},
		{name: "largest octets", attrs: start + id + num(radius.AcctInputGigawords, 0xffffffff) + num(radius.AcctInputOctets, 0xffffffff), check: func(r accountingRequest) any {
			return r.event.Usage.InputOctets
		}, want: ^uint64(0)},
		{name: "largest delay", attrs: start + id + num(radius.AcctDelayTime, 0xffffffff), check: func(r accountingRequest) any {
			return noon.Sub(r.event.At)
		}, want: 0xffffffff * time.Second},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r, _, err := parseAccounting([]byte(tt.attrs), source, noon, nil)
			if tt.problem != "" {
				var m *radius.MalformedError
				if !errors.As(err, &m) || err.Error() != tt.problem {
					t.Fatalf("error %v, want %s", err, tt.problem)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.want, tt.check(r), cmpopts.EquateComparable(netip.Addr{})); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestKind(t *testing.T) {
	service := func(n uint32) string { return num(radius.ServiceType, n) }
	tests := []struct {
		name  string
		attrs string
		want  sessions.Kind
	}{
		{"no Service-Type", "", sessions.Network},
		{"Framed", service(2), sessions.Network},
		{"Outbound", service(5), sessions.Network},
		{"Call-Check", service(10), sessions.Resource},
		{"Call-Check on a modem", service(10) + num(radius.NASPortType, 0), sessions.Resource},
		{"Call-Check on an ISDN channel", service(10) + num(radius.NASPortType, 2), sessions.Resource},
		{"Call-Check on a fax line", service(10) + num(radius.NASPortType, 10), sessions.Resource},
		{"Call-Check: the MAC address of a device at a switch", service(10) + num(radius.NASPortType, 15), sessions.Network},
		{"Call-Check: the MAC address of a device at an access point", service(10) + num(radius.NASPortType, 19), sessions.Network},
		{"Call-Check on a virtual port", service(10) + num(radius.NASPortType, 5), sessions.Network},
		{"Call-Check on a DSL line", service(10) + num(radius.NASPortType, 11), sessions.Network},
		{"Call-Check with a NAS-Port-Type that is left out", service(10) + attr(radius.NASPortType, "modem"), sessions.Resource},
		{"NAS-Prompt", service(7), sessions.Exec},
		{"Administrative", service(6), sessions.Exec},
		{"Callback-NAS-Prompt", service(9), sessions.Exec},
		{"Callback-Administrative", service(11), sessions.Exec},
		{"Login alone", service(1), sessions.Exec},
		{"Login by telnet", service(1) + num(radius.LoginService, 0), sessions.Connection},
		{"Login to a host", service(1) + num(radius.LoginIPHost, 1), sessions.Connection},
		{"Callback-Login to a host", service(3) + num(radius.LoginIPHost, 1), sessions.Connection},
		{"NAS-Prompt with Login-Service", service(7) + num(radius.LoginService, 0), sessions.Exec},
		{"Login-Service without Service-Type", num(radius.LoginService, 0), sessions.Network},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			attrs := num(radius.AcctStatusType, 1) + attr(radius.AcctSessionID, "a") + tt.attrs
			r, _, err := parseAccounting([]byte(attrs), source, noon, nil)
			if err != nil {
				t.Fatal(err)
			}
			if r.event.Kind != tt.want {
				t.Errorf("%v, want %v", r.event.Kind, tt.want)
			}
		})
	}
}

func TestSourceIsUnmapped(t *testing.T) {
	attrs := num(radius.AcctStatusType, 1) + attr(radius.AcctSessionID, "a")
	r, _, err := parseAccounting([]byte(attrs), netip.MustParseAddr("::ffff:192.0.2.77"), noon, nil)
	if err != nil {
		t.Fatal(err)
	}
	if r.event.NAS.Addr != source {
		t.Errorf("%v, want %v", r.event.NAS.Addr, source)
	}
}

// FuzzParseAccounting compares parseAccounting with layeh.com/radius.
func FuzzParseAccounting(f *testing.F) {
	for _, name := range captured.Accounting(f) {
		f.Add(captured.Packet(f, name))
	}
	f.Add(rawPacket(4, ""))
	f.Fuzz(func(t *testing.T, data []byte) {
		p, err := radius.Parse(data)
		theirs, theirErr := layeh.Parse(data, []byte(captured.Secret))
		if err != nil || theirErr != nil {
			return // package radius tests that itself
		}
		r, _, err := parseAccounting(p.Attributes(), source, noon, nil)
		if err != nil {
			return
		}
		if !r.event.Attrs.Valid() || !radius.Attributes(r.proxyState).Valid() {
			t.Fatal("attributes are not whole")
		}
		if r.leftOut != nil {
			return // the oracle ignores further attributes of that type
		}
		compare(t, r, theirs)
	})
}

func compare(t *testing.T, r accountingRequest, theirs *layeh.Packet) {
	var want accountingRequest
	ev := &want.event
	ev.NAS = sessions.NAS{Addr: source, Identifier: rfc2865.NASIdentifier_GetString(theirs)}
	if ip, ok := netip.AddrFromSlice(rfc2865.NASIPAddress_Get(theirs)); ok && !ip.IsUnspecified() {
		ev.NAS.IPv4 = ip
	}
	if ip, ok := netip.AddrFromSlice(rfc3162.NASIPv6Address_Get(theirs)); ok && !ip.IsUnspecified() {
		ev.NAS.IPv6 = ip
	}
	_, ev.HasDelay = theirs.Lookup(rfc2866.AcctDelayTime_Type)
	ev.Delay = uint32(rfc2866.AcctDelayTime_Get(theirs))
	ev.At = noon.Add(-time.Duration(ev.Delay) * time.Second)
	if stamp := theirs.Get(rfc2869.EventTimestamp_Type); len(stamp) == 4 {
		ev.EventTimestamp = binary.BigEndian.Uint32(stamp)
	}
	states, err := rfc2865.ProxyState_Gets(theirs)
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range states {
		want.proxyState += attr(radius.ProxyState, string(s))
	}
	switch status := rfc2866.AcctStatusType_Get(theirs); status {
	case rfc2866.AcctStatusType_Value_AccountingOn, rfc2866.AcctStatusType_Value_AccountingOff,
		rfc2866.AcctStatusType_Value_Start, rfc2866.AcctStatusType_Value_Stop, rfc2866.AcctStatusType_Value_InterimUpdate:
		ev.Type = sessions.EventType(status)
	default:
		ev.Type = sessions.Other
	}
	if ev.Type != sessions.On && ev.Type != sessions.Off {
		ev.AcctSessionID = rfc2866.AcctSessionID_GetString(theirs)
		ev.Kind = r.event.Kind // see TestKind
		ev.Usage = sessions.Usage{
			InputOctets:   uint64(rfc2869.AcctInputGigawords_Get(theirs))<<32 | uint64(rfc2866.AcctInputOctets_Get(theirs)),
			OutputOctets:  uint64(rfc2869.AcctOutputGigawords_Get(theirs))<<32 | uint64(rfc2866.AcctOutputOctets_Get(theirs)),
			InputPackets:  uint64(rfc2866.AcctInputPackets_Get(theirs)),
			OutputPackets: uint64(rfc2866.AcctOutputPackets_Get(theirs)),
			SessionTime:   uint32(rfc2866.AcctSessionTime_Get(theirs)),
		}
		for field, types := range map[sessions.UsageFields][]layeh.Type{
			sessions.InputOctets:   {rfc2866.AcctInputOctets_Type, rfc2869.AcctInputGigawords_Type},
			sessions.OutputOctets:  {rfc2866.AcctOutputOctets_Type, rfc2869.AcctOutputGigawords_Type},
			sessions.InputPackets:  {rfc2866.AcctInputPackets_Type},
			sessions.OutputPackets: {rfc2866.AcctOutputPackets_Type},
			sessions.SessionTime:   {rfc2866.AcctSessionTime_Type},
		} {
			if slices.ContainsFunc(types, func(t layeh.Type) bool { _, ok := theirs.Lookup(t); return ok }) {
				ev.Sent |= field
			}
		}
	}
	if diff := cmp.Diff(want, r, requestOptions()...); diff != "" {
		t.Fatal(diff)
	}
}

// TestNumbersMatchDictionary: isNumber has exactly the attributes that have four octets in the
// dictionary.
func TestNumbersMatchDictionary(t *testing.T) {
	four := map[radius.Kind]bool{radius.Integer: true, radius.Time: true, radius.IPv4Address: true}
	for _, def := range radius.Standard().All() {
		if def.ID == (radius.ID{Type: def.Type}) && def.Type < 64 && isNumber>>def.Type&1 == 1 && !four[def.Kind] {
			t.Errorf("%s is no number", def.Name)
		}
	}
	for at := range radius.Type(64) {
		if isNumber>>at&1 == 1 && radius.Standard().Name(at) == "Attr-"+fmt.Sprint(uint8(at)) {
			t.Errorf("attribute %d has no name", at)
		}
	}
}
