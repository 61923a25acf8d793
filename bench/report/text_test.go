package report

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestWrap(t *testing.T) {
	line := strings.Repeat("word ", 19) + "words" // 100 columns
	for _, tt := range []struct{ name, text, want string }{
		{"nothing", "", ""},
		{"short", " a\nb  c\n", "a b c"},
		{"as wide as allowed", line, line},
		{"wider", line + "s", strings.TrimSuffix(line, " words") + "\nwordss"},
		{"letters of two octets", strings.ReplaceAll(line, "o", "ö"), strings.ReplaceAll(line, "o", "ö")},
		{"a long word", "a " + strings.Repeat("x", 120) + " b", "a\n" + strings.Repeat("x", 120) + "\nb"},
		{"paragraphs", "a\nb\n\nc", "a b\n\nc"},
		{"a list", "a:\n\n- b\n  c\n- d\n\ne - f", "a:\n\n- b c\n- d\n\ne - f"},
		{"a long item", "- " + line, "- " + strings.TrimSuffix(line, " words") + "\n  words"},
	} {
		if diff := cmp.Diff(tt.want, Wrap(tt.text)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", tt.name, diff)
		}
	}
}
