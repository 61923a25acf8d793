package accounting

import (
	"bytes"
	"encoding/hex"
	"fmt"
	"log/slog"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"aaasess/internal/radius"
	"aaasess/internal/throttle"
	"aaasess/sessions"
	"aaasess/store"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// octets returns attributes that are given in hex, with spaces.
func octets(t testing.TB, text string) radius.Attributes {
	t.Helper()
	b, err := hex.DecodeString(strings.ReplaceAll(text, " ", ""))
	if err != nil {
		t.Fatal(err)
	}
	return radius.Attributes(b)
}

// Malformed attributes of a NAS are not sent under our name (R35). In the octets, 2c03 31 is the
// NAS's Acct-Session-Id, 2c0a 30303030303030 37 is ours, and 2003 62 is NAS-Identifier "b". The
// record has no Event-Timestamp.
func TestComposeWellFormed(t *testing.T) {
	const (
		status3 = "2806 00000003 "
		nasID   = "2003 62 "
		ours    = "2c0a 3030303030303037 "
	)
	tests := []struct {
		name                       string
		typ                        sessions.EventType
		packet, session            string
		want                       string
		empty, repeated, forbidden int // counted as empty, repeated, forbidden
	}{
		{
			"an empty User-Name is left out, the next counts", sessions.Interim,
			status3 + "0102 0103 61 2c03 31" + nasID, "", status3 + "0103 61" + ours + nasID, 1, 0, 0,
		},
		{"an empty User-Name, and the session has one", sessions.Interim, status3 + "0102 2c03 31" + nasID, "0103 61", status3 + ours + nasID + "0103 61", 1, 0, 0},
		{"an empty attribute that we do not know", sessions.Interim, status3 + "c802 2c03 31" + nasID, "", status3 + ours + nasID, 1, 0, 0},
		{"an empty Acct-Status-Type and Acct-Session-Id", sessions.Interim, "2802 2c02" + nasID, "2c03 31", status3 + nasID + ours, 2, 0, 0},
		{
			"NAS-IP-Address twice: the first counts", sessions.Interim,
			status3 + "0406 c0000201 2c03 31 0406 c0000202", "", status3 + "0406 c0000201" + ours, 0, 1, 0,
		},
		{
			"status, id, and a counter twice", sessions.Interim,
			status3 + "2a06 00000001 2c03 31 2a06 00000002 2c03 32 2806 00000002" + nasID, "",
			status3 + "2a06 00000001" + ours + nasID, 0, 3, 0,
		},
		{
			"Class, Filter-Id, Framed-Route, Vendor-Specific, Acct-Multi-Session-Id, Connect-Info and unknown types stay, in order", sessions.Interim,
			status3 + "2c03 31" + nasID + "1903 62 0b03 31 1903 61 1a07 00000009 01 0b03 31 1603 31 1603 32 1903 61 3203 31 3203 32 4d03 31 4d03 31 c803 31 c803 31", "",
			status3 + ours + nasID + "1903 62 0b03 31 1903 61 1a07 00000009 01 0b03 31 1603 31 1603 32 1903 61 3203 31 3203 32 4d03 31 4d03 31 c803 31 c803 31", 0, 0, 0,
		},
		{
			"several IPv6 prefixes and addresses stay, one interface id", sessions.Interim,
			status3 + "2c03 31" + nasID + "6104 0000 6104 0000 7b04 0000 7b04 0000 6003 31 6003 32", "",
			status3 + ours + nasID + "6104 0000 6104 0000 7b04 0000 7b04 0000 6003 31", 0, 1, 0,
		},
		{
			"tunnels: each tag once; text that begins with no tag has tag 0", sessions.Interim,
			status3 + "2c03 31" + nasID + "4006 01000003 4006 02000003 4006 01000009 4203 61 4203 62 4204 0161", "",
			status3 + ours + nasID + "4006 01000003 4006 02000003 4203 61 4204 0161", 0, 2, 0,
		},
		{
			"what the tables forbid", sessions.Interim,
			status3 + "0203 31 0303 31 1203 31 1803 31 3c03 31 4f03 31 4503 31 5303 31 2c03 31" + nasID, "", status3 + ours + nasID, 0, 0, 8,
		},
		{
			"what belongs to one hop is not counted", sessions.Interim,
			status3 + "2103 31 2906 00000001 5012 00000000000000000000000000000000 2c03 31" + nasID, "", status3 + ours + nasID, 0, 0, 0,
		},
		{
			"extended attributes are told apart, and stay", sessions.Interim,
			status3 + "2c03 31" + nasID + "f104 0131 f104 0231 f104 0131", "", status3 + ours + nasID + "f104 0131 f104 0231 f104 0131", 0, 0, 0,
		},
		{
			"extended attributes without a value", sessions.Interim,
			status3 + "2c03 31" + nasID + "f102 f103 01 f504 0100 f503 01", "", status3 + ours + nasID, 4, 0, 0,
		},
		{
			"fragments stay together, equal or empty", sessions.Interim,
			status3 + "2c03 31" + nasID + "f505 018031 f505 018031 f504 0180 f504 0100 f505 010032", "",
			status3 + ours + nasID + "f505 018031 f505 018031 f504 0180 f504 0100 f505 010032", 0, 0, 0,
		},
		{
			"a start gets what the session has, by extended type", sessions.Start,
			"2806 00000001 2c03 31 2003 62 f104 0132 f505 010032", "f104 0131 f104 0231 f104 0231 f505 018031 f505 010031 f505 028031 f505 020031 4d03 31",
			"2806 00000001" + ours + nasID + "f104 0132 f505 010032 f104 0231 f104 0231 f505 028031 f505 020031 4d03 31", 0, 0, 0,
		},
		{
			"an interim gets what identifies it, and nothing else of the start", sessions.Interim,
			status3 + "2c03 31", sessionOctets, status3 + ours + identityOctets, 0, 0, 0,
		},
		{
			"so does a stop", sessions.Stop, "2806 00000002 2c03 31", sessionOctets,
			"2806 00000002" + ours + identityOctets, 0, 0, 0,
		},
		{
			"and one of our own making; twice in the session is once in the record, and counted before", sessions.Stop, "",
			"0102 0103 61 0103 61 2c03 31 4d03 31 1b06 00000001 1a07 00000009 01" + nasID, "2806 00000002 0103 61" + ours + nasID, 0, 0, 0,
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			n := sessions.Notice{
				Type: tt.typ, At: time.Unix(0, 0), Attrs: octets(t, tt.packet),
				Session: &sessions.Session{ID: 7, Kind: sessions.Network, NAS: nas4, Attrs: octets(t, tt.session)},
			}
			got, dropped := Compose(nil, &n)
			if want := octets(t, tt.want); radius.Attributes(got) != want {
				t.Errorf("record\n%x, want\n%x", got, string(want))
			}
			counted := []int{dropped.TooLarge.Count, dropped.Empty.Count, dropped.Repeated.Count, dropped.Forbidden.Count}
			if diff := cmp.Diff([]int{0, tt.empty, tt.repeated, tt.forbidden}, counted); diff != "" {
				t.Errorf("counted: want (-) and got (+):\n%s", diff)
			}
		})
	}
}

// identityOctets has one attribute of each type that identifies a session, and two of Class and of
// the prefixes. sessionOctets has the same between other attributes of a start.
const (
	identityOctets = "0103 61 0406 c0000201 2003 62 5f12 20010db8000000000000000000000001 0506 00000001 3d06 00000005 5703 31 " +
		"1e03 31 1f03 32 0606 00000002 0706 00000001 0806 0a000001 600a 0000000000000001 6104 0000 6104 0001 " +
		"7b04 0000 a812 20010db8000000000000000000000002 0f06 00000000 0e06 0a000002 0e06 0a000003 2d06 00000001 3203 31 5903 31 1903 62 1903 61 "
	sessionOctets = "4d03 31 0b03 31 1b06 00000001 1a07 00000009 01 1c06 00000001 0906 ffffff00 f104 0131 " + identityOctets + "5806 31313131 c803 31 4006 00000003"
)

// The fragments of a value are dropped together.
func TestComposeTooLargeFragments(t *testing.T) {
	fragments := string(octets(t, "f505 018031 f505 018032 f505 010033"))
	n := sessions.Notice{
		Type: sessions.Start, At: time.Unix(0, 0), Session: &sessions.Session{ID: 7, NAS: nas4},
		Attrs: octets(t, "2806 00000001 2c03 31 2003 62") + repeated(25, 15, 253) + repeated(25, 1, 4070-6-10-3-15*255-2-14) + radius.Attributes(fragments),
	}
	got, dropped := Compose(nil, &n)
	if a := radius.Attributes(got); len(values(a, 245)) != 0 || len(values(a, 25)) != 16 || dropped.TooLarge.Count != 3 || dropped.TooLarge.First != 245 {
		t.Errorf("%d fragments and %d Class left, dropped %+v", len(values(a, 245)), len(values(a, 25)), dropped)
	}
}

// Attributes that were left out are counted, and logged once a minute for each reason.
func TestRouterLeftOut(t *testing.T) {
	var log bytes.Buffer
	r := NewRouter(openStore(t, store.NewDisk()), slog.New(slog.NewTextHandler(&log, nil)))
	r.SetPolicy(policy.decide())
	r.SetClientName(func(addr netip.Addr) string { return "client-of-" + addr.String() })
	n := notice(7, sessions.Network, sessions.Start)
	n.Attrs += octets(t, "0102 0102 2003 62 2003 62 0203 31") + repeated(26, 17, 253)
	for range 2 {
		committed(t, r, sessions.Change{Notices: []sessions.Notice{n}})
	}
	want := RouterStats{Records: 2, DroppedAttributes: 4, EmptyAttributes: 4, RepeatedAttributes: 2, ForbiddenAttributes: 2}
	if got := r.Stats(); got != want {
		t.Errorf("stats %+v, want %+v", got, want)
	}
	cisco := notice(8, sessions.Network, sessions.Start)
	for range 17 {
		cisco.Attrs += radius.Attributes(radius.AppendAttribute(nil, radius.VendorSpecific, "\x00\x00\x00\x09\x01\xf7"+strings.Repeat("x", 245)))
	}
	r.tooLarge.logged = throttle.Line{} // a minute later
	committed(t, r, sessions.Change{Notices: []sessions.Notice{cisco}})
	if n := strings.Count(log.String(), "client=client-of-192.0.2.1"); n != 5 {
		t.Errorf("%d lines have the client:\n%s", n, log.String())
	}
	for _, want := range []string{"attribute=Cisco-AVPair dropped=2", "attribute=Vendor-Specific dropped=2", "attribute=User-Name dropped=2", "attribute=NAS-Identifier dropped=1", "attribute=User-Password dropped=1"} {
		if strings.Count(log.String(), want) != 1 {
			t.Errorf("no line, or several, with %q:\n%s", want, log.String())
		}
	}
}

// checkWellFormed checks a record against its notice. Whatever octets a NAS sends: no attribute is
// empty, none occurs more often than its table allows, and attributes that may repeat are all
// there, in order.
func checkWellFormed(n *sessions.Notice) error {
	got, dropped := Compose(nil, n)
	a := radius.Attributes(got)
	if !a.Valid() || len(a) > MaxAttributes {
		return fmt.Errorf("%d octets, valid %t", len(a), a.Valid())
	}
	count := map[radius.Type]int{}
	for t, v := range a.All() {
		count[t]++
		switch {
		case v == "":
			return fmt.Errorf("%s is empty", radius.Standard().Name(t))
		case radius.Standard().InAccounting(t) == radius.ZeroOrOne && count[t] > 1:
			return fmt.Errorf("%s comes %d times", radius.Standard().Name(t), count[t])
		case radius.Standard().InAccounting(t) == radius.Never, t == radius.ProxyState, t == radius.AcctDelayTime:
			return fmt.Errorf("%s is in the record", radius.Standard().Name(t))
		}
	}
	if dropped.TooLarge.Count > 0 {
		return nil
	}
	for t := range radius.Type(255) {
		sent := wellFormed(t, values(n.Attrs, t))
		if radius.Standard().InAccounting(t) == radius.ZeroOrMore && t != radius.ProxyState && (t < 241 || t > 246) && len(sent) > 0 && !slices.Equal(sent, values(a, t)) {
			return fmt.Errorf("%s: sent %x, recorded %x", radius.Standard().Name(t), sent, values(a, t))
		}
	}
	return nil
}

func TestComposeAnyOctets(t *testing.T) {
	types := []sessions.EventType{sessions.Start, sessions.Stop, sessions.Interim, sessions.Other}
	rapid.Check(t, func(rt *rapid.T) {
		draw := func(what string) radius.Attributes {
			var b []byte
			for range rapid.IntRange(0, 40).Draw(rt, what) {
				typ := radius.Type(rapid.Byte().Draw(rt, "type"))
				b = radius.AppendAttribute(b, typ, string(rapid.SliceOfN(rapid.Byte(), 0, 6).Draw(rt, "value")))
			}
			return radius.Attributes(append(b, rapid.SliceOfN(rapid.Byte(), 0, 3).Draw(rt, "rest")...))
		}
		n := sessions.Notice{
			Type: rapid.SampledFrom(types).Draw(rt, "event"), At: time.Unix(rapid.Int64Range(-1, 9).Draw(rt, "at"), 0), Attrs: draw("packet"),
			Session: &sessions.Session{
				ID: sessions.ID(rapid.Uint32Range(0, 2).Draw(rt, "id")), Kind: sessions.Kind(rapid.Uint8Range(1, 5).Draw(rt, "kind")), NAS: nas4,
				Attrs:     draw("session"),
				Admission: &sessions.Admission{Granted: draw("granted"), Upstream: rapid.SampledFrom([]string{"", "5F2A"}).Draw(rt, "upstream")},
			},
		}
		if err := checkWellFormed(&n); err != nil {
			rt.Fatal(err)
		}
	})
}

func FuzzCompose(f *testing.F) {
	granted := []byte(octets(f, grantedOctets))
	f.Add(byte(1), []byte(octets(f, "2806 00000001 0102 0103 61 0103 62 2c03 31")), []byte(octets(f, sessionOctets)), granted, uint32(7))
	f.Add(byte(2), []byte{}, []byte(octets(f, sessionOctets)), granted, uint32(7))
	f.Add(byte(2), []byte{}, []byte{}, granted, uint32(7))
	f.Add(byte(3), []byte(octets(f, "f505 018031 f504 0180 f504 0100 f505 010032 4006 01000003 4006 01000003")), []byte{1, 2}, []byte{1, 2}, uint32(1))
	f.Add(byte(255), []byte(octets(f, "2806 00000009 2c03 31")), []byte{}, []byte{}, uint32(0))
	f.Fuzz(func(t *testing.T, typ byte, packet, session, granted []byte, id uint32) {
		n := sessions.Notice{
			Type: sessions.EventType(typ), At: time.Unix(1, 0), Attrs: radius.Attributes(packet),
			Session: &sessions.Session{
				ID: sessions.ID(id), Kind: sessions.Network, NAS: nas4, Attrs: radius.Attributes(session),
				Admission: &sessions.Admission{Granted: radius.Attributes(granted)},
			},
		}
		if err := checkWellFormed(&n); err != nil {
			t.Errorf("% x, session % x, granted % x: %v", packet, session, granted, err)
		}
	})
}
