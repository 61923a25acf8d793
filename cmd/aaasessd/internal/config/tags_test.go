package config

import (
	"reflect"
	"slices"
	"strings"
	"testing"

	"aaasess/cmd/internal/strictyaml"
)

// keys walks all keys of a struct of the file, with list entries as path[] and map entries as
// path{}.
func keys(t reflect.Type, path string, visit func(path string, f reflect.StructField)) {
	for i := range t.NumField() {
		f := t.Field(i)
		at := strings.TrimPrefix(path+"."+f.Tag.Get("yaml"), ".")
		visit(at, f)
		typ := f.Type
		switch {
		case isScalar(typ):
			continue
		case typ.Kind() == reflect.Slice:
			typ, at = typ.Elem(), at+"[]"
		case typ.Kind() == reflect.Map:
			for ; typ.Kind() == reflect.Map && !isScalar(typ); at += "{}" {
				typ = typ.Elem()
			}
		case typ.Kind() == reflect.Pointer:
			typ = typ.Elem()
		}
		if !isScalar(typ) {
			keys(typ, at, visit)
		}
	}
}

// isScalar distinguishes named types without keys, such as netip.Addr, from structs with keys,
// lists, maps and pointers.
func isScalar(t reflect.Type) bool {
	if t.Kind() == reflect.Struct {
		return t.Field(0).Tag.Get("yaml") == ""
	}
	return t.Name() != ""
}

func allKeys(visit func(path string, f reflect.StructField)) {
	keys(reflect.TypeFor[rawConfig](), "", visit)
}

// faultsOfTags returns the faults in the tags of a field.
func faultsOfTags(f reflect.StructField) (faults []string) {
	known := []string{"yaml", "doc", "default", "required", "enum", "min", "max", "keys", "wants", "each", "single", "restart"}
	for _, pair := range strings.Split(string(f.Tag), `" `) {
		if name, _, _ := strings.Cut(pair, ":"); !slices.Contains(known, name) {
			faults = append(faults, "unknown tag "+name)
		}
	}
	if key := f.Tag.Get("yaml"); key == "" || strings.Trim(key, "abcdefghijklmnopqrstuvwxyz0123456789-") != "" {
		faults = append(faults, "key is not kebab-case")
	}
	if doc := f.Tag.Get("doc"); !strings.HasSuffix(doc, ".") {
		faults = append(faults, "no doc, or no sentence")
	}
	_, hasDefault := f.Tag.Lookup("default")
	if isScalar(f.Type) && f.Type != reflect.TypeFor[strictyaml.Secret]() && f.Tag.Get("required") == "" && !hasDefault {
		faults = append(faults, "neither required nor a default")
	}
	if f.Type.Kind() == reflect.Pointer {
		if hasDefault {
			faults = append(faults, "a pointer, and a default")
		}
		if doc := f.Tag.Get("doc"); !strings.Contains(doc, "If missing") && !strings.Contains(doc, "Without it") {
			faults = append(faults, "the doc does not say what a missing key is")
		}
	}
	if hasDefault && f.Tag.Get("required") != "" {
		faults = append(faults, "required, and a default")
	}
	return faults
}

func TestTags(t *testing.T) {
	seen := 0
	allKeys(func(path string, f reflect.StructField) {
		seen++
		for _, fault := range faultsOfTags(f) {
			t.Errorf("%s: %s", path, fault)
		}
	})
	if seen < 50 {
		t.Errorf("walked only %d keys", seen)
	}
}

func TestTagsFailing(t *testing.T) {
	type bad struct {
		A string `yaml:"A" doc:"Of no case."`
		B int    `yaml:"b" doc:"no sentence" default:"1"`
		C int    `yaml:"c" doc:"Both." default:"1" required:"yes"`
		D int    `yaml:"d" doc:"Mistyped." default:"1" mim:"1"`
		E *int   `yaml:"e" doc:"If missing, 1." default:"1"`
		F *int   `yaml:"f" doc:"Optional."`
	}
	want := []string{
		"key is not kebab-case", "no doc, or no sentence", "required, and a default", "unknown tag mim",
		"a pointer, and a default", "the doc does not say what a missing key is",
	}
	for i := range want {
		if f := reflect.TypeFor[bad]().Field(i); !slices.Contains(faultsOfTags(f), want[i]) {
			t.Errorf("%s: %q not found", f.Name, want[i])
		}
	}
}
