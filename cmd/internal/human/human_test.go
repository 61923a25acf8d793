package human

import (
	"strings"
	"testing"
	"time"
	"unicode"
	"unicode/utf8"

	"pgregory.net/rapid"
)

func TestPrintable(t *testing.T) {
	tests := []struct{ name, in, want string }{
		{"plain", `DOMAIN\alice`, `DOMAIN\alice`},
		{"not ASCII", "Ünï→日本", "Ünï→日本"},
		{"escape sequence", "\x1b[31mred\x1b[0m", `\x1b[31mred\x1b[0m`},
		{"newline, tab, NUL, DEL", "a\nb\tc\x00\x7f", `a\x0ab\x09c\x00\x7f`},
		{"C1 control", "a\u009b31m", `a\u{9b}31m`},
		{"right to left", "a\u202eb", `a\u{202e}b`},
		{"nothing to be seen", "a\u200bb\u00a0", `a\u{200b}b\u{a0}`},
		{"no UTF-8", "a\xffb\xc3", `a\xffb\xc3`},
		{"the replacement character itself", "\ufffd", "\ufffd"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := Printable(tt.in); got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

func TestSpan(t *testing.T) {
	tests := []struct {
		d    time.Duration
		want string
	}{
		{-time.Hour, "0s"},
		{59*time.Second + 999*time.Millisecond, "59s"},
		{60 * time.Second, "1m00s"},
		{3599 * time.Second, "59m59s"},
		{2*time.Hour + 5*time.Minute, "2h05m"},
		{24 * time.Hour, "1d00h"},
		{99*24*time.Hour + 23*time.Hour, "99d23h"},
		{100 * 24 * time.Hour, "100d"},
	}
	for _, tt := range tests {
		if got := Span(tt.d); got != tt.want {
			t.Errorf("%v: got %s, want %s", tt.d, got, tt.want)
		}
	}
}

// TestPrintableAlways: whatever comes in, what comes out is printable, and stays as it is.
func TestPrintableAlways(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		in := string(rapid.SliceOf(rapid.Byte()).Draw(rt, "octets")) + rapid.String().Draw(rt, "text")
		got := Printable(in)
		if !utf8.ValidString(got) || strings.IndexFunc(got, func(r rune) bool { return !unicode.IsPrint(r) }) >= 0 {
			rt.Errorf("%q is shown as %q", in, got)
		}
		if Printable(got) != got {
			rt.Errorf("%q is shown as %q", got, Printable(got))
		}
	})
}
