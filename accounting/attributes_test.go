package accounting

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"aaasess/internal/radius"
	"aaasess/internal/radius/attrtest"
	"aaasess/sessions"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// attrs is [attrtest.Attributes].
func attrs(pairs ...any) radius.Attributes { return attrtest.Attributes(pairs...) }

var (
	nas4 = &sessions.NAS{Addr: netip.MustParseAddr("192.0.2.1")}
	nas6 = &sessions.NAS{Addr: netip.MustParseAddr("2001:db8::1")}
	nasM = &sessions.NAS{Addr: netip.MustParseAddr("::ffff:192.0.2.1")}
)

func TestCompose(t *testing.T) {
	at := time.Unix(1_000_000_100, 999)
	const stamp = "Event-Timestamp = 2001-09-09T01:48:20Z"
	began := sessions.Stamp(1_000_000_000 * time.Second)
	session := func(change func(*sessions.Session)) *sessions.Session {
		s := &sessions.Session{
			ID: 0xDEADBEEF, Kind: sessions.Network, NAS: nas4, StartSeen: true, Started: began,
			Attrs: attrs(radius.AcctSessionID, "nas-1", radius.UserName, "fred", radius.NASIdentifier, "bras"),
		}
		if change != nil {
			change(s)
		}
		return s
	}
	usage := sessions.Usage{InputOctets: 5<<32 + 1, OutputOctets: 2, InputPackets: 1<<32 + 3, OutputPackets: 4, SessionTime: 60}
	tests := []struct {
		name   string
		notice sessions.Notice
		want   []string
	}{
		{
			"no Acct-Status-Type in the packet: it comes first",
			sessions.Notice{Type: sessions.Start, Session: session(nil), Attrs: attrs(radius.NASIdentifier, "bras", radius.AcctSessionID, "nas-1", radius.UserName, "fred")},
			[]string{"Acct-Status-Type = Start", "NAS-Identifier = bras", "Acct-Session-Id = DEADBEEF", "User-Name = fred", stamp},
		},
		{
			"what must not go on: passwords, State, Reply-Message, Proxy-State, Message-Authenticator, Acct-Delay-Time",
			sessions.Notice{
				Type: sessions.Interim,
				Session: session(func(s *sessions.Session) {
					s.Attrs += attrs(radius.ProxyState, "p", 24, "s", 18, "m")
				}),
				Attrs: attrs(radius.AcctStatusType, 3, 2, "secret", 3, "secret", 24, "s", 18, "hi", radius.ProxyState, "p",
					radius.MessageAuthenticator, "0123456789abcdef", radius.AcctDelayTime, 4, radius.AcctSessionID, "nas-1"),
			},
			[]string{"Acct-Status-Type = Interim-Update", "Acct-Session-Id = DEADBEEF", "User-Name = fred", "NAS-Identifier = bras", stamp},
		},
		{
			"Class: all, in order; those of the packet replace those of the session",
			sessions.Notice{
				Type: sessions.Stop,
				Session: session(func(s *sessions.Session) {
					s.Attrs += attrs(radius.Class, "old", 89, "cui", radius.Class, "older")
				}),
				Attrs: attrs(radius.AcctStatusType, 2, radius.Class, "\x00b", radius.AcctSessionID, "nas-1", radius.Class, "a", radius.Class, "a"),
			},
			[]string{
				"Acct-Status-Type = Stop", "Class = 0x0062", "Acct-Session-Id = DEADBEEF", "Class = 0x61", "Class = 0x61",
				"User-Name = fred", "NAS-Identifier = bras", "Chargeable-User-Identity = 0x637569", stamp,
			},
		},
		{
			"Class of the session alone: all, in order",
			sessions.Notice{
				Type: sessions.Stop,
				Session: session(func(s *sessions.Session) {
					s.Attrs += attrs(radius.Class, "b", radius.Class, "a")
				}),
				Attrs: attrs(radius.AcctStatusType, 2),
			},
			[]string{
				"Acct-Status-Type = Stop", "Acct-Session-Id = DEADBEEF", "User-Name = fred", "NAS-Identifier = bras",
				"Class = 0x62", "Class = 0x61", stamp,
			},
		},
		{
			"no NAS in the packet: the source address",
			sessions.Notice{Type: sessions.Start, Session: session(func(s *sessions.Session) { s.Attrs = "" }), Attrs: attrs(radius.AcctStatusType, 1)},
			[]string{"Acct-Status-Type = Start", "Acct-Session-Id = DEADBEEF", "NAS-IP-Address = 192.0.2.1", stamp},
		},
		{
			"no NAS in the packet: the source address, IPv6",
			sessions.Notice{Type: sessions.Start, Session: session(func(s *sessions.Session) { s.Attrs, s.NAS = "", nas6 }), Attrs: attrs(radius.AcctStatusType, 1)},
			[]string{"Acct-Status-Type = Start", "Acct-Session-Id = DEADBEEF", "NAS-IPv6-Address = 2001:db8::1", stamp},
		},
		{
			"no NAS in the packet: the source address, IPv4 in IPv6",
			sessions.Notice{Type: sessions.Start, Session: session(func(s *sessions.Session) { s.Attrs, s.NAS = "", nasM }), Attrs: attrs(radius.AcctStatusType, 1)},
			[]string{"Acct-Status-Type = Start", "Acct-Session-Id = DEADBEEF", "NAS-IP-Address = 192.0.2.1", stamp},
		},
		{
			"NAS-IPv6-Address is a NAS's name too",
			sessions.Notice{
				Type: sessions.Start, Session: session(func(s *sessions.Session) { s.Attrs = "" }),
				Attrs: attrs(radius.AcctStatusType, 1, radius.NASIPv6Address, string(netip.MustParseAddr("2001:db8::2").AsSlice())),
			},
			[]string{"Acct-Status-Type = Start", "NAS-IPv6-Address = 2001:db8::2", "Acct-Session-Id = DEADBEEF", stamp},
		},
		{
			"a cause that we know better stands in the place of the NAS's",
			sessions.Notice{
				Type: sessions.Stop, Session: session(nil), Cause: sessions.CauseAdminReset,
				Attrs: attrs(radius.AcctTerminateCause, 10, radius.AcctStatusType, 2, radius.AcctTerminateCause, 1),
			},
			[]string{
				"Acct-Terminate-Cause = Admin-Reset", "Acct-Status-Type = Stop", "Acct-Session-Id = DEADBEEF",
				"User-Name = fred", "NAS-Identifier = bras", stamp,
			},
		},
		{
			"a cause that the NAS does not give is added",
			sessions.Notice{Type: sessions.Stop, Session: session(nil), Cause: sessions.CauseAdminReset, Attrs: attrs(radius.AcctStatusType, 2)},
			[]string{
				"Acct-Status-Type = Stop", "Acct-Session-Id = DEADBEEF", "User-Name = fred", "NAS-Identifier = bras",
				"Acct-Terminate-Cause = Admin-Reset", stamp,
			},
		},
		{
			"the NAS's cause and time stamp stand otherwise",
			sessions.Notice{
				Type: sessions.Stop, Session: session(nil),
				Attrs: attrs(radius.AcctStatusType, 2, radius.AcctTerminateCause, 4, radius.EventTimestamp, 77),
			},
			[]string{
				"Acct-Status-Type = Stop", "Acct-Terminate-Cause = Idle-Timeout", "Event-Timestamp = 1970-01-01T00:01:17Z",
				"Acct-Session-Id = DEADBEEF", "User-Name = fred", "NAS-Identifier = bras",
			},
		},
		{
			"our stop of a session whose NAS restarted: use and time as last heard, gigawords",
			sessions.Notice{Type: sessions.Stop, Session: session(func(s *sessions.Session) { s.Usage = usage }), Cause: sessions.CauseNASReboot},
			[]string{
				"Acct-Status-Type = Stop", "Acct-Session-Id = DEADBEEF", "User-Name = fred", "NAS-Identifier = bras",
				"Acct-Input-Octets = 1", "Acct-Output-Octets = 2", "Acct-Input-Packets = 3", "Acct-Output-Packets = 4",
				"Acct-Input-Gigawords = 5", "Acct-Session-Time = 60", "Acct-Terminate-Cause = NAS-Reboot", stamp,
			},
		},
		{
			"our stop of a session whose NAS restarted without ever sending a counter: none, and no time",
			sessions.Notice{Type: sessions.Stop, Session: session(nil), Cause: sessions.CauseNASReboot},
			[]string{
				"Acct-Status-Type = Stop", "Acct-Session-Id = DEADBEEF", "User-Name = fred", "NAS-Identifier = bras",
				"Acct-Terminate-Cause = NAS-Reboot", stamp,
			},
		},
		{
			"our stop of a session without a start, whose NAS sends only octets from the user",
			sessions.Notice{
				Type: sessions.Stop, Cause: sessions.CauseAdminReset,
				Session: session(func(s *sessions.Session) { s.StartSeen, s.Counted = false, sessions.InputOctets }),
			},
			[]string{
				"Acct-Status-Type = Stop", "Acct-Session-Id = DEADBEEF", "User-Name = fred", "NAS-Identifier = bras",
				"Acct-Input-Octets = 0", "Acct-Terminate-Cause = Admin-Reset", stamp,
			},
		},
		{
			"our stop of a session that was disconnected: it lasted until now",
			sessions.Notice{Type: sessions.Stop, Session: session(func(s *sessions.Session) { s.Usage.SessionTime, s.Counted = 60, sessions.WholeUsage }), Cause: sessions.CauseAdminReset, Lasted: 100*time.Second + 1},
			[]string{
				"Acct-Status-Type = Stop", "Acct-Session-Id = DEADBEEF", "User-Name = fred", "NAS-Identifier = bras",
				"Acct-Input-Octets = 0", "Acct-Output-Octets = 0", "Acct-Input-Packets = 0", "Acct-Output-Packets = 0",
				"Acct-Session-Time = 100", "Acct-Terminate-Cause = Admin-Reset", stamp,
			},
		},
		{
			"our interim: it lasted until now",
			sessions.Notice{Type: sessions.Interim, Session: session(nil), Lasted: 100*time.Second + 1},
			[]string{
				"Acct-Status-Type = Interim-Update", "Acct-Session-Id = DEADBEEF", "User-Name = fred", "NAS-Identifier = bras",
				"Acct-Session-Time = 100", stamp,
			},
		},
		{
			"our stop after our interims: no shorter than they were, whatever the cause",
			sessions.Notice{Type: sessions.Stop, Session: session(func(s *sessions.Session) { s.SetTold(1) }), Cause: sessions.CauseNASReboot, Lasted: 100*time.Second + 1},
			[]string{
				"Acct-Status-Type = Stop", "Acct-Session-Id = DEADBEEF", "User-Name = fred", "NAS-Identifier = bras",
				"Acct-Session-Time = 100", "Acct-Terminate-Cause = NAS-Reboot", stamp,
			},
		},
		{
			"our interim of an exec session with the largest duration, and the counters of a start",
			sessions.Notice{
				Type: sessions.Interim, Lasted: 1<<63 - 1,
				Session: session(func(s *sessions.Session) {
					s.Kind, s.Usage, s.Counted = sessions.Exec, sessions.Usage{InputOctets: 5<<32 + 1}, sessions.InputOctets
				}),
			},
			[]string{
				"Acct-Status-Type = Interim-Update", "Acct-Session-Id = DEADBEEF", "User-Name = fred", "NAS-Identifier = bras",
				"Acct-Input-Octets = 1", "Acct-Input-Gigawords = 5", "Acct-Session-Time = 4294967295", stamp,
			},
		},
		{
			"our stop of a session without a start: the last values of the NAS",
			sessions.Notice{
				Type: sessions.Stop, Cause: sessions.CauseAdminReset,
				Session: session(func(s *sessions.Session) { s.Kind, s.StartSeen, s.Usage.SessionTime = sessions.Exec, false, 60 }),
			},
			[]string{
				"Acct-Status-Type = Stop", "Acct-Session-Id = DEADBEEF", "User-Name = fred", "NAS-Identifier = bras",
				"Acct-Session-Time = 60", "Acct-Terminate-Cause = Admin-Reset", stamp,
			},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			tt.notice.At = at
			got, dropped := Compose([]byte("before"), &tt.notice)
			if !strings.HasPrefix(string(got), "before") || dropped.TooLarge != (Drop{}) {
				t.Fatalf("got %q, dropped %+v", got, dropped)
			}
			if diff := cmp.Diff(tt.want, show(got[len("before"):])); diff != "" {
				t.Errorf("want (-) and record (+):\n%s", diff)
			}
		})
	}
}

// repeated returns n attributes of one type with values of size octets.
func repeated(typ radius.Type, n, size int) radius.Attributes {
	var b []byte
	for i := range n {
		b = radius.AppendAttribute(b, typ, fmt.Sprintf("%0*d", size, i))
	}
	return radius.Attributes(b)
}

func TestComposeTooLarge(t *testing.T) {
	identity := attrs(radius.UserName, "fred", radius.AcctSessionID, "n", radius.NASIdentifier, "bras", radius.FramedIPAddress, 7)
	tests := []struct {
		name    string
		attrs   radius.Attributes
		dropped int
		counts  map[radius.Type]int // the number left of each type
		lastVSA string
	}{
		{"fits to the octet", repeated(25, 15, 253) + repeated(25, 1, 4070-identityLen-15*255-2), 0, map[radius.Type]int{25: 16}, ""},
		{"too large: a vendor's goes, from the end", repeated(26, 1, 100) + repeated(25, 15, 253) + repeated(26, 1, 200), 1, map[radius.Type]int{25: 15, 26: 1}, fmt.Sprintf("%0100d", 0)},
		{"vendors' are not enough", repeated(26, 3, 250) + repeated(25, 16, 253), 4, map[radius.Type]int{25: 15, 26: 0}, ""},
		{"identity alone is too large", repeated(radius.AcctMultiSessionID, 17, 253), 3, map[radius.Type]int{radius.AcctMultiSessionID: 15, radius.UserName: 1}, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			n := sessions.Notice{
				Type: sessions.Start, At: time.Unix(9, 0),
				Session: &sessions.Session{ID: 1, NAS: nas4},
				Attrs:   identity + attrs(radius.AcctStatusType, 1) + tt.attrs,
			}
			got, dropped := Compose(nil, &n)
			a := radius.Attributes(got)
			if !a.Valid() || len(a) > 4070 {
				t.Fatalf("%d octets, valid %t", len(a), a.Valid())
			}
			count := map[radius.Type]int{}
			lastVSA := ""
			for typ, v := range a.All() {
				count[typ]++
				if typ == 26 {
					lastVSA = v
				}
			}
			for typ, want := range tt.counts {
				if count[typ] != want {
					t.Errorf("%d of %s left, want %d", count[typ], radius.Standard().Name(typ), want)
				}
			}
			if id := a.Text(radius.AcctSessionID); id != "00000001" || count[radius.AcctStatusType] != 1 {
				t.Errorf("Acct-Session-Id %q, %d Acct-Status-Type", id, count[radius.AcctStatusType])
			}
			if lastVSA != tt.lastVSA || dropped.TooLarge.Count != tt.dropped {
				t.Errorf("dropped %+v (want %d), last vendor's attribute %.8q...", dropped, tt.dropped, lastVSA)
			}
		})
	}
}

// identityLen is the length of the identity in TestComposeTooLarge with its Acct-Status-Type and
// Event-Timestamp.
const identityLen = 6 + 10 + 6 + 6 + 6 + 6

// forbidden are the types that no record may have.
var forbidden = []radius.Type{2, 3, 18, 24, radius.ProxyState, radius.MessageAuthenticator, radius.AcctDelayTime}

func TestComposeProperties(t *testing.T) {
	types := []radius.Type{1, 2, 4, 5, 8, 18, 24, 25, 26, 31, 32, 33, 40, 41, 42, 44, 46, 49, 55, 80, 87, 89, 95, 200}
	// A session keeps no attribute that belongs to one packet.
	lasting := []radius.Type{1, 2, 4, 5, 8, 18, 24, 25, 26, 31, 32, 44, 87, 89, 95, 200}
	drawAttrs := func(t *rapid.T, what string, types []radius.Type) radius.Attributes {
		var b []byte
		for range rapid.IntRange(0, 30).Draw(t, what) {
			typ := rapid.SampledFrom(types).Draw(t, "type")
			b = radius.AppendAttribute(b, typ, rapid.StringN(0, 253, 253).Draw(t, "value"))
		}
		return radius.Attributes(b)
	}
	rapid.Check(t, func(t *rapid.T) {
		n := sessions.Notice{
			Type: sessions.EventType(rapid.IntRange(1, 3).Draw(t, "event")),
			At:   time.Unix(rapid.Int64Range(0, 1<<32-1).Draw(t, "at"), 0),
			Session: &sessions.Session{
				ID: sessions.ID(rapid.Uint32().Draw(t, "id")), Kind: sessions.Kind(rapid.IntRange(1, 3).Draw(t, "kind")), NAS: nas4,
				StartSeen: rapid.Bool().Draw(t, "start seen"), Usage: sessions.Usage{InputOctets: rapid.Uint64().Draw(t, "octets")},
				Attrs: drawAttrs(t, "session", lasting),
			},
			Attrs: drawAttrs(t, "packet", types),
		}
		if n.Type == sessions.Stop {
			n.Cause = rapid.Uint32Range(0, 12).Draw(t, "cause")
		}
		out, dropped := Compose(nil, &n)
		got := radius.Attributes(out)
		if !got.Valid() || len(got) > 4070 {
			t.Fatalf("%d octets, valid %t", len(got), got.Valid())
		}
		if got.Text(radius.AcctSessionID) != n.Session.ID.String() {
			t.Fatalf("Acct-Session-Id %q of session %s", got.Text(radius.AcctSessionID), n.Session.ID)
		}
		if v, ok := got.Uint32(radius.AcctStatusType); !ok || v != uint32(n.Type) {
			t.Fatalf("Acct-Status-Type %d, %t", v, ok)
		}
		for typ, v := range got.All() {
			if slices.Contains(forbidden, typ) {
				t.Fatalf("has %s %q", radius.Standard().Name(typ), v)
			}
		}
		if n.Cause != 0 {
			if v, _ := got.Uint32(radius.AcctTerminateCause); v != n.Cause && dropped.TooLarge.Count == 0 {
				t.Fatalf("cause %d, want %d", v, n.Cause)
			}
		}
		if dropped.TooLarge.Count > 0 {
			return
		}
		for typ := range radius.Type(255) {
			want := wellFormed(typ, values(n.Attrs, typ))
			if len(want) == 0 {
				want = wellFormed(typ, slices.DeleteFunc(values(n.Session.Attrs, typ), func(v string) bool {
					return n.Type != sessions.Start && !isIdentity(typ, v)
				}))
			}
			ours := typ == radius.AcctSessionID || typ == radius.AcctStatusType || n.Cause != 0 && typ == radius.AcctTerminateCause
			switch {
			case slices.Contains(forbidden, typ):
			case ours:
				if got := values(got, typ); len(got) != 1 {
					t.Fatalf("%d of %s", len(got), radius.Standard().Name(typ))
				}
			case len(want) > 0:
				if diff := cmp.Diff(want, values(got, typ)); diff != "" {
					t.Fatalf("%s: want (-) and record (+):\n%s", radius.Standard().Name(typ), diff)
				}
			}
		}
	})
}

// wellFormed returns which of these values of one type a record may have (R35).
func wellFormed(typ radius.Type, vs []string) []string {
	vs = slices.DeleteFunc(vs, func(v string) bool { return v == "" })
	if radius.Standard().InAccounting(typ) == radius.ZeroOrOne && len(vs) > 1 {
		vs = vs[:1]
	}
	return vs
}

func values(a radius.Attributes, typ radius.Type) (vs []string) {
	for u, v := range a.All() {
		if u == typ {
			vs = append(vs, v)
		}
	}
	return vs
}
