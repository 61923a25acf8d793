package config

import (
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"github.com/goccy/go-yaml/ast"
)

// decoder fills raw structs from the nodes of a file and notes all faults.
type decoder struct {
	*faults
	dir    string           // that relative file names begin in
	places map[string]place // of values, by path
}

// decode fills v, which has its default, from the value n at a path and place.
func (d *decoder) decode(n ast.Node, path string, at place, v reflect.Value, tag reflect.StructTag) {
	d.places[path] = at
	if v.Type() == reflect.TypeFor[Secret]() {
		if s, ok := d.secret(n, path, at); ok {
			v.SetString(string(s))
		}
		return
	}
	if l, ok := leaves[v.Type()]; ok {
		d.leaf(l, n, path, at, v, tag)
		return
	}
	switch v.Kind() {
	case reflect.Pointer:
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
		panic(fmt.Sprintf("config: %s: no decoder for %v", path, v.Type()))
	}
}

// leaf fills v from a scalar.
func (d *decoder) leaf(l leaf, n ast.Node, path string, at place, v reflect.Value, tag reflect.StructTag) {
	text, ok := l.node(n)
	if !ok {
		d.add(at, path, "must be %s, is %s", l.wanted(tag), kindOf(n))
		return
	}
	value, err := l.parse(text, tag)
	if err != nil {
		d.add(at, path, "%v", err)
		return
	}
	v.Set(reflect.ValueOf(d.resolve(value)))
}

// resolve joins a relative file name with the folder of the configuration file.
func (d *decoder) resolve(value any) any {
	if p, ok := value.(filePath); ok {
		return p.in(d.dir)
	}
	return value
}

// entry is a key of a mapping.
type entry struct {
	key   string
	at    place
	value ast.Node
}

// entries is the keys of a mapping, each once; false if n isn't one.
func (d *decoder) entries(n ast.Node, path string, at place) ([]entry, bool) {
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
			d.add(e.at, path, "key %s is there twice, first in line %d", shown(e.key), first.line)
			continue
		}
		seen[e.key] = e.at
		list = append(list, e)
	}
	return list, true
}

// valuePlace is where the value of a key stands, or the key if there is nothing.
func (e entry) valuePlace() place {
	if _, ok := e.value.(*ast.NullNode); ok {
		return e.at
	}
	return placeOf(e.value)
}

// structure fills the fields of v, which has its defaults.
func (d *decoder) structure(n ast.Node, path string, at place, v reflect.Value) {
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

// list fills a slice; it replaces the default.
func (d *decoder) list(n ast.Node, path string, at place, v reflect.Value, tag reflect.StructTag) {
	l, ok := n.(ast.ArrayNode)
	if !ok {
		d.add(at, path, "must be a list, is %s", kindOf(n))
		return
	}
	made := reflect.MakeSlice(v.Type(), 0, 0)
	for it := l.ArrayRange(); it.Next(); {
		item := reflect.New(v.Type().Elem()).Elem()
		d.setDefaults(item)
		d.decode(it.Value(), path+"["+strconv.Itoa(made.Len())+"]", placeOf(it.Value()), item, "")
		made = reflect.Append(made, item)
	}
	v.Set(made)
	if limit := tag.Get("min"); limit != "" && made.Len() < number(limit) {
		d.add(at, path, "has %d entries, at least %s are needed", made.Len(), limit)
	}
	if limit := tag.Get("max"); limit != "" && made.Len() > number(limit) {
		d.add(at, path, "has %d entries, at most %s are allowed", made.Len(), limit)
	}
}

// mapping fills a map of named things.
func (d *decoder) mapping(n ast.Node, path string, at place, v reflect.Value, tag reflect.StructTag) {
	list, ok := d.entries(n, path, at)
	if !ok {
		return
	}
	v.Set(reflect.MakeMap(v.Type()))
	for _, e := range list {
		if !slices.Contains(strings.Fields(tag.Get("keys")), e.key) {
			d.add(e.at, path, "list %s: only the list %q can be given; named lists come in a later version", shown(e.key), tag.Get("keys"))
			continue
		}
		item := reflect.New(v.Type().Elem()).Elem()
		d.setDefaults(item)
		d.decode(e.value, join(path, e.key), e.valuePlace(), item, "")
		v.SetMapIndex(reflect.ValueOf(e.key), item)
	}
}

// secret is a secret in the file, or fetched from where the file says.
func (d *decoder) secret(n ast.Node, path string, at place) (Secret, bool) {
	const want = "text in quotes, {file: PATH} or {credential: NAME}"
	var s Secret
	var err error
	if text, ok := textOf(n); ok {
		s, err = newSecret(text)
	} else if _, ok := n.(ast.MapNode); ok {
		var from rawSecretSource
		before := len(d.faults.list)
		d.structure(n, path, at, reflect.ValueOf(&from).Elem())
		switch {
		case len(d.faults.list) > before:
			return "", false
		case (from.File == "") == (from.Credential == ""):
			err = fmt.Errorf("must be %s", want)
		case from.File != "":
			s, err = readSecret(string(from.File))
		default:
			s, err = readCredential(from.Credential)
		}
	} else {
		err = fmt.Errorf("must be %s, is %s", want, kindOf(n))
	}
	if err != nil {
		d.add(at, path, "%v", err)
		return "", false
	}
	return s, true
}

// setDefaults gives the fields of a struct, and of the structs in it, their defaults. A bad default
// is our own mistake: the tests parse each of them.
func (d *decoder) setDefaults(v reflect.Value) {
	if _, ok := leaves[v.Type()]; ok || v.Kind() != reflect.Struct {
		return
	}
	for _, f := range fieldsOf(v.Type()) {
		fv := v.Field(f.index)
		def, ok := f.tag.Lookup("default")
		_, isLeaf := leaves[f.typ]
		switch {
		case !ok:
			d.setDefaults(fv)
		case !isLeaf && fv.Kind() == reflect.Slice:
			for _, text := range strings.Fields(def) {
				fv.Set(reflect.Append(fv, d.defaultValue(fv.Type().Elem(), text, "")))
			}
		case def != "":
			fv.Set(d.defaultValue(fv.Type(), def, f.tag))
		}
	}
}

func (d *decoder) defaultValue(t reflect.Type, text string, tag reflect.StructTag) reflect.Value {
	value, err := leaves[t].parse(text, tag)
	if err != nil {
		panic(fmt.Sprintf("config: default %v", err))
	}
	return reflect.ValueOf(d.resolve(value))
}

// field is a field of a raw struct.
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

// number is the value of a min or max tag.
func number(text string) int {
	n, err := strconv.Atoi(text)
	if err != nil {
		panic(fmt.Sprintf("config: tag: %v", err))
	}
	return n
}
