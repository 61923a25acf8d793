package casn

import (
	"encoding/binary"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"aaasess/mib"
	"aaasess/sessions"
)

// TestNextRow starts from any index, including those that no row can have, up to the largest
// number.
func TestNextRow(t *testing.T) {
	const largest = 1<<32 - 1
	f := newFixture(t)
	for _, sid := range []string{"a", "b"} {
		f.apply(t, sessions.Event{Type: sessions.Start, AcctSessionID: sid})
	}
	again := sessions.New(sessions.Config{}, f.journal)
	err := again.Load(func(fn func(k, v []byte) error) error {
		return f.journal.Load(func(k, v []byte) error {
			if string(k) == "s\x00\x00\x00\x02" {
				k = binary.BigEndian.AppendUint32([]byte("s"), largest)
			}
			return fn(k, v)
		})
	})
	if err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		name    string
		index   mib.OID
		include bool
		want    uint32 // 0 means none
	}{
		{"the first", nil, false, 1},
		{"the first, itself too", nil, true, 1},
		{"behind 0", mib.OID{0}, false, 1},
		{"behind 1", mib.OID{1}, false, largest},
		{"1 itself", mib.OID{1}, true, 1},
		{"behind 1.0", mib.OID{1, 0}, false, largest},
		{"1.0 itself, which is no row", mib.OID{1, 0}, true, largest},
		{"0.1 itself", mib.OID{0, 1}, true, 1},
		{"before the largest", mib.OID{largest - 1}, false, largest},
		{"the largest itself", mib.OID{largest}, true, largest},
		{"behind the largest", mib.OID{largest}, false, 0},
		{"behind the largest, longer", mib.OID{largest, 0}, false, 0},
		{"the largest, longer, itself", mib.OID{largest, 7}, true, 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			name, row, ok := nextRow(again.View(), tt.index, tt.include, mib.OID{9})
			got := uint32(0)
			if ok {
				got = uint32(row.ID)
				if len(name) != 2 || name[0] != 9 || name[1] != got {
					t.Errorf("name %v", name)
				}
			}
			if got != tt.want {
				t.Errorf("got row %d, want %d", got, tt.want)
			}
		})
	}
}

// TestPlain compares eight octets at a time with one at a time.
func TestPlain(t *testing.T) {
	for length := range 20 {
		for at := range max(length, 1) {
			for c := range 256 {
				b := []byte(strings.Repeat("a", length))
				want := true
				if length > 0 {
					b[at] = byte(c)
					want = c >= 0x20 && c <= 0x7e
				}
				if got := isPlain(string(b)); got != want {
					t.Fatalf("isPlain(%q) = %t", b, got)
				}
			}
		}
	}
	rapid.Check(t, func(t *rapid.T) {
		s := string(rapid.SliceOfN(rapid.Byte(), 0, 40).Draw(t, "octets"))
		want := !strings.ContainsFunc(s, func(r rune) bool { return r < 0x20 || r > 0x7e })
		if got := isPlain(s); got != want {
			t.Fatalf("isPlain(%q) = %t, want %t", s, got, want)
		}
	})
}
