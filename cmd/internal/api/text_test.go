package api_test

import (
	"testing"
	"unicode/utf8"

	"aaasess/cmd/internal/api"
)

func TestValidText(t *testing.T) {
	for in, want := range map[string]string{
		"":               "",
		"jürgen":         "jürgen",
		"j\xfcrgen":      `j\xfcrgen`,
		"\xff\xfe":       `\xff\xfe`,
		"a\xe2\x82":      `a\xe2\x82`,
		"\uFFFD":         "\uFFFD", // is valid
		"tab\tand\x00":   "tab\tand\x00",
		"\xed\xa0\x80":   `\xed\xa0\x80`, // half of a surrogate pair
		"\xf0\x9f\x98 x": `\xf0\x9f\x98 x`,
	} {
		if got := api.ValidText(in); got != want || !utf8.ValidString(got) {
			t.Errorf("%q: %q, want %q", in, got, want)
		}
	}
}
