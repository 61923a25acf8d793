package radius

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"aaasess/internal/radius"
	"aaasess/sessions"

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
			name: "of a NAS that says little", session: func(s *sessions.Session) { s.Attrs, s.User = "", "" },
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
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			p, err := newProfile(radius.Standard(), tt.profile)
			if err != nil {
				t.Fatal(err)
			}
			s := hostapdSession("192.0.2.1")
			if tt.session != nil {
				tt.session(s)
			}
			b, err := p.disconnectRequest(77, s, noon, captured.Secret)
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
			if ok, _ := parsedGolden(t, b).Authentic(radius.Authenticator{}, captured.Secret, nil); !ok {
				t.Error("the Message-Authenticator is wrong")
			}
		})
	}
}

// TestDisconnectRequestIsRadclients: octet for octet what radclient makes of the same attributes.
func TestDisconnectRequestIsRadclients(t *testing.T) {
	want := captured.Packet(t, "disconnect/radclient.hex")
	p, err := newProfile(radius.Standard(), nil)
	if err != nil {
		t.Fatal(err)
	}
	got, err := p.disconnectRequest(want[1], hostapdSession("192.0.2.1"), noon, captured.Secret)
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
	if _, err := p.disconnectRequest(1, s, noon, captured.Secret); !errors.Is(err, errTooLong) {
		t.Errorf("error %v, want %v", err, errTooLong)
	}
}
