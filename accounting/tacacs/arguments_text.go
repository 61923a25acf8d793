package tacacs

import (
	"fmt"
	"strings"
	"unicode/utf8"

	"aaasess/internal/tacacs"
)

// Separators of a name and a value (RFC 8907 section 6.1): a server must know a mandatory argument,
// and may ignore an optional one.
const (
	mandatory = "="
	optional  = "*"
)

// maxArguments is the most octets of all arguments, with their lengths. The fields have the rest of
// a body.
const maxArguments = tacacs.MaxBody - 16 - 3*tacacs.MaxField

// add appends NAME=VALUE. What is longer than 255 octets is cut.
func (b *builder) add(name, value string) {
	b.append(name + mandatory + ascii(value, tacacs.MaxField-len(name)-len(mandatory)))
}

// addOptional appends NAME*VALUE, or nothing if it has more than 255 octets: half a value is
// another value.
func (b *builder) addOptional(name, value string) {
	value = ascii(value, tacacs.MaxField+1)
	if isName(name) && len(name)+len(optional)+len(value) <= tacacs.MaxField {
		b.append(name + optional + value)
	}
}

// append appends an argument, unless there is no room for it.
func (b *builder) append(argument string) {
	if size := b.size + 1 + len(argument); len(b.args) < tacacs.MaxArgs && size <= maxArguments {
		b.args, b.size = append(b.args, argument), size
	}
}

// isName reports whether a text may be the name of an argument.
func isName(s string) bool {
	return s != "" && !strings.ContainsAny(s, mandatory+optional) && ascii(s, tacacs.MaxField) == s
}

// ascii returns a text in at most n octets of printable ASCII: RFC 8907 section 3.7 asks for ASCII,
// and the log of a server has a line for a record and tabs between its arguments.
func ascii(s string, n int) string {
	return escaped(s, n, func(r rune) bool { return 0x20 <= r && r <= 0x7e })
}

// escaped returns a text in which the octets of all other characters than the allowed ones are
// written as \xHH. Then backslashes are doubled. A text that needs no escapes is unchanged. It is
// the form of casnUserId. What is longer than n octets is cut, but not inside a character or an
// escape.
func escaped(s string, n int, allowed func(rune) bool) string {
	plain := true
	for i, r := range s {
		plain = plain && allowed(r) && (r != utf8.RuneError || strings.HasPrefix(s[i:], string(utf8.RuneError)))
	}
	if plain && len(s) <= n {
		return s
	}
	var out strings.Builder
	for len(s) > 0 {
		r, size := utf8.DecodeRuneInString(s)
		piece := s[:size]
		switch {
		case r == utf8.RuneError && size == 1, !allowed(r):
			piece = hexadecimal(piece)
		case r == '\\' && !plain:
			piece = `\\`
		}
		if out.Len()+len(piece) > n {
			break
		}
		out.WriteString(piece)
		s = s[size:]
	}
	return out.String()
}

// hexadecimal returns each octet as \xHH.
func hexadecimal(s string) string {
	var out strings.Builder
	for i := range len(s) {
		fmt.Fprintf(&out, `\x%02x`, s[i])
	}
	return out.String()
}
