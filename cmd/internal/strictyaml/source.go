package strictyaml

import (
	"bytes"
	"errors"
	"regexp"
	"strings"
	"unicode/utf8"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/lexer"
	"github.com/goccy/go-yaml/parser"
	"github.com/goccy/go-yaml/token"
)

const (
	// maxSource is the largest file, in octets.
	maxSource = 4 << 20
	// maxNesting limits the nesting of lists and mappings. maxKeys limits the keys of block
	// mappings between two list entries. Both are far more than a configuration needs. The time of
	// the parser is quadratic in both.
	maxNesting = 32
	maxKeys    = 1000
)

// parse returns the mapping that is the file, or nil if it finds faults.
func (d *Document) parse(data []byte) ast.Node {
	start := place{1, 1}
	if len(data) > maxSource {
		d.add(start, "", "has more than %d MiB", maxSource>>20)
		return nil
	}
	data = bytes.TrimPrefix(data, []byte("\ufeff"))
	if !d.checkText(data) {
		return nil
	}
	tokens := lexer.Tokenize(string(data))
	if !d.checkTokens(tokens) {
		return nil
	}
	// The decoder finds keys that occur twice, together with all other faults.
	file, err := parser.Parse(tokens, 0, parser.AllowDuplicateMapKey())
	if err != nil {
		d.addSyntax(err)
		return nil
	}
	var body ast.Node
	for _, doc := range file.Docs {
		switch {
		case doc.Body == nil:
		case body != nil:
			d.add(placeOf(doc.Body), "", "a second document; only one is allowed")
			return nil
		default:
			body = doc.Body
		}
	}
	if body == nil { // a truncated file must not mean the defaults
		d.add(start, "", "has no settings")
		return nil
	}
	if _, ok := body.(ast.MapNode); !ok {
		d.add(placeOf(body), "", "must be a mapping of keys, is %s", kindOf(body))
		return nil
	}
	return body
}

// checkText reports the first octet that is not UTF-8. The lexer would replace it, even in a
// secret.
func (d *Document) checkText(data []byte) bool {
	at := place{1, 1}
	for len(data) > 0 {
		r, size := utf8.DecodeRune(data)
		switch {
		case r == utf8.RuneError && size == 1:
			d.add(at, "", "is not UTF-8; put a secret of other octets into a file of its own")
			return false
		case r == '\n':
			at = place{at.line + 1, 1}
		default:
			at.column++
		}
		data = data[size:]
	}
	return true
}

// checkTokens rejects the features of YAML that are not supported, and files that are too large to
// parse.
func (d *Document) checkTokens(tokens token.Tokens) bool {
	flow, entries, keys := 0, 0, 0
	for _, t := range tokens {
		at := placeOfToken(t)
		switch t.Type {
		case token.AnchorType, token.AliasType, token.TagType, token.MergeKeyType, token.MappingKeyType, token.DirectiveType:
			d.add(at, "", "anchors, aliases, tags, merge keys, complex keys and directives are not supported; text that begins with &, * or ! needs quotes")
			return false
		case token.MappingStartType, token.SequenceStartType:
			flow++
		case token.MappingEndType, token.SequenceEndType:
			flow--
		case token.SequenceEntryType:
			entries++
			keys = 0
		case token.MappingValueType:
			if flow == 0 {
				keys++
			}
		}
		if t.Type != token.SequenceEntryType {
			entries = 0
		}
		if flow > maxNesting || entries > maxNesting {
			d.add(at, "", "is nested more than %d levels deep", maxNesting)
			return false
		}
		if keys > maxKeys {
			d.add(at, "", "has more than %d keys here", maxKeys)
			return false
		}
	}
	return true
}

// quotation matches what a message of the parser quotes from the file. That may be a part of a
// secret, unless it is only punctuation.
var (
	quotation   = regexp.MustCompile(`["'].*["']`)
	punctuation = regexp.MustCompile("^'[][{},:@`]'( or '[]}]')?$")
)

func (d *Document) addSyntax(err error) {
	var ye yaml.Error
	if !errors.As(err, &ye) || ye.GetToken() == nil {
		d.add(place{1, 1}, "", "is not YAML")
		return
	}
	text := quotation.ReplaceAllStringFunc(strings.ReplaceAll(ye.GetMessage(), "'\t'", "tab"), func(q string) string {
		if punctuation.MatchString(q) {
			return q
		}
		return "(not shown)"
	})
	d.add(placeOfToken(ye.GetToken()), "", "is not YAML: %s", text)
}

func placeOfToken(t *token.Token) place {
	if t == nil || t.Position == nil {
		return place{1, 1}
	}
	return place{max(1, t.Position.Line), max(1, t.Position.Column)}
}

// placeOf returns the place of the start of a value.
func placeOf(n ast.Node) place {
	// The token of a block mapping is its first colon.
	if m, ok := n.(*ast.MappingNode); ok && !m.IsFlowStyle && len(m.Values) > 0 {
		n = m.Values[0].Key
	}
	return placeOfToken(n.GetToken())
}

// kindOf returns the kind of a value for a message.
func kindOf(n ast.Node) string {
	switch n.(type) {
	case ast.MapNode:
		return "a mapping"
	case ast.ArrayNode:
		return "a list"
	case *ast.StringNode, *ast.LiteralNode:
		return "text"
	case *ast.IntegerNode:
		return "an integer"
	case *ast.FloatNode, *ast.InfinityNode, *ast.NanNode:
		return "a number"
	case *ast.BoolNode:
		return "a boolean"
	case *ast.NullNode:
		return "nothing"
	}
	return "something else"
}
