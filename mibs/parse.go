package mibs

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// module is one parsed text; names from other modules are not resolved yet.
type module struct {
	name    string
	imports []symbol          // in the order of the text
	from    map[string]string // imported name to module
	nodes   map[string]node
	types   map[string]typ
	macros  map[string]bool
	objects []Object // without OID and Base
}

// symbol is an imported name and its module.
type symbol struct{ name, module string }

// node is a place in the OID tree: arcs below parent, which is "" at the root.
type node struct {
	parent string
	arcs   []uint32
}

// typ is a type as written: its name and, if any, the text in () or {} after it.
type typ struct{ name, refinement string }

// otherMacros are the macros from which only name and OID are read.
var otherMacros = []string{
	"MODULE-IDENTITY", "OBJECT-IDENTITY", "NOTIFICATION-TYPE",
	"OBJECT-GROUP", "NOTIFICATION-GROUP", "MODULE-COMPLIANCE",
}

// accesses are the values of MAX-ACCESS (RFC 2578, 7.3).
var accesses = []string{"not-accessible", "accessible-for-notify", "read-only", "read-write", "read-create"}

// statuses are the values of STATUS (RFC 2578, 7.4).
var statuses = []string{"current", "deprecated", "obsolete"}

// parse parses a text that contains one module.
func parse(src string) (m *module, err error) {
	toks, err := lex(src)
	if err != nil {
		return nil, err
	}
	p := &parser{toks: toks, m: &module{
		from: map[string]string{}, nodes: map[string]node{}, types: map[string]typ{}, macros: map[string]bool{},
	}}
	p.m.name = p.consume(word)
	p.expect("DEFINITIONS", "::=", "BEGIN")
	if p.accept("IMPORTS") {
		p.importList()
	}
	for p.err == nil && !p.accept("END") {
		p.assignment()
	}
	if p.err == nil && p.peek().kind != end {
		p.fail("%v after END", p.peek())
	}
	return p.m, p.err
}

// parser parses toks. The first error stays in err; after it no method advances, so loops must
// check err.
type parser struct {
	toks []token
	pos  int
	m    *module
	err  error
}

func (p *parser) peek() token { return p.toks[p.pos] }

func (p *parser) fail(format string, args ...any) {
	if p.err == nil {
		p.err = fmt.Errorf("line %d: %s", p.peek().line, fmt.Sprintf(format, args...))
	}
}

// next consumes any token except the end.
func (p *parser) next() token {
	t := p.peek()
	if t.kind == end {
		p.fail("text ends early")
	}
	if p.err != nil {
		return token{kind: end}
	}
	p.pos++
	return t
}

// accept consumes the next token if it is the unquoted text s.
func (p *parser) accept(s string) bool {
	if t := p.peek(); p.err != nil || t.kind == quoted || t.text != s {
		return false
	}
	p.pos++
	return true
}

// expect consumes the given unquoted tokens.
func (p *parser) expect(texts ...string) {
	for _, s := range texts {
		if !p.accept(s) {
			p.fail("unexpected %v, want %s", p.peek(), s)
		}
	}
}

// consume consumes one token of kind k and returns its text.
func (p *parser) consume(k kind) string {
	if t := p.peek(); t.kind != k {
		p.fail("unexpected %v", t)
	}
	return p.next().text
}

// oneOf consumes a word that must be in the list.
func (p *parser) oneOf(list []string) string {
	if s := p.peek().text; !slices.Contains(list, s) {
		p.fail("unexpected %v, want one of %s", p.peek(), strings.Join(list, ", "))
	}
	return p.consume(word)
}

// text consumes an optional clause "KEYWORD string".
func (p *parser) text(keyword string) string {
	if !p.accept(keyword) {
		return ""
	}
	return p.consume(quoted)
}

// skip consumes tokens up to and including the unquoted text s.
func (p *parser) skip(s string) {
	for p.err == nil && !p.accept(s) {
		p.next()
	}
}

// group consumes a bracketed sequence of tokens and returns it without spaces.
func (p *parser) group() string {
	if s := p.peek().text; s != "(" && s != "{" {
		p.fail("unexpected %v, want a bracket", p.peek())
	}
	var b strings.Builder
	for depth := 0; p.err == nil; {
		t := p.next()
		b.WriteString(t.text)
		switch {
		case t.kind != mark:
		case t.text == "(" || t.text == "{":
			depth++
		case t.text == ")" || t.text == "}":
			depth--
		}
		if depth <= 0 {
			break
		}
	}
	return b.String()
}

// names parses "{ a, b }". "IMPLIED b" is one element.
func (p *parser) names() []string {
	var names []string
	p.expect("{")
	for ok := true; p.err == nil && ok; ok = p.accept(",") {
		implied := ""
		if p.accept("IMPLIED") {
			implied = "IMPLIED "
		}
		names = append(names, implied+p.consume(word))
	}
	p.expect("}")
	return names
}

func (p *parser) importList() {
	for p.err == nil && !p.accept(";") {
		names := []string{p.consume(word)}
		for p.accept(",") {
			names = append(names, p.consume(word))
		}
		p.expect("FROM")
		module := p.consume(word)
		for _, name := range names {
			p.define(name)
			p.m.from[name] = module
			p.m.imports = append(p.m.imports, symbol{name, module})
		}
	}
}

// define rejects a name that the module already has.
func (p *parser) define(name string) {
	_, imported := p.m.from[name]
	_, isNode := p.m.nodes[name]
	_, isType := p.m.types[name]
	if imported || isNode || isType || p.m.macros[name] {
		p.fail("%s is defined twice", name)
	}
}

// assignment parses one definition.
func (p *parser) assignment() {
	name := p.consume(word)
	p.define(name)
	switch {
	case p.err != nil:
	case p.accept("MACRO"):
		p.expect("::=", "BEGIN")
		p.skip("END")
		p.m.macros[name] = true
	case p.accept("::="):
		p.m.types[name] = p.typeAssignment()
	case p.accept("OBJECT"):
		p.expect("IDENTIFIER", "::=")
		p.m.nodes[name] = p.oid()
	case p.accept("OBJECT-TYPE"):
		p.objectType(name)
	default:
		p.oneOf(otherMacros)
		p.skip("::=")
		p.m.nodes[name] = p.oid()
	}
}

// objectType parses the clauses of RFC 2578, 7, after the macro's name.
func (p *parser) objectType(name string) {
	p.expect("SYNTAX")
	t := p.typeName()
	o := Object{Name: name, Syntax: t.name, Refinement: t.refinement, Units: p.text("UNITS")}
	p.expect("MAX-ACCESS")
	o.Access = p.oneOf(accesses)
	p.expect("STATUS")
	o.Status = p.oneOf(statuses)
	p.expect("DESCRIPTION")
	p.consume(quoted)
	p.text("REFERENCE")
	switch {
	case p.accept("INDEX"):
		o.Index = p.names()
	case p.accept("AUGMENTS"):
		o.Augments = strings.Join(p.names(), ",")
	}
	if p.accept("DEFVAL") {
		p.group()
	}
	p.expect("::=")
	p.m.nodes[name] = p.oid()
	p.m.objects = append(p.m.objects, o)
}

// typeAssignment parses the part after "Name ::=".
func (p *parser) typeAssignment() typ {
	switch {
	case p.accept("TEXTUAL-CONVENTION"):
		p.text("DISPLAY-HINT")
		p.expect("STATUS")
		p.oneOf(statuses)
		p.expect("DESCRIPTION")
		p.consume(quoted)
		p.text("REFERENCE")
		p.expect("SYNTAX")
	case p.accept("CHOICE"):
		p.group()
		return typ{name: "CHOICE"}
	case p.accept("["):
		p.expect("APPLICATION")
		p.consume(word)
		p.expect("]", "IMPLICIT")
	}
	return p.typeName()
}

// typeName parses a type and its refinement.
func (p *parser) typeName() typ {
	t := typ{name: p.consume(word)}
	switch t.name {
	case "OCTET":
		p.expect("STRING")
		t.name = "OCTET STRING"
	case "OBJECT":
		p.expect("IDENTIFIER")
		t.name = "OBJECT IDENTIFIER"
	case "SEQUENCE":
		if p.accept("OF") {
			return typ{name: "SEQUENCE OF " + p.consume(word)}
		}
		p.group() // the columns; each has its own definition
		return t
	}
	if s := p.peek().text; p.peek().kind == mark && (s == "(" || s == "{") {
		t.refinement = p.group()
	}
	return t
}

// oid parses "{ parent arc ... }"; parent may be a number.
func (p *parser) oid() node {
	var n node
	p.expect("{")
	if s := p.peek().text; s == "" || s[0] < '0' || s[0] > '9' {
		n.parent = p.consume(word)
	}
	for ok := true; p.err == nil && ok; ok = !p.accept("}") {
		s := p.consume(word)
		arc, err := strconv.ParseUint(s, 10, 32)
		if err != nil {
			p.fail("%q is not a sub-identifier", s)
		}
		n.arcs = append(n.arcs, uint32(arc))
	}
	return n
}
