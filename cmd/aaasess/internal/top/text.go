package top

import (
	"fmt"
	"strings"
	"unicode/utf8"

	"aaasess/cmd/internal/human"

	"github.com/charmbracelet/x/ansi"
)

// columnText is printable for text in columns: it also replaces what joins the character before it,
// such as accents and parts of an emoji, because terminals do not agree on the width of that.
func columnText(s string) string {
	s = human.Printable(s)
	if isASCII(s) {
		return s
	}
	var b strings.Builder
	for len(s) > 0 {
		cluster, _ := ansi.FirstGraphemeCluster(s, ansi.GraphemeWidth)
		s = s[len(cluster):]
		for i, r := range cluster {
			if i > 0 || r >= utf8.RuneSelf && joins(r) {
				fmt.Fprintf(&b, `\u{%x}`, r)
			} else {
				b.WriteRune(r)
			}
		}
	}
	return b.String()
}

// joins reports whether a character joins any other one before or after it, or has a width of its own
// in some terminals.
func joins(r rune) bool {
	for _, text := range []string{"a" + string(r), string(r) + "a"} {
		cluster, _ := ansi.FirstGraphemeCluster(text, ansi.GraphemeWidth)
		if cluster == text {
			return true
		}
	}
	width := ansi.StringWidth(string(r))
	return width == 0 || width != ansi.StringWidthWc(string(r))
}

func isASCII(s string) bool {
	for i := range len(s) {
		if s[i] >= utf8.RuneSelf {
			return false
		}
	}
	return true
}

// fitText pads or cuts a columnText to a width in columns.
func fitText(s string, width int, right bool) string {
	s = ansi.Truncate(s, width, "…")
	pad := strings.Repeat(" ", max(0, width-ansi.StringWidth(s)))
	if right {
		return pad + s
	}
	return s + pad
}
