package accounting

import (
	"encoding/hex"
	"errors"
	"strings"
	"testing"
	"time"

	"aaasess/internal/radius"
	"aaasess/sessions"

	"github.com/google/go-cmp/cmp"
)

// goldenRecord is a record with every field. goldenHex is its stored form since version 1.
func goldenRecord(t testing.TB) *Record {
	t.Helper()
	return &Record{
		Session: 0xE, Type: sessions.Stop, Kind: sessions.Network, At: time.Date(2001, 6, 27, 4, 47, 46, 123, time.UTC),
		List: "network/default", Next: []MethodName{Group("backup"), Local},
		Attrs: radius.Attributes("\x28\x06\x00\x00\x00\x02\x2c\x0a0000000E"),
	}
}

const goldenHex = "01" + "02" + "0000000e" + "0dca09a3969ff47b" +
	"0f" + "6e6574776f726b2f64656661756c74" +
	"02" + "0c" + "67726f7570206261636b7570" + "05" + "6c6f63616c" +
	"0010" + "280600000002" + "2c0a3030303030303045"

func TestRecordGolden(t *testing.T) {
	rec := goldenRecord(t)
	if got := hex.EncodeToString(AppendRecord(nil, rec)); got != goldenHex {
		t.Fatalf("stored as\n%s, want\n%s", got, goldenHex)
	}
	b, _ := hex.DecodeString(goldenHex)
	got, err := ParseRecord(b)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(rec, got); diff != "" {
		t.Errorf("want (-) and got (+):\n%s", diff)
	}
}

// TestRecordNASSession: version 2 also has the Acct-Session-Id of the NAS.
func TestRecordNASSession(t *testing.T) {
	rec := goldenRecord(t)
	rec.NASSession = "5F2A"
	const before = len(goldenHex) - 2*(2+16)
	want := "02" + goldenHex[2:before] + "04" + "35463241" + goldenHex[before:]
	b := AppendRecord(nil, rec)
	if got := hex.EncodeToString(b); got != want {
		t.Fatalf("stored as\n%s, want\n%s", got, want)
	}
	got, err := ParseRecord(b)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(rec, got); diff != "" {
		t.Errorf("want (-) and got (+):\n%s", diff)
	}
	if h, ok := PeekRecord(b); h != (Head{Type: rec.Type, Session: 0xE, Lane: 0xE, At: rec.At.UnixNano()}) || !ok {
		t.Errorf("%v %v", h, ok)
	}
	for i := range b {
		if _, err := ParseRecord(b[:i]); !errors.Is(err, ErrRecord) {
			t.Errorf("%d octets of it: %v", i, err)
		}
	}
	empty, _ := hex.DecodeString("02" + goldenHex[2:before] + "00" + goldenHex[before:])
	if got, err := ParseRecord(empty); !errors.Is(err, ErrRecord) {
		t.Errorf("a version 2 without it: %v, %v", got, err)
	}
}

// TestRecordExtended: version 3 also has the kind, the lane and the hold, and only a record that needs
// one of them has it.
func TestRecordExtended(t *testing.T) {
	const head, tail = 2 * headLen, 2 * (2 + 16)
	stored := func(extension, nas string) string {
		return "03" + goldenHex[2:head] + extension + goldenHex[head:len(goldenHex)-tail] + nas + goldenHex[len(goldenHex)-tail:]
	}
	tests := []struct {
		name   string
		change func(*Record)
		want   string
	}{
		{"nothing", func(*Record) {}, goldenHex},
		{"its own lane", func(r *Record) { r.Lane = r.Session }, goldenHex},
		{"a kind that the list does not name", func(r *Record) { r.Kind = sessions.Exec }, stored("02"+"00000000"+"00000000", "00")},
		{"a kind that this version does not know", func(r *Record) { r.Kind = 200 }, stored("c8"+"00000000"+"00000000", "00")},
		{"a lane", func(r *Record) { r.Lane = 0xD }, stored("01"+"0000000d"+"00000000", "00")},
		{"a hold", func(r *Record) { r.Hold = 5 * time.Second }, stored("01"+"00000000"+"00001388", "00")},
		{"everything", func(r *Record) { r.Lane, r.Hold, r.NASSession = 0xD, time.Millisecond, "5F2A" }, stored("01"+"0000000d"+"00000001", "0435463241")},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			rec := goldenRecord(t)
			tt.change(rec)
			b := AppendRecord(nil, rec)
			if got := hex.EncodeToString(b); got != tt.want {
				t.Fatalf("stored as\n%s, want\n%s", got, tt.want)
			}
			got, err := ParseRecord(b)
			if err != nil {
				t.Fatal(err)
			}
			if rec.Lane == rec.Session {
				rec.Lane = 0 // one form in memory
			}
			if diff := cmp.Diff(rec, got); diff != "" {
				t.Errorf("want (-) and got (+):\n%s", diff)
			}
			head := Head{Type: rec.Type, Holds: rec.Hold > 0, Session: rec.Session, Lane: rec.InLane(), At: rec.At.UnixNano()}
			if h, ok := PeekRecord(b[:min(len(b), HeadLen)]); h != head || !ok {
				t.Errorf("peeked %v %t, want %v", h, ok, head)
			}
			route, ok := recordRoute(b)
			if want := appendRoute(nil, rec.List, rec.Next); string(route) != string(want) || !ok {
				t.Errorf("the route is %x, want %x", route, want)
			}
			for i := range b {
				if _, err := ParseRecord(b[:i]); !errors.Is(err, ErrRecord) {
					t.Errorf("%d octets of it: %v", i, err)
				}
			}
		})
	}
	for name, extension := range map[string]string{
		"nothing to extend": "01" + "00000000" + "00000000", "no kind": "00" + "00000000" + "00001388", "its own lane": "01" + "0000000e" + "00001388",
	} {
		b, _ := hex.DecodeString(stored(extension, "00"))
		if got, err := ParseRecord(b); !errors.Is(err, ErrRecord) {
			t.Errorf("%s: %v, %v", name, got, err)
		}
	}
}

// TestRecordRenamed: an event other than start, interim and stop of a live session keeps the number of
// its session, whatever its Acct-Session-Id upstream is.
func TestRecordRenamed(t *testing.T) {
	for _, tt := range []struct {
		name    string
		renamed bool
		nas     string // the Acct-Session-Id
		version byte
		number  sessions.ID
	}{
		{"of no live session", false, "5F2A", recordWithoutNAS, 0},
		{"our number", false, "0000000E", recordWithoutNAS, 0xE},
		{"another Acct-Session-Id of a live session", true, "5F2A", recordRenamed, 0xE},
	} {
		t.Run(tt.name, func(t *testing.T) {
			rec := goldenRecord(t)
			rec.Type, rec.Renamed = sessions.Other, tt.renamed
			rec.Attrs = attrs(radius.AcctStatusType, 15, radius.AcctSessionID, tt.nas)
			b := AppendRecord(nil, rec)
			got, err := ParseRecord(b)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(rec, got); diff != "" {
				t.Errorf("want (-) and got (+):\n%s", diff)
			}
			if b[0] != tt.version || got.Number() != tt.number || got.SessionName() != tt.nas {
				t.Errorf("version %d, number %d, name %s", b[0], got.Number(), got.SessionName())
			}
			if h, ok := PeekRecord(b); h != (Head{Type: rec.Type, Session: 0xE, Lane: 0xE, At: rec.At.UnixNano()}) || !ok {
				t.Errorf("%v %v", h, ok)
			}
			if route, ok := recordRoute(b); string(route) != string(appendRoute(nil, rec.List, rec.Next)) || !ok {
				t.Errorf("the route is %x", route)
			}
		})
	}
	for name, change := range map[string]func(*Record){
		"a stop": func(r *Record) { r.Type = sessions.Stop }, "its own name": func(r *Record) { r.Type = sessions.Other },
	} {
		rec := goldenRecord(t)
		rec.Renamed = true
		change(rec)
		if got, err := ParseRecord(AppendRecord(nil, rec)); !errors.Is(err, ErrRecord) {
			t.Errorf("%s: %v, %v", name, got, err)
		}
	}
}

// TestRecordHoldRounded: no hold gets shorter than it was, and none is stored as another one.
func TestRecordHoldRounded(t *testing.T) {
	for hold, want := range map[time.Duration]time.Duration{
		-1: 0, 1: time.Millisecond, time.Millisecond: time.Millisecond, time.Second + 1: time.Second + time.Millisecond,
		1<<63 - 1: (1<<32 - 1) * time.Millisecond,
	} {
		rec := goldenRecord(t)
		rec.Hold = hold
		if got, err := ParseRecord(AppendRecord(nil, rec)); err != nil || got.Hold != want {
			t.Errorf("%v became %v, %v; want %v", hold, got, err, want)
		}
	}
}

func TestParseRecordRefuses(t *testing.T) {
	golden, _ := hex.DecodeString(goldenHex)
	change := func(i int, o byte) []byte {
		b := append([]byte{}, golden...)
		b[i] = o
		return b
	}
	tests := []struct {
		name string
		b    []byte
		want string
	}{
		{"nothing", nil, "ends early, after 0 octets"},
		{"a later version", change(0, 5), "version 5"},
		{"a type that no record has", change(1, 9), "type 9"},
		{"an octet behind", append(change(0, 1), 0), "1 octets follow its end"},
		{"a method that is none", change(len(golden)-2-16-5, 'x'), `method "xocal"`},
		{"more methods than octets", change(30, 255), "ends early"},
		{"attributes that are none", change(len(golden)-15, 7), "attributes of session 0000000E"},
	}
	for i := range golden {
		tests = append(tests, struct {
			name string
			b    []byte
			want string
		}{"cut", golden[:i], "ends early"})
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			rec, err := ParseRecord(tt.b)
			if !errors.Is(err, ErrRecord) || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("%x: got %v, %v, want an error with %q", tt.b, rec, err, tt.want)
			}
		})
	}
}

// A name that is too long for its length octet is cut, so that the record can be parsed.
func TestAppendRecordLongName(t *testing.T) {
	rec := goldenRecord(t)
	rec.List = strings.Repeat("x", 300)
	got, err := ParseRecord(AppendRecord(nil, rec))
	if err != nil || len(got.List) != 255 {
		t.Errorf("got %v, %v", got, err)
	}
}

func TestSetAsideEntry(t *testing.T) {
	want := &SetAsideEntry{From: "group/radius", At: time.Unix(5, 6), Reason: "no thanks", Data: AppendRecord(nil, goldenRecord(t))}
	got, err := ParseSetAsideEntry(AppendSetAsideEntry(nil, want))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("want (-) and got (+):\n%s", diff)
	}
	for _, b := range []string{"", "\x02", "\x01\x00\x00\x00\x00\x00\x00\x00\x00\x05ab"} {
		if r, err := ParseSetAsideEntry([]byte(b)); !errors.Is(err, ErrRecord) {
			t.Errorf("%x: got %v, %v", b, r, err)
		}
	}
}

func FuzzParseRecord(f *testing.F) {
	golden, _ := hex.DecodeString(goldenHex)
	f.Add(golden)
	f.Add(AppendRecord(nil, &Record{Type: sessions.Start, At: time.Unix(0, 0)}))
	f.Add(AppendRecord(nil, &Record{Type: sessions.Other, At: time.Unix(0, 0)}))
	f.Add(AppendRecord(nil, &Record{Type: sessions.Start, At: time.Unix(0, 0), Kind: sessions.Exec, Lane: 7, Hold: time.Second, NASSession: "x"}))
	f.Add(AppendRecord(nil, &Record{Type: sessions.Other, At: time.Unix(0, 0), Kind: sessions.Network, Renamed: true}))
	f.Fuzz(func(t *testing.T, b []byte) {
		rec, err := ParseRecord(b)
		if err != nil {
			if !errors.Is(err, ErrRecord) {
				t.Errorf("error %v", err)
			}
			return
		}
		if again := AppendRecord(nil, rec); string(again) != string(b) {
			t.Errorf("%x parsed and appended is %x", b, again)
		}
	})
}

func FuzzParseSetAsideEntry(f *testing.F) {
	f.Add(AppendSetAsideEntry(nil, &SetAsideEntry{From: "local", At: time.Unix(1, 2), Reason: "why", Data: []byte("x")}))
	f.Fuzz(func(t *testing.T, b []byte) {
		r, err := ParseSetAsideEntry(b)
		if err != nil {
			return
		}
		if again := AppendSetAsideEntry(nil, r); string(again) != string(b) {
			t.Errorf("%x parsed and appended is %x", b, again)
		}
	})
}

// The search for the newest record skips records that are damaged or of another version.
func TestPeekRecord(t *testing.T) {
	r := &Record{Session: 0x01020304, Type: sessions.Interim, At: time.Unix(5, 6), List: "network/default"}
	h, ok := PeekRecord(AppendRecord(nil, r))
	if h != (Head{Type: sessions.Interim, Session: 0x01020304, Lane: 0x01020304, At: 5_000_000_006}) || !ok {
		t.Errorf("got %v %t", h, ok)
	}
	const head = "\x03\x00\x00\x00\x01\x00\x00\x00\x00\x00\x00\x00\x01"
	for _, b := range []string{"", "\x01" + head[:12], "\x04" + head, "\x03" + head + "\x01\x00\x00\x00\x00\x00\x00\x00"} {
		if _, ok := PeekRecord([]byte(b)); ok {
			t.Errorf("% x was parsed as a record", b)
		}
	}
}

func TestKindOf(t *testing.T) {
	for list, want := range map[string]sessions.Kind{
		"network/default": sessions.Network, "network/dnis:7777": sessions.Network, "exec/admins": sessions.Exec,
		"connection/default": sessions.Connection, "resource/default": sessions.Resource,
		"commands 15/default": 0, "vrrs/default": sessions.VRRS, "network": 0, "": 0,
	} {
		if got := kindOf(list); got != want {
			t.Errorf("%q: %v, want %v", list, got, want)
		}
	}
}
