package dae

import (
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"testing"

	"aaasess/internal/radius"
	"aaasess/sessions"
	nasradius "aaasess/sessions/radius"

	"github.com/google/go-cmp/cmp"
	layeh "layeh.com/radius"

	"aaasess/internal/radius/captured"
)

func attributesOf(t *testing.T, b []byte) (list []string) {
	t.Helper()
	p, err := radius.Parse(b)
	if err != nil {
		t.Fatal(err)
	}
	for at, value := range radius.Attributes(p.Attributes()).All() {
		switch at {
		case radius.MessageAuthenticator:
			value = "computed"
		case radius.NASPort, radius.NASIPAddress, radius.FramedIPAddress, radius.EventTimestamp:
			value = fmt.Sprintf("%x", value)
		}
		list = append(list, radius.Standard().Name(at)+"="+value)
	}
	return list
}

func TestDisconnectRequest(t *testing.T) {
	tests := []struct {
		name    string
		profile []string
		session func(*sessions.Session)
		want    []string
	}{
		{name: "default", want: []string{
			"User-Name=alice", "NAS-IP-Address=7f000001", "NAS-Identifier=hostapd-wired-1", "Calling-Station-Id=02-00-00-00-00-02",
			"Acct-Session-Id=8D5C1B9A0F3E7746", "Event-Timestamp=65536140", "Message-Authenticator=computed",
		}},
		{
			name: "of a NAS that says little", session: func(s *sessions.Session) { s.Attrs = radius.Attributes(attr(radius.AcctSessionID, "8D5C1B9A0F3E7746")) },
			want: []string{"Acct-Session-Id=8D5C1B9A0F3E7746", "Event-Timestamp=65536140", "Message-Authenticator=computed"},
		},
		{
			name: "of the client's own, in its order", profile: []string{"Class", "NAS-Port", "User-Name", "Framed-IP-Address"},
			want: []string{"Class=one", "Class=two", "NAS-Port=00000007", "User-Name=alice"},
		},
		{
			name: "of a NAS with an IPv6 address, and a user without address", profile: []string{"NAS-IPv6-Address", "Framed-IP-Address"},
			session: func(s *sessions.Session) {
				s.Attrs = radius.Attributes(attr(radius.NASIPv6Address, "0123456789abcdef") + num(radius.FramedIPAddress, 0xfffffffe))
			},
			want: []string{"NAS-IPv6-Address=0123456789abcdef"},
		},
		{
			name: "Message-Authenticator first", profile: []string{"Message-Authenticator", "Acct-Session-Id"},
			want: []string{"Message-Authenticator=computed", "Acct-Session-Id=8D5C1B9A0F3E7746"},
		},
		{
			name: "values", profile: []string{"Acct-Session-Id", "Service-Type = Login-User", `Cisco-AVPair = "a=b"`, "Cisco-AVPair=c = \"d\"", "Tunnel-Type:1 = VLAN"},
			want: []string{
				"Acct-Session-Id=8D5C1B9A0F3E7746", "Service-Type=\x00\x00\x00\x01", "Vendor-Specific=\x00\x00\x00\x09\x01\x05a=b",
				"Vendor-Specific=\x00\x00\x00\x09\x01\x09c = \"d\"", "Tunnel-Type=\x01\x00\x00\x0d",
			},
		},
		{
			name: "what a vendor reported", profile: []string{"Cisco-AVPair"},
			session: func(s *sessions.Session) {
				s.Attrs += radius.Attributes(attr(radius.VendorSpecific, "\x00\x00\x00\x09\x02\x03p\x01\x05a=b") + attr(radius.VendorSpecific, "\x00\x00\x00\x09\x01\x05c=d"))
			},
			want: []string{"Vendor-Specific=\x00\x00\x00\x09\x01\x05a=b", "Vendor-Specific=\x00\x00\x00\x09\x01\x05c=d"},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			entries := tt.profile
			if entries == nil {
				entries = nasProfiles[0].attributes
			}
			p, err := newProfile(radius.Standard(), entries)
			if err != nil {
				t.Fatal(err)
			}
			s := hostapdSession("192.0.2.1")
			if tt.session != nil {
				tt.session(s)
			}
			b, err := p.request(disconnect, 77, s, noon, captured.Secret)
			if err != nil {
				t.Fatal(err)
			}
			if b[0] != 40 || b[1] != 77 {
				t.Errorf("code %d, identifier %d", b[0], b[1])
			}
			if diff := cmp.Diff(tt.want, attributesOf(t, b)); diff != "" {
				t.Error(diff)
			}
			if !layeh.IsAuthenticRequest(b, []byte(captured.Secret)) {
				t.Error("the Request Authenticator is wrong")
			}
			packet, err := radius.Parse(b)
			if err != nil {
				t.Fatal(err)
			}
			if ok, _ := packet.Authentic(radius.Authenticator{}, captured.Secret, nil); !ok {
				t.Error("the Message-Authenticator is wrong")
			}
		})
	}
}

// TestDisconnectRequestMatchesRadclient: the request equals, octet for octet, the one that
// radclient sends with the same attributes.
func TestDisconnectRequestMatchesRadclient(t *testing.T) {
	want := captured.Packet(t, "disconnect/radclient.hex")
	p, err := newProfile(radius.Standard(), nasProfiles[0].attributes)
	if err != nil {
		t.Fatal(err)
	}
	got, err := p.request(disconnect, want[1], hostapdSession("192.0.2.1"), noon, captured.Secret)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestDisconnectRequestTooLong(t *testing.T) {
	s := hostapdSession("192.0.2.1")
	for range 17 {
		s.Attrs += radius.Attributes(attr(radius.Class, strings.Repeat("x", 253)))
	}
	p, err := newProfile(radius.Standard(), []string{"Class"})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := p.request(disconnect, 1, s, noon, captured.Secret); !errors.Is(err, errTooLong) {
		t.Errorf("error %v, want %v", err, errTooLong)
	}
}

// TestDisconnectRequestCallID: a NAS does not know an Acct-Multi-Session-Id that was made here.
func TestDisconnectRequestCallID(t *testing.T) {
	for id, sent := range map[string]bool{"58A9C1F2": true, "aaasess-00000001-3B3964CC": false} {
		s := hostapdSession("192.0.2.1")
		s.Attrs += radius.Attributes(attr(radius.AcctMultiSessionID, id))
		b, err := fullProfile.request(disconnect, 1, s, noon, captured.Secret)
		if err != nil {
			t.Fatal(err)
		}
		if got := radius.Attributes(b[radius.HeaderLen:]).Text(radius.AcctMultiSessionID); (got == id) != sent || (got != "") != sent {
			t.Errorf("%s: sent %q", id, got)
		}
	}
}

// TestDisconnectRequestOctets compares a request with configured values octet for octet, without
// its authenticator.
func TestDisconnectRequestOctets(t *testing.T) {
	p, err := newProfile(radius.Standard(), []string{"Acct-Session-Id", "Service-Type = Login-User", `Cisco-AVPair = "subscriber:command=account-logoff"`})
	if err != nil {
		t.Fatal(err)
	}
	b, err := p.request(disconnect, 77, hostapdSession("192.0.2.1"), noon, captured.Secret)
	if err != nil {
		t.Fatal(err)
	}
	const want = "284d0055" + // Disconnect-Request, 77, 85 octets
		"2c12" + "38443543314239413046334537373436" +
		"0606" + "00000001" +
		"1a29" + "00000009" + "0123" + "7375627363726962" + "65723a636f6d6d61" + "6e643d6163636f75" + "6e742d6c6f676f66" + "66"
	got := append(append([]byte{}, b[:4]...), b[radius.HeaderLen:]...)
	if fmt.Sprintf("%x", got) != want {
		t.Errorf("got  %x\nwant %s", got, want)
	}
	if !layeh.IsAuthenticRequest(b, []byte(captured.Secret)) {
		t.Error("the Request Authenticator is wrong")
	}
}

func TestProfileErrors(t *testing.T) {
	tests := []struct {
		name    string
		entries []string
		want    string
	}{
		{"no such attribute", []string{"User-Name", "Usr-Name"}, `disconnect attribute "Usr-Name": unknown attribute name`},
		{"no such attribute, with a value", []string{"Usr-Name = x"}, `disconnect attribute "Usr-Name = x": unknown attribute name`},
		{"nothing", []string{""}, `disconnect attribute "": unknown attribute name`},
		{"a bare password", []string{"User-Password"}, `disconnect attribute "User-Password": never occurs in accounting requests`},
		{"a password", []string{"User-Password = x"}, `disconnect attribute "User-Password = x": its value is encrypted`},
		{"of accounting", []string{"Acct-Delay-Time"}, `disconnect attribute "Acct-Delay-Time": does not identify a session`},
		{"of a proxy", []string{"Proxy-State = 0x01"}, `disconnect attribute "Proxy-State = 0x01": does not identify a session`},
		{"a time that is computed", []string{"Event-Timestamp = 2001-09-09T01:46:40Z"}, `disconnect attribute "Event-Timestamp = 2001-09-09T01:46:40Z": cannot have a value: it is computed`},
		{"no value", []string{"Service-Type ="}, `disconnect attribute "Service-Type =": "" is neither a number nor the name of a value`},
		{"no text", []string{`Cisco-AVPair = ""`}, `disconnect attribute "Cisco-AVPair = \"\"": has 0 octets, must have 1 to 247`},
		{"a wrong value", []string{"Service-Type = Login"}, `disconnect attribute "Service-Type = Login": "Login" is neither a number nor the name of a value`},
		{"one quote", []string{`Cisco-AVPair = "a`}, `disconnect attribute "Cisco-AVPair = \"a": its value is not a valid quoted string`},
		{"a tag alone", []string{"Tunnel-Type:1"}, `disconnect attribute "Tunnel-Type:1": has a tag but no value`},
		{"more than a packet", moreThanAPacket(), `disconnect attribute "Cisco-AVPair = 16` + strings.Repeat("x", 240) + `": disconnect attributes do not fit into one RADIUS packet (4096 octets)`},
		{"twice", []string{"Class", "Class"}, `disconnect attribute "Class": given twice`},
		{"with and without value", []string{"Service-Type", "Service-Type = Login-User"}, `disconnect attribute "Service-Type = Login-User": given twice`},
		{"the same value twice", []string{"Cisco-AVPair = a", `Cisco-AVPair = "a"`}, `disconnect attribute "Cisco-AVPair = \"a\"": given twice`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if err := CheckAttributes(radius.Standard(), tt.entries); err == nil || err.Error() != tt.want {
				t.Errorf("error %v, want %s", err, tt.want)
			}
		})
	}
	if err := CheckAttributes(radius.Standard(), []string{"Cisco-AVPair = a", "Cisco-AVPair = b", "Acct-Terminate-Cause = Admin-Reset", "Cisco-NAS-Port"}); err != nil {
		t.Errorf("several values: %v", err)
	}
}

// moreThanAPacket returns a list of values of 250 octets each.
func moreThanAPacket() (entries []string) {
	for i := range 17 {
		entries = append(entries, fmt.Sprintf("Cisco-AVPair = %02d%s", i, strings.Repeat("x", 240)))
	}
	return entries
}

// TestClientErrors: a list of clients with a wrong profile is refused.
func TestClientErrors(t *testing.T) {
	for _, tt := range []struct{ attribute, want string }{
		{"Usr-Name", `radius: client "local": disconnect attribute "Usr-Name": unknown attribute name`},
		{"Acct-Status-Type", `radius: client "local": disconnect attribute "Acct-Status-Type": does not identify a session`},
	} {
		c := local()
		c.DisconnectAttributes = []string{tt.attribute}
		if _, err := newDisconnector(Config{Clients: []nasradius.Client{c}}, sendNothing); err == nil || err.Error() != tt.want {
			t.Errorf("error %v, want %s", err, tt.want)
		}
	}
}

// TestClientName: a NAS has the name of the client with the longest prefix, if that client has one.
func TestClientName(t *testing.T) {
	d, err := newDisconnector(Config{Clients: []nasradius.Client{
		{Name: "lab", Prefix: prefix("192.0.2.0/24"), Secret: "s"},
		{Prefix: prefix("192.0.2.7/32"), Secret: "s"},
	}}, sendNothing)
	if err != nil {
		t.Fatal(err)
	}
	for addr, want := range map[string]string{"192.0.2.1": "lab", "::ffff:192.0.2.1": "lab", "192.0.2.7": "", "198.51.100.1": ""} {
		if got := d.ClientName(netip.MustParseAddr(addr)); got != want {
			t.Errorf("%s: %q, want %q", addr, got, want)
		}
	}
}
