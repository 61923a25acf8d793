package strictyaml

import (
	"fmt"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/goccy/go-yaml/ast"
)

// decode fills v, which already has its default, from the node n.
func (d *Document) decode(n ast.Node, path string, at place, v reflect.Value, tag reflect.StructTag) {
	d.places[path] = at
	if v.Type() == secretType {
		if s, ok := d.secret(n, path, at); ok {
			v.SetString(string(s))
		}
		return
	}
	if s, ok := d.engine.scalarOf(v.Type()); ok {
		d.scalar(s, n, path, at, v, tag)
		return
	}
	switch v.Kind() {
	case reflect.Pointer:
		if _, ok := n.(ast.MapNode); !ok && tag.Get("restart") == "presence" {
			d.add(at, path, "must be a mapping of keys, is %s; to switch this off, leave the key out", kindOf(n))
			return
		}
		v.Set(reflect.New(v.Type().Elem()))
		d.setDefaults(v.Elem())
		d.decode(n, path, at, v.Elem(), tag)
	case reflect.Struct:
		d.structure(n, path, at, v)
	case reflect.Slice:
		d.list(n, path, at, v, tag)
	case reflect.Map:
		d.mapping(n, path, at, v, tag)
	default:
		panic(fmt.Sprintf("strictyaml: %s: no decoder for %v", path, v.Type()))
	}
}

// scalar fills v from a scalar.
func (d *Document) scalar(s scalar, n ast.Node, path string, at place, v reflect.Value, tag reflect.StructTag) {
	text, ok := s.node(n)
	if !ok {
		d.add(at, path, "must be %s, is %s", s.wanted(tag), kindOf(n))
		return
	}
	value, err := s.Parse(text, tag)
	if err != nil {
		d.add(at, path, "%v", err)
		return
	}
	v.Set(d.value(value, v.Type()))
}

// value converts a parsed value to the type t. It resolves file names.
func (d *Document) value(value any, t reflect.Type) reflect.Value {
	if p, ok := value.(Path); ok {
		value = d.Resolve(p)
	}
	return reflect.ValueOf(value).Convert(t)
}

// Resolve joins a relative file name with the folder of the file.
func (d *Document) Resolve(p Path) Path {
	if p == "" || filepath.IsAbs(string(p)) {
		return p
	}
	return Path(filepath.Join(d.dir, string(p)))
}

// entry is a key of a mapping.
type entry struct {
	key   string
	at    place
	value ast.Node
}

// entries returns the entries of a mapping. It reports keys that occur twice, and returns the first
// of them. It returns false if n is not a mapping.
func (d *Document) entries(n ast.Node, path string, at place) ([]entry, bool) {
	m, ok := n.(ast.MapNode)
	if !ok {
		d.add(at, path, "must be a mapping of keys, is %s", kindOf(n))
		return nil, false
	}
	var list []entry
	seen := map[string]place{}
	for it := m.MapRange(); it.Next(); {
		t := it.Key().GetToken()
		e := entry{key: t.Value, at: placeOfToken(t), value: it.Value()}
		if first, twice := seen[e.key]; twice {
			d.add(e.at, path, "key %s occurs twice, first in line %d", shown(e.key), first.line)
			continue
		}
		seen[e.key] = e.at
		list = append(list, e)
	}
	return list, true
}

// valuePlace returns the place of the value of a key, or that of the key if it has no value.
func (e entry) valuePlace() place {
	if _, ok := e.value.(*ast.NullNode); ok {
		return e.at
	}
	return placeOf(e.value)
}

// structure fills the fields of a struct, which already has its defaults.
func (d *Document) structure(n ast.Node, path string, at place, v reflect.Value) {
	list, ok := d.entries(n, path, at)
	if !ok {
		return
	}
	fields := fieldsOf(v.Type())
	given := map[string]bool{}
	for _, e := range list {
		i := slices.IndexFunc(fields, func(f field) bool { return f.key == e.key })
		if i < 0 {
			d.add(e.at, path, "unknown key %s; the keys here: %s", shown(e.key), keyList(fields))
			continue
		}
		given[e.key] = true
		d.decode(e.value, join(path, e.key), e.valuePlace(), v.Field(fields[i].index), fields[i].tag)
	}
	for _, f := range fields {
		if f.tag.Get("required") != "" && !given[f.key] {
			d.add(at, path, "%s is missing", f.key)
		}
	}
}

// list fills a slice. The list replaces the default.
func (d *Document) list(n ast.Node, path string, at place, v reflect.Value, tag reflect.StructTag) {
	items := reflect.MakeSlice(v.Type(), 0, 0)
	add := func(n ast.Node, path string, at place) {
		item := reflect.New(v.Type().Elem()).Elem()
		d.setDefaults(item)
		d.decode(n, path, at, item, each(tag))
		items = reflect.Append(items, item)
	}
	l, ok := n.(ast.ArrayNode)
	switch {
	case !ok && tag.Get("single") != "":
		add(n, path, at)
	case !ok:
		d.add(at, path, "must be a list, is %s", kindOf(n))
		return
	default:
		for it := l.ArrayRange(); it.Next(); {
			add(it.Value(), path+"["+strconv.Itoa(items.Len())+"]", placeOf(it.Value()))
		}
	}
	v.Set(items)
	if limit := tag.Get("min"); limit != "" && items.Len() < number(limit) {
		d.add(at, path, "has %d entries, at least %s are needed", items.Len(), limit)
	}
	if limit := tag.Get("max"); limit != "" && items.Len() > number(limit) {
		d.add(at, path, "has %d entries, at most %s are allowed", items.Len(), limit)
	}
}

// mapping fills a map.
func (d *Document) mapping(n ast.Node, path string, at place, v reflect.Value, tag reflect.StructTag) {
	list, ok := d.entries(n, path, at)
	if !ok {
		return
	}
	v.Set(reflect.MakeMap(v.Type()))
	keys := regexp.MustCompile(tag.Get("keys"))
	for _, e := range list {
		if !keys.MatchString(e.key) {
			d.add(e.at, path, "key %s is not %s", shown(e.key), tag.Get("wants"))
			continue
		}
		item := reflect.New(v.Type().Elem()).Elem()
		d.setDefaults(item)
		d.decode(e.value, join(path, e.key), e.valuePlace(), item, each(tag))
		v.SetMapIndex(reflect.ValueOf(e.key), item)
	}
}

// SetDefaults sets the fields of a struct, and of the structs in it, to their defaults. v is a
// pointer to the struct.
func (d *Document) SetDefaults(v any) { d.setDefaults(reflect.ValueOf(v).Elem()) }

func (d *Document) setDefaults(v reflect.Value) {
	if _, ok := d.engine.scalarOf(v.Type()); ok || v.Kind() != reflect.Struct {
		return
	}
	for _, f := range fieldsOf(v.Type()) {
		fv := v.Field(f.index)
		def, ok := f.tag.Lookup("default")
		_, isScalar := d.engine.scalarOf(f.typ)
		switch {
		case !ok:
			d.setDefaults(fv)
		case !isScalar && fv.Kind() == reflect.Slice:
			for _, text := range strings.Fields(def) {
				fv.Set(reflect.Append(fv, d.defaultValue(fv.Type().Elem(), text, "")))
			}
		case def != "":
			fv.Set(d.defaultValue(fv.Type(), def, f.tag))
		}
	}
}

func (d *Document) defaultValue(t reflect.Type, text string, tag reflect.StructTag) reflect.Value {
	s, _ := d.engine.scalarOf(t)
	value, err := s.Parse(text, tag)
	if err != nil {
		panic(fmt.Sprintf("strictyaml: default %v", err))
	}
	return d.value(value, t)
}

// field is a struct field with its tags.
type field struct {
	key   string
	index int
	tag   reflect.StructTag
	typ   reflect.Type
}

func fieldsOf(t reflect.Type) []field {
	fields := make([]field, 0, t.NumField())
	for i := range t.NumField() {
		f := t.Field(i)
		fields = append(fields, field{key: f.Tag.Get("yaml"), index: i, tag: f.Tag, typ: f.Type})
	}
	return fields
}

func keyList(fields []field) string {
	keys := make([]string, len(fields))
	for i, f := range fields {
		keys[i] = f.key
	}
	return strings.Join(keys, ", ")
}

func join(path, key string) string {
	if path == "" {
		return key
	}
	return path + "." + key
}

// each returns the tags of the entries of a list, or of the values of a map.
func each(tag reflect.StructTag) reflect.StructTag { return reflect.StructTag(tag.Get("each")) }

// number parses a min or max tag.
func number(text string) int {
	n, err := strconv.Atoi(text)
	if err != nil {
		panic(fmt.Sprintf("strictyaml: tag: %v", err))
	}
	return n
}
