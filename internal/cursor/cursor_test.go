package cursor

import (
	"bytes"
	"encoding/binary"
	"testing"

	"pgregory.net/rapid"
)

// TestRoundTrip: appended fields are read, from a string and from a slice, and truncation at any
// octet is detected.
func TestRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		octet, n16, n32, n64 := rapid.Byte().Draw(t, "octet"), rapid.Uint16().Draw(t, "16"), rapid.Uint32().Draw(t, "32"), rapid.Uint64().Draw(t, "64")
		small, signed, text := rapid.Uint32().Draw(t, "small"), rapid.Int64().Draw(t, "signed"), rapid.String().Draw(t, "text")
		b := binary.BigEndian.AppendUint16([]byte{octet}, n16)
		b = binary.BigEndian.AppendUint32(b, n32)
		b = binary.BigEndian.AppendUint64(b, n64)
		b = binary.AppendUvarint(binary.AppendUvarint(b, n64), uint64(small))
		b = binary.AppendVarint(b, signed)
		b = append(binary.AppendUvarint(b, uint64(len(text))), text...)
		read := func(n int) bool {
			s, c := New(string(b[:n])), New(b[:n])
			return readAll(&s, octet, n16, n32, n64, small, signed, text) && readAll(&c, octet, n16, n32, n64, small, signed, text)
		}
		if !read(len(b)) {
			t.Fatalf("%x is read as something else", b)
		}
		if n := rapid.IntRange(0, len(b)-1).Draw(t, "cut"); read(n) {
			t.Fatalf("%x, %d of %d octets, is read", b[:n], n, len(b))
		}
	})
}

func readAll[B string | []byte](c *Cursor[B], octet byte, n16 uint16, n32 uint32, n64 uint64, small uint32, signed int64, text string) bool {
	same := c.Octet() == octet && c.Uint16() == n16 && c.Uint32() == n32 && c.Uint64() == n64 && c.Uvarint() == n64 &&
		c.Uvarint32() == small && c.Varint() == signed && string(c.Octets(c.Uvarint())) == text
	return same && c.OK() && len(c.Rest()) == 0
}

// TestFailed: after a failure all reads return zero.
func TestFailed(t *testing.T) {
	faults := map[string]func(c *Cursor[[]byte]){
		"too few":       func(c *Cursor[[]byte]) { c.Octets(100) },
		"not required":  func(c *Cursor[[]byte]) { c.Require(false) },
		"no octet":      func(c *Cursor[[]byte]) { c.Octets(16); c.Octet() },
		"above 32 bits": func(c *Cursor[[]byte]) { c.Uvarint32() },
	}
	for name, fault := range faults {
		b := binary.AppendUvarint(nil, 1<<32)
		c := New(append(b, make([]byte, 16-len(b))...))
		if fault(&c); c.OK() {
			t.Errorf("%s: no fault", name)
		}
		c.Require(true)
		if c.OK() || c.Octet() != 0 || c.Uint16() != 0 || c.Uint32() != 0 || c.Uint64() != 0 || c.Uvarint() != 0 || c.Varint() != 0 || c.Octets(0) != nil {
			t.Errorf("%s: something is read behind it", name)
		}
	}
}

// FuzzUvarint compares Uvarint and Varint with those of encoding/binary.
func FuzzUvarint(f *testing.F) {
	f.Add([]byte{})
	f.Add(binary.AppendUvarint(nil, 1<<64-1))
	f.Add(binary.AppendVarint(nil, -1<<63))
	f.Add(bytes.Repeat([]byte{0xff}, 9))
	f.Add(append(bytes.Repeat([]byte{0xff}, 9), 2))
	f.Add(append(bytes.Repeat([]byte{0x80}, 10), 1))
	f.Fuzz(func(t *testing.T, b []byte) {
		want, size := binary.Uvarint(b)
		c := New(b)
		if got := c.Uvarint(); c.OK() != (size > 0) || size > 0 && (got != want || len(c.Rest()) != len(b)-size) {
			t.Errorf("%x: %d, %v, %d left, want %d and %d", b, got, c.OK(), len(c.Rest()), want, len(b)-size)
		}
		signed, size := binary.Varint(b)
		c = New(b)
		if got := c.Varint(); c.OK() != (size > 0) || size > 0 && got != signed {
			t.Errorf("%x: %d, %v, want %d", b, got, c.OK(), signed)
		}
	})
}
