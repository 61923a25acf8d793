package config

import (
	"errors"
	"fmt"
	"math"
	"net/netip"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/goccy/go-yaml/ast"

	"aaasess/mib"
)

// The types of text that raw structs have beside those of the standard library.
type (
	filePath      string // made absolute or relative to the working directory by the decoder
	nameText      string // the name of a client, server or group
	hostText      string // IP address or host name
	attributeText string // "NAME" or "NAME = VALUE" of a RADIUS attribute
	methodText    string // "local" or "group NAME"
	byteSize      int64
)

// in is the file name seen from where dir is seen from.
func (p filePath) in(dir string) filePath {
	if p == "" || filepath.IsAbs(string(p)) {
		return p
	}
	return filePath(filepath.Join(dir, string(p)))
}

// leaf is how a type of scalar is read.
type leaf struct {
	// wants completes "must be ...".
	wants string
	// node takes the text out of a scalar of the right kind.
	node func(ast.Node) (string, bool)
	// parse gives the value, of the leaf's type. Its errors follow the path of the key.
	parse func(text string, tag reflect.StructTag) (any, error)
	// schema is the JSON type and what more the schema says of it.
	schema map[string]any
}

func (l leaf) wanted(tag reflect.StructTag) string {
	if tag.Get("enum") != "" {
		return oneOf(tag.Get("enum"))
	}
	return l.wants
}

// leaves is all types of scalars but Secret, which may be a mapping too.
var leaves = map[reflect.Type]leaf{
	reflect.TypeFor[string]():         {"text", textOf, parseText, textSchema("")},
	reflect.TypeFor[bool]():           {"true or false", boolOf, parseBool, map[string]any{"type": "boolean"}},
	reflect.TypeFor[int]():            {"an integer", integerOf, parseInt, map[string]any{"type": "integer"}},
	reflect.TypeFor[time.Duration]():  {"a duration such as 5s", textOf, parseDuration, textSchema(`^([0-9]+(\.[0-9]+)?(ns|us|µs|ms|s|m|h))+$`)},
	reflect.TypeFor[byteSize]():       {"a size such as 256MiB", textOf, parseSize, textSchema(sizePattern.String())},
	reflect.TypeFor[filePath]():       {"the name of a file", textOf, parsePath, textSchema(".")},
	reflect.TypeFor[nameText]():       {"a name", textOf, parseName, textSchema(namePattern.String())},
	reflect.TypeFor[hostText]():       {"an IP address or host name", textOf, parseHost, textSchema(".")},
	reflect.TypeFor[netip.Prefix]():   {"an IP address or prefix", textOf, parsePrefix, textSchema(`^[0-9a-fA-F:.]+(/[0-9]+)?$`)},
	reflect.TypeFor[netip.Addr]():     {"an IP address", textOf, parseAddr, textSchema(`^[0-9a-fA-F:.]+(%.+)?$`)},
	reflect.TypeFor[netip.AddrPort](): {"an IP address and port", textOf, parseAddrPort, textSchema(`^.+:[0-9]+$`)},
	reflect.TypeFor[attributeText]():  {"the name of a RADIUS attribute, or NAME = VALUE", textOf, parseAttribute, textSchema(`^[^ =]+( *=.*)?$`)},
	reflect.TypeFor[methodText]():     {"local or group NAME", textOf, parseMethod, textSchema(`^(local|group [^ ]+)$`)},
	reflect.TypeFor[mib.OID]():        {"an OID in quotes, such as \"1.3.6.1\"", textOf, parseOID, textSchema(oidPattern.String())},
	reflect.TypeFor[shortName]():      {"a name", textOf, parseShortName, textSchema(shortNamePattern.String())},
	reflect.TypeFor[viewText]():       {"the name of a view", textOf, parseView, textSchema(`^([A-Za-z0-9][A-Za-z0-9._-]{0,31})?$`)},
	reflect.TypeFor[engineID]():       {"hexadecimal digits in quotes", textOf, parseEngineID, textSchema(enginePattern)},
	reflect.TypeFor[targetText]():     {"an IP address or host name, or host:port", textOf, parseTarget, textSchema(".")},
	reflect.TypeFor[mibText]():        {"text", textOf, parseMIBText, textSchema(mibTextPattern)},
	reflect.TypeFor[byteLimit]():      {"a size such as 16MiB, or 0", sizeOrZeroOf, parseLimit, limitSchema()},
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

func parseText(text string, tag reflect.StructTag) (any, error) {
	enum := tag.Get("enum")
	if enum != "" && !slices.Contains(strings.Fields(enum), text) {
		return nil, fmt.Errorf("%q is not %s", text, oneOf(enum))
	}
	if strings.ContainsAny(text, "\n\x00") {
		return nil, errors.New("must be one line of text")
	}
	if lo, hi := tag.Get("min"), tag.Get("max"); hi != "" && (len(text) < number(lo) || len(text) > number(hi)) {
		return nil, fmt.Errorf("has %d octets, must have %s to %s", len(text), lo, hi)
	}
	return text, nil
}

// oneOf is "a, b or c".
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
		n = math.MaxInt // out of any range
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

// span is the value of the min or max tag of a duration.
func span(text string) time.Duration {
	d, err := time.ParseDuration(text)
	if err != nil {
		panic(fmt.Sprintf("config: tag: %v", err))
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

// size is the value of text that matches sizePattern, which keeps it below 2^60.
func size(text string) byteSize {
	unit := len(text) - len("MiB")
	return byteSize(number(text[:unit])) << (10 * (1 + strings.IndexByte("KMGT", text[unit])))
}

func parsePath(text string, _ reflect.StructTag) (any, error) {
	if text == "" {
		return nil, errors.New("is empty")
	}
	if strings.ContainsAny(text, "\n\x00") {
		return nil, errors.New("is not the name of a file")
	}
	return filePath(text), nil
}

var namePattern = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$`)

func parseName(text string, _ reflect.StructTag) (any, error) {
	if !namePattern.MatchString(text) {
		return nil, fmt.Errorf("%q is not a name: 1 to 64 letters, digits, dots, underscores and hyphens, a letter or digit first", text)
	}
	return nameText(text), nil
}

// hostPattern is a host name (RFC 1123 section 2.1); a last label of digits alone would be an
// address that was mistyped.
var hostPattern = regexp.MustCompile(`^([A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.)*[A-Za-z]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.?$`)

func parseHost(text string, _ reflect.StructTag) (any, error) {
	if addr, err := netip.ParseAddr(text); err == nil {
		return hostText(addr.Unmap().String()), nil
	}
	if len(text) > 253 || !hostPattern.MatchString(text) {
		return nil, fmt.Errorf("%q is neither an IP address nor a host name (the port has a key of its own)", text)
	}
	return hostText(strings.ToLower(text)), nil
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

// parseAddr takes an address that a host can send from; a link-local one may have its zone.
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
		return nil, fmt.Errorf("%q has no address; all are 0.0.0.0%s and [::]%s", text, text, text)
	}
	ap, err := netip.ParseAddrPort(text)
	if err != nil {
		return nil, fmt.Errorf("%q is not an IP address and port such as 127.0.0.1:1813 or [::1]:1813", text)
	}
	return netip.AddrPortFrom(ap.Addr().Unmap(), ap.Port()), nil
}

// parseAttribute leaves the check to clients, which has the dictionary.
func parseAttribute(text string, _ reflect.StructTag) (any, error) { return attributeText(text), nil }

const groupPrefix = "group "

func parseMethod(text string, _ reflect.StructTag) (any, error) {
	name, isGroup := strings.CutPrefix(text, groupPrefix)
	switch {
	case text == "local":
	case text == "group tacacs+":
		return nil, errors.New("there is no TACACS+ in this version")
	case !isGroup || !namePattern.MatchString(name):
		return nil, fmt.Errorf("%q is neither \"local\" nor \"group NAME\"", text)
	}
	return methodText(text), nil
}
