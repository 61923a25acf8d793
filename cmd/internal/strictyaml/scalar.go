package strictyaml

import (
	"encoding"
	"errors"
	"fmt"
	"maps"
	"math"
	"net/netip"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/goccy/go-yaml/ast"
)

// Types of scalars beside those of the standard library.
type (
	// Path is the name of a file. A relative one is joined with the folder of the configuration
	// file.
	Path string
	// Size is a number of octets, written as 256MiB (KiB, MiB, GiB or TiB).
	Size int64
	// Limit is a Size, or 0 for no limit.
	Limit int64
)

// Scalar describes how an Engine reads a type of its user from text.
type Scalar struct {
	// Wants completes "must be ...".
	Wants string
	// Parse returns the value. Its error is printed after the path of the key.
	Parse func(text string, tag reflect.StructTag) (any, error)
	// Pattern is a regular expression for the schema. Parse need not use it. "" allows any text.
	Pattern string
	// Integer allows an integer too. Parse gets its digits.
	Integer bool
}

// Engine decodes files. It has the built-in scalars and those of its user.
type Engine struct{ scalars map[reflect.Type]scalar }

// New returns an Engine with further types of scalars.
func New(further map[reflect.Type]Scalar) *Engine {
	e := &Engine{maps.Clone(builtIn)}
	for t, s := range further {
		e.scalars[t] = scalar{s, textOf, textSchema(s.Pattern)}
		if s.Integer {
			e.scalars[t] = scalar{s, textOrIntegerOf, map[string]any{"oneOf": []any{integerScalar.schema, textSchema(s.Pattern)}}}
		}
	}
	return e
}

// scalar describes how a type is read from a node.
type scalar struct {
	Scalar
	// node returns the text of a node, or false if the node has another kind.
	node func(ast.Node) (string, bool)
	// schema has the JSON type and further keywords of the schema.
	schema map[string]any
}

func (s scalar) wanted(tag reflect.StructTag) string {
	if tag.Get("enum") != "" {
		return oneOf(tag.Get("enum"))
	}
	return s.Wants
}

// builtIn has the scalars of every Engine. Secret is not one of them, because it may also be a
// mapping.
var builtIn = map[reflect.Type]scalar{
	reflect.TypeFor[string]():         textScalar("text", parseText, ""),
	reflect.TypeFor[bool]():           {Scalar{Wants: "true or false", Parse: parseBool}, boolOf, map[string]any{"type": "boolean"}},
	reflect.TypeFor[int]():            integerScalar,
	reflect.TypeFor[uint16]():         integerScalar,
	reflect.TypeFor[time.Duration]():  textScalar("a duration such as 5s", parseDuration, `^([0-9]+(\.[0-9]+)?(ns|us|µs|ms|s|m|h))+$`),
	reflect.TypeFor[Size]():           textScalar("a size such as 256MiB", parseSize, sizePattern.String()),
	reflect.TypeFor[Limit]():          {Scalar{Wants: "a size such as 16MiB, or 0", Parse: parseLimit}, sizeOrZeroOf, limitSchema()},
	reflect.TypeFor[Path]():           textScalar("the name of a file", parsePath, "."),
	reflect.TypeFor[netip.Prefix]():   textScalar("an IP address or prefix", parsePrefix, `^[0-9a-fA-F:.]+(/[0-9]+)?$`),
	reflect.TypeFor[netip.Addr]():     textScalar("an IP address", parseAddr, `^[0-9a-fA-F:.]+(%.+)?$`),
	reflect.TypeFor[netip.AddrPort](): textScalar("an IP address and port", parseAddrPort, `^.+:[0-9]+$`),
}

var integerScalar = scalar{Scalar{Wants: "an integer", Parse: parseInt}, integerOf, map[string]any{"type": "integer"}}

func textScalar(wants string, parse func(string, reflect.StructTag) (any, error), pattern string) scalar {
	return scalar{Scalar{Wants: wants, Parse: parse, Pattern: pattern}, textOf, textSchema(pattern)}
}

// scalarOf returns the scalar for a type, or false if there is none.
func (e *Engine) scalarOf(t reflect.Type) (scalar, bool) {
	if s, ok := e.scalars[t]; ok {
		return s, true
	}
	if t.Kind() != reflect.Pointer && reflect.PointerTo(t).Implements(reflect.TypeFor[encoding.TextUnmarshaler]()) {
		return textScalar("text", func(text string, tag reflect.StructTag) (any, error) { return unmarshal(t, text, tag) }, ""), true
	}
	return scalar{}, false
}

func unmarshal(t reflect.Type, text string, tag reflect.StructTag) (any, error) {
	if _, err := Text(text, tag); err != nil {
		return nil, err
	}
	v := reflect.New(t)
	if err := v.Interface().(encoding.TextUnmarshaler).UnmarshalText([]byte(text)); err != nil {
		return nil, err
	}
	return v.Elem().Interface(), nil
}

func textSchema(pattern string) map[string]any {
	if pattern == "" {
		return map[string]any{"type": "string"}
	}
	return map[string]any{"type": "string", "pattern": pattern}
}

func textOf(n ast.Node) (string, bool) {
	switch n := n.(type) {
	case *ast.StringNode:
		return n.Value, true
	case *ast.LiteralNode:
		return n.Value.Value, true
	}
	return "", false
}

func boolOf(n ast.Node) (string, bool) {
	b, ok := n.(*ast.BoolNode)
	if !ok {
		return "", false
	}
	return strconv.FormatBool(b.Value), true
}

func integerOf(n ast.Node) (string, bool) {
	i, ok := n.(*ast.IntegerNode)
	if !ok {
		return "", false
	}
	return i.Token.Value, true
}

func textOrIntegerOf(n ast.Node) (string, bool) {
	if text, ok := textOf(n); ok {
		return text, true
	}
	return integerOf(n)
}

// Text checks one line of text by the tags enum, min and max, as for a string.
func Text(text string, tag reflect.StructTag) (string, error) {
	enum := tag.Get("enum")
	if enum != "" && !slices.Contains(strings.Fields(enum), text) {
		return "", fmt.Errorf("%q is not %s", text, oneOf(enum))
	}
	if strings.ContainsAny(text, "\n\x00") {
		return "", errors.New("must be one line of text")
	}
	if lo, hi := tag.Get("min"), tag.Get("max"); hi != "" && (len(text) < number(lo) || len(text) > number(hi)) {
		return "", fmt.Errorf("has %d octets, must have %s to %s", len(text), lo, hi)
	}
	return text, nil
}

func parseText(text string, tag reflect.StructTag) (any, error) { return Text(text, tag) }

// oneOf formats the values of an enum tag: "a, b or c".
func oneOf(enum string) string {
	words := strings.Fields(enum)
	last := len(words) - 1
	return strings.Join(words[:last], ", ") + " or " + words[last]
}

func parseBool(text string, _ reflect.StructTag) (any, error) { return strconv.ParseBool(text) }

func parseInt(text string, tag reflect.StructTag) (any, error) {
	n, err := strconv.Atoi(text)
	switch {
	case errors.Is(err, strconv.ErrRange):
		n = math.MaxInt // out of every range
	case err != nil || strconv.Itoa(n) != text: // no 0x1F, 0755, 1_000
		return nil, fmt.Errorf("%q is not a decimal integer", text)
	}
	if n < number(tag.Get("min")) || n > number(tag.Get("max")) {
		return nil, fmt.Errorf("%s is not between %s and %s", text, tag.Get("min"), tag.Get("max"))
	}
	return n, nil
}

func parseDuration(text string, tag reflect.StructTag) (any, error) {
	n, err := time.ParseDuration(text)
	if err != nil {
		return nil, fmt.Errorf("%q is not a duration such as 5s or 1h30m", text)
	}
	if n < span(tag.Get("min")) || n > span(tag.Get("max")) {
		return nil, fmt.Errorf("%s is not between %s and %s", text, tag.Get("min"), tag.Get("max"))
	}
	return n, nil
}

// span parses the min or max tag of a duration.
func span(text string) time.Duration {
	d, err := time.ParseDuration(text)
	if err != nil {
		panic(fmt.Sprintf("strictyaml: tag: %v", err))
	}
	return d
}

var sizePattern = regexp.MustCompile(`^[1-9][0-9]{0,5}[KMGT]iB$`)

func parseSize(text string, tag reflect.StructTag) (any, error) {
	if !sizePattern.MatchString(text) {
		return nil, fmt.Errorf("%q is not a size such as 256MiB (KiB, MiB, GiB or TiB)", text)
	}
	n := size(text)
	if n < size(tag.Get("min")) || n > size(tag.Get("max")) {
		return nil, fmt.Errorf("%s is not between %s and %s", text, tag.Get("min"), tag.Get("max"))
	}
	return n, nil
}

// size converts text that matches sizePattern. The pattern keeps the result below 2^60.
func size(text string) Size {
	unit := len(text) - len("MiB")
	return Size(number(text[:unit])) << (10 * (1 + strings.IndexByte("KMGT", text[unit])))
}

func parsePath(text string, _ reflect.StructTag) (any, error) {
	if text == "" {
		return nil, errors.New("is empty")
	}
	if strings.ContainsAny(text, "\n\x00") {
		return nil, errors.New("is not the name of a file")
	}
	return Path(text), nil
}

// sizeOrZeroOf accepts text and the integer 0.
func sizeOrZeroOf(n ast.Node) (string, bool) {
	text, ok := textOrIntegerOf(n)
	_, isInteger := n.(*ast.IntegerNode)
	return text, ok && (!isInteger || text == "0")
}

func parseLimit(text string, tag reflect.StructTag) (any, error) {
	if text == "0" {
		return Limit(0), nil
	}
	n, err := parseSize(text, tag)
	if err != nil {
		return nil, err
	}
	return Limit(n.(Size)), nil
}

func limitSchema() map[string]any {
	return map[string]any{"oneOf": []any{
		map[string]any{"type": "integer", "minimum": 0, "maximum": 0}, textSchema(sizePattern.String()),
	}}
}

func parsePrefix(text string, _ reflect.StructTag) (any, error) {
	var prefix netip.Prefix
	addr, err := netip.ParseAddr(text)
	if err == nil && addr.Zone() == "" {
		prefix = netip.PrefixFrom(addr, addr.BitLen())
	} else if prefix, err = netip.ParsePrefix(text); err != nil {
		return nil, fmt.Errorf("%q is neither an IP address nor a prefix such as 192.0.2.0/24", text)
	}
	switch {
	case prefix.Addr().Is4In6():
		return nil, fmt.Errorf("%q is an IPv4 address: write it as %s", text, prefix.Addr().Unmap())
	case prefix != prefix.Masked():
		return nil, fmt.Errorf("%q has bits beyond its length; the prefix is %s", text, prefix.Masked())
	}
	return prefix, nil
}

// parseAddr parses the address of a host. A link-local one may have a zone.
func parseAddr(text string, _ reflect.StructTag) (any, error) {
	addr, err := netip.ParseAddr(text)
	switch {
	case err != nil:
		return nil, fmt.Errorf("%q is not an IP address", text)
	case addr.Is4In6():
		return nil, fmt.Errorf("%q is an IPv4 address: write it as %s", text, addr.Unmap())
	case addr.IsUnspecified() || addr.IsMulticast():
		return nil, fmt.Errorf("%q is not the address of a host", text)
	}
	return addr, nil
}

func parseAddrPort(text string, _ reflect.StructTag) (any, error) {
	if strings.HasPrefix(text, ":") {
		return nil, fmt.Errorf("%q has no address; for all addresses write 0.0.0.0%s and [::]%s", text, text, text)
	}
	ap, err := netip.ParseAddrPort(text)
	if err != nil {
		return nil, fmt.Errorf("%q is not an IP address and port such as 127.0.0.1:1813 or [::1]:1813", text)
	}
	return netip.AddrPortFrom(ap.Addr().Unmap(), ap.Port()), nil
}
