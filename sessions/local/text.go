package local

import (
	"strings"
	"unicode/utf8"
)

// isText reports whether octets are valid UTF-8.
func isText(b []byte) bool { return utf8.Valid(b) }

// cleanPointer returns a JSON pointer without octets that are not UTF-8.
func cleanPointer(p string) string { return strings.ToValidUTF8(p, "\uFFFD") }
