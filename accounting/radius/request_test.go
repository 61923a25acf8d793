package radius

import (
	"bytes"
	"encoding/hex"
	"errors"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	layeh "layeh.com/radius"
	"pgregory.net/rapid"

	"aaasess/accounting"
	"aaasess/internal/radius"
	"aaasess/internal/radius/captured"
	"aaasess/internal/radius/client"
)

// appendRequest appends the request of a record with these attributes and this age in seconds.
func appendRequest(b []byte, identifier byte, attrs radius.Attributes, delay uint32, secret radius.Secret) ([]byte, radius.Authenticator) {
	now := time.Now()
	r := request{rec: &accounting.Record{Attrs: attrs, At: now.Add(-time.Duration(delay) * time.Second)}}
	return r.Append(b, identifier, secret, now)
}

func TestAppendRequestGolden(t *testing.T) {
	want := captured.Octets(t, captured.GoldenRequest)
	attrs := radius.Attributes(want[radius.HeaderLen : len(want)-6])
	got, auth := appendRequest(nil, 0x1c, attrs, 7, testSecret)
	if diff := cmp.Diff(hex.EncodeToString(want), hex.EncodeToString(got)); diff != "" {
		t.Error(diff)
	}
	if !bytes.Equal(auth[:], want[4:radius.HeaderLen]) {
		t.Errorf("authenticator %x, the packet has %x", auth, want[4:radius.HeaderLen])
	}
}

// TestNASSessionID: the NAS's own Acct-Session-Id is in the attribute that the group has for it.
func TestNASSessionID(t *testing.T) {
	multi := radius.ID{Type: radius.AcctMultiSessionID}
	vendor := radius.ID{Type: radius.VendorSpecific, Vendor: 9, VendorType: 1}
	user := radius.AppendAttribute(nil, radius.UserName, "u")
	sent := radius.AppendAttribute(bytes.Clone(user), radius.AcctMultiSessionID, "m")
	pair := radius.AppendAttribute(bytes.Clone(user), radius.VendorSpecific, "\x00\x00\x00\x09\x01\x03x")
	synced := radius.AppendAttribute(bytes.Clone(sent), radius.AcctSessionID, "5F2A")
	const ours = "\x1a\x0c\x00\x00\x00\x09\x01\x06" + "5F2A"
	large := bytes.Clone(user)
	for len(large) < accounting.MaxAttributes-5 {
		large = radius.AppendAttribute(large, radius.Class, strings.Repeat("c", min(253, accounting.MaxAttributes-2-len(large))))
	}
	for _, tt := range []struct {
		name   string
		attrs  []byte
		id     radius.ID
		nas    string
		expect []byte
	}{
		{"none configured", user, radius.ID{}, "5F2A", user},
		{"a record of an earlier version", user, multi, "", user},
		{"added", user, multi, "5F2A", radius.AppendAttribute(bytes.Clone(user), radius.AcctMultiSessionID, "5F2A")},
		{"instead of the NAS's", sent, multi, "5F2A", radius.AppendAttribute(bytes.Clone(user), radius.AcctMultiSessionID, "5F2A")},
		{"a vendor's", pair, vendor, "5F2A", append(bytes.Clone(pair), ours...)},
		{"the Acct-Session-Id is the NAS's own", synced, multi, "5F2A", synced},
		{"the Acct-Session-Id is another NAS's own", synced, vendor, "5F2B", append(bytes.Clone(synced), strings.Replace(ours, "5F2A", "5F2B", 1)...)},
		{"no room", large, multi, "5F2A", large},
	} {
		r := request{rec: &accounting.Record{Session: 13, Attrs: radius.Attributes(tt.attrs), NASSession: tt.nas}, adds: additions{nasSession: tt.id}}
		b, _ := r.Append(nil, 1, testSecret, time.Time{})
		if got := b[radius.HeaderLen : len(b)-6]; !bytes.Equal(got, tt.expect) || len(b) > radius.MaxPacket {
			t.Errorf("%s: %x, want %x", tt.name, got, tt.expect)
		}
	}
}

// TestUser: the log of packets has the User-Name that the server gets.
func TestUser(t *testing.T) {
	for _, want := range []string{"", "alice@isp"} {
		var attrs []byte
		if want != "" {
			attrs = radius.AppendAttribute(nil, radius.UserName, want)
		}
		if got := (&request{rec: &accounting.Record{Attrs: radius.Attributes(attrs)}}).User(); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}

// TestAdditions: what a group adds after Acct-Delay-Time, as in the examples of S1 and S2.
func TestAdditions(t *testing.T) {
	user, merit := radius.ID{Type: 222}, radius.ID{Type: radius.VendorSpecific, Vendor: 61, VendorType: 222}
	four, six := "\xac\x10\x19\x0f", "\x20\x01\x0d\xb8\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x01"
	type attr struct {
		typ   radius.Type
		value string
	}
	full := []attr{{radius.UserName, "u"}, {radius.NASIPAddress, four}}
	for size := 9; size < accounting.MaxAttributes-3; size += 255 {
		full = append(full, attr{radius.Class, strings.Repeat("c", min(253, accounting.MaxAttributes-3-2-size))})
	}
	for _, tt := range []struct {
		name   string
		attrs  []attr
		adds   additions
		expect []attr
	}{
		{"nothing", []attr{{radius.UserName, "u"}, {radius.NASIPAddress, four}}, additions{}, nil},
		{"both", []attr{{radius.UserName, "u"}, {radius.NASIPAddress, four}}, additions{userID: user, nasIdentifier: true}, []attr{{222, "u"}, {radius.NASIdentifier, "172.16.25.15"}}},
		{"a user of a realm", []attr{{radius.UserName, "u@a@b"}}, additions{userID: user}, []attr{{222, "u"}}},
		{"a realm only", []attr{{radius.UserName, "@a"}}, additions{userID: user}, nil},
		{"no user", []attr{{radius.NASIPAddress, four}}, additions{userID: user}, nil},
		{"a user that the NAS sent", []attr{{222, "x"}, {radius.UserName, "u"}}, additions{userID: user}, nil},
		{"a vendor's", []attr{{radius.UserName, "u"}}, additions{userID: merit}, []attr{{radius.VendorSpecific, "\x00\x00\x00\x3d\xde\x03u"}}},
		{"a vendor's that the NAS sent", []attr{{radius.VendorSpecific, "\x00\x00\x00\x3d\xde\x03x"}, {radius.UserName, "u"}}, additions{userID: merit}, nil},
		{"another attribute of the vendor", []attr{{radius.VendorSpecific, "\x00\x00\x00\x3d\xdf\x03x"}, {radius.UserName, "u"}}, additions{userID: merit}, []attr{{radius.VendorSpecific, "\x00\x00\x00\x3d\xde\x03u"}}},
		{"a NAS with a name", []attr{{radius.NASIdentifier, "x"}, {radius.NASIPAddress, four}}, additions{nasIdentifier: true}, nil},
		{"a NAS with IPv6", []attr{{radius.NASIPv6Address, six}}, additions{nasIdentifier: true}, []attr{{radius.NASIdentifier, "2001:db8::1"}}},
		{"a NAS with both", []attr{{radius.NASIPv6Address, six}, {radius.NASIPAddress, four}}, additions{nasIdentifier: true}, []attr{{radius.NASIdentifier, "172.16.25.15"}}},
		{"a NAS without an address", []attr{{radius.NASIPAddress, "\x00\x00\x00\x00"}, {radius.NASIPv6Address, "short"}}, additions{nasIdentifier: true}, nil},
		{"room for one", full, additions{userID: user, nasIdentifier: true}, []attr{{222, "u"}}},
	} {
		var attrs, expect []byte
		for _, a := range tt.attrs {
			attrs = radius.AppendAttribute(attrs, a.typ, a.value)
		}
		for _, a := range tt.expect {
			expect = radius.AppendAttribute(expect, a.typ, a.value)
		}
		r := request{rec: &accounting.Record{Attrs: radius.Attributes(attrs)}, adds: tt.adds}
		b, _ := r.Append(nil, 1, testSecret, time.Time{})
		want := append(radius.AppendUint32(attrs, radius.AcctDelayTime, 0), expect...)
		if got := b[radius.HeaderLen:]; !bytes.Equal(got, want) || len(b) > radius.MaxPacket {
			t.Errorf("%s: %x, want %x", tt.name, got, want)
		}
		if !layeh.IsAuthenticRequest(b, []byte(testSecret)) {
			t.Errorf("%s: %x is not authentic", tt.name, b)
		}
	}
}

// TestResyncMark: only the records of a resync have the mark.
func TestResyncMark(t *testing.T) {
	cisco := radius.ID{Type: radius.VendorSpecific, Vendor: 9, VendorType: 1}
	for name, tt := range map[string]struct {
		resync    bool
		attribute radius.ID
		has       string // the record's Filter-Id
		want      string // what follows Acct-Delay-Time
	}{
		"a record of a resync":       {true, radius.ID{Type: 11}, "", "\x0b\x08resync"},
		"another record":             {false, radius.ID{Type: 11}, "", ""},
		"no mark":                    {true, radius.ID{}, "", ""},
		"it has the attribute":       {true, radius.ID{Type: 11}, "x", ""},
		"a vendor's":                 {true, cisco, "x", "\x1a\x0e\x00\x00\x00\x09\x01\x08resync"},
		"a vendor's, another record": {false, cisco, "x", ""},
	} {
		attrs := radius.AppendAttribute(nil, radius.UserName, "u")
		if tt.has != "" {
			attrs = radius.AppendAttribute(attrs, 11, tt.has)
		}
		r := request{rec: &accounting.Record{Attrs: radius.Attributes(attrs), Resync: tt.resync}, adds: additions{resyncMark: tt.attribute}}
		b, _ := r.Append(nil, 1, testSecret, time.Time{})
		if got, want := string(b[radius.HeaderLen:]), string(radius.AppendUint32(attrs, radius.AcctDelayTime, 0))+tt.want; got != want {
			t.Errorf("%s: %x, want %x", name, got, want)
		}
	}
}

// The secret must not stay in the buffer that the socket sends, nor may the buffer's old octets.
func TestAppendRequestReusesMemory(t *testing.T) {
	buf := bytes.Repeat([]byte{0xff}, radius.MaxPacket)
	attrs := radius.Attributes(radius.AppendAttribute(nil, radius.UserName, "nemo"))
	got, _ := appendRequest(buf[:0], 1, attrs, 0, testSecret)
	fresh, _ := appendRequest(nil, 1, attrs, 0, testSecret)
	if !bytes.Equal(got, fresh) || len(got) != radius.HeaderLen+len(attrs)+6 {
		t.Errorf("got %x, in fresh memory %x", got, fresh)
	}
}

func TestAppendRequestIsAuthenticElsewhere(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var attrs []byte
		for range rapid.IntRange(0, 15).Draw(t, "attributes") {
			v := rapid.SliceOfN(rapid.Byte(), 0, 253).Draw(t, "value")
			attrs = radius.AppendAttribute(attrs, radius.Type(rapid.Byte().Draw(t, "type")), string(v))
		}
		secret := rapid.SliceOfN(rapid.Byte(), 1, 64).Draw(t, "secret")
		delay := rapid.Uint32().Draw(t, "delay")
		b, auth := appendRequest(nil, rapid.Byte().Draw(t, "id"), radius.Attributes(attrs), delay, radius.Secret(secret))
		if !layeh.IsAuthenticRequest(b, secret) {
			t.Fatalf("%x is not authentic", b)
		}
		req, err := layeh.Parse(b, secret)
		if err != nil {
			t.Fatal(err)
		}
		resp, err := req.Response(layeh.CodeAccountingResponse).Encode()
		if err != nil {
			t.Fatal(err)
		}
		rp, err := radius.Parse(resp)
		if err != nil {
			t.Fatal(err)
		}
		if ok, _ := rp.Authentic(auth, radius.Secret(secret), nil); !ok {
			t.Fatal("an answer of theirs is not authentic")
		}
	})
}

func TestDelay(t *testing.T) {
	for _, tc := range []struct {
		name string
		age  time.Duration
		want uint32
	}{
		{"now", 0, 0},
		{"just under a second", 999 * time.Millisecond, 0},
		{"a second", time.Second, 1},
		{"an hour", time.Hour, 3600},
		{"in the future", -time.Hour, 0},
		{"longer than the attribute can say", 200 * 365 * 24 * time.Hour, math.MaxUint32},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if got := delay(tc.age); got != tc.want {
				t.Errorf("got %d, want %d", got, tc.want)
			}
		})
	}
}

func TestErrors(t *testing.T) {
	for _, err := range []error{client.ErrStopped, client.ErrOverflow} {
		if err := toMethodError(err); !errors.Is(err, accounting.ErrStopped) {
			t.Errorf("%v would be taken for a refusal", err)
		}
	}
	if errors.Is(ErrUnsendable, accounting.ErrStopped) || errors.Is(ErrUnsendable, accounting.ErrNoResponse) {
		t.Error("a record that never can be sent would be tried for ever")
	}
}
