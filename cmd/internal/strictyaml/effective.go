package strictyaml

import (
	"fmt"
	"reflect"
	"regexp"
	"strings"
	"unicode"

	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/lexer"
	"github.com/goccy/go-yaml/token"
)

// Line is a line of what is in effect, see [Document.Effective].
type Line struct {
	Text    string // YAML, without a newline
	Default bool   // the file has no such key, and this is its default
}

// Effective returns the settings of a file that has no faults, and the defaults of the keys that it
// does not have, as YAML in the order of the fields of the struct that v points to, which Decode has
// filled. Every [Secret] of the file is <secret>; where the file says from which file or credential it
// comes, that is shown. Comments of the file are left out: they could have a secret.
func (d *Document) Effective(v any) []Line {
	r := renderer{d.engine}
	return r.structure(d.body, reflect.TypeOf(v).Elem())
}

// renderer formats nodes by the types that they fill. It shows no node whose type it does not know.
type renderer struct{ engine *Engine }

// structure returns the keys of a mapping: those of the file, then the defaults. n is nil if the file
// does not have the mapping.
func (r renderer) structure(n ast.Node, t reflect.Type) []Line {
	given := map[string]ast.Node{}
	if m, ok := n.(ast.MapNode); ok {
		for it := m.MapRange(); it.Next(); {
			given[it.Key().GetToken().Value] = it.Value()
		}
	}
	var lines, defaults []Line
	for _, f := range fieldsOf(t) {
		if node, ok := given[f.key]; ok {
			lines = append(lines, r.entry(f.key, node, f.typ, f.tag)...)
		} else {
			defaults = append(defaults, r.absent(f)...)
		}
	}
	return append(lines, defaults...)
}

// entry returns a key with its value.
func (r renderer) entry(key string, n ast.Node, t reflect.Type, tag reflect.StructTag) []Line {
	if text, ok := r.inline(n, t, tag); ok {
		return []Line{{Text: quoted(key) + ": " + text}}
	}
	below := r.block(n, t, tag)
	if len(below) == 0 {
		return []Line{{Text: quoted(key) + ": {}"}}
	}
	lines := []Line{{Text: quoted(key) + ":"}}
	for _, l := range below {
		lines = append(lines, Line{"  " + l.Text, l.Default})
	}
	return lines
}

// absent returns the default of a key that the file does not have.
func (r renderer) absent(f field) (lines []Line) {
	def, ok := f.tag.Lookup("default")
	s, isScalar := r.engine.scalarOf(f.typ)
	switch {
	case ok && def == "":
	case ok && isScalar:
		if s.schema["type"] == "string" {
			def = quoted(def)
		}
		lines = append(lines, Line{f.key + ": " + def, true})
	case ok && f.typ.Kind() == reflect.Slice:
		list := strings.Fields(def)
		for i := range list {
			list[i] = quoted(list[i])
		}
		lines = append(lines, Line{f.key + ": [" + strings.Join(list, ", ") + "]", true})
	case !isScalar && f.typ.Kind() == reflect.Struct:
		below := r.structure(nil, f.typ)
		if len(below) > 0 {
			lines = append(lines, Line{f.key + ":", true})
		}
		for _, l := range below {
			lines = append(lines, Line{"  " + l.Text, true})
		}
	}
	return lines
}

// inline returns a value that is one line: a scalar, a list of scalars, or a secret.
func (r renderer) inline(n ast.Node, t reflect.Type, tag reflect.StructTag) (string, bool) {
	if t == secretType {
		return r.secret(n), true
	}
	if s, ok := r.engine.scalarOf(t); ok {
		text, ok := s.node(n)
		switch n.(type) {
		case *ast.IntegerNode, *ast.BoolNode:
		default:
			text = quoted(text)
		}
		if !ok { // not in a file without faults
			text = masked
		}
		return text, true
	}
	switch t.Kind() {
	case reflect.Pointer:
		return r.inline(n, t.Elem(), tag)
	case reflect.Slice:
		l, ok := n.(ast.ArrayNode)
		if !ok {
			return r.inline(n, t.Elem(), each(tag)) // a list of one, written without brackets
		}
		list := []string{}
		for it := l.ArrayRange(); it.Next(); {
			text, ok := r.inline(it.Value(), t.Elem(), each(tag))
			if !ok {
				return "", false
			}
			list = append(list, text)
		}
		return "[" + strings.Join(list, ", ") + "]", true
	}
	return "", false
}

// secret returns <secret>, or where the file says that the secret is.
func (r renderer) secret(n ast.Node) string {
	m, ok := n.(ast.MapNode)
	if !ok {
		return masked
	}
	fields := fieldsOf(reflect.TypeFor[secretSource]())
	var parts []string
	for it := m.MapRange(); it.Next(); {
		for _, f := range fields {
			if text, ok := textOf(it.Value()); ok && f.key == it.Key().GetToken().Value {
				parts = append(parts, f.key+": "+quoted(text))
			}
		}
	}
	return "{" + strings.Join(parts, ", ") + "}"
}

// block returns a value that has lines of its own.
func (r renderer) block(n ast.Node, t reflect.Type, tag reflect.StructTag) (lines []Line) {
	switch t.Kind() {
	case reflect.Pointer:
		return r.block(n, t.Elem(), tag)
	case reflect.Struct:
		return r.structure(n, t)
	case reflect.Map:
		if m, ok := n.(ast.MapNode); ok {
			for it := m.MapRange(); it.Next(); {
				lines = append(lines, r.entry(it.Key().GetToken().Value, it.Value(), t.Elem(), each(tag))...)
			}
		}
	case reflect.Slice:
		if l, ok := n.(ast.ArrayNode); ok {
			for it := l.ArrayRange(); it.Next(); {
				lines = append(lines, item(r.block(it.Value(), t.Elem(), each(tag)))...)
			}
		}
	default:
		panic(fmt.Sprintf("strictyaml: no text for %v", t))
	}
	return lines
}

// item makes lines an entry of a list.
func item(lines []Line) []Line {
	if len(lines) == 0 {
		return []Line{{Text: "- {}"}}
	}
	for i := range lines {
		indent := "  "
		if i == 0 {
			indent = "- "
			lines[i].Default = false // the entry is in the file
		}
		lines[i].Text = indent + lines[i].Text
	}
	return lines
}

// plain matches text without characters that YAML could take for its own, also within brackets.
var plain = regexp.MustCompile(`^[A-Za-z0-9_./+@ :-]+$`)

// quoted returns a scalar of YAML with this text.
func quoted(text string) string {
	if plain.MatchString(text) {
		if tokens := lexer.Tokenize(text); len(tokens) == 1 && tokens[0].Type == token.StringType && tokens[0].Value == text {
			return text
		}
	}
	var b strings.Builder
	b.WriteByte('"')
	for _, c := range text {
		switch {
		case c == '"' || c == '\\':
			b.WriteString(`\` + string(c))
		case unicode.IsPrint(c):
			b.WriteRune(c)
		case c <= 0xff:
			fmt.Fprintf(&b, `\x%02x`, c)
		case c <= 0xffff:
			fmt.Fprintf(&b, `\u%04x`, c)
		default:
			fmt.Fprintf(&b, `\U%08x`, c)
		}
	}
	b.WriteByte('"')
	return b.String()
}
