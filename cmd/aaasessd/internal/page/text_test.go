package page

import (
	"strings"
	"testing"
	"time"
	"unicode"
	"unicode/utf8"

	"pgregory.net/rapid"

	"aaasess/cmd/internal/api"
	"aaasess/cmd/internal/human"
)

func TestVisible(t *testing.T) {
	for _, tt := range []struct{ in, want string }{
		{"", ""},
		{"alice", "alice"},
		{"Zoë 王", "Zoë 王"},
		{"a\u202eb", `a\u{202e}b`},
		{"a\u200bb", `a\u{200b}b`},
		{"a\x00\x1bb\n", `a\x00\x1bb\x0a`},
		{"a\xffb", `a\xffb`},
		{"\ufeff", `\u{feff}`},
	} {
		if got := human.Printable(tt.in); got != tt.want {
			t.Errorf("%q: %q, want %q", tt.in, got, tt.want)
		}
	}
}

// TestVisibleAlways: whatever a name is, what is shown has a glyph for each character, and a text that has
// them already stays as it is.
func TestVisibleAlways(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		in := string(rapid.SliceOf(rapid.Byte()).Draw(rt, "octets")) + rapid.String().Draw(rt, "text")
		got := human.Printable(in)
		if !utf8.ValidString(got) || strings.IndexFunc(got, func(r rune) bool { return !unicode.IsPrint(r) }) >= 0 {
			rt.Errorf("%q is shown as %q", in, got)
		}
		if human.Printable(got) != got {
			rt.Errorf("%q is shown as %q", got, human.Printable(got))
		}
	})
}

func TestTexts(t *testing.T) {
	size, none := uint64(2048), (*uint64)(nil)
	day := 24 * time.Hour
	for _, tt := range []struct{ got, want string }{
		{octets(int64(-1)), "–"},
		{octets(none), "–"},
		{octets(&size), "2 KiB"},
		{octets(uint64(999)), "999 B"},
		{octets(int64(1000)), "0.98 KiB"},
		{octets(uint64(1 << 30 * 3 / 2)), "1.50 GiB"},
		{octets(uint64(1<<64 - 1)), "16 EiB"},
		{octets(int64(12345678)), "11.8 MiB"},
		{number(0), "0"},
		{number(999), "999"},
		{number(uint64(1234567)), "1\u202f234\u202f567"},
		{number(none), "–"},
		{number(&size), "2\u202f048"},
		{plural(0, "record"), "0 records"},
		{plural(1, "record"), "1 record"},
		{plural(uint64(2000), "record"), "2\u202f000 records"},
		{human.Span(-time.Second), "0s"},
		{human.Span(59 * time.Second), "59s"},
		{human.Span(190 * time.Second), "3m10s"},
		{human.Span(2*time.Hour + 5*time.Minute), "2h05m"},
		{human.Span(3*day + 4*time.Hour), "3d04h"},
		{human.Span(400 * day), "400d"},
		{ago(at.Add(time.Minute), at), "1m00s"},
		{ago(at, time.Time{}), "–"},
		{date(time.Time{}), "–"},
		{stamp(at), "2024-05-06T07:08:09Z"},
		{seconds(0), "0 s"},
		{seconds(api.Seconds(0.0125)), "12.5 ms"},
		{seconds(3), "3 s"},
		{seconds(125), "2m05s"},
		{dash(""), "–"},
		{dash("a\x00"), `a\x00`},
	} {
		if tt.got != tt.want {
			t.Errorf("%q, want %q", tt.got, tt.want)
		}
	}
	if key("a", "b") == key("ab") || strings.ContainsAny(key(hostile), " \"'<>") {
		t.Error("keys are not good as ids")
	}
}
