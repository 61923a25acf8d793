package strictyaml

import (
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Schema returns the JSON schema (draft 2020-12) of files for a struct of type t, for editors. It
// follows the tags. It does not have the ranges of durations, nor conditions on several keys: only
// a check of the file finds such faults.
func (e *Engine) Schema(title string, t reflect.Type) []byte {
	root := e.schemaOf(t, "")
	root["$schema"] = "https://json-schema.org/draft/2020-12/schema"
	root["title"] = title
	root["minProperties"] = 1
	b, err := json.MarshalIndent(root, "", "  ")
	if err != nil {
		panic(err) // maps of strings and numbers always marshal
	}
	return append(b, '\n')
}

func (e *Engine) schemaOf(t reflect.Type, tag reflect.StructTag) map[string]any {
	if t == secretType {
		return e.secretSchema()
	}
	if s, ok := e.scalarOf(t); ok {
		return scalarSchema(s, t, tag)
	}
	switch t.Kind() {
	case reflect.Pointer:
		return e.schemaOf(t.Elem(), tag)
	case reflect.Slice:
		return e.listSchema(t, tag)
	case reflect.Map:
		values := map[string]any{tag.Get("keys"): e.schemaOf(t.Elem(), each(tag))}
		return map[string]any{"type": "object", "additionalProperties": false, "patternProperties": values}
	case reflect.Struct:
		return e.structSchema(t)
	}
	panic(fmt.Sprintf("strictyaml: no schema for %v", t))
}

func (e *Engine) structSchema(t reflect.Type) map[string]any {
	properties := map[string]any{}
	var required []string
	for _, f := range fieldsOf(t) {
		s := e.schemaOf(f.typ, f.tag)
		s["description"] = description(f)
		properties[f.key] = s
		if f.tag.Get("required") != "" {
			required = append(required, f.key)
		}
	}
	s := map[string]any{"type": "object", "additionalProperties": false, "properties": properties}
	if required != nil {
		s["required"] = required
	}
	return s
}

// ranges has the types of text that have a range.
var ranges = []reflect.Type{reflect.TypeFor[time.Duration](), reflect.TypeFor[Size](), reflect.TypeFor[Limit]()}

// description returns the doc of a key, with the conditions that the schema cannot express.
func description(f field) string {
	text := f.tag.Get("doc")
	t := f.typ
	if t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	if lo, hi := f.tag.Get("min"), f.tag.Get("max"); slices.Contains(ranges, t) {
		text += fmt.Sprintf(" From %s to %s.", lo, hi)
	}
	switch f.tag.Get("restart") {
	case "yes":
		text += " A change needs a restart."
	case "presence":
		text += " To add or remove it needs a restart."
	}
	return text
}

func scalarSchema(sc scalar, t reflect.Type, tag reflect.StructTag) map[string]any {
	s := map[string]any{}
	for k, v := range sc.schema {
		s[k] = v
	}
	if enum := tag.Get("enum"); enum != "" {
		s["enum"] = strings.Fields(enum)
	}
	switch limit := tag.Get("max"); {
	case s["type"] == "integer":
		s["minimum"], s["maximum"] = number(tag.Get("min")), number(limit)
	case t.Kind() == reflect.String && limit != "":
		// The schema counts characters: there are at most as many as octets.
		s["minLength"], s["maxLength"] = number(tag.Get("min")), number(limit)
	}
	if def := tag.Get("default"); def != "" {
		s["default"] = def
		switch {
		case s["type"] == "integer":
			s["default"] = number(def)
		case s["type"] == "boolean":
			s["default"] = def == strconv.FormatBool(true)
		}
	}
	return s
}

func (e *Engine) listSchema(t reflect.Type, tag reflect.StructTag) map[string]any {
	s := map[string]any{"type": "array", "items": e.schemaOf(t.Elem(), each(tag))}
	if limit := tag.Get("min"); limit != "" {
		s["minItems"] = number(limit)
	}
	if limit := tag.Get("max"); limit != "" {
		s["maxItems"] = number(limit)
	}
	if def := tag.Get("default"); def != "" {
		s["default"] = strings.Fields(def)
	}
	if tag.Get("single") != "" {
		return map[string]any{"oneOf": []any{e.schemaOf(t.Elem(), each(tag)), s}}
	}
	return s
}

func (e *Engine) secretSchema() map[string]any {
	from := e.structSchema(reflect.TypeFor[secretSource]())
	from["minProperties"], from["maxProperties"] = 1, 1
	return map[string]any{"oneOf": []any{map[string]any{"type": "string", "minLength": 1}, from}}
}
