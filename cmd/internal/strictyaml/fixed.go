package strictyaml

import (
	"reflect"
	"strings"
)

// Fixed is a value that a reload cannot change, with the path of its key.
type Fixed struct {
	Path  string
	Value any
}

// Fixed returns the values of all keys with the tag restart, in the order of the fields. v is a
// pointer to the struct. For a key with restart:"presence" the value is whether the key is present.
// Keys of a missing mapping have their zero values.
func (e *Engine) Fixed(v any) []Fixed { return e.fixed(nil, "", reflect.ValueOf(v).Elem()) }

func (e *Engine) fixed(list []Fixed, path string, v reflect.Value) []Fixed {
	for _, f := range fieldsOf(v.Type()) {
		path, fv := join(path, f.key), v.Field(f.index)
		switch f.tag.Get("restart") {
		case "yes":
			list = append(list, Fixed{path, fv.Interface()})
			continue
		case "presence":
			list = append(list, Fixed{path, !fv.IsNil()})
		}
		if fv.Kind() == reflect.Pointer {
			if fv.IsNil() {
				fv = reflect.New(f.typ.Elem())
			}
			fv = fv.Elem()
		}
		if _, ok := e.scalarOf(fv.Type()); !ok && fv.Kind() == reflect.Struct {
			list = e.fixed(list, path, fv)
		}
	}
	return list
}

// Changed returns the paths of the values that differ between two lists of [Engine.Fixed] for one
// type. If a mapping was added or removed, the result has its path, and not those of its keys.
func Changed(old, now []Fixed) (paths []string) {
	for i := range now {
		if n := len(paths); n > 0 && strings.HasPrefix(now[i].Path, paths[n-1]+".") {
			continue
		}
		if !reflect.DeepEqual(old[i].Value, now[i].Value) {
			paths = append(paths, now[i].Path)
		}
	}
	return paths
}
