package ending

import (
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"aaasess/internal/radius"
	"aaasess/sessions"
)

// Argument is one argument of a command: text with fields of the session, such as "--user={user}".
type Argument struct{ pieces []piece }

// piece is text, or else a field.
type piece struct {
	text  string
	field *field
}

// field is a value of a session that an argument can have.
type field struct {
	name string
	of   func(s *sessions.Session, how *sessions.Ending) string // "" if the session has none
}

// fields are all fields. docs/disconnect.md has their list.
var fields = []field{
	{"user", func(s *sessions.Session, _ *sessions.Ending) string { return s.User() }},
	{"id", func(s *sessions.Session, _ *sessions.Ending) string { return s.ID.String() }},
	{"source", func(s *sessions.Session, _ *sessions.Ending) string { source, _ := splitName(s); return source }},
	{"session", func(s *sessions.Session, _ *sessions.Ending) string { _, name := splitName(s); return name }},
	{"kind", func(s *sessions.Session, _ *sessions.Ending) string { return s.Kind.String() }},
	{"address", func(s *sessions.Session, _ *sessions.Ending) string {
		if s.IPv4 == 0 {
			return ""
		}
		return netip.AddrFrom4([4]byte{byte(s.IPv4 >> 24), byte(s.IPv4 >> 16), byte(s.IPv4 >> 8), byte(s.IPv4)}).String()
	}},
	{"calling-station", attribute(radius.CallingStationID)},
	{"called-station", attribute(radius.CalledStationID)},
	{"nas-port-id", attribute(radius.NASPortID)},
	{"nas-port", func(s *sessions.Session, _ *sessions.Ending) string {
		if port, ok := s.Attrs.Uint32(radius.NASPort); ok {
			return strconv.FormatUint(uint64(port), 10)
		}
		return ""
	}},
	{"nas", func(s *sessions.Session, _ *sessions.Ending) string { return s.NAS.Name() }},
	{"interface-index", func(s *sessions.Session, _ *sessions.Ending) string { return number(uint64(s.IfIndex())) }},
	{"pid", func(_ *sessions.Session, how *sessions.Ending) string { return number(uint64(how.PID)) }},
}

// FieldNames returns the names of all fields.
func FieldNames() (names []string) {
	for i := range fields {
		names = append(names, fields[i].name)
	}
	return names
}

func attribute(t radius.Type) func(*sessions.Session, *sessions.Ending) string {
	return func(s *sessions.Session, _ *sessions.Ending) string { return s.Attrs.Text(t) }
}

func number(n uint64) string {
	if n == 0 {
		return ""
	}
	return strconv.FormatUint(n, 10)
}

// splitName splits the Acct-Session-Id of a session of this host, SOURCE/SESSION. A session of another
// NAS has no source.
func splitName(s *sessions.Session) (source, name string) {
	if s.End() == nil {
		return "", s.AcctSessionID()
	}
	source, name, ok := strings.Cut(s.AcctSessionID(), "/")
	if !ok {
		return "", s.AcctSessionID()
	}
	return source, name
}

// ParseArgument reads an argument. Braces enclose the name of a field and have no other use.
func ParseArgument(text string) (a Argument, err error) {
	if !isPlain(text) {
		return a, fmt.Errorf("%q has control characters, or is not UTF-8", text)
	}
	for rest := text; rest != ""; {
		open := strings.IndexAny(rest, "{}")
		if open < 0 {
			a.pieces = append(a.pieces, piece{text: rest})
			break
		}
		if open > 0 {
			a.pieces = append(a.pieces, piece{text: rest[:open]})
		}
		name, after, closed := strings.Cut(rest[open+1:], "}")
		if rest[open] == '}' || !closed {
			return a, fmt.Errorf("%q: a brace that encloses no field", text)
		}
		i := slices.IndexFunc(fields, func(f field) bool { return f.name == name })
		if i < 0 {
			return a, fmt.Errorf("%q: no field is called %q, want one of %s", text, name, strings.Join(FieldNames(), ", "))
		}
		a.pieces = append(a.pieces, piece{field: &fields[i]})
		rest = after
	}
	return a, nil
}

// HasField reports whether the argument has a field.
func (a Argument) HasField() bool {
	return slices.ContainsFunc(a.pieces, func(p piece) bool { return p.field != nil })
}

// String returns the argument as ParseArgument reads it.
func (a Argument) String() string {
	var b strings.Builder
	for _, p := range a.pieces {
		b.WriteString(p.text)
		if p.field != nil {
			b.WriteString("{" + p.field.name + "}")
		}
	}
	return b.String()
}

// expand returns the argument for a session. A value of the session that is empty, begins the argument
// with a hyphen, or has control characters, is an error: the command could take it for an option, or
// end other sessions than this one.
func (a Argument) expand(s *sessions.Session, how *sessions.Ending) (string, error) {
	var b strings.Builder
	for _, p := range a.pieces {
		b.WriteString(p.text)
		if p.field == nil {
			continue
		}
		switch value := p.field.of(s, how); {
		case value == "":
			return "", fmt.Errorf("the session has no {%s}", p.field.name)
		case !isPlain(value):
			return "", fmt.Errorf("{%s} is %q: it has control characters, or is not UTF-8", p.field.name, value)
		case b.Len() == 0 && value[0] == '-':
			return "", fmt.Errorf("{%s} is %q: the command could take it for an option", p.field.name, value)
		default:
			b.WriteString(value)
		}
	}
	return b.String(), nil
}

// isPlain reports whether a text is UTF-8 without control characters.
func isPlain(text string) bool {
	return utf8.ValidString(text) && !strings.ContainsFunc(text, unicode.IsControl)
}
