package tacacs

import (
	"slices"
	"strings"
	"testing"
	"time"

	"aaasess/accounting"
	"aaasess/internal/radius"
	"aaasess/internal/tacacs"
	"aaasess/sessions"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// checkRequest checks what holds for the request of every record.
func checkRequest(t rapid.TB, a *Arguments, rec *accounting.Record, sent time.Time) {
	r := a.Request(rec, sent)
	b, err := tacacs.AppendAcctRequest(nil, &r)
	if err != nil {
		t.Fatalf("%+v: %v", r, err)
	}
	back, err := tacacs.ParseAcctRequest(b)
	if err != nil {
		t.Fatalf("%x: %v", b, err)
	}
	if diff := cmp.Diff(r, back); diff != "" {
		t.Fatalf("encoded (-) and parsed (+):\n%s", diff)
	}
	if len(r.Args) < 2 || !strings.HasPrefix(r.Args[0], "task_id=") || len(r.Args[0]) == len("task_id=") {
		t.Fatalf("the arguments are %q", r.Args)
	}
	var seen []string
	for _, text := range append([]string{r.Port, r.RemAddr}, r.Args...) {
		if i := strings.IndexFunc(text, func(c rune) bool { return c < ' ' || c > '~' }); i >= 0 {
			t.Fatalf("%q is not printable ASCII", text)
		}
	}
	for _, argument := range r.Args {
		name, _, ok := splitPair(argument)
		switch {
		case !ok:
			t.Fatalf("%q is no argument", argument)
		case !slices.Contains(reserved, name) || argument[len(name):][:1] == optional || name == "cmd-arg":
		case slices.Contains(seen, name):
			t.Fatalf("%s is there twice: %q", name, r.Args)
		}
		seen = append(seen, name)
	}
	if !slices.ContainsFunc(r.Args, func(s string) bool { return strings.HasPrefix(s, "service=") }) {
		t.Fatalf("no service (RFC 8907 section 8.2): %q", r.Args)
	}
	switch r.Flags {
	case tacacs.AcctFlagStart, tacacs.AcctFlagStop, tacacs.AcctFlagWatchdog:
	default:
		t.Fatalf("flags %x", r.Flags)
	}
	if strings.ContainsAny(r.User, "\x00\t\n\r\x1b\x7f") || r.PrivLvl > tacacs.PrivLvlRoot {
		t.Fatalf("user %q, level %d", r.User, r.PrivLvl)
	}
}

// attributes draws attributes of any type, often those that the table knows.
func attributes(t *rapid.T) radius.Attributes {
	known := []radius.Type{
		radius.UserName, radius.NASPort, radius.NASPortID, radius.NASPortType, radius.CallingStationID, radius.CalledStationID, radius.FramedIPAddress,
		radius.FramedIPv6Address, radius.LoginIPHost, radius.LoginService, radius.LoginLATNode, radius.AcctSessionTime, radius.EventTimestamp, radius.AcctInputGigawords,
		radius.AcctSessionID, radius.NASIdentifier, radius.AcctStatusType, radius.FramedProtocol,
	}
	var b []byte
	for range rapid.IntRange(0, 60).Draw(t, "attributes") {
		typ := radius.Type(rapid.Uint8().Draw(t, "type"))
		if rapid.Bool().Draw(t, "known") {
			typ = rapid.SampledFrom(known).Draw(t, "type")
		}
		value := string(rapid.SliceOfN(rapid.Byte(), 0, 253).Draw(t, "value"))
		switch rapid.IntRange(0, 3).Draw(t, "form") {
		case 0:
			value = value[:min(len(value), 4)]
		case 1:
			text := rapid.SampledFrom([]string{"cmd=", "cmd-arg=", "priv-lvl=", "addr=", "x*", "", "\t="}).Draw(t, "pair") + value
			b = radius.AppendID(b, ciscoAVPair, text[:min(len(text), 247)])
			continue
		}
		b = radius.AppendAttribute(b, typ, value)
	}
	return radius.Attributes(b)
}

// TestAnyRecord: any record becomes a request that can be sent and read.
func TestAnyRecord(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		rec := &accounting.Record{
			Session: sessions.ID(rapid.Uint32().Draw(t, "session")),
			Type: rapid.SampledFrom([]sessions.EventType{
				sessions.Start, sessions.Stop, sessions.Interim, sessions.Other, sessions.On, sessions.Off,
			}).Draw(t, "type"),
			Kind: sessions.Kind(rapid.IntRange(0, 7).Draw(t, "kind")), At: time.Unix(rapid.Int64Range(-1e10, 1e10).Draw(t, "at"), 0),
			Resync: rapid.Bool().Draw(t, "resync"), NASSession: rapid.StringN(0, -1, 253).Draw(t, "nas session"), Attrs: attributes(t),
		}
		a := &Arguments{
			Ports: []PortRule{{Last: 1 << 31, Text: "tty%d"}}, Times: Times(rapid.IntRange(0, 2).Draw(t, "times")),
			Attributes: rapid.Bool().Draw(t, "attributes"), ResyncMark: rapid.SampledFrom([]string{"", "mark"}).Draw(t, "mark"),
		}
		checkRequest(t, a, rec, time.Unix(rapid.Int64Range(-1e10, 1e10).Draw(t, "sent"), 0))
	})
}

// TestBounds: a packet has at most 255 arguments of at most 255 octets. A text is cut, what would be
// half of octets is left out, and the arguments of the table come first.
func TestBounds(t *testing.T) {
	many := make([]string, 0, 400)
	for range 400 {
		many = append(many, "Class = 0x01")
	}
	r := (&Arguments{Attributes: true}).Request(recordOf(t, sessions.Network, sessions.Stop, append(many, "Acct-Session-Time = 3")...), at)
	if n := len(r.Args); n != 255 || r.Args[2] != "elapsed_time=3" || r.Args[254] != "Class*0x01" {
		t.Errorf("%d arguments, the first %q", n, r.Args[:3])
	}
	for _, tt := range []struct {
		name, in string
		want     string // the last argument
	}{
		{"a text that fits", "Login-LAT-Node = " + strings.Repeat("x", 250), "addr=" + strings.Repeat("x", 250)},
		{"a text that does not", "Login-LAT-Node = " + strings.Repeat("x", 251), "addr=" + strings.Repeat("x", 250)},
		{"an escape that does not fit", "Login-LAT-Node = " + strings.Repeat("x", 247) + "\t", "addr=" + strings.Repeat("x", 247)},
		{"octets that fit", "Class = 0x" + strings.Repeat("ab", 123), "Class*0x" + strings.Repeat("ab", 123)},
		{"octets that do not", "Class = 0x" + strings.Repeat("ab", 124), "service=connection"},
		{"a control character", "Login-LAT-Node = a\tb\\", `addr=a\x09b\\`},
	} {
		r := (&Arguments{Attributes: true}).Request(recordOf(t, sessions.Connection, sessions.Start, tt.in), at)
		if got := r.Args[len(r.Args)-1]; got != tt.want {
			t.Errorf("%s: %q, want %q", tt.name, got, tt.want)
		}
	}
}

// FuzzRequest: no attributes of a NAS make a packet that cannot be sent.
func FuzzRequest(f *testing.F) {
	f.Add([]byte("\x01\x05joe\x05\x06\x00\x00\x00\x05"), uint8(1), uint8(1), true)
	f.Add([]byte("\x1a\x12\x00\x00\x00\x09\x01\x0ccmd=show x"), uint8(6), uint8(2), false)
	f.Fuzz(func(t *testing.T, attrs []byte, kind, typ uint8, all bool) {
		if a := radius.Attributes(attrs); a.Valid() && len(a) <= accounting.MaxAttributes {
			rec := &accounting.Record{Session: 7, Type: sessions.EventType(typ), Kind: sessions.Kind(kind), At: at, Attrs: a}
			checkRequest(t, &Arguments{Attributes: all, Times: Times(kind % 3)}, rec, at)
		}
	})
}

func BenchmarkRequest(b *testing.B) {
	attrs := radius.AppendAttribute(nil, radius.UserName, "username1")
	for _, n := range []radius.Type{radius.NASPort, radius.FramedIPAddress, radius.AcctInputOctets, radius.AcctOutputOctets, radius.AcctSessionTime, radius.EventTimestamp} {
		attrs = radius.AppendUint32(attrs, n, 0x0a010101)
	}
	rec := &accounting.Record{Session: 30, Type: sessions.Stop, Kind: sessions.Network, At: at, Attrs: radius.Attributes(attrs)}
	b.ReportAllocs()
	for b.Loop() {
		new(Arguments).Request(rec, at)
	}
}
