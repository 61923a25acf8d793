package store

import (
	"bytes"
	"encoding/hex"
	"errors"
	"strings"
	"testing"
)

func TestKeysGolden(t *testing.T) {
	numbered := func(prefix byte, name string, n uint64) []byte {
		return recordKey(appendQueueKey(nil, prefix, name), n)
	}
	for _, tt := range []struct {
		name string
		got  []byte
		want string
	}{
		{"queue", appendQueueKey(nil, prefixQueue, "radius/isp"), "020a7261646975732f697370"},
		{"acked", numbered(prefixAcked, "q", 2), "0301710000000000000002"},
		{"record", numbered(prefixRecord, "local/default", 258), "040d6c6f63616c2f64656661756c740000000000000102"},
		{"format", appendFormat(nil, format), "00000001"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := hex.EncodeToString(tt.got); got != tt.want {
				t.Errorf("got %s, want %s", got, tt.want)
			}
		})
	}
}

// The keys of a queue must not lie among those of a queue whose name has the same prefix.
func TestKeysUnambiguous(t *testing.T) {
	names := []string{"a", "a\x00", "a\x00\x00\x00\x00\x00\x00\x00\x01", "aa", "b", strings.Repeat("a", maxName)}
	for _, a := range names {
		for _, b := range names {
			pa, pb := appendQueueKey(nil, prefixRecord, a), appendQueueKey(nil, prefixRecord, b)
			if a != b && bytes.HasPrefix(recordKey(pb, 1), pa) {
				t.Errorf("a record of %q begins like those of %q", b, a)
			}
			name, n, err := parseNumberedKey(recordKey(pa, 7), prefixRecord)
			if name != a || n != 7 || err != nil {
				t.Errorf("%q 7 parsed as %q %d %v", a, name, n, err)
			}
		}
	}
}

func TestParseBad(t *testing.T) {
	for _, tt := range []struct {
		name string
		in   string
		fn   func([]byte) error
	}{
		{"queue empty", "", badQueue},
		{"queue no length", "02", badQueue},
		{"queue no name", "0200", badQueue},
		{"queue short name", "020261", badQueue},
		{"queue trailing", "02016100", badQueue},
		{"queue other prefix", "030161", badQueue},
		{"queue long name", "0281" + strings.Repeat("61", 129), badQueue},
		{"record no number", "040161", badRecord},
		{"record short number", "04016100000000000001", badRecord},
		{"record trailing", "040161000000000000000100", badRecord},
		{"position short", strings.Repeat("01", 15), badPosition},
		{"position long", strings.Repeat("01", 17), badPosition},
		{"position zero", strings.Repeat("00", 16), badPosition},
		{"position low above next", "00000000000000020000000000000001", badPosition},
		{"bitmap short", strings.Repeat("00", 511), badBitmap},
		{"bitmap long", strings.Repeat("00", 513), badBitmap},
		{"format short", "000001", badFormat},
		{"format long", "0000000001", badFormat},
	} {
		t.Run(tt.name, func(t *testing.T) {
			in, err := hex.DecodeString(tt.in)
			if err != nil {
				t.Fatal(err)
			}
			if err := tt.fn(in); !errors.Is(err, ErrCorrupt) {
				t.Errorf("got %v, want ErrCorrupt", err)
			}
		})
	}
}

func badQueue(b []byte) error    { _, err := parseQueueKey(b); return err }
func badRecord(b []byte) error   { _, _, err := parseNumberedKey(b, prefixRecord); return err }
func badPosition(b []byte) error { _, _, err := parsePosition(b); return err }
func badBitmap(b []byte) error   { return parseBitmap(b, new([chunkWords]uint64)) }
func badFormat(b []byte) error   { _, err := parseFormat(b); return err }

func FuzzParseQueueKey(f *testing.F) {
	f.Add(appendQueueKey(nil, prefixQueue, "radius/isp"))
	f.Add([]byte{prefixQueue, 200})
	f.Fuzz(func(t *testing.T, b []byte) {
		name, err := parseQueueKey(b)
		if err == nil && !bytes.Equal(appendQueueKey(nil, prefixQueue, name), b) {
			t.Errorf("%x parsed as %q", b, name)
		}
	})
}

func FuzzParseNumberedKey(f *testing.F) {
	f.Add(recordKey(appendQueueKey(nil, prefixRecord, "q"), 77), byte(prefixRecord))
	f.Add(recordKey(appendQueueKey(nil, prefixAcked, "radius/isp"), 1), byte(prefixAcked))
	f.Fuzz(func(t *testing.T, b []byte, prefix byte) {
		name, n, err := parseNumberedKey(b, prefix)
		if err == nil && !bytes.Equal(recordKey(appendQueueKey(nil, prefix, name), n), b) {
			t.Errorf("%x parsed as %q %d", b, name, n)
		}
	})
}

func FuzzParsePosition(f *testing.F) {
	f.Add([]byte("\x00\x00\x00\x00\x00\x00\x00\x05\x00\x00\x00\x00\x00\x00\x00\x09"))
	f.Fuzz(func(t *testing.T, b []byte) {
		low, next, err := parsePosition(b)
		if err != nil {
			return
		}
		var back [positionLen]byte
		putPosition(back[:], low, next)
		if low > next || !bytes.Equal(back[:], b) {
			t.Errorf("%x parsed as %d %d", b, low, next)
		}
	})
}

func FuzzParseBitmap(f *testing.F) {
	f.Add(bytes.Repeat([]byte{0xa5}, bitmapLen))
	f.Add([]byte{1})
	f.Fuzz(func(t *testing.T, b []byte) {
		var words [chunkWords]uint64
		if err := parseBitmap(b, &words); err != nil {
			return
		}
		var back [bitmapLen]byte
		putBitmap(back[:], &words)
		if !bytes.Equal(back[:], b) {
			t.Errorf("%x comes back as %x", b, back)
		}
	})
}

func FuzzParseFormat(f *testing.F) {
	f.Add(appendFormat(nil, format))
	f.Fuzz(func(t *testing.T, b []byte) {
		v, err := parseFormat(b)
		if err == nil && !bytes.Equal(appendFormat(nil, v), b) {
			t.Errorf("%x parsed as %d", b, v)
		}
	})
}
