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
		Session: 0xE, Type: sessions.Stop, At: time.Date(2001, 6, 27, 4, 47, 46, 123, time.UTC),
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
	if typ, id, at, ok := PeekRecord(b); typ != rec.Type || id != rec.Session || at != rec.At.UnixNano() || !ok {
		t.Errorf("%v %v %v %v", typ, id, at, ok)
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
		{"a later version", change(0, 3), "version 3"},
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
	typ, id, at, ok := PeekRecord(AppendRecord(nil, r))
	if typ != sessions.Interim || id != 0x01020304 || at != 5_000_000_006 || !ok {
		t.Errorf("got %v %v %d %t", typ, id, at, ok)
	}
	const head = "\x03\x00\x00\x00\x01\x00\x00\x00\x00\x00\x00\x00\x01"
	for _, b := range []string{"", "\x01" + head[:12], "\x03" + head} {
		if _, _, _, ok := PeekRecord([]byte(b)); ok {
			t.Errorf("% x was parsed as a record", b)
		}
	}
}
