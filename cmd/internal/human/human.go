// Package human writes texts and durations for people, on a terminal and in a browser alike. It keeps no
// state.
package human

import (
	"fmt"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// Printable replaces what could control a terminal, turn the direction of text, or would be invisible. Octets that are not UTF-8
// become \xHH. Unprintable characters become \xHH if they are ASCII, and \u{H} otherwise.
func Printable(s string) string {
	if strings.IndexFunc(s, IsHidden) < 0 && utf8.ValidString(s) {
		return s
	}
	var b strings.Builder
	for len(s) > 0 {
		r, n := utf8.DecodeRuneInString(s)
		switch {
		case r == utf8.RuneError && n == 1:
			fmt.Fprintf(&b, `\x%02x`, s[0])
		case !IsHidden(r):
			b.WriteRune(r)
		case r < utf8.RuneSelf:
			fmt.Fprintf(&b, `\x%02x`, r)
		default:
			fmt.Fprintf(&b, `\u{%x}`, r)
		}
		s = s[n:]
	}
	return b.String()
}

// IsHidden reports whether a character could control a terminal or would be invisible.
func IsHidden(r rune) bool { return !unicode.IsPrint(r) }

// Span formats a duration in two units at most: 42s, 3m10s, 2h05m, 3d04h, 400d. A negative one is
// 0s.
func Span(d time.Duration) string {
	s := int64(max(0, d) / time.Second)
	switch {
	case s < 60:
		return fmt.Sprintf("%ds", s)
	case s < 3600:
		return fmt.Sprintf("%dm%02ds", s/60, s%60)
	case s < 86400:
		return fmt.Sprintf("%dh%02dm", s/3600, s/60%60)
	case s < 100*86400:
		return fmt.Sprintf("%dd%02dh", s/86400, s/3600%24)
	}
	return fmt.Sprintf("%dd", s/86400)
}
