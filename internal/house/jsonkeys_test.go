package house

import (
	"go/ast"
	"go/parser"
	"go/token"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

var camelCase = regexp.MustCompile(`^[a-z][a-zA-Z0-9]*$`)

// jsonFaults returns the JSON keys of a file's structs that are not camelCase, and the exported
// fields that would get Go's name because they have no tag, while others of their struct have one.
func jsonFaults(t *testing.T, path string, text []byte) (out []string) {
	t.Helper()
	f, err := parser.ParseFile(token.NewFileSet(), path, text, 0)
	if err != nil {
		t.Fatal(err)
	}
	ast.Inspect(f, func(n ast.Node) bool {
		s, ok := n.(*ast.StructType)
		if !ok {
			return true
		}
		var untagged []string
		isJSON := false
		for _, field := range s.Fields.List {
			key, tagged := jsonKey(field)
			isJSON = isJSON || tagged
			if tagged && key != "-" && !camelCase.MatchString(key) {
				out = append(out, "key "+strconv.Quote(key))
			}
			for _, name := range field.Names {
				if !tagged && name.IsExported() {
					untagged = append(untagged, "field "+name.Name)
				}
			}
		}
		if isJSON {
			out = append(out, untagged...)
		}
		return true
	})
	return out
}

// jsonKey returns the key in the tag of a field, if it has one.
func jsonKey(field *ast.Field) (key string, tagged bool) {
	if field.Tag == nil {
		return "", false
	}
	tag, err := strconv.Unquote(field.Tag.Value)
	if err != nil {
		return "", false
	}
	value, tagged := reflect.StructTag(tag).Lookup("json")
	key, _, _ = strings.Cut(value, ",")
	return key, tagged
}

// TestJSONKeys: all keys of the product's JSON are camelCase.
func TestJSONKeys(t *testing.T) {
	sources(t, func(path string, text []byte) {
		if strings.HasSuffix(path, "_test.go") {
			return
		}
		for _, fault := range jsonFaults(t, path, text) {
			t.Errorf("%s: %s is no camelCase JSON key", path, fault)
		}
	})
}

func TestJSONKeysCanFail(t *testing.T) {
	for fields, want := range map[string][]string{
		"A int `json:\"a\"`; B, c int `json:\"snmpEngineID,omitempty\"`; d int": nil,
		"A int `json:\"-\"`":                       nil,
		"A int; B int `yaml:\"b_b\"`":              nil,
		"A int `json:\"too_large\"`":               {`key "too_large"`},
		"A int `json:\"Large,omitzero\"`":          {`key "Large"`},
		"A int `json:\",omitempty\"`":              {`key ""`},
		"A int `json:\"a\"`; B int":                {"field B"},
		"A struct { B int `json:\"b-c\"` }; Other": {`key "b-c"`},
	} {
		got := jsonFaults(t, "x.go", []byte("package p\n\ntype t struct { "+fields+" }\n"))
		if !slices.Equal(got, want) {
			t.Errorf("%s: %q, want %q", fields, got, want)
		}
	}
}
