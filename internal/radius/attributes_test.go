package radius

import (
	"strings"
	"testing"
)

// attrs encodes attributes from types and values, the values as text.
func attrs(pairs ...any) Attributes {
	var b []byte
	for i := 0; i < len(pairs); i += 2 {
		switch v := pairs[i+1].(type) {
		case string:
			b = AppendAttribute(b, pairs[i].(Type), v)
		case int:
			b = AppendUint32(b, pairs[i].(Type), uint32(v))
		}
	}
	return Attributes(b)
}

func TestAttributes(t *testing.T) {
	a := attrs(UserName, "alice", Class, "one", NASPort, 7, Class, "two")
	if !a.Valid() {
		t.Fatal("not valid")
	}
	if got := a.Text(UserName); got != "alice" {
		t.Errorf("User-Name is %q", got)
	}
	if n, ok := a.Uint32(NASPort); n != 7 || !ok {
		t.Errorf("NAS-Port is %d, %v", n, ok)
	}
	if _, ok := a.Uint32(UserName); ok {
		t.Error("five octets are no number")
	}
	if _, ok := a.Get(FramedIPAddress); ok {
		t.Error("found an attribute that is missing")
	}
	var classes []string
	for typ, v := range a.All() {
		if typ == Class {
			classes = append(classes, v)
		}
	}
	if strings.Join(classes, " ") != "one two" {
		t.Errorf("Class %q", classes)
	}
	if long := AppendAttribute(nil, UserName, strings.Repeat("x", 300)); len(long) != 255 || !Attributes(long).Valid() {
		t.Errorf("a long value made %d octets", len(long))
	}
}

func TestInvalidAttributes(t *testing.T) {
	tests := []struct{ name, octets string }{
		{"one octet", "\x01"},
		{"length 0", "\x01\x00"},
		{"length 1", "\x01\x01a"},
		{"longer than there is", "\x01\x05ab"},
		{"behind a good one", "\x01\x03a\x02\x09b"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			a := Attributes(tt.octets)
			if a.Valid() {
				t.Error("valid")
			}
			for typ := range a.All() {
				if typ == 2 {
					t.Error("All went past the good ones")
				}
			}
			if _, ok := a.Get(2); ok {
				t.Error("Get went past the good ones")
			}
		})
	}
}

// TestKeyOf: extended attributes differ by their extended type (RFC 6929), all others by their type
// only.
func TestKeyOf(t *testing.T) {
	tests := []struct {
		typ      Type
		value    string
		key      Key
		fragment bool
	}{
		{UserName, "\x01", 0x0100, false},
		{240, "\x01\x80", 0xf000, false},
		{241, "\x01x", 0xf101, false},
		{241, "\x1a\x80", 0xf11a, false},
		{241, "", 0xf100, false},
		{245, "\x02\x80x", 0xf502, true},
		{245, "\x02\x00x", 0xf502, false},
		{246, "\x02\xff", 0xf602, true},
		{246, "\x80", 0xf680, false},
		{247, "\x01\x80", 0xf700, false},
	}
	for _, tt := range tests {
		key := KeyOf(tt.typ, tt.value)
		if key != tt.key || key.Type() != tt.typ || IsFragment(tt.typ, tt.value) != tt.fragment {
			t.Errorf("%d %q: key %#x of %d, fragment %t", tt.typ, tt.value, key, key.Type(), IsFragment(tt.typ, tt.value))
		}
	}
}

func TestIsUnassigned(t *testing.T) {
	for value, want := range map[string]bool{
		"\x00\x00\x00\x00": true, "\xff\xff\xff\xff": true, "\xff\xff\xff\xfe": true,
		"\xff\xff\xff\xfd": false, "\x00\x00\x00\x01": false, "\xc0\x00\x02\x01": false,
		"": false, "\x00\x00\x00": false, "\x00\x00\x00\x00\x00": false,
	} {
		if got := IsUnassigned(value); got != want {
			t.Errorf("%x: %v, want %v", value, got, want)
		}
	}
}
